/** A local stand-in for ClassLink: see the README for what it imitates and what it can't know. */

import { createApi } from "./api.js";
import { Consents } from "./consents.js";
import { People } from "./directory.js";
import { endpointsOf } from "./discovery.js";
import { listen } from "./http.js";
import { createIssuer } from "./issuer.js";
import { settingsFrom } from "./options.js";
import { PATHS } from "./paths.js";
import { createProvider } from "./provider.js";

/** @import { Endpoints } from "./discovery.js" */
/** @import { Handler } from "./http.js" */
/** @import { StandInOptions } from "./options.js" */
/** @import { Account, District } from "./people.js" */

export { ACCOUNTS, DISTRICTS } from "./people.js";

/**
 * A request that the stand-in has seen, on either origin. No query, no header but `Origin`, no body.
 *
 * @typedef {object} SeenRequest
 * @property {string} method
 * @property {string} path
 * @property {string | undefined} origin The `Origin` header.
 * @property {number} at Milliseconds since 1970.
 */

/**
 * A stand-in that is running.
 *
 * @typedef {object} StandIn
 * @property {string} issuer The issuer identifier: an origin.
 * @property {string} apiOrigin The second origin.
 * @property {string} launchPadUrl
 * @property {readonly Account[]} accounts
 * @property {readonly District[]} districts
 * @property {Endpoints} endpoints
 * @property {string} discoveryUrl
 * @property {SeenRequest[]} requests Every request so far, oldest first. A test may empty it.
 * @property {() => Promise<void>} close Stops both servers and forgets everything.
 */

/**
 * Starts a stand-in. Its state is in memory, and its signing key is made at each start.
 *
 * @param {StandInOptions} [options]
 * @returns {Promise<StandIn>}
 * @throws {TypeError} That names the option which is wrong.
 * @throws {Error} Node's, where a port can't be had.
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
  const provider = await createProvider(issuer, settings, people, consents);
  /** @type {SeenRequest[]} */
  const requests = [];
  front.handle(
    recorded(requests, await createIssuer(provider, endpoints, settings, people, consents)),
  );
  api.handle(recorded(requests, createApi(provider, settings, people)));

  return {
    issuer,
    apiOrigin,
    launchPadUrl: `${issuer}/launchpad`,
    accounts: settings.accounts,
    districts: settings.districts,
    endpoints,
    discoveryUrl: issuer + PATHS.discovery,
    requests,
    close: async () => {
      await Promise.all([front.close(), api.close()]);
    },
  };
}

/**
 * @param {SeenRequest[]} requests
 * @param {Handler} handler
 * @returns {Handler}
 */
function recorded(requests, handler) {
  return (req, res) => {
    const [path = "/"] = (req.url ?? "/").split("?");
    const { origin } = req.headers;
    requests.push({ method: req.method ?? "GET", path, origin, at: Date.now() });
    return handler(req, res);
  };
}
