/**
 * Runs every test: the crate's own, natively, then those under `tests/` against the package that was just built.
 *
 *     npm test                  everything
 *     npm test -- login popup   the test files whose path contains one of the words; without the crate's tests
 *
 * The last line says `N passed, N failed`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { build } from "./build.mjs";
import { findBrowser } from "./lib/browser.mjs";
import { asProgram, Problem, root, run, say } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** Milliseconds that one test may take. The slowest install the package into new projects. */
const TEST_TIMEOUT = 180_000;

/** Test files at a time: a browser and a server each, on a machine with two cores. */
const CONCURRENCY = 2;

/** @typedef {{ passed: number, failed: number }} Sum */

/** @returns {Promise<Sum>} */
async function cargoTests() {
  say("Testing the crate (cargo test)");
  const sum = { passed: 0, failed: 0 };
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
    if (!(error instanceof Problem)) throw error;
    console.error(`✗ ${error.message}`);
    // It did not compile, or a test ended the process.
    if (sum.failed === 0) sum.failed = 1;
  }
  return sum;
}

/** The paths of the test files, those whose path contains one of `words` if there are any. */
function testFiles(words) {
  return readdirSync(join(root, "tests"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.mjs"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort();
}

/**
 * Runs one file in a process of its own and prints its results in one piece.
 *
 * @returns {Promise<Sum>}
 */
async function testFile(path) {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", `--test-reporter=${join(root, "tools/test-reporter.mjs")}`, path],
    {
      cwd: root,
      env: { ...process.env, CHROMIUM: findBrowser() },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  const sum = { passed: 0, failed: 0 };
  const lines = [];
  const fail = (name, details) => {
    sum.failed += 1;
    lines.push(`  ✗ ${name}`, ...details.split("\n").map((line) => `      ${line}`));
  };

  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-50_000);
    });
  }

  // Node's own time-out is one for the whole file (Node 20): this one begins anew with every test.
  let running = "";
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fail(running || path, `No result after ${TEST_TIMEOUT / 1000} s: the file was stopped.`);
      child.kill("SIGKILL");
    }, TEST_TIMEOUT);
  };
  watch();

  const parents = [];
  const results = createInterface({ input: child.stdio[3] });
  results.on("line", (line) => {
    watch();
    const { type, name, nesting, suite, skipped, byItsTests, error } = JSON.parse(line);
    // What begins comes at once; what is reported comes in the file's order.
    if (type === "test:dequeue") {
      running = name;
      return;
    }
    if (type === "test:start") {
      parents.splice(nesting, Infinity, name);
      return;
    }
    const full = [...parents.slice(0, nesting), name].join(" › ");
    if (type === "test:fail" && !byItsTests) fail(full, error ?? "");
    else if (skipped) lines.push(`  – ${full} (skipped)`);
    else if (type === "test:pass" && !suite) sum.passed += 1;
  });

  const code = await new Promise((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  if (code !== 0 && sum.failed === 0) fail(path, `The file ended with ${code}.`);
  if (sum.passed + sum.failed === 0) fail(path, "The file holds no test that ran.");

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${sum.failed ? "✗" : "✓"} ${path}: ${sum.passed} passed, ${sum.failed} failed (${seconds} s)`,
  );
  for (const line of lines) console.log(line);
  if (sum.failed && output.trim()) {
    console.log(`  its output:\n${output.trimEnd().replace(/^/gm, "      ")}`);
  }
  return sum;
}

/** @returns {Promise<Sum>} */
async function nodeTests(files) {
  const sum = { passed: 0, failed: 0 };
  const waiting = [...files];
  const worker = async () => {
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      const { passed, failed } = await testFile(path);
      sum.passed += passed;
      sum.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return sum;
}

await asProgram(import.meta, async (words) => {
  await setUp({ browser: true });
  await build();
  const crate = words.length === 0 ? await cargoTests() : { passed: 0, failed: 0 };
  const files = testFiles(words);
  say(`Testing the package: ${files.length} files under tests/`);
  const scripts = await nodeTests(files);
  const passed = crate.passed + scripts.passed;
  const failed = crate.failed + scripts.failed;
  if (passed + failed === 0) console.log("✗ No test ran.");
  if (failed > 0 || passed === 0) process.exitCode = 1;
  console.log(`${passed} passed, ${failed} failed`);
});
