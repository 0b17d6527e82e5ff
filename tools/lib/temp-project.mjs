/**
 * Throwaway projects with the packed package in them, and trying things out in them.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { CliError, execCapture, logStep, root, run } from "./run.mjs";

const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

/** Milliseconds that one check may take: minutes, since the machine may be busy. A check that passes does not wait for them. */
const CHECK_TIMEOUT = 600_000;

/** @typedef {{ passed: number, failed: number }} TestCounts */

/**
 * A check that runs in a temporary project.
 *
 * @typedef {object} Trial
 * @property {string} name
 * @property {(folder: string) => Promise<void>} [prepare] Installs, copies and builds.
 * @property {(folder: string) => Promise<any>} start Resolves with the environment of the checks: `world.stop()` ends it,
 * and `world.program.output`, if there is a program, is shown if a check fails.
 * @property {Record<string, (world: any) => Promise<void>>} checks
 */

/**
 * Packs a package as it would be published.
 *
 * @param {string} folder where the archive goes
 * @param {string} [source] the package's folder
 * @returns {{ archive: string, files: string[] }} the archive's path, and the paths of the files in it, sorted
 */
export function pack(folder, source = "pkg") {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { ok, stdout, stderr } = execCapture(NPM, args, { cwd: join(root, source) });
  if (!ok) throw new CliError(`npm can't pack ${source}/:\n${stderr}`);
  const [{ filename, files }] = Object.values(JSON.parse(stdout));
  return { archive: join(folder, filename), files: files.map(({ path }) => path).sort() };
}

/**
 * Makes an empty folder a project that has the packed package.
 *
 * @param {string} folder
 * @param {string} archive
 * @param {Record<string, string>} packages exact versions of what it has besides
 * @throws {CliError} with what to do, if they are unavailable
 */
export async function install(folder, archive, packages) {
  const dependencies = { "classlink-spa": `file:${archive}`, ...packages };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "throwaway", private: true, type: "module", dependencies }),
  );
  const names = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  await installPackages(folder, ["the packed package", ...names].join(", "));
}

/**
 * Installs what a project's manifest names.
 *
 * @param {string} folder
 * @param {string} what as the step is called
 * @throws {CliError} with what to do, if they are unavailable
 */
export async function installPackages(folder, what) {
  logStep(`Installing ${what}`);
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
  try {
    await run(NPM, ["install", ...flags, "--loglevel=error"], { cwd: folder });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(
      `${error.message}\nIf npm says that a version doesn't exist, its pin has to change: search tests/ for the ` +
        "version. To go without, name the ones to run on the command line.",
    );
  }
}

/**
 * Prepares and starts something, runs its checks and prints what came of them.
 *
 * @param {Trial} trial
 * @param {string} folder
 * @returns {Promise<TestCounts>}
 */
export async function runTrial({ name, prepare, start, checks }, folder) {
  const sum = { passed: 0, failed: 0 };
  const fail = (what, error) => {
    sum.failed += 1;
    console.log(`  ✗ ${what}\n${inspect(error).replace(/^/gm, "      ")}`);
  };
  let world;
  try {
    await prepare?.(folder);
    world = await start(folder);
    for (const [what, check] of Object.entries(checks)) {
      try {
        await withTimeout(check(world));
        sum.passed += 1;
        console.log(`  ✓ ${what}`);
      } catch (error) {
        fail(what, error);
      }
    }
  } catch (error) {
    fail("starts", error instanceof CliError ? error.message : error);
  } finally {
    await world?.stop();
  }
  const output = sum.failed > 0 ? world?.program?.output.slice(0, 4000).trim() : undefined;
  if (output) console.log(`  its output:\n${output.replace(/^/gm, "      ")}`);
  console.log(`${sum.failed ? "✗" : "✓"} ${name}: ${sum.passed} passed, ${sum.failed} failed`);
  return sum;
}

async function withTimeout(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No result after ${CHECK_TIMEOUT} ms`)),
      CHECK_TIMEOUT,
    );
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Those of a list that the command line names, or all.
 *
 * @template {{ name: string }} T
 * @param {string} kind what they are called
 * @param {readonly T[]} all
 * @param {string[]} names
 * @returns {T[]}
 * @throws {CliError} if a name is unknown
 */
export function selectByName(kind, all, names) {
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown) {
    const known = all.map(({ name }) => name).join(", ");
    throw new CliError(`There is no ${kind} ${unknown}. There are: ${known}.`);
  }
  return all.filter(({ name }) => names.length === 0 || names.includes(name));
}
