/**
 * Weighs what an application downloads.
 *
 * @module
 */

import { bundleEntry, bundlePage, weigh } from "./bundle.js";

/** @import { Library } from "./libraries.js" */

/**
 * Bytes after brotli: of everything that the library's entry exports, and of the bench's page, which has what a sign-in
 * needs of it.
 *
 * @typedef {{ entryBytes?: number, pageBytes: number }} Size
 */

/**
 * @param {Library[]} libraries
 * @returns {Promise<Record<string, Size>>} By the library's ID.
 */
export async function measureSizes(libraries) {
  /** @type {Record<string, Size>} */
  const sizes = {};
  for (const library of libraries) {
    // The same files, asked for in another order.
    if (library.head) continue;
    const { id, entry } = library;
    sizes[id] = {
      ...(entry && { entryBytes: weigh(await bundleEntry(entry)) }),
      pageBytes: weigh(await bundlePage(library)),
    };
  }
  return sizes;
}
