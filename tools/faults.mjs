/**
 * Lets everything fail that can, one thing at a time: each request of each flow in every way, each access to the storage,
 * and the tab closed at each of them. `npm test` plays a part of it.
 *
 *     npm run test:fault-injection                       every flow
 *     npm run test:fault-injection -- renewal logout     those whose name contains one of the words
 *     npm run test:fault-injection -- --name "hung$"      the cases whose name matches the regular expression
 *
 * There are some 1,700 cases; a word makes it few. The last line says `N passed, N failed`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { planCases } from "../tests/faults/cases.mjs";
import { play } from "../tests/faults/runner.mjs";
import { startWorld } from "../tests/faults/world.mjs";
import { launch } from "../tests/support/browser.mjs";
import { build } from "./build.mjs";
import { CliError, logStep, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** Pages at a time: most of them wait. */
const CONCURRENCY = 6;

/** Cases between two words on how far it has come. */
const SOME = 200;

await runAsCli(import.meta, async (args) => {
  const { values, positionals: words } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: { type: "string" } },
  });
  const pattern = new RegExp(values.name ?? "");
  await setUp({ browser: true });
  await build();
  const browser = await launch();
  const worlds = await Promise.all(Array.from({ length: CONCURRENCY }, startWorld));
  try {
    logStep("Playing each flow once as it should go");
    const planned = await planCases(browser, worlds[0], { whole: true, words });
    const cases = planned.filter(({ name }) => pattern.test(name));
    if (cases.length === 0) {
      throw new CliError(`No case matches; of the flows chosen there are ${planned.length}`);
    }
    logStep(`Playing ${cases.length} cases`);
    const waiting = [...cases];
    let played = 0;
    /** By flow. @type {Map<string, { passed: number, failed: number }>} */
    const sums = new Map(cases.map(({ flow }) => [flow.name, { passed: 0, failed: 0 }]));
    const worker = async (/** @type {typeof worlds[number]} */ world) => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const problems = one.problems ?? (await play(browser, world, one));
        played += 1;
        if (played % SOME === 0) logStep(`${played} of ${cases.length} played`);
        const sum = sums.get(one.flow.name);
        if (sum) sum[problems.length > 0 ? "failed" : "passed"] += 1;
        if (problems.length === 0) continue;
        console.log([`  ✗ ${one.name}`, ...problems].join("\n      "));
      }
    };
    await Promise.all(worlds.map(worker));
    let [passed, failed] = [0, 0];
    for (const [name, sum] of sums) {
      console.log(`${sum.failed ? "✗" : "✓"} ${name}: ${sum.passed} passed, ${sum.failed} failed`);
      passed += sum.passed;
      failed += sum.failed;
    }
    if (failed > 0) process.exitCode = 1;
    console.log(`${passed} passed, ${failed} failed`);
  } finally {
    await browser.close();
    for (const world of worlds) await world.close();
  }
});
