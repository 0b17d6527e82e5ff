/**
 * Runs the tests, each in the cheapest place that can answer its question (`docs/maintainers/testing.md`).
 *
 *     npm test                              the crate's tests, then those under `tests/` against the package just built; of
 *                                           the largest tables a part
 *     npm test -- sign-in popup             the test files whose path contains one of the words
 *     npm test -- sign-in --name "reload"   of those, the tests whose name matches the regular expression
 *     npm test -- sign-in --chromium        all of these files in the complete Chromium, and nothing in Node
 *     npm test -- --dev                     against a development build, which is made in seconds
 *     npm run test:unit                     the crate's tests, and the vectors that all implementations share
 *     npm run test:watch -- sign-in         the same files after each change, against a development build
 *
 * The last line says `N passed, N failed`, and how many were skipped if any were.
 *
 * @module
 */

import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build, buildGateway } from "./build.mjs";
import { CliError, logStep, root, run, runAsCli } from "./lib/run.mjs";
import { cheapestRuns, runTestFiles, sumText, testFiles } from "./lib/test-files.mjs";
import { setUp } from "./setup.mjs";

/** @import { TestCounts } from "./lib/test-files.mjs" */

/** The folders whose changes may change the outcome of a test. */
const WATCHED = ["src", "pkg-template/src", "gateway/src", "tests", "www"];

/** Milliseconds in which editors write all files of one change. */
const SETTLE_MS = 200;

/** @returns {TestCounts} */
const noTests = () => ({ passed: 0, failed: 0, skipped: 0 });

/** @param {string} [name] @returns {Promise<TestCounts>} */
async function cargoTests(name) {
  const sum = noTests();
  try {
    const filter = name === undefined ? [] : [name];
    await run("cargo", ["test", "--workspace", "--locked", "--no-fail-fast", ...filter], {
      title: "Tested the crates (cargo test)",
      onLine(line) {
        const result = line.match(/^test result: \w+\. (\d+) passed; (\d+) failed;/);
        if (!result) return;
        sum.passed += Number(result[1]);
        sum.failed += Number(result[2]);
      },
    });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    console.error(`✗ ${error.message}`);
    // It did not compile, or a test ended the process.
    if (sum.failed === 0) sum.failed = 1;
  }
  return sum;
}

/** Whether a command chooses no tests: then all run, and of the largest tables a part. @param {string[]} words @param {string} [name] */
const choosesAll = (words, name) => words.length === 0 && name === undefined;

/**
 * Runs the tests of the files whose path contains one of the words.
 *
 * @param {string[]} words
 * @param {{ name?: string, chromium?: boolean }} [options] the tests' names, and whether all are played in Chromium
 */
async function packageTests(words, { name, chromium } = {}) {
  const files = testFiles(words);
  logStep(`Testing the package: ${files.length} files under tests/`);
  const isPart = choosesAll(words, name);
  const runs = chromium
    ? files.map((path) => ({ path, env: {} }))
    : cheapestRuns(files, { isPart });
  return runTestFiles(runs, name);
}

/** @param {TestCounts[]} sums */
function report(sums) {
  const total = (/** @type {keyof TestCounts} */ key) =>
    sums.reduce((sum, counts) => sum + counts[key], 0);
  const [passed, failed, skipped] = [total("passed"), total("failed"), total("skipped")];
  if (passed + failed === 0) console.log("✗ No test ran.");
  if (failed > 0 || passed === 0) process.exitCode = 1;
  console.log(sumText({ passed, failed, skipped }));
}

/**
 * Runs the tests of some files after each change, until it is stopped.
 *
 * @param {string[]} words
 * @param {{ name?: string, chromium?: boolean }} options
 */
async function watchTests(words, options) {
  let change = () => {};
  for (const folder of WATCHED) {
    watch(join(root, folder), { recursive: true }, (_, file) => {
      // The build writes there itself.
      if (!file?.startsWith("wasm")) change();
    });
  }
  for (;;) {
    const changed = new Promise((resolve) => {
      change = () => resolve(undefined);
    });
    try {
      await build({ isDev: true });
      report([await packageTests(words, options)]);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      console.error(`✗ ${error.message}`);
    }
    logStep("Waiting for a change (Ctrl+C ends)");
    await changed;
    await pause(SETTLE_MS);
  }
}

await runAsCli(import.meta, async (args) => {
  const { values, positionals: words } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: "string" },
      chromium: { type: "boolean" },
      dev: { type: "boolean" },
      unit: { type: "boolean" },
      watch: { type: "boolean" },
    },
  });
  const { name, dev, unit } = values;
  await setUp({ browser: !unit, optional: !unit });
  if (values.watch) return watchTests(words, values);
  const isDev = Boolean(dev || unit);
  const needsGateway = !unit && testFiles(words).some((path) => path.includes("native"));
  await Promise.all([build({ isDev }), ...(needsGateway ? [buildGateway()] : [])]);
  const hasCargoTests = unit || choosesAll(words, name);
  const sums = await Promise.all([
    hasCargoTests ? cargoTests(unit ? name : undefined) : noTests(),
    packageTests(unit ? ["vectors"] : words, values),
  ]);
  report(sums);
});
