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

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { copyTemplates, PROJECTS } from "../tests/packaging/projects.mjs";
import { build } from "./build.mjs";
import { asProgram, Problem, say } from "./lib/run.mjs";
import { chosen, install, pack, tryOut } from "./lib/throwaway.mjs";
import { setUp } from "./setup.mjs";

/** @import { Packed, Project } from "../tests/packaging/projects.mjs" */
/** @import { Sum } from "./lib/throwaway.mjs" */

/**
 * Installs a project and runs its trials.
 *
 * @param {Project} project
 * @param {string} folder
 * @param {Packed} packed
 * @returns {Promise<Sum>}
 */
async function tryProject(project, folder, packed) {
  const sum = { passed: 0, failed: 0 };
  say(project.name);
  try {
    await mkdir(folder);
    await install(folder, packed.archive, project.packages);
    await copyTemplates(project, folder);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log(`  ✗ ${project.name} can be installed\n      ${error.message}`);
    return { passed: 0, failed: 1 };
  }
  for (const trial of project.trials) {
    say(trial.name);
    const { passed, failed } = await tryOut(
      { ...trial, start: () => trial.start(folder, packed) },
      folder,
    );
    sum.passed += passed;
    sum.failed += failed;
  }
  return sum;
}

await asProgram(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { "as-built": { type: "boolean" }, keep: { type: "boolean" } },
  });
  const projects = chosen("project", PROJECTS, positionals);
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
    if (values.keep) say(`The projects are in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
});
