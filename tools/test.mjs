/**
 * Runs every test: the crate's own, natively, then those under `tests/` against the package that was just built.
 *
 *     npm test                  everything
 *     npm test -- login popup   the test files whose path contains one of the words; without the crate's tests
 *
 * The last line says `N passed, N failed`, and how many were skipped if any were.
 *
 * @module
 */

import { build } from "./build.mjs";
import { CliError, logStep, run, runAsCli } from "./lib/run.mjs";
import { runTestFiles, sumText, testFiles } from "./lib/test-files.mjs";
import { setUp } from "./setup.mjs";

/** @import { TestCounts } from "./lib/test-files.mjs" */

/** @returns {Promise<TestCounts>} */
async function cargoTests() {
  logStep("Testing the crate (cargo test)");
  const sum = { passed: 0, failed: 0, skipped: 0 };
  try {
    await run("cargo", ["test", "--workspace", "--locked", "--no-fail-fast"], {
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

await runAsCli(import.meta, async (words) => {
  await setUp({ browser: true });
  await build();
  const crate = words.length === 0 ? await cargoTests() : { passed: 0, failed: 0, skipped: 0 };
  const files = testFiles(words);
  logStep(`Testing the package: ${files.length} files under tests/`);
  const scripts = await runTestFiles(files);
  const passed = crate.passed + scripts.passed;
  const failed = crate.failed + scripts.failed;
  if (passed + failed === 0) console.log("✗ No test ran.");
  if (failed > 0 || passed === 0) process.exitCode = 1;
  console.log(sumText({ passed, failed, skipped: scripts.skipped }));
});
