/**
 * Every request of every flow fails in one way, every access to the storage is refused, tabs are closed in the middle: each
 * call still ends in time and in words, and the next attempt succeeds. A run of all tests plays three cases in five;
 * `npm run test:fault-injection` plays every request with every kind of fault.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { planCases } from "./faults/cases.mjs";
import { FLOWS } from "./faults/flows.mjs";
import { play } from "./faults/runner.mjs";
import { startWorld } from "./faults/world.mjs";
import { launch } from "./support/browser.mjs";
import { engine, inNode } from "./support/engine.mjs";
import { browserTestsOnly, isPart } from "./support/tiers.mjs";

/** Pages at a time: most of them wait. */
const CONCURRENCY = inNode ? 8 : 5;

const browser = await launch();
const worlds = await Promise.all(Array.from({ length: CONCURRENCY }, startWorld));
after(async () => {
  await browser.close();
  for (const world of worlds) await world.close();
});
const idle = [...worlds];
const flows = browserTestsOnly ? FLOWS.filter(({ unless }) => unless?.node) : FLOWS;
const cases = await planCases(browser, worlds[0], { flows, whole: false, isPart });

describe("faults", { concurrency: CONCURRENCY }, () => {
  for (const { name, unless } of flows) {
    // What pages in Node can't play, a browser plays in the same run.
    if (unless?.[engine] && !inNode) test(name, { skip: unless[engine] }, () => {});
  }
  for (const one of cases) {
    test(one.name, async () => {
      const world = /** @type {import("./faults/world.mjs").World} */ (idle.pop());
      try {
        assert.deepEqual(one.problems ?? (await play(browser, world, one)), []);
      } finally {
        idle.push(world);
      }
    });
  }
});
