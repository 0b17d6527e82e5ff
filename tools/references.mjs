/**
 * Checks that the files exist which comments and the maintainers' pages name (`npm run lint` does it, too).
 *
 * A name counts as found if a file of the repository has this path, or a path that ends with it; a command if the root's
 * `package.json` has the script. Links between pages are checked by `tests/docs/docs.test.mjs`.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, execCapture, root, runAsCli } from "./lib/run.mjs";

/** Pages whose file names are this repository's. The others' are a reader's own application's. */
const PAGES =
  /^(?:[A-Z]+\.md|docs\/(?:maintainers\/.*|engines|faults|fuzzing|mutation-testing)\.md|www\/.*\.md|\.github\/.*)$/;
const SOURCES = /^(?!tests\/(?:samples|packaging)\/).*\.(?:rs|tsx?|m?js)$/;

/** Comments that fill whole lines. */
const COMMENT = /^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/.*)/gm;
/** A path from the repository's root, or the name of a source file in code font. */
const NAME =
  /(?<![\w./:@-])(?:src|tests|tools|docs|pkg-template|www|fuzz|gateway|bench)\/[\w./-]*\w|(?<=`)[\w./-]+\.(?:rs|tsx?|mjs)(?=`)/g;
/** A command of the repository. */
const COMMAND = /\bnpm run ([\w:-]+)/g;
/** Files that a command writes, and that may be missing. */
const GENERATED = /^(?:docs\/(?:api|conformance)\b|fuzz\/artifacts|src\/wasm)/;
/** Files of a reader's own application. */
const OTHERS = /^(?:proxy|middleware)\.ts$/;

function check() {
  const listed = execCapture(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
    },
  );
  const files = listed.stdout.split("\0").filter((file) => file && existsSync(join(root, file)));
  const known = new Set();
  for (const file of files) {
    const parts = file.split("/");
    for (let from = 0; from < parts.length; from += 1) {
      for (let to = from + 1; to <= parts.length; to += 1)
        known.add(parts.slice(from, to).join("/"));
    }
  }
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const missing = [];
  for (const file of files.filter((name) => PAGES.test(name) || SOURCES.test(name))) {
    const text = readFileSync(join(root, file), "utf8");
    const blocks = PAGES.test(file) ? [{ 0: text, index: 0 }] : text.matchAll(COMMENT);
    for (const { 0: block, index } of blocks) {
      for (const { 0: name, index: offset } of block.matchAll(NAME)) {
        const path = name.replace(/^(?:\.{1,2}\/)+/, "").replace(/\/$/, "");
        if (known.has(path) || known.has(`${path}.rs`) || GENERATED.test(path) || OTHERS.test(path))
          continue;
        const line = text.slice(0, index + offset).split("\n").length;
        missing.push(`${file}:${line}: ${name} does not exist`);
      }
      for (const [command, script = ""] of PAGES.test(file) ? block.matchAll(COMMAND) : []) {
        if (!(script in scripts)) missing.push(`${file}: ${command} does not exist`);
      }
    }
  }
  for (const line of missing) console.log(line);
  if (missing.length > 0) throw new CliError(`${missing.length} names of files that do not exist.`);
}

await runAsCli(import.meta, async () => check());
