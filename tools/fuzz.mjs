/**
 * Fuzzes the parsers of outside text: `docs/fuzzing.md`.
 *
 *     npm run fuzz                                every target, ten minutes each
 *     npm run fuzz -- json id_token --minutes 1   those two, a minute each
 *     npm run fuzz -- --keep                      afterwards the corpora take in what reached something new
 *
 * The exit code tells whether anything was found.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { asProgram, capture, Problem, root, run, say, which } from "./lib/run.mjs";
import { chosen } from "./lib/throwaway.mjs";
import { setUp } from "./setup.mjs";

const folder = join(root, "fuzz");

/** Where cargo puts the targets, and what the runs leave behind. */
const output = join(root, "target/fuzz");

/** What bounds a run: seconds and megabytes for one input, and the bytes that one has at most. */
const LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=16384"];

/**
 * What the release profile is for the fuzzer: quick code, compiled quickly. The crate's own is made for size, and optimising
 * all of it at once would count every branch twice.
 */
const PROFILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "3",
  CARGO_PROFILE_RELEASE_LTO: "off",
};

/** @typedef {{ name: string, program: string }} Target */

/**
 * What a run came to.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {number} executions
 * @property {number} edges how many edges between blocks of code were reached
 * @property {number} inputs how many inputs the corpus has now, each reaching something that no other does
 * @property {string | undefined} finding the path of the input that broke something
 */

/** Gets what the fuzzer needs. The pinned toolchain will do: without a sanitizer nothing unstable is used. */
async function ready() {
  await setUp();
  if (process.platform !== "win32" && !["c++", "g++", "clang++"].some(which)) {
    throw new Problem(
      "No C++ compiler was found; libFuzzer is compiled by one. Install it:\n\n" +
        (process.platform === "darwin"
          ? "  xcode-select --install"
          : "  apt-get install g++    (or your distribution's)"),
    );
  }
  if (capture("cargo", ["fuzz", "--version"]).ok) return;
  say("Installing cargo-fuzz (cargo install; some minutes, once)");
  await run("cargo", ["install", "cargo-fuzz", "--locked"]);
}

/** @returns {Promise<Target[]>} every target, compiled with counters at each branch */
async function build() {
  say("Compiling the targets");
  const triple = capture("rustc", ["-vV"]).stdout.match(/^host: (.+)$/m)?.[1];
  if (!triple) throw new Problem("`rustc -vV` does not say which machine this is.");
  await run(
    "cargo",
    [
      ...["fuzz", "build", "--sanitizer", "none", "--features", "libfuzzer"],
      ...["--target-dir", output],
    ],
    { env: { ...process.env, ...PROFILE } },
  );
  const names = (await readdir(join(folder, "fuzz_targets"))).map((file) => file.split(".")[0]);
  const suffix = process.platform === "win32" ? ".exe" : "";
  return names.sort().map((name) => ({
    name,
    program: join(output, triple, "release", name + suffix),
  }));
}

/** The inputs that are kept with the sources, those written by hand, and those that a run found here. */
const corpora = (name) => ({
  kept: join(folder, "corpus", name),
  seeds: join(folder, "seeds", name),
  found: join(output, "corpora", name),
});

/**
 * Starts a target, with its words in a log.
 *
 * @param {Target} target
 * @param {string[]} args
 * @returns {Promise<{ code: number | string, log: string }>} `log`: the path
 */
async function start({ name, program }, args) {
  await mkdir(join(output, "logs"), { recursive: true });
  const log = join(output, "logs", `${name}.log`);
  const file = createWriteStream(log);
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const code = await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Problem(`${program}: ${error.message}`)));
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  await new Promise((resolve) => file.end(resolve));
  return { code, log };
}

/**
 * Runs a target until its time is up or something breaks.
 *
 * @param {Target} target
 * @param {number} seconds
 * @returns {Promise<Outcome>}
 */
