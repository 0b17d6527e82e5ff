/**
 * Measures speed and size beside other libraries, and writes `docs/benchmarks.md` with a plot.
 *
 *     npm run bench                              every part
 *     npm run bench -- size memory               these parts; the page keeps what the others measured last
 *     npm run bench -- sign-in --rounds 5        fewer rounds
 *     npm run bench -- memory --logins 10000     more logins for the WebAssembly memory
 *
 * Results are kept in `target/bench/`, a file for each part.
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchChromium } from "../tests/support/chromium.mjs";
import { build } from "./build.mjs";
import { CliError, logStep, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** @import { Results, SignInSeries } from "../bench/report.js" */
/** @import { SignInConditions, SignInTimes } from "../bench/sign-in.js" */

/** @typedef {Record<"rounds" | "validations" | "cycles" | "logins", number>} Amounts */

/**
 * In fewer cycles, what a page allocates once counts for more than what a login leaves behind.
 *
 * @type {Amounts}
 */
const DEFAULTS = { rounds: 15, validations: 1000, cycles: 600, logins: 1000 };

/** @type {SignInConditions[]} */
const CONDITIONS = [
  { delayMs: 40, metadata: "given", cpuSlowdown: 1 },
  { delayMs: 40, metadata: "cached", cpuSlowdown: 1 },
  { delayMs: 40, metadata: "uncached", cpuSlowdown: 1 },
  { delayMs: 40, metadata: "given", cpuSlowdown: 4 },
  { delayMs: 40, metadata: "uncached", cpuSlowdown: 4 },
  { delayMs: 0, metadata: "given", cpuSlowdown: 1 },
  { delayMs: 0, metadata: "uncached", cpuSlowdown: 1 },
];

const folder = join(root, "target/bench");

/**
 * The bench's modules, which need npm packages and the built package.
 *
 * @returns What every part needs; the caller closes it.
 */
async function open() {
  const { LIBRARIES } = await import("../bench/libraries.js");
  const { startServers } = await import("../bench/servers.js");
  const servers = await startServers();
  const browser = await launchChromium({ thirdPartyCookies: true });
  return {
    libraries: LIBRARIES,
    servers,
    browser,
    async close() {
      await browser.close();
      servers.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof open>>} Bench */

/** Each library once under each conditions in each round, beginning with another one each time. */
async function measureSignIns(/** @type {Bench} */ { libraries, servers, browser }, rounds) {
  const { measureSignIn } = await import("../bench/sign-in.js");
  /** @type {SignInSeries[]} */
  const series = CONDITIONS.map((conditions) => ({ conditions, rounds: [] }));
  for (let round = 0; round < rounds; round++) {
    logStep(`Sign-ins: round ${round + 1} of ${rounds}`);
    for (const { conditions, rounds } of series) {
      /** @type {Record<string, SignInTimes>} */
      const times = {};
      for (let i = 0; i < libraries.length; i++) {
        const library = libraries[(i + round) % libraries.length];
        try {
          times[library.id] = await measureSignIn(browser, servers, library, conditions);
        } catch (error) {
          console.error(`✗ ${library.name}: ${/** @type {Error} */ (error).message}`);
        }
      }
      rounds.push(times);
    }
  }
  return { browser: `Chromium ${browser.version()}`, series };
}

/**
 * Measures something of each library that has a page of its own.
 *
 * @template T
 * @param {Bench} bench
 * @param {string} what
 * @param {(library: Bench["libraries"][number]) => Promise<T | undefined>} measure
 */
async function measureEach({ libraries }, what, measure) {
  /** @type {Record<string, T>} */
  const results = {};
  for (const library of libraries) {
    if (library.name.startsWith("classlink-spa") && library.id !== "classlink-spa") continue;
    logStep(`${what}: ${library.name}`);
    const result = await measure(library);
    if (result !== undefined) results[library.id] = result;
  }
  return results;
}

/**
 * The parts, in the order in which they run.
 *
 * @type {{ [Part in keyof Required<Results>]: (bench: Bench, amounts: Amounts) => Promise<Results[Part]> }}
 */
const PARTS = {
  async size({ libraries }) {
    const { measureSizes } = await import("../bench/size.js");
    return measureSizes(libraries);
  },
  "sign-in": (bench, { rounds }) => measureSignIns(bench, rounds),
  async renewals(bench) {
    const { measureRenewals } = await import("../bench/renewals.js");
    return measureEach(bench, "Renewals", (library) =>
      measureRenewals(bench.browser, bench.servers, library),
    );
  },
  async validations({ browser, servers, libraries }, amounts) {
    const { measureValidations } = await import("../bench/validations.js");
    return measureValidations(browser, servers.urlOf(libraries[0], "idle"), amounts);
  },
  async memory(bench, { cycles, logins }) {
    const { measureHeap, measureWasmMemory } = await import("../bench/memory.js");
    const { browser, servers, libraries } = bench;
    const heap = await measureEach(bench, "Heap", (library) =>
      measureHeap(browser, servers, library, cycles),
    );
    logStep("WebAssembly memory");
    return { cycles, heap, wasm: await measureWasmMemory(browser, servers, libraries[0], logins) };
  },
};

/** Writes the page of what every part measured last. */
async function writeDocs() {
  const { markdown, plot } = await import("../bench/report.js");
  /** @type {Results} */
  const results = Object.fromEntries(
    Object.keys(PARTS)
      .filter((part) => existsSync(fileOf(part)))
      .map((part) => [part, JSON.parse(readFileSync(fileOf(part), "utf8"))]),
  );
  const findings = readFileSync(join(root, "bench/findings.md"), "utf8");
  writeFileSync(join(root, "docs/benchmarks.md"), markdown(results, findings));
  if (results["sign-in"]) {
    writeFileSync(join(root, "docs/benchmarks.svg"), plot(results["sign-in"]));
  }
}

/** @param {string} part */
const fileOf = (part) => join(folder, `${part}.json`);

await runAsCli(import.meta, async (args) => {
  const { values, positionals: words } = parseArgs({
    args,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.keys(DEFAULTS).map((name) => [name, { type: /** @type {const} */ ("string") }]),
    ),
  });
  const amounts = /** @type {Amounts} */ (
    Object.fromEntries(
      Object.entries(DEFAULTS).map(([name, usual]) => {
        const amount = Number(values[name] ?? usual);
        if (Number.isInteger(amount) && amount > 0) return [name, amount];
        throw new CliError(`--${name} must be a positive integer.`);
      }),
    )
  );
  const parts = Object.keys(PARTS).filter(
    (part) => words.length === 0 || words.some((word) => part.includes(word)),
  );
  if (parts.length === 0) {
    throw new CliError(`No part is named so; there are ${Object.keys(PARTS).join(", ")}.`);
  }
  await setUp({ browser: true });
  await build();
  mkdirSync(folder, { recursive: true });
  const bench = await open();
  try {
    for (const part of parts) {
      logStep(`Part: ${part}`);
      const result = await PARTS[/** @type {keyof Results} */ (part)](bench, amounts);
      writeFileSync(fileOf(part), `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await bench.close();
  }
  await writeDocs();
  logStep("Wrote docs/benchmarks.md");
});
