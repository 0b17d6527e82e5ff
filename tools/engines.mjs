/**
 * `npm run test:browsers`: runs the tests that use a browser, whole, in each engine.
 *
 *     npm run test:browsers                       in every engine
 *     npm run test:browsers -- firefox            in one
 *     npm run test:browsers -- cookies sign-in    in one, the test files whose path contains one of the other words
 *     npm run test:browsers -- firefox popup --name "closed"
 *                                                 of those, the tests whose name matches the regular expression
 *
 * The last lines say how many tests passed, failed and were skipped in each; `docs/engines.md` says why those were.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { CliError, logStep, root, runAsCli } from "./lib/run.mjs";
import { runTestFiles, sumText, testFiles } from "./lib/test-files.mjs";
import { setUp } from "./setup.mjs";

/** @import { BROWSERS } from "./lib/browser.mjs" */

/**
 * The engines by their names on the command line: the tests' name for each, and the browser that it needs.
 *
 * @type {Record<string, { engine: string, browser: keyof typeof BROWSERS }>}
 */
const ENGINES = {
  chromium: { engine: "chromium", browser: "chromium" },
  firefox: { engine: "firefox", browser: "firefox" },
  webkit: { engine: "webkit", browser: "webkit" },
  cookies: { engine: "chromium-no-third-party-cookies", browser: "chromium" },
};

/** The programs that start a browser for the tests. */
const LAUNCHER = join(root, "tests/support/browser.mjs");

/**
 * Whether a module imports the launcher, itself or by way of others.
 *
 * @param {string} path
 * @param {Set<string>} [seen]
 * @returns {boolean}
 */
function usesBrowser(path, seen = new Set()) {
  if (path === LAUNCHER) return true;
  if (seen.has(path) || !path.endsWith(".mjs")) return false;
  seen.add(path);
  const imports = readFileSync(path, "utf8").matchAll(/^(?:import|\} from)\b.*"(\.[^"]+)";$/gm);
  return [...imports].some(([, specifier]) => usesBrowser(join(path, "..", specifier), seen));
}

await runAsCli(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: { type: "string" } },
  });
  const named = Object.keys(ENGINES).filter((name) => positionals.includes(name));
  const names = named.length > 0 ? named : Object.keys(ENGINES);
  const words = positionals.filter((word) => !named.includes(word));
  const files = testFiles(words).filter((path) => usesBrowser(join(root, path)));
  if (files.length === 0) throw new CliError(`No test that uses a browser is named ${words}.`);

  await setUp();
  await build();
  const sums = [];
  for (const name of names) {
    const { engine, browser } = ENGINES[name];
    await setUp({ browser });
    logStep(`Testing in ${engine}: ${files.length} files`);
    const runs = files.map((path) => ({ path, env: { ENGINE: engine } }));
    const sum = await runTestFiles(runs, values.name);
    sums.push({ engine, sum });
    if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  }
  for (const { engine, sum } of sums) console.log(`${engine}: ${sumText(sum)}`);
});
