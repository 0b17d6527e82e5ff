/**
 * Every scenario of `conformance/scenarios.mjs`, through the built package in a real browser.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import adapter from "./conformance/adapters/classlink-spa.mjs";
import { launchTabs } from "./conformance/browser.mjs";
import { playScenario } from "./conformance/runner.mjs";
import { SCENARIOS } from "./conformance/scenarios.mjs";
import { inChromium } from "./support/engine.mjs";

/** Pages at a time: a page waits more than it works, unless its driver is slow. */
const CONCURRENCY = inChromium ? 5 : 2;

/** Runs the scenarios whose name contains this, all without it. */
const only = process.env.SCENARIO ?? "";

/** @type {Awaited<ReturnType<typeof launchTabs>>} */
let tabs;
before(async () => {
  tabs = await launchTabs();
});
after(() => tabs?.close());

describe("conformance", { concurrency: CONCURRENCY }, () => {
  for (const scenario of SCENARIOS) {
    const name = `${scenario.group}: ${scenario.name}`;
    if (!name.includes(only)) continue;
    test(name, async () => {
      const { problems } = await playScenario(scenario, adapter, tabs);
      assert.deepEqual(problems, []);
    });
  }
});
