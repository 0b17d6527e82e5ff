/** Folders that end with a test. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Makes a folder that is removed when the test ends.
 *
 * @param {import("node:test").TestContext} t
 * @returns {string} its path
 */
export function newFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "classlink-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
