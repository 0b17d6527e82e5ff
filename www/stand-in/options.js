/** The options of the stand-in: their types, defaults and checks. */

import { ACCOUNTS, DISTRICTS } from "./people.js";

/** @import { Account, Client, District, StandInOptions } from "./types.d.ts" */

/** @typedef {"tls" | "openerPolicy" | "myInfoError"} WithoutDefault */
/** @typedef {Required<Omit<StandInOptions, WithoutDefault>> & Pick<StandInOptions, WithoutDefault>} Settings */

const DEFAULTS = {
  host: "localhost",
  port: 0,
  apiPort: 0,
  tls: undefined,
  clients: /** @type {readonly Client[]} */ ([]),
  publicClients: true,
  cors: true,
  consent: /** @type {"remembered" | "always" | "never"} */ ("remembered"),
  pkce: /** @type {"honoured" | "ignored"} */ ("honoured"),
  refreshTokens: false,
  expiresIn: false,
  revocation: false,
  endSession: false,
  issParameter: false,
  framing: false,
  crossSiteCookies: false,
  openerPolicy: undefined,
  tenantClaims: true,
  myInfoError: undefined,
  idTokenLifetime: 86_400,
  accessTokenLifetime: 86_400,
  codeLifetime: 300,
  districts: DISTRICTS,
  accounts: ACCOUNTS,
};

const OPENER_POLICIES = ["same-origin", "same-origin-allow-popups", "noopener-allow-popups"];

/** The stand-in's own client, which LaunchPad signs in with. No application can have this id. */
export const LAUNCHPAD_CLIENT_ID = "stand-in-launchpad";

/**
 * Fills in the defaults and checks the whole.
 *
 * @param {StandInOptions} options
 * @returns {Settings}
 * @throws {TypeError} That names the option which is wrong.
 */
export function settingsFrom(options) {
  for (const name of Object.keys(options)) {
    check(Object.hasOwn(DEFAULTS, name), `${name}: there is no such option`);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = /** @type {Settings} */ ({ ...DEFAULTS, ...Object.fromEntries(given) });

  check(typeof settings.host === "string" && settings.host !== "", "host: must be a host name");
  for (const name of /** @type {const} */ (["port", "apiPort"])) {
    check(isInteger(settings[name], 0, 65_535), `${name}: must be a port number`);
  }
  for (const name of /** @type {const} */ ([
    "idTokenLifetime",
    "accessTokenLifetime",
    "codeLifetime",
  ])) {
    check(isInteger(settings[name], 1, 2 ** 31), `${name}: must be a number of seconds`);
  }
  for (const name of /** @type {const} */ ([
    "publicClients",
    "cors",
    "refreshTokens",
    "expiresIn",
    "revocation",
    "endSession",
    "issParameter",
    "framing",
    "crossSiteCookies",
    "tenantClaims",
  ])) {
    check(typeof settings[name] === "boolean", `${name}: must be true or false`);
  }
  oneOf("consent", settings.consent, ["remembered", "always", "never"]);
  oneOf("pkce", settings.pkce, ["honoured", "ignored"]);
  if (settings.openerPolicy !== undefined) {
    oneOf("openerPolicy", settings.openerPolicy, OPENER_POLICIES);
  }
  if (settings.myInfoError !== undefined) {
    check(isInteger(settings.myInfoError, 100, 599), "myInfoError: must be an HTTP status");
  }
  if (settings.tls !== undefined) {
    const { key, cert } = settings.tls;
    check(Boolean(key && cert), "tls: needs both key and cert, as PEM");
  }
  check(
    !settings.crossSiteCookies || settings.tls !== undefined,
    "crossSiteCookies: needs tls, without which browsers refuse the cookie",
  );
  checkClients(settings.clients);
  checkPeople(settings);
  return settings;
}

/** @param {readonly Client[]} clients */
function checkClients(clients) {
  const ids = new Set([LAUNCHPAD_CLIENT_ID]);
  for (const client of clients) {
    const { clientId, clientSecret, redirectUris, postLogoutRedirectUris = [], launchUrl } = client;
    check(typeof clientId === "string" && clientId !== "", "clients: a clientId is missing");
    check(!ids.has(clientId), `clients: the clientId ${clientId} is repeated or reserved`);
    ids.add(clientId);
    check(clientSecret !== "", `clients: the clientSecret of ${clientId} is empty`);
    check(
      Array.isArray(redirectUris) && redirectUris.length > 0 && redirectUris.every(isWebUrl),
      `clients: the redirectUris of ${clientId} must be absolute http or https URLs, one at least`,
    );
    check(
      Array.isArray(postLogoutRedirectUris) && postLogoutRedirectUris.every(isWebUrl),
      `clients: the postLogoutRedirectUris of ${clientId} must be absolute http or https URLs`,
    );
    check(
      launchUrl === undefined || isWebUrl(launchUrl),
      `clients: the launchUrl of ${clientId} must be an absolute http or https URL`,
    );
  }
}

/** @param {Settings} settings */
function checkPeople({ districts, accounts }) {
  const districtIds = new Set(districts.map(({ id }) => String(id)));
  check(districtIds.size === districts.length, "districts: an id is repeated");
  const subs = new Set(accounts.map(({ sub }) => sub));
  check(subs.size === accounts.length, "accounts: a sub is repeated");
  for (const { sub, districtId } of accounts) {
    check(districtIds.has(String(districtId)), `accounts: the district of ${sub} does not exist`);
  }
}

/** @param {string} name @param {unknown} value @param {readonly unknown[]} allowed */
function oneOf(name, value, allowed) {
  check(allowed.includes(value), `${name}: must be one of ${allowed.join(", ")}`);
}

/** @param {unknown} value @param {number} least @param {number} most */
function isInteger(value, least, most) {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** @param {unknown} value */
function isWebUrl(value) {
  return (
    typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  );
}

/** @param {boolean} condition @param {string} message */
function check(condition, message) {
  if (!condition) throw new TypeError(message);
}
