/**
 * Makes one module of a page's script and the packages that it imports.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../../../", import.meta.url);

/** The installed version of a package. @param {string} name */
export function versionOf(name) {
  const path = new URL(`node_modules/${name}/package.json`, root);
  return JSON.parse(readFileSync(path, "utf8")).version;
}

/**
 * Bundles a script once; what differs between pages comes in as `SETTINGS`.
 *
 * @param {string} script
 * @returns {(settings: object) => Promise<string>}
 */
export function bundled(script) {
  /** @type {Promise<string> | undefined} */
  let text;
  return async (settings) => {
    text ??= build({
      stdin: { contents: script, resolveDir: fileURLToPath(root) },
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      logLevel: "error",
    }).then(({ outputFiles: [file] }) => file.text);
    return `globalThis.SETTINGS = ${JSON.stringify(settings)};\n${await text}`;
  };
}
