/**
 * Plays random schedules in the simulated world of `src/session`: `docs/maintainers/session.md`.
 *
 *     npm run simulate                          a million runs
 *     npm run simulate -- --runs 5000           so many
 *     npm run simulate -- --tabs 4              with so many tabs in each, and not one to four
 *     npm run simulate -- --runs 1 --seed 4711  the run that a failure names
 *
 * @module
 */

import { parseArgs } from "node:util";
import { CliError, logStep, root, run, runAsCli } from "./lib/run.mjs";

await runAsCli(import.meta, async () => {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      tabs: { type: "string" },
    },
  });
  for (const [name, value] of Object.entries(values)) {
    if (!/^[1-9]\d*$/.test(value)) throw new CliError(`--${name} must be a whole number above 0.`);
  }
  const test = ["test", "--locked", "--profile", "simulation", "--lib", "every_order_of_events"];
  const env = {
    ...process.env,
    SIMULATION_RUNS: values.runs,
    SIMULATION_SEED: values.seed,
    SIMULATION_TABS: values.tabs,
  };
  await run("cargo", [...test, "--no-run"], { cwd: root });
  const begun = Date.now();
  await run("cargo", test, { cwd: root, env });
  logStep(`${values.runs} runs in ${Math.round((Date.now() - begun) / 1000)} s found nothing`);
});
