/**
 * Runs the gateway on every platform that its guide names, from the packed package, in throwaway projects.
 *
 *     npm run test:platforms                       all of them
 *     npm run test:platforms -- next workerd       these
 *     npm run test:platforms -- --as-built         with pkg/ as it is
 *
 * It installs each platform's packages (some 500 MB in all, most of it Next.js) into a temporary folder, which it
 * removes. The last line says `N passed, N failed`.
 *
 * @module
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect, parseArgs } from "node:util";
import { PLATFORMS } from "../tests/platforms/platforms.mjs";
import { build } from "./build.mjs";
import { asProgram, capture, Problem, root, run, say } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** @import { Platform } from "../tests/platforms/platforms.mjs" */

const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

/** Milliseconds that one check may take. */
const CHECK_TIMEOUT = 60_000;

/** The platforms named on the command line, or all. */
function chosen(names) {
  const unknown = names.find((name) => !PLATFORMS.some((platform) => platform.name === name));
  if (unknown) {
    const known = PLATFORMS.map(({ name }) => name).join(", ");
    throw new Problem(`There is no platform ${unknown}. There are: ${known}.`);
  }
  return PLATFORMS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Packs `pkg/` as it would be published; answers with the archive's path. */
function pack(folder) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { ok, stdout, stderr } = capture(NPM, args, { cwd: join(root, "pkg") });
  if (!ok) throw new Problem(`npm can't pack pkg/:\n${stderr}`);
  const [{ filename }] = Object.values(JSON.parse(stdout));
  return join(folder, filename);
}

async function install(folder, archive, packages) {
  const dependencies = { "classlink-spa": `file:${archive}`, ...packages };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "throwaway", private: true, type: "module", dependencies }),
  );
  const names = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  say(`Installing ${["the packed package", ...names].join(", ")}`);
  await run(NPM, ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], {
    cwd: folder,
  });
}

/**
 * Runs one platform's checks.
 *
 * @param {Platform} platform
 * @returns {Promise<{ passed: number, failed: number }>}
 */
async function tryOut(platform, folder, archive) {
  const { name, packages, prepare, start, checks } = platform;
  say(`${name}`);
  const sum = { passed: 0, failed: 0 };
  const fail = (what, error) => {
    sum.failed += 1;
    console.log(`  ✗ ${what}\n${inspect(error).replace(/^/gm, "      ")}`);
  };
  let world;
  try {
    await mkdir(folder);
    if (packages) await install(folder, archive, packages);
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
    fail("starts", error instanceof Problem ? error.message : error);
  } finally {
    const output = sum.failed > 0 ? world?.program.output.slice(0, 4000).trim() : undefined;
    if (output) console.log(`  its output:\n${output.replace(/^/gm, "      ")}`);
    await world?.stop();
    await rm(folder, { recursive: true, force: true });
  }
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

await asProgram(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { "as-built": { type: "boolean" } },
  });
  const platforms = chosen(positionals);
  if (!values["as-built"]) {
    await setUp();
    await build();
  }
  const folder = await mkdtemp(join(tmpdir(), "classlink-platforms-"));
  const sum = { passed: 0, failed: 0 };
  try {
    const archive = pack(folder);
    for (const platform of platforms) {
      const { passed, failed } = await tryOut(platform, join(folder, platform.name), archive);
      sum.passed += passed;
      sum.failed += failed;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
});
