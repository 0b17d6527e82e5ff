/**
 * Finding the test files, and running each in a process of its own.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { findBrowser } from "./browser.mjs";
import { root } from "./run.mjs";

/**
 * Milliseconds in which a test must end or say something. The slowest install the package into new projects, or compile it:
 * that says how far it is.
 */
const TEST_TIMEOUT = 180_000;

/** Test files at a time: a browser and a server each, on a machine with two cores. */
const CONCURRENCY = 2;

/** @typedef {{ passed: number, failed: number, skipped: number }} TestCounts */

/**
 * The paths of the test files.
 *
 * @param {string[]} words With any, only files whose path contains one of them.
 * @returns {string[]}
 */
export function testFiles(words) {
  return readdirSync(join(root, "tests"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.mjs"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort();
}

/**
 * Runs one file in a process of its own and prints its results in one piece.
 *
 * @param {string} path
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<TestCounts>}
 */
async function runTestFile(path, env) {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", `--test-reporter=${join(root, "tools/test-reporter.mjs")}`, path],
    {
      cwd: root,
      env: { ...process.env, CHROMIUM: findBrowser(), ...env },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  const fail = (name, details) => {
    sum.failed += 1;
    lines.push(`  ✗ ${name}`, ...details.split("\n").map((line) => `      ${line}`));
  };

  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-50_000);
      watch();
    });
  }

  // Node's own time-out is one for the whole file (Node 20): this one begins anew with every test and every output.
  let running = "";
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      fail(running || path, `No sign of life for ${TEST_TIMEOUT / 1000} s: the file was stopped.`);
      child.kill("SIGKILL");
    }, TEST_TIMEOUT);
  };
  watch();

  const parents = [];
  const results = createInterface({ input: child.stdio[3] });
  results.on("line", (line) => {
    watch();
    const { type, name, nesting, suite, skipped, reason, failedInSubtest, error } =
      JSON.parse(line);
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
    if (type === "test:fail" && !failedInSubtest) fail(full, error ?? "");
    else if (skipped) {
      if (!suite) sum.skipped += 1;
      lines.push(`  – ${full} (skipped${reason ? `: ${reason}` : ""})`);
    } else if (type === "test:pass" && !suite) sum.passed += 1;
  });

  const code = await new Promise((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  if (code !== 0 && sum.failed === 0) fail(path, `The file ended with ${code}.`);
  if (sum.passed + sum.failed + sum.skipped === 0) fail(path, "The file holds no test that ran.");

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${sum.failed ? "✗" : "✓"} ${path}: ${sumText(sum)} (${seconds} s)`);
  for (const line of lines) console.log(line);
  if (sum.failed && output.trim()) {
    console.log(`  its output:\n${output.trimEnd().replace(/^/gm, "      ")}`);
  }
  return sum;
}

/**
 * Runs test files, some at a time.
 *
 * @param {string[]} files
 * @param {NodeJS.ProcessEnv} [env] Added to their environment.
 * @returns {Promise<TestCounts>}
 */
export async function runTestFiles(files, env = {}) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...files];
  const worker = async () => {
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      const { passed, failed, skipped } = await runTestFile(path, env);
      sum.passed += passed;
      sum.failed += failed;
      sum.skipped += skipped;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return sum;
}

/** @param {TestCounts} sum */
export function sumText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
}
