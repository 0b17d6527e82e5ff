/** What a caller may configure: the types, the defaults, and the checks. */

import { ACCOUNTS, DISTRICTS } from "./people.js";

/** @import { Account, District } from "./people.js" */

/**
 * An application that is registered with the stand-in.
 *
 * @typedef {object} Client
 * @property {string} clientId
 * @property {string} [clientSecret]
 * @property {readonly string[]} redirectUris Compared exactly. The first is where the LaunchPad tile leads.
 * @property {readonly string[]} [postLogoutRedirectUris] Compared exactly. Where the end-session endpoint may lead
 * back to. Default none.
 * @property {string} [launchUrl] Where the partner-initiated tile leads; without it there is no such tile.
 * @property {string} [name] For the consent page and the tiles. Default: the client id.
 */

/**
 * @typedef {object} StandInOptions
 * @property {string} [host] Host name of both origins. Default `"localhost"`.
 * @property {number} [port] Port of the issuer; 0 takes a free one. Default 0.
 * @property {number} [apiPort] Port of the second origin, ClassLink's `nodeapi`. Default 0.
 * @property {{ key: string, cert: string }} [tls] PEM. With it both origins are https.
 * @property {readonly Client[]} [clients] Default none.
 * @property {boolean} [publicClients] Whether the token endpoint takes a request without a secret, of any client.
 * `false`: HTTP 401 `invalid_client` for it, however correct it is otherwise. Default `true`.
 * @property {boolean} [cors] Whether token endpoint, keys, discovery, profileinfo and my/info answer requests from
 * another origin's page. Default `true`.
 * @property {"remembered" | "always" | "never"} [consent] When the consent page is shown: the first time for an
 * account and client, every time, or never. Default `"remembered"`.
 * @property {"honoured" | "ignored"} [pkce] Whether the token endpoint checks the code verifier (RFC 7636, 4.6). It
 * is never required of a request that had no challenge. Default `"honoured"`.
 * @property {boolean} [refreshTokens] Whether every token answer carries a refresh token, whatever the scope: it works
 * once, and one that is used again ends its grant (RFC 9700, 4.14.2). Default `false`.
 * @property {boolean} [expiresIn] Whether token answers say `expires_in`. Default `false`.
 * @property {boolean} [revocation] Whether there is a revocation endpoint (RFC 7009). Default `false`.
 * @property {boolean} [endSession] Whether there is an end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).
 * Default `false`.
 * @property {boolean} [issParameter] Whether callbacks carry `iss`, and discovery promises it (RFC 9207). Default `false`.
 * @property {boolean} [framing] Whether the pages may be framed, by the origins of the clients' redirect URIs. Default
 * `false`.
 * @property {boolean} [crossSiteCookies] Whether the sign-in's cookie is `SameSite=None`: browsers that take third-party
 * cookies then send it from a frame of another site's page, too. Needs `tls`. Default `false`: `SameSite=Lax`.
 * @property {string} [openerPolicy] The `Cross-Origin-Opener-Policy` of the pages (HTML Standard, 7.1.3): `"same-origin"`
 * cuts a popup off from the page that opened it. Default: no such header.
 * @property {boolean} [tenantClaims] Whether the `classLink_*` claims are sent. Default `true`.
 * @property {number} [myInfoError] With it, `/v2/my/info` answers a valid token with HTTP 200 and a body
 * `{ status, message }` of this status. Default: no error.
 * @property {number} [idTokenLifetime] Seconds. Default 86400.
 * @property {number} [accessTokenLifetime] Seconds. Default 86400.
 * @property {number} [codeLifetime] Seconds. Default 300.
 * @property {readonly District[]} [districts] In place of the built-in ones.
 * @property {readonly Account[]} [accounts] In place of the built-in ones.
 */

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
    check(!ids.has(clientId), `clients: the clientId ${clientId} is there twice or reserved`);
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
  check(districtIds.size === districts.length, "districts: an id is there twice");
  const subs = new Set(accounts.map(({ sub }) => sub));
  check(subs.size === accounts.length, "accounts: a sub is there twice");
  for (const { sub, districtId } of accounts) {
    check(
      districtIds.has(String(districtId)),
      `accounts: ${sub} is in a district that isn't there`,
    );
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
