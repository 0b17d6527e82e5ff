/**
 * Fuzzes the parsers of outside text: `docs/fuzzing.md`.
 *
 *     npm run test:fuzz                                every target, ten minutes each
 *     npm run test:fuzz -- json id_token --minutes 1   those two, a minute each
 *     npm run test:fuzz -- --keep                      afterwards adds what reached new code to the corpora, and minimizes them
 *     npm run test:fuzz -- --minimize                  only minimizes the corpora, with what earlier runs found here
 *
 * The exit code tells whether anything was found.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { CliError, execCapture, logStep, root, run, runAsCli, which } from "./lib/run.mjs";
import { selectByName } from "./lib/temp-project.mjs";
import { setUp } from "./setup.mjs";

const folder = join(root, "fuzz");

/** Where cargo puts the targets, and what the runs leave behind. */
const output = join(root, "target/fuzz");

/** The bounds of a run: seconds and megabytes for one input, and the bytes that one has at most. */
const LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=16384"];

/** Inputs that a corpus in the sources has at most, so that a clone stays small. `fuzz/tests/corpora.rs` checks it. */
const CORPUS_MAX_INPUTS = 50;

/**
 * The release profile for the fuzzer: quick code, compiled quickly. The crate's own is made for size, and optimizing
 * all of it at once would count every branch twice.
 */
const PROFILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "3",
  CARGO_PROFILE_RELEASE_LTO: "off",
};

/** @typedef {{ name: string, program: string }} Target */

