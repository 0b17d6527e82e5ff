/**
 * Everything that a login must survive, as data. To add a scenario, add an entry to the file of its group.
 *
 * @module
 */

import * as callback from "./scenarios/callback.mjs";
import * as device from "./scenarios/device.mjs";
import { discovery } from "./scenarios/discovery.mjs";
import { OPTION } from "./scenarios/help.mjs";
import * as idToken from "./scenarios/id-token.mjs";
import { keySets } from "./scenarios/key-set.mjs";
import { profiles } from "./scenarios/profiles.mjs";
import { requests } from "./scenarios/requests.mjs";
import { tokens } from "./scenarios/token-endpoint.mjs";

/** @import { Scenario } from "./runner.mjs" */

/** @type {Record<string, Scenario[]>} */
const GROUPS = {
  "ID token, form": idToken.form,
  "ID token, signature": idToken.signature,
  "ID token, content": idToken.content,
  "ID token, times": idToken.times,
  "ID token, oddities": idToken.odd,
  "Key set": keySets,
  "Token endpoint": tokens,
  Discovery: discovery,
  "UserInfo and my-info": profiles,
  Callback: callback.answers,
  "LaunchPad launch": callback.launches,
  "Several logins": callback.several,
  Requests: requests,
  "Device, clock": device.clocks,
  "Device, storage": device.storage,
  "Device, page": device.pages,
};

/** Here each failure takes the same way out, which those of the signature try: that the next attempt succeeds. */
const ONE_WAY_OUT = [
  "ID token, form",
  "ID token, content",
  "ID token, times",
  "ID token, oddities",
];

/**
 * Rows that say nothing of other libraries: bounds and tolerances of this package's own choosing, and pages that a
 * browser is sent to but can't reach.
 */
const OUR_CHOICE =
  /^(a line feed follows it|exp is 30 seconds ago|a claim is (100 KB|300 KB|1 MB) long|it has ten thousand claims|its claims are nested ten thousand deep|it claims (a number beyond|half a character)|two keys have the token's kid|the (document|key set) is 2 MiB large|authorization_endpoint (is http|is javascript|carries))/;

/** The scenarios that need a browser: policies, secure contexts, how WebAssembly is loaded. */
const ONLY_IN_BROWSERS = ["Device, page"];

/** All of them, in the order of the report. */
export const SCENARIOS = Object.entries(GROUPS).flatMap(([group, scenarios]) =>
  scenarios.map((scenario) => ({
    again: !ONE_WAY_OUT.includes(group),
    ...(ONLY_IN_BROWSERS.includes(group) && { needsBrowser: true }),
    ...(OUR_CHOICE.test(scenario.name) && { ours: OPTION }),
    ...scenario,
    group,
  })),
);
