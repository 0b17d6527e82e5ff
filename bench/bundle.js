/**
 * Bundles pages as applications are bundled, and weighs them.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

/** @import { Library } from "./libraries.js" */

/**
 * A page's files by name. `app.js` is what the page loads; `isInitial` ones are loaded with it.
 *
 * @typedef {Map<string, { bytes: Uint8Array, isInitial: boolean }>} Bundle
 */

export const WASM = "classlink_spa_bg.wasm";
export const ENTRY = "app.js";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Bundles the page that signs in with a library.
 *
 * @param {Library} library
 */
export const bundlePage = ({ id, adapter = id }) =>
  bundle(
    `import { start } from "./page.js"; import create from "./adapters/${adapter}.js"; start(create);`,
  );

/**
 * Bundles everything that a library's entry exports.
 *
 * @param {string} entry
 */
export const bundleEntry = (entry) =>
  bundle(`import * as library from "${entry}"; globalThis.library = library;`);

/** @param {string} script @returns {Promise<Bundle>} */
async function bundle(script) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    outdir: "/",
    entryNames: "app",
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    write: false,
    metafile: true,
    logLevel: "error",
  });
  /** @type {Map<string, import("esbuild").Metafile["outputs"][string]>} */
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [nameOf(path), output]),
  );
  const initial = new Set([ENTRY]);
  for (const name of initial) {
    for (const { path, kind } of outputs.get(name)?.imports ?? []) {
      if (kind === "import-statement") initial.add(nameOf(path));
    }
  }
  /** @type {Bundle} */
  const files = new Map();
  for (const { path, contents, text } of outputFiles) {
    const name = nameOf(path);
    files.set(name, { bytes: contents, isInitial: initial.has(name) });
    if (name === ENTRY && text.includes(WASM)) {
      files.set(WASM, { bytes: readFileSync(`${root}pkg/${WASM}`), isInitial: true });
    }
  }
  return files;
}

/** @param {string} path */
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * Compresses by brotli.
 *
 * @param {Uint8Array} bytes
 * @param {number} quality From 0 to 11, which hosts that compress ahead of time use.
 */
export const compress = (bytes, quality = 11) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });

/**
 * Adds up what a page loads before it can sign in: bytes after brotli, each file by itself.
 *
 * @param {Bundle} bundle
 */
export const weigh = (bundle) =>
  [...bundle.values()]
    .filter(({ isInitial }) => isInitial)
    .reduce((sum, { bytes }) => sum + compress(bytes).length, 0);
