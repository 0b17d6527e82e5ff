/** A local stand-in for ClassLink: see the README for what it imitates and what it can't know. */

import { createApi } from "./api.js";
import { Consents } from "./consents.js";
import { People } from "./directory.js";
import { endpointsOf } from "./discovery.js";
import { Faults } from "./faults.js";
import { listen } from "./http.js";
import { createIssuer } from "./issuer.js";
import { settingsFrom } from "./options.js";
import { PATHS } from "./paths.js";
import { createProvider } from "./provider.js";
import { createStore } from "./store.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Handler } from "./http.js" */
/** @import { Settings } from "./options.js" */
/** @import { Store } from "./store.js" */
/** @import { SeenRequest, StandIn, StandInOptions } from "./types.d.ts" */

export { ACCOUNTS, DISTRICTS } from "./people.js";

/**
 * The parts that the servers of one stand-in share.
 *
 * @typedef {object} Parts
 * @property {Settings} settings
 * @property {People} people
 * @property {Consents} consents
 * @property {Store} store
 * @property {Faults} faults
 */

/** The models of a grant, by oidc-provider's names. */
const GRANT_MODELS = ["Grant", "AuthorizationCode", "AccessToken", "RefreshToken"];

/**
 * Starts a stand-in. Its state is in memory, and its signing key is generated at each start.
 *
 * @param {StandInOptions} [options]
 * @returns {Promise<StandIn>}
 * @throws {TypeError} If an option is wrong; the message names it.
 * @throws {Error} Node's, if a port is unavailable.
 */
export async function startStandIn(options = {}) {
  const settings = settingsFrom(options);
  const front = await listen(settings, settings.port);
  const api = await listen(settings, settings.apiPort).catch(async (error) => {
    await front.close();
    throw error;
  });

  const issuer = front.origin;
  const apiOrigin = api.origin;
  const endpoints = endpointsOf(issuer, apiOrigin, settings);
  const people = new People(settings.districts, settings.accounts);
  const consents = new Consents(settings.consent);
  const store = createStore();
  const faults = new Faults();
  const parts = { settings, people, consents, store, faults };
  const provider = await createProvider(issuer, parts);
  /** @type {SeenRequest[]} */
  const requests = [];
  /** @param {Parameters<typeof recordRequests>[1]} handler */
  const toListener = (handler) => {
    const usual = recordRequests(requests, handler);
    return (/** @type {IncomingMessage} */ req, /** @type {ServerResponse} */ res) =>
      standIn.instead ? standIn.instead(req, res, () => usual(req, res)) : usual(req, res);
  };
  front.handle(toListener(await createIssuer(provider, endpoints, parts)));
  api.handle(toListener(createApi(provider, parts)));
  const requireUser = (/** @type {string} */ sub) => {
    if (!people.find(sub)) throw new TypeError(`${sub}: there is no such person`);
    return sub;
  };

  /** @type {Promise<void> | undefined} */
  let closed;
  /** @type {StandIn} */
  const standIn = {
    issuer,
    apiOrigin,
    launchPadUrl: `${issuer}/launchpad`,
    accounts: settings.accounts,
    districts: settings.districts,
    endpoints,
    discoveryUrl: issuer + PATHS.discovery,
    requests,
    revokeGrants: (sub) => store.forget(requireUser(sub), GRANT_MODELS),
    signOut: (sub) => store.forget(requireUser(sub), ["Session"]),
    fail: (endpoint, failure) => faults.fail(endpoint, failure),
    delay: (endpoint, milliseconds, times) => faults.delay(endpoint, milliseconds, times),
    refuse: (error, times) => faults.refuse(error, times),
    close: () => {
      closed ??= Promise.all([front.close(), api.close()]).then(() => {});
      return closed;
    },
  };
  return standIn;
}

/**
 * Returns a handler that records each request, and then calls another.
 *
 * @param {SeenRequest[]} requests
 * @param {(req: IncomingMessage, res: ServerResponse, seen: SeenRequest) => unknown} handler
 * @returns {Handler}
 */
function recordRequests(requests, handler) {
  return (req, res) => {
    const [path = "/"] = (req.url ?? "/").split("?");
    const { origin } = req.headers;
    const seen = { method: req.method ?? "GET", path, origin, at: Date.now() };
    requests.push(seen);
    return handler(req, res, seen);
  };
}