async function fuzz(target, seconds) {
  const { name } = target;
  const { kept, seeds, found } = corpora(name);
  const artifacts = join(folder, "artifacts", name);
  await Promise.all([found, artifacts].map((path) => mkdir(path, { recursive: true })));
  const { code, log } = await start(target, [
    ...[found, kept, seeds, ...LIMITS, `-max_total_time=${seconds}`, "-print_final_stats=1"],
    ...[`-dict=${join(folder, "dictionary.txt")}`, `-artifact_prefix=${artifacts}/`],
  ]);
  const text = await readFile(log, "utf8");
  const last = (pattern) => [...text.matchAll(pattern)].at(-1)?.[1];
  const outcome = {
    name,
    executions: Number(last(/^stat::number_of_executed_units: (\d+)/gm) ?? last(/^#(\d+)\s/gm)),
    edges: Number(last(/ cov: (\d+) /g)),
    inputs: Number(last(/ corp: (\d+)\//g)),
    finding: last(/Test unit written to (\S+)/g),
  };
  if (code === 0 && !outcome.finding) {
    say(`${name}: nothing found`);
    return outcome;
  }
  const said = text.match(
    /^thread .*panicked at [\s\S]*?(?=\nnote:|\n==)|^==\d+== ?ERROR.*$/m,
  )?.[0];
  if (!outcome.finding) throw new Problem(`${name} ended with ${code}: see ${relative(root, log)}`);
  console.log(`✗ ${name}: ${relative(root, outcome.finding)}\n${said?.replace(/^/gm, "    ")}`);
  return outcome;
}

/**
 * Makes the kept corpus the smallest one that reaches what all inputs do.
 *
 * @param {Target} target
 */
async function keep(target) {
  const { kept, found } = corpora(target.name);
  const smallest = await mkdtemp(join(output, "smallest-"));
  const merge = ["-set_cover_merge=1", smallest, kept, found, ...LIMITS];
  const { code, log } = await start(target, merge);
  if (code !== 0) throw new Problem(`${target.name} was not merged: see ${relative(root, log)}`);
  await rm(kept, { recursive: true, force: true });
  await rename(smallest, kept);
}

/** Does something with all, so many at a time. */
async function atATime(count, all, act) {
  const waiting = [...all];
  const results = [];
  const worker = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) results.push(await act(one));
  };
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}

/** @param {Outcome[]} outcomes */
function table(outcomes) {
  const rows = [
    ["target", "executions", "edges", "inputs", "found"],
    ...outcomes
      .sort((one, other) => one.name.localeCompare(other.name))
      .map(({ name, executions, edges, inputs, finding }) => [
        ...[name, executions, edges, inputs].map((cell) =>
          Number.isNaN(cell) ? "–" : cell.toLocaleString("en-US"),
        ),
        finding ? relative(root, finding) : "nothing",
      ]),
  ];
  const width = (column) => Math.max(...rows.map((row) => row[column].length));
  const pad = (cell, column) =>
    column > 0 && column < 4 ? cell.padStart(width(column)) : cell.padEnd(width(column));
  for (const row of rows) console.log(`  ${row.map(pad).join("  ").trimEnd()}`);
}

function readArguments(args) {
  const options = /** @type {const} */ ({
    minutes: { type: "string", default: "10" },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    keep: { type: "boolean", default: false },
  });
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [seconds, jobs] = [Number(values.minutes) * 60, Number(values.jobs)];
    if (!(seconds > 0)) throw new Error("--minutes takes a number above 0");
    if (!(Number.isInteger(jobs) && jobs > 0))
      throw new Error("--jobs takes a whole number above 0");
    return { seconds: Math.ceil(seconds), jobs, keep: values.keep, names: positionals };
  } catch (error) {
    throw new Problem(
      `${error.message}\n\n  npm run fuzz -- [TARGET…] [--minutes N] [--jobs N] [--keep]`,
    );
  }
}

await asProgram(import.meta, async (args) => {
  const wanted = readArguments(args);
  await ready();
  const targets = chosen("target", await build(), wanted.names);
  say(`Fuzzing ${targets.length} targets, ${wanted.seconds} s each, ${wanted.jobs} at a time`);
  const outcomes = await atATime(wanted.jobs, targets, (target) => fuzz(target, wanted.seconds));
  if (wanted.keep) {
    say("Taking what reached something new into the corpora");
    await atATime(wanted.jobs, targets, keep);
  }
  table(outcomes);
  const findings = outcomes.filter(({ finding }) => finding);
  if (findings.length === 0) return;
  const [{ name, finding }] = findings;
  throw new Problem(
    `${findings.length} of ${outcomes.length} targets found something. Keep the input under a name that says what it is, ` +
      `and replay it without the fuzzer:\n\n  mkdir -p fuzz/regressions/${name}\n` +
      `  cp ${relative(root, finding)} fuzz/regressions/${name}/what-it-is\n` +
      "  cargo test --package classlink-spa-fuzz",
  );
});
