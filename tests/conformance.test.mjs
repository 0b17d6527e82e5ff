/**
 * Every scenario of `conformance/scenarios.mjs`, through the built package: in pages in Node, and in a browser those that
 * need one and the first of each group. A run of all tests plays a part of those that ask about rules, which the vectors
 * ask as well. `npm run test:conformance -- classlink-spa` plays all in the browser.
 *
 * @module
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import adapter from "./conformance/adapters/classlink-spa.mjs";
import { launchTabs } from "./conformance/browser.mjs";
import { playScenario } from "./conformance/runner.mjs";
import { SCENARIOS } from "./conformance/scenarios.mjs";
import { inChromium, inNode } from "./support/engine.mjs";
import { browserTestsOnly, isPart } from "./support/tiers.mjs";

/** Pages at a time: a page waits more than it works, unless its driver is slow. */
const CONCURRENCY = inChromium || inNode ? 5 : 2;

/** Runs the scenarios whose name contains this, all without it. */
const only = process.env.SCENARIO ?? "";

/** Groups about rules of the protocol, which `tests/vectors` ask of every implementation. */
const RULES = /^(ID token|Key set)/;

/** Of the groups about rules, a run of all tests plays one scenario of so many. */
const RULE_SCENARIOS_PER_PLAYED = 4;

/** @param {typeof SCENARIOS[number]} scenario */
function isPlayedHere({ group, name, needsBrowser }) {
  const ofGroup = SCENARIOS.filter((scenario) => scenario.group === group);
  const index = ofGroup.findIndex((scenario) => scenario.name === name);
  if (inNode) {
    const isLeftOut = isPart && RULES.test(group) && index % RULE_SCENARIOS_PER_PLAYED !== 0;
    return !needsBrowser && !isLeftOut;
  }
  return !browserTestsOnly || needsBrowser || index === 0;
}

/** @type {Awaited<ReturnType<typeof launchTabs>>} */
let tabs;
before(async () => {
  tabs = await launchTabs();
});
after(() => tabs?.close());

describe("conformance", { concurrency: CONCURRENCY }, () => {
  for (const scenario of SCENARIOS) {
    const name = `${scenario.group}: ${scenario.name}`;
    if (!name.includes(only) || !isPlayedHere(scenario)) continue;
    test(name, async () => {
      const { problems } = await playScenario(scenario, adapter, tabs);
      assert.deepEqual(problems, []);
    });
  }
});
