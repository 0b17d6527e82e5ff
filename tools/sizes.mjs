/**
 * Measures what a user downloads, and holds the ceiling.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { root, runAsCli } from "./lib/run.mjs";

/**
 * The most that {@link DOWNLOADS}' main entry may weigh: bytes after brotli 11, each file compressed by itself. Signing in
 * as a public client takes 44,000 of them; the gateway, the session, its tabs, popups and launches take the rest. It holds
 * what was reached, and is lowered with every kilobyte that is won.
 */
export const MAX_BROTLI_BYTES = 61_100;

/** The files that a page loads, by how the package is imported. */
export const DOWNLOADS = {
  "classlink-spa": ["index.js", "classlink_spa_bg.wasm"],
  "classlink-spa/inline": ["inline.js"],
};

/** @typedef {{ raw: number, gzip: number, brotli: number }} Size in bytes */

/**
 * Weighs the built package.
 *
 * @param {string} [pkg] its folder
 * @returns {Record<string, { files: Record<string, Size>, total: Size }>} by the names of {@link DOWNLOADS}
 */
export function measure(pkg = join(root, "pkg")) {
  return Object.fromEntries(
    Object.entries(DOWNLOADS).map(([name, paths]) => {
      const files = Object.fromEntries(paths.map((path) => [path, weigh(join(pkg, path))]));
      const total = { raw: 0, gzip: 0, brotli: 0 };
      for (const size of Object.values(files)) {
        for (const unit of Object.keys(total)) total[unit] += size[unit];
      }
      return [name, { files, total }];
    }),
  );
}

/** @returns {Size} */
function weigh(path) {
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

/** Prints the table. */
export function printSizes() {
  const row = (name, ...cells) =>
    console.log(`  ${name.padEnd(26)}${cells.map((cell) => String(cell).padStart(10)).join("")}`);
  row("bytes to download", "raw", "gzip", "brotli");
  for (const [name, { files, total }] of Object.entries(measure())) {
    row(name, total.raw, total.gzip, total.brotli);
    if (Object.keys(files).length === 1) continue;
    for (const [file, size] of Object.entries(files)) {
      row(`  ${file}`, size.raw, size.gzip, size.brotli);
    }
  }
  row("ceiling", "", "", MAX_BROTLI_BYTES);
}

await runAsCli(import.meta, printSizes);
