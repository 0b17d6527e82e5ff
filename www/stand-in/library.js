/**
 * Imports oidc-provider without its warning that it prefers a newer Node.js: the stand-in is tested with the versions in its
 * package.json, and the warning would be in the output of every test run.
 */

import { report } from "./http.js";

const { warn } = console;
console.warn = (/** @type {unknown[]} */ ...args) => {
  if (!String(args[0]).includes("oidc-provider WARNING: Unsupported runtime")) warn(...args);
};
/** @type {any} */
let library;
try {
  library = await import("oidc-provider");
} finally {
  console.warn = warn;
}

/** oidc-provider's `Provider` class. */
export const Provider = library.Provider;

/**
 * Reports the library's errors: its own, and as Koa does those that the browser does not get.
 *
 * @param {InstanceType<typeof Provider>} provider
 */
export function reportDefects(provider) {
  provider.on("server_error", (/** @type {unknown} */ _ctx, /** @type {Error} */ error) => {
    report(error);
  });
  provider.on("error", (/** @type {Error & { expose?: boolean }} */ error) => {
    if (!error.expose) report(error);
  });
}
