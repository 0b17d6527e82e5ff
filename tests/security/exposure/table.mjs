/** The tables of docs/security.md that tests hold true. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../tools/lib/run.mjs";

const PAGE = "docs/security.md";

const cellsOf = (/** @type {string} */ line) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/**
 * Asserts that these are rows of the table below a comment. If they aren't, the error shows them as the page would have
 * to.
 *
 * @param {string} comment The text of the comment.
 * @param {Record<string, string[]>} rows Cells after the first, by the first.
 */
export function assertTable(comment, rows) {
  const [, rest = ""] = readFileSync(join(root, PAGE), "utf8").split(`<!-- ${comment} -->\n\n`);
  const [, , ...lines] = rest.split("\n\n")[0].split("\n");
  const written = Object.fromEntries(lines.map(cellsOf).map(([first, ...cells]) => [first, cells]));
  const wanted = Object.entries(rows).map((row) => `| ${row.flat().join(" | ")} |`);
  const same = Object.fromEntries(Object.keys(rows).map((name) => [name, written[name]]));
  assert.deepEqual(rows, same, `${PAGE}, below “${comment}”, would be:\n${wanted.join("\n")}\n`);
}