/**
 * The result of a run.
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
    throw new CliError(
      "No C++ compiler was found; libFuzzer is compiled by one. Install it:\n\n" +
        (process.platform === "darwin"
          ? "  xcode-select --install"
          : "  apt-get install g++    (or your distribution's)"),
    );
  }
  if (execCapture("cargo", ["fuzz", "--version"]).ok) return;
  logStep("Installing cargo-fuzz (cargo install; some minutes, once)");
  await run("cargo", ["install", "cargo-fuzz", "--locked"]);
}

/** @returns {Promise<Target[]>} every target, compiled with counters at each branch */
async function build() {
  logStep("Compiling the targets");
  const triple = execCapture("rustc", ["-vV"]).stdout.match(/^host: (.+)$/m)?.[1];
  if (!triple) throw new CliError("`rustc -vV` does not say which machine this is.");
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

/**
 * The inputs that are kept with the sources, those written by hand, those that once broke something, and those that a run
 * found here.
 */
const corpora = (name) => ({
  kept: join(folder, "corpus", name),
  seeds: join(folder, "seeds", name),
  regressions: join(folder, "regressions", name),
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
    child.once("error", (error) => reject(new CliError(`${program}: ${error.message}`)));
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
    // A target has no corpus before its first run with `--keep`.
    ...[found, kept, seeds].filter((path) => existsSync(path)),
    ...[...LIMITS, `-max_total_time=${seconds}`, "-print_final_stats=1"],
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
    logStep(`${name}: nothing found`);
    return outcome;
  }
  const said = text.match(
    /^thread .*panicked at [\s\S]*?(?=\nnote:|\n==)|^==\d+== ?ERROR.*$/m,
  )?.[0];
  if (!outcome.finding)
    throw new CliError(`${name} ended with ${code}: see ${relative(root, log)}`);
  console.log(`✗ ${name}: ${relative(root, outcome.finding)}\n${said?.replace(/^/gm, "    ")}`);
  return outcome;
}

/**
 * An input, and the features that it reaches. A feature is an edge with how often it was passed, in eight steps.
 *
 * @typedef {object} Input
 * @property {string} path
 * @property {number[]} features
 */

/** The edge that a feature belongs to: libFuzzer numbers the features of an edge from eight times the edge's number. */
const edgeOf = (feature) => Math.floor(feature / 8);

/**
 * Reads which features each input reaches, from libFuzzer's merge control file: the number of inputs, the number of those
 * in the first folder, a path for each input, then `FT <input> <feature>…` for each input that ran to its end.
 *
 * @param {string} controlFile
 * @returns {Promise<Input[]>}
 * @throws {CliError} if an input failed
 */
async function readFeatures(controlFile) {
  const [count, , ...lines] = (await readFile(controlFile, "utf8")).split("\n");
  const paths = lines.slice(0, Number(count));
  const features = new Map();
  for (const line of lines.slice(paths.length)) {
    const [kind, index, ...numbers] = line.trim().split(" ");
    if (kind === "FT") features.set(Number(index), numbers.map(Number));
  }
  return paths.map((path, index) => {
    const reached = features.get(index);
    if (!reached) {
      throw new CliError(
        `\`${relative(root, path)}\` failed: it broke a rule, or exceeded the limit of time or memory; ` +
          "run `cargo test --package classlink-spa-fuzz`",
      );
    }
    return { path, features: reached };
  });
}

/**
 * Chooses the inputs of a corpus: again and again the one that reaches most edges that neither `always` nor a chosen one
 * does; of equals, the one that reaches most new features; of equals still, the first.
 *
 * @param {Input[]} candidates
 * @param {Input[]} always the inputs that are replayed in any case
 * @returns {{ chosen: Input[], edges: number }} `edges`: how many edges are reached in all
 */
function greedyCover(candidates, always) {
  const features = new Set(always.flatMap((input) => input.features));
  const edges = new Set([...features].map(edgeOf));
  const gain = (input) => {
    const added = input.features.filter((feature) => !features.has(feature));
    const addedEdges = new Set(added.map(edgeOf).filter((edge) => !edges.has(edge)));
    return { input, edges: addedEdges.size, features: added.length };
  };
  const chosen = [];
  while (chosen.length < CORPUS_MAX_INPUTS) {
    const [best] = candidates
      .map(gain)
      .sort((one, other) => other.edges - one.edges || other.features - one.features);
    if (!best?.features) break;
    chosen.push(best.input);
    for (const feature of best.input.features) {
      features.add(feature);
      edges.add(edgeOf(feature));
    }
  }
  return { chosen, edges: edges.size };
}

/**
 * The result of minimizing a corpus. Edges are those that the corpus, the seeds and the regressions reach together.
 *
 * @typedef {object} Minimized
 * @property {string} name
 * @property {number} inputsBefore without those that only `target/fuzz` has
 * @property {number} inputs
 * @property {number} edgesOfAll what all inputs reach, with those that only `target/fuzz` has
 * @property {number} edges
 */

/**
 * Replaces a target's corpus by the at most `CORPUS_MAX_INPUTS` inputs, of it and of what runs found here, that reach most
 * code beyond what the seeds and the regressions reach.
 *
 * @param {Target} target
 * @returns {Promise<Minimized>}
 */
async function minimize(target) {
  const { name } = target;
  const { kept, found, seeds, regressions } = corpora(name);
  const folders = [kept, found, seeds, regressions].filter((path) => existsSync(path));
  // What libFuzzer itself would choose goes to `merged`, and is not used: it has no limit.
  const scratch = await mkdtemp(join(output, "minimize-"));
  const [merged, next, controlFile] = ["merged", "next", "control"].map((part) =>
    join(scratch, part),
  );
  await Promise.all([merged, next].map((path) => mkdir(path)));
  // Without `set_cover_merge`, the control file leaves out the features that an earlier input has reached.
  const { code, log } = await start(target, [
    ...["-set_cover_merge=1", `-merge_control_file=${controlFile}`, ...LIMITS],
    ...[`-artifact_prefix=${scratch}/`, merged, ...folders],
  ]);
  if (code !== 0) throw new CliError(`${name} was not merged: see ${relative(root, log)}`);

  const inputs = await readFeatures(controlFile);
  const from = (...paths) => inputs.filter(({ path }) => paths.includes(dirname(path)));
  const edgesOf = (some) => new Set(some.flatMap(({ features }) => features).map(edgeOf));
  const always = from(seeds, regressions);
  const before = from(kept);
  // Only for a new edge does a found input replace a kept one, so that each run changes few files.
  const known = edgesOf([...always, ...before]);
  const added = from(found).filter(({ features }) =>
    features.some((feature) => !known.has(edgeOf(feature))),
  );
  const candidates = [...(await bySize(before)), ...(await bySize(added))];
  const { chosen, edges } = greedyCover(candidates, always);
  await Promise.all(chosen.map(({ path }) => copyFile(path, join(next, basename(path)))));
  await rm(kept, { recursive: true, force: true });
  await rename(next, kept);
  await rm(scratch, { recursive: true });
  return {
    name,
    inputsBefore: before.length,
    inputs: chosen.length,
    edgesOfAll: edgesOf(inputs).size,
    edges,
  };
}

/**
 * Sorts inputs by their size in bytes, and those of equal size by their name.
 *
 * @param {Input[]} inputs
 * @returns {Promise<Input[]>}
 */
async function bySize(inputs) {
  const sized = await Promise.all(
    inputs.map(async (input) => ({ input, size: (await stat(input.path)).size })),
  );
  return sized
    .sort((one, other) => one.size - other.size || (one.input.path < other.input.path ? -1 : 1))
    .map(({ input }) => input);
}

/** Does something with all, so many at a time. */
async function mapConcurrent(count, all, act) {
  const waiting = [...all];
  const results = [];
  const worker = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) results.push(await act(one));
  };
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}

