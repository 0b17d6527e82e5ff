/**
 * The client when scripts run on Node: on a server it stays `"loading"`; under a test runner that has a page it reads
 * its WebAssembly from the file beside it, and `wasmUrl` is for browsers.
 *
 * @packageDocumentation
 */

import { type CreateClient, clientFactory } from "./client/create-client.js";
import { glue } from "./glue.js";
import { createRuntime } from "./loader.js";

export * from "./exports.js";

/** Makes a client, as the browser's entry point does. */
export const createClient: CreateClient = /* @__PURE__ */ clientFactory(
  /* @__PURE__ */ createRuntime(glue, async () => {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(new URL("./classlink_spa_bg.wasm", import.meta.url)));
  }),
);
