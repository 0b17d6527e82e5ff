/**
 * Runs the gateway on every platform that its guide names, from the packed package, in throwaway projects.
 *
 *     npm run test:platforms                       all of them
 *     npm run test:platforms -- next workerd       these
 *     npm run test:platforms -- --as-built         with pkg/ and the native server as they are
 *
 * It installs each platform's packages (some 500 MB in all, most of it Next.js) into a temporary folder, which it
 * removes. The last line says `N passed, N failed`.
 *
 * @module
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PLATFORMS } from "../tests/platforms/platforms.mjs";
import { build, buildGateway } from "./build.mjs";
import { logStep, runAsCli } from "./lib/run.mjs";
import { install, pack, runTrial, selectByName } from "./lib/temp-project.mjs";
import { setUp } from "./setup.mjs";

await runAsCli(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { "as-built": { type: "boolean" } },
  });
  const platforms = selectByName("platform", PLATFORMS, positionals);
  if (!values["as-built"]) {
    await setUp();
    await build();
    if (platforms.some(({ name }) => name === "native")) await buildGateway();
  }
  const folder = await mkdtemp(join(tmpdir(), "classlink-platforms-"));
  const sum = { passed: 0, failed: 0 };
  try {
    const { archive } = pack(folder);
    for (const platform of platforms) {
      logStep(platform.name);
      const { passed, failed } = await runTrial(
        {
          ...platform,
          async prepare(project) {
            await mkdir(project);
            if (platform.packages) await install(project, archive, platform.packages);
            await platform.prepare?.(project);
          },
        },
        join(folder, platform.name),
      );
      await rm(join(folder, platform.name), { recursive: true, force: true });
      sum.passed += passed;
      sum.failed += failed;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
});
