/** Injects the faults that a test configures: failures, delays and refusals. */

import { setTimeout as pause } from "node:timers/promises";
import { sendJson, sendText } from "./http.js";
import { API_PATHS, PATHS } from "./paths.js";

/** @import { ServerResponse } from "node:http" */
/** @import { EndpointName, Failure, Times } from "./types.d.ts" */

/** @type {Record<EndpointName, string>} */
const ENDPOINTS = { ...PATHS, ...API_PATHS };

/** The faults of one stand-in. */
export class Faults {
  /** @type {Upcoming<Required<Failure>>} */
  #failures = new Upcoming();
  /** @type {Upcoming<number>} */
  #delays = new Upcoming();
  /** @type {Upcoming<string>} */
  #refusals = new Upcoming();

  /** @param {EndpointName} endpoint @param {Failure & Times} [failure] */
  fail(endpoint, { status = 503, body, times } = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new TypeError("status: must be an HTTP status");
    }
    this.#failures.set(pathOf(endpoint), { status, body }, times);
  }

  /** @param {EndpointName} endpoint @param {number} milliseconds @param {Times} [times] */
  delay(endpoint, milliseconds, { times } = {}) {
    this.#delays.set(pathOf(endpoint), milliseconds, times);
  }

  /** @param {string} error @param {Times} [times] */
  refuse(error, { times } = {}) {
    this.#refusals.set(PATHS.authorization, error, times);
  }

  /** Returns the error code for the next authorization response, if there is one. */
  refusal() {
    return this.#refusals.take(PATHS.authorization);
  }

  /**
   * Applies the delay and the failure of a path to a request.
   *
   * @param {string} path
   * @param {ServerResponse} res
   * @returns {Promise<boolean>} Whether the response was sent.
   */
  async apply(path, res) {
    const failure = this.#failures.take(path);
    const delay = this.#delays.take(path);
    if (delay !== undefined) await pause(delay, undefined, { ref: false });
    if (!failure) return false;
    res.setHeader("Cache-Control", "no-store");
    if (failure.body === undefined) sendText(res, failure.status, "Failed, as a test configured");
    else sendJson(res, failure.status, failure.body);
    return true;
  }
}

/**
 * The faults of the next requests, by path.
 *
 * @template Value
 */
class Upcoming {
  /** @type {Map<string, { value: Value, times: number }>} */
  #entries = new Map();

  /** @param {string} path @param {Value} value @param {number} [times] */
  set(path, value, times = 1) {
    if (!(times >= 0)) throw new TypeError("times: must be a number of requests");
    this.#entries.set(path, { value, times });
  }

  /** @param {string} path @returns {Value | undefined} */
  take(path) {
    const entry = this.#entries.get(path);
    if (!entry || entry.times < 1) return undefined;
    entry.times -= 1;
    return entry.value;
  }
}

/** @param {EndpointName} endpoint */
function pathOf(endpoint) {
  if (Object.hasOwn(ENDPOINTS, endpoint)) return ENDPOINTS[endpoint];
  throw new TypeError(`${endpoint}: must be one of ${Object.keys(ENDPOINTS).join(", ")}`);
}
