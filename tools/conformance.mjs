/**
 * `npm run test:conformance`: plays every scenario of `tests/conformance` with this package and with its peers, and writes
 * `docs/conformance.md`.
 *
 * ```sh
 * npm run test:conformance                       # everything
 * npm run test:conformance -- keycloak-js        # libraries whose name contains a word; prints, writes nothing
 * ```
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import auth0 from "../tests/conformance/adapters/auth0-spa-js.mjs";
import ours from "../tests/conformance/adapters/classlink-spa.mjs";
import keycloak from "../tests/conformance/adapters/keycloak-js.mjs";
import * as oauth4webapi from "../tests/conformance/adapters/oauth4webapi.mjs";
import oidcClient from "../tests/conformance/adapters/oidc-client-ts.mjs";
import { launchTabs } from "../tests/conformance/browser.mjs";
import { report } from "../tests/conformance/report.mjs";
import { playScenario } from "../tests/conformance/runner.mjs";
import { SCENARIOS } from "../tests/conformance/scenarios.mjs";
import { build } from "./build.mjs";
import { logStep, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** @import { Seen } from "../tests/conformance/judge.mjs" */

const ADAPTERS = [ours, oidcClient, auth0, oauth4webapi.checking, oauth4webapi.trusting, keycloak];

/** Pages at a time. */
const CONCURRENCY = 5;

/** Milliseconds that a library may take for one scenario before it counts as hung: more than each one's own time-out. */
const LIMIT = 30_000;

/**
 * Plays everything with one library.
 *
 * @param {typeof ADAPTERS[number]} adapter
 * @param {Awaited<ReturnType<typeof launchTabs>>} tabs
 * @returns {Promise<(Seen | undefined)[]>} By scenario; `undefined` if a scenario has no expectation for this library.
 */
async function playAll(adapter, tabs) {
  /** @type {(Seen | undefined)[]} */
  const seen = SCENARIOS.map(() => undefined);
  const waiting = SCENARIOS.map((scenario, index) => ({ scenario, index })).filter(
    ({ scenario }) =>
      adapter.ours || (!scenario.ours && !adapter.skips?.includes(scenario.group ?? "")),
  );
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      seen[next.index] = await playScenario(next.scenario, adapter, tabs, LIMIT);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return seen;
}

await runAsCli(import.meta, async (words) => {
  await setUp({ browser: true });
  await build();
  const adapters = ADAPTERS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  const tabs = await launchTabs();
  try {
    const columns = [];
    for (const adapter of adapters) {
      logStep(`${adapter.name} ${adapter.version}`);
      columns.push({ adapter, seen: await playAll(adapter, tabs) });
    }
    const text = report(SCENARIOS, columns);
    if (words.length > 0) console.log(text);
    else writeFileSync(join(root, "docs/conformance.md"), text);
    const wrong = columns[0].adapter.ours && columns[0].seen.some((one) => one && !one.right);
    if (wrong) process.exitCode = 1;
  } finally {
    await tabs.close();
  }
});