/**
 * Prints a table, sorted by its first column. Numbers are aligned to the right.
 *
 * @param {string[]} head
 * @param {(string | number)[][]} body
 */
function table(head, body) {
  const show = (cell) =>
    typeof cell === "string" ? cell : Number.isNaN(cell) ? "–" : cell.toLocaleString("en-US");
  const rows = [head, ...body.map((row) => row.map(show)).sort(([a], [b]) => a.localeCompare(b))];
  const width = (column) => Math.max(...rows.map((row) => row[column].length));
  const pad = (cell, column) =>
    typeof body[0]?.[column] === "number"
      ? cell.padStart(width(column))
      : cell.padEnd(width(column));
  for (const row of rows) console.log(`  ${row.map(pad).join("  ").trimEnd()}`);
}

/** @param {Outcome[]} outcomes */
function tableOfOutcomes(outcomes) {
  table(
    ["target", "executions", "edges", "inputs", "found"],
    outcomes.map(({ name, executions, edges, inputs, finding }) => [
      ...[name, executions, edges, inputs],
      finding ? relative(root, finding) : "nothing",
    ]),
  );
}

/**
 * Minimizes the corpora of some targets, so many at a time.
 *
 * @param {Target[]} targets
 * @param {number} jobs
 */
async function minimizeAll(targets, jobs) {
  logStep(`Minimizing the corpora to ${CORPUS_MAX_INPUTS} inputs at most`);
  const minimized = await mapConcurrent(jobs, targets, minimize);
  table(
    ["target", "inputs before", "inputs", "edges of all inputs", "edges"],
    minimized.map((one) => [
      one.name,
      ...[one.inputsBefore, one.inputs, one.edgesOfAll, one.edges],
    ]),
  );
}

function readArguments(args) {
  const options = /** @type {const} */ ({
    minutes: { type: "string", default: "10" },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    keep: { type: "boolean", default: false },
    minimize: { type: "boolean", default: false },
  });
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [seconds, jobs] = [Number(values.minutes) * 60, Number(values.jobs)];
    if (!(seconds > 0)) throw new Error("--minutes takes a number above 0");
    if (!(Number.isInteger(jobs) && jobs > 0))
      throw new Error("--jobs takes a whole number above 0");
    const { keep, minimize: onlyMinimize } = values;
    return { seconds: Math.ceil(seconds), jobs, keep, onlyMinimize, names: positionals };
  } catch (error) {
    throw new CliError(
      `${/** @type {Error} */ (error).message}\n\n  npm run test:fuzz -- [TARGET…] [--minutes N] [--jobs N] [--keep | --minimize]`,
    );
  }
}

await runAsCli(import.meta, async (args) => {
  const wanted = readArguments(args);
  await ready();
  const targets = selectByName("target", await build(), wanted.names);
  if (wanted.onlyMinimize) return minimizeAll(targets, wanted.jobs);
  logStep(`Fuzzing ${targets.length} targets, ${wanted.seconds} s each, ${wanted.jobs} at a time`);
  const outcomes = await mapConcurrent(wanted.jobs, targets, (target) =>
    fuzz(target, wanted.seconds),
  );
  tableOfOutcomes(outcomes);
  if (wanted.keep) await minimizeAll(targets, wanted.jobs);
  const findings = outcomes.filter(({ finding }) => finding);
  if (findings.length === 0) return;
  const [{ name, finding }] = findings;
  throw new CliError(
    `${findings.length} of ${outcomes.length} targets found something. Keep the input under a name that says what it is, ` +
      `and replay it without the fuzzer:\n\n  mkdir -p fuzz/regressions/${name}\n` +
      `  cp ${relative(root, finding)} fuzz/regressions/${name}/what-it-is\n` +
      "  cargo test --package classlink-spa-fuzz",
  );
});
