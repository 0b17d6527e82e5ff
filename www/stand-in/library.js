/**
 * Loads oidc-provider without its one warning at import: that it prefers a newer Node.js. The stand-in is tested on
 * the versions that its package.json names, and a test run's output should hold what the tests say.
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
 * Reports what goes wrong in the library: its own defects, and as Koa does what the browser is not told of.
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
