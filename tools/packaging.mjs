/**
 * Tries the package as it would be published: packed, installed into throwaway projects, built by each bundler, and
 * signed in with in a browser.
 *
 *     npm run test:packaging                    all projects
 *     npm run test:packaging -- vite next       these
 *     npm run test:packaging -- --as-built      with pkg/ as it is
 *     npm run test:packaging -- --keep vite     and leaves the projects where they are, to look at
 *
 * It installs each project's packages (some GB in all, most of it Next.js and Nuxt) into a temporary folder, one project
 * after the other, and removes them. The last line says `N passed, N failed`.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { layOutProject, PROJECTS } from "../tests/packaging/projects.mjs";
import { build } from "./build.mjs";
import { CliError, logStep, runAsCli } from "./lib/run.mjs";
import { pack, runTrial, selectByName } from "./lib/temp-project.mjs";
import { setUp } from "./setup.mjs";

/** @import { Packed, Project } from "../tests/packaging/projects.mjs" */
/** @import { TestCounts } from "./lib/temp-project.mjs" */

/**
 * Installs a project and runs its trials.
 *
 * @param {Project} project
 * @param {string} folder
 * @param {Packed} packed
 * @returns {Promise<TestCounts>}
 */
async function tryProject(project, folder, packed) {
  const sum = { passed: 0, failed: 0 };
  logStep(project.name);
  try {
    await layOutProject(project, folder, packed);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    console.log(`  ✗ ${project.name} can be installed\n      ${error.message}`);
    return { passed: 0, failed: 1 };
  }
  for (const trial of project.trials) {
    logStep(trial.name);
    const { passed, failed } = await runTrial(
      { ...trial, start: () => trial.start(folder, packed) },
      folder,
    );
    sum.passed += passed;
    sum.failed += failed;
  }
  return sum;
}

await runAsCli(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { "as-built": { type: "boolean" }, keep: { type: "boolean" } },
  });
  const projects = selectByName("project", PROJECTS, positionals);
  if (!values["as-built"]) {
    await setUp({ browser: true });
    await build();
  }
  const folder = await mkdtemp(join(tmpdir(), "classlink-packaging-"));
  const sum = { passed: 0, failed: 0 };
  try {
    const packed = pack(folder);
    for (const project of projects) {
      const own = join(folder, project.name);
      const { passed, failed } = await tryProject(project, own, packed);
      if (!values.keep) await rm(own, { recursive: true, force: true });
      sum.passed += passed;
      sum.failed += failed;
    }
  } finally {
    if (values.keep) logStep(`The projects are in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
});
