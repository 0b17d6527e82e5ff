/**
 * The client with its WebAssembly inside the script, for hosts and bundlers that can't serve a `.wasm` file.
 *
 * @packageDocumentation
 */

import { type CreateClient, clientFactory } from "./client/create-client.js";
import { glue } from "./glue.js";
import { createRuntime } from "./loader.js";
import base64 from "./wasm/classlink_spa_bg.wasm";

export * from "./exports.js";

/** Makes a client, as the main entry point does; `wasmUrl` has no meaning here. */
export const createClient: CreateClient = /* @__PURE__ */ clientFactory(
  /* @__PURE__ */ createRuntime(glue, async () =>
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  ),
);
