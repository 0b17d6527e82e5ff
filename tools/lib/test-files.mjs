/**
 * Finding the test files, and running each in a process of its own.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { findBrowser } from "./browser.mjs";
import { root } from "./run.mjs";

/**
 * Milliseconds in which a test must end or say something. The slowest install the package into new projects, or compile it,
 * and wait for other programs that do so on the same machine.
 */
const TEST_TIMEOUT = 600_000;

/** Test files at a time, on a machine with two cores: each waits for its browser or its servers half of the time. */
const CONCURRENCY = 6;

/** The files that take longest, longest first: they start first, so that none is left running alone. */
const LONGEST = [
  "conformance",
  "faults",
  "packaging/quick",
  "demo/apps",
  "sign-in",
  "contract/native",
  "leaks",
  "restore",
  "frameworks",
  "quick-start",
  "gateway-session",
];

/**
 * How Node runs pages of its own: their scripts are modules of another realm. A page lives for a moment, and a larger young
 * generation collects it at a tenth less of the processor's time.
 */
const NODE_PAGES = [
  "--experimental-vm-modules",
  "--disable-warning=ExperimentalWarning",
  "--max-semi-space-size=64",
];

/** Node's reason for a test that `--test-name-pattern` leaves out. */
const NOT_NAMED = "test name does not match pattern";

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
 * One run of a test file.
 *
 * @typedef {object} Run
 * @property {string} path
 * @property {NodeJS.ProcessEnv} env Added to its environment.
 */

/**
 * The runs that play each test of the files once, in the cheapest place that can answer it: see
 * `docs/maintainers/testing.md`.
 *
 * @param {string[]} files
 * @param {{ isPart: boolean }} options `isPart`: large tables are played in part
 * @returns {Run[]}
 */
export function cheapestRuns(files, { isPart }) {
  const rank = (/** @type {string} */ path) => {
    const index = LONGEST.findIndex((word) => path.includes(word));
    return index < 0 ? LONGEST.length : index;
  };
  const shell = findBrowser("headlessShell");
  /** @type {NodeJS.ProcessEnv} */
  const tables = isPart ? { PART_OF_TABLES: "1" } : {};
  const inNode = { ENGINE: "node", ...tables };
  /** @type {NodeJS.ProcessEnv} */
  const inBrowser = shell ? { HEADLESS_SHELL: shell } : {};
  return [...files]
    .sort((one, other) => rank(one) - rank(other))
    .flatMap((path) => {
      const source = readFileSync(join(root, path), "utf8");
      if (!source.includes("support/tiers.mjs")) return [{ path, env: inBrowser }];
      const needsBrowser = /\bbrowserTest\b|\bbrowserTestsOnly\b/.test(source);
      /** @type {Run[]} */
      const runs = [{ path, env: inNode }];
      if (needsBrowser) {
        runs.unshift({ path, env: { ...inBrowser, ...tables, BROWSER_TESTS_ONLY: "1" } });
      }
      return runs;
    });
}

/**
 * Runs one file in a process of its own and prints its results in one piece.
 *
 * @param {Run} run
 * @param {string} [name] Only tests whose name matches this regular expression.
 * @returns {Promise<TestCounts>}
 */
async function runTestFile({ path, env }, name) {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      "--enable-source-maps",
      ...(env.ENGINE === "node" ? NODE_PAGES : []),
      ...(name === undefined ? [] : [`--test-name-pattern=${name}`]),
      `--test-reporter=${join(root, "tools/test-reporter.mjs")}`,
      path,
    ],
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
    stream?.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-50_000);
      watch();
    });
  }

  // Node's own time-out is one for the whole file (Node 20): this one restarts with every test and every output.
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
  const results = createInterface({
    input: /** @type {import("node:stream").Readable} */ (child.stdio[3]),
  });
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
      if (reason === NOT_NAMED) return;
      if (!suite) sum.skipped += 1;
      lines.push(`  – ${full} (skipped${reason ? `: ${reason}` : ""})`);
    } else if (type === "test:pass" && !suite) sum.passed += 1;
  });

  const code = await new Promise((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  if (code !== 0 && sum.failed === 0) fail(path, `The file ended with ${code}.`);
  const isEmpty = sum.passed + sum.failed + sum.skipped === 0;
  if (isEmpty && name !== undefined) return sum;
  if (isEmpty) fail(path, "The file holds no test that ran.");

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const where = env.ENGINE === "node" ? "in Node, " : "";
  console.log(`${sum.failed ? "✗" : "✓"} ${path}: ${sumText(sum)} (${where}${seconds} s)`);
  for (const line of lines) console.log(line);
  if (sum.failed && output.trim()) {
    console.log(`  its output:\n${output.trimEnd().replace(/^/gm, "      ")}`);
  }
  return sum;
}

/**
 * Runs test files, some at a time.
 *
 * @param {Run[]} runs
 * @param {string} [name] Only tests whose name matches this regular expression.
 * @returns {Promise<TestCounts>}
 */
export async function runTestFiles(runs, name) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...runs];
  const worker = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      const { passed, failed, skipped } = await runTestFile(run, name);
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
