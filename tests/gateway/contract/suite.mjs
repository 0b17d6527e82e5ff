/**
 * The contract of all servers of the gateway (`docs/gateway.md`), played over HTTP. A server's test file calls
 * `playContract` with its adapter.
 */

import { attackTests } from "./attacks.mjs";
import { configurationTests } from "./configuration.mjs";
import { deviceTests } from "./devices.mjs";
import { hostileProviderTests } from "./hostile-provider.mjs";
import { hostileRequestTests } from "./hostile-requests.mjs";
import { instanceTests } from "./instances.mjs";
import { limitTests } from "./limits.mjs";
import { operationTests } from "./operations.mjs";
import { refusalTests } from "./refusals.mjs";
import { sessionTests } from "./sessions.mjs";
import { verifyTests } from "./verify.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

/** Plays the whole contract. @param {ServerAdapter} adapter */
export function playContract(adapter) {
  playStateless(adapter);
  instanceTests(adapter);
  configurationTests(adapter);
}

/**
 * Plays a fleet of two kinds of servers with one store.
 *
 * @param {ServerAdapter} first
 * @param {ServerAdapter} second
 */
export function playMixed(first, second) {
  instanceTests(first, second);
  instanceTests(second, first);
}

/** Plays what needs no store. @param {ServerAdapter} adapter */
export function playStateless(adapter) {
  sessionTests(adapter);
  refusalTests(adapter);
  verifyTests(adapter);
  operationTests(adapter);
  limitTests(adapter);
  attackTests(adapter);
  hostileRequestTests(adapter);
  hostileProviderTests(adapter);
  deviceTests(adapter);
}
