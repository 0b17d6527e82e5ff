/**
 * Signs users in with ClassLink, from a single-page app.
 *
 * @packageDocumentation
 */

import { type CreateClient, clientFactory } from "./client/create-client.js";
import { glue } from "./glue.js";
import { createRuntime } from "./loader.js";

export * from "./exports.js";

/**
 * Makes a client. It touches no browser global and starts nothing: the WebAssembly loads at the first call that
 * needs it.
 *
 * @throws {@link ClassLinkError} `config_invalid`; a configuration function's mistake rejects the first call instead.
 */
export const createClient: CreateClient = /* @__PURE__ */ clientFactory(
  /* @__PURE__ */ createRuntime(glue, (wasmUrl, init) =>
    // Bundlers look for this very expression.
    fetch(wasmUrl ?? new URL("./classlink_spa_bg.wasm", import.meta.url), init),
  ),
);
