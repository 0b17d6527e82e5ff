/**
 * Checks the words of the documentation and of comments (`npm run lint` does it, too): `node tools/prose.mjs [file…]`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { TextlintKernel } from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import pattern from "@textlint-rule/textlint-rule-pattern";
import { CliError, execCapture, root, runAsCli } from "./lib/run.mjs";
import * as comments from "./prose/comments.mjs";
import { nounClause, words } from "./prose/words.mjs";

/** Files whose text is not the project's own: generated, or a norm's or a tool's. */
const FOREIGN =
  /^(?:docs\/(?:conformance|dependencies)\.md|docs\/api\/|tools\/prose\/words\.mjs$|www\/.*\/dist\/)/;

const PROSE = /\.(?:md|rs|tsx?|mts|m?js)$/;

/** @param {string[]} named paths from the root; none for every file of the repository */
async function check(named) {
  const listed = execCapture(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root },
  );
  const files = (named.length > 0 ? named : listed.stdout.split("\0")).filter(
    (file) => PROSE.test(file) && !FOREIGN.test(file),
  );
  const kernel = new TextlintKernel();
  let found = 0;
  for (const file of files) {
    const { messages } = await kernel.lintText(readFileSync(join(root, file), "utf8"), {
      ext: extname(file),
      filePath: join(root, file),
      plugins: [
        { pluginId: "markdown", plugin: /** @type {any} */ (markdown).default },
        { pluginId: "comments", plugin: comments },
      ],
      rules: [
        {
          ruleId: "words",
          rule: /** @type {any} */ (pattern).default,
          options: { patterns: [...words, nounClause] },
        },
      ],
    });
    for (const { loc, message } of messages) {
      console.log(`${file}:${loc.start.line}:${loc.start.column}: ${message}`);
    }
    found += messages.length;
  }
  if (found > 0)
    throw new CliError(`${found} phrases in ${files.length} files are not the project's.`);
}

await runAsCli(import.meta, () => check(process.argv.slice(2)));
