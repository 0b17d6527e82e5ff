/**
 * Words that scenarios are written with.
 *
 * @module
 */

import { CAPTIVE_PORTAL_HTML } from "../../support/faults.mjs";
import { KEYS, signToken } from "../keys.mjs";

/** @import { Expectation } from "../judge.mjs" */
/** @import { Unsigned } from "../provider.mjs" */

/** Seconds since 1970, `seconds` from now. */
export const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** ID tokens with other claims; `undefined` takes one away. A function is asked when the token is made. */
export const claims = (changes) => (/** @type {Unsigned} */ token) => {
  Object.assign(token.claims, typeof changes === "function" ? changes(token.claims) : changes);
};

/** ID tokens with other header members; `undefined` takes one away. */
export const header = (changes) => (/** @type {Unsigned} */ token) => {
  Object.assign(token.header, changes);
};

/** ID tokens signed by another key, under its own name and algorithm. */
export const signedBy = (key) => (/** @type {Unsigned} */ token) => {
  token.key = key;
  Object.assign(token.header, { alg: key.alg, kid: key.jwk.kid });
};

/** ID tokens with an HMAC by `secret`, under the provider's `kid`. */
export const hmacBy =
  (secret, alg = "HS256") =>
  (/** @type {Unsigned} */ token) =>
    signToken({ ...token.header, alg }, token.claims, secret, alg);

/** ID tokens whose text is what a function makes of the honest one's three parts. */
export const rewritten = (rewrite) => (/** @type {Unsigned} */ token) =>
  rewrite(...signToken(token.header, token.claims, token.key).split("."), token);

/** ID tokens whose claims are this text, whatever it is. The function is given the honest claims' text. */
export const payload = (rewrite) => (/** @type {Unsigned} */ token) =>
  signToken(token.header, rewrite(JSON.stringify(token.claims)), token.key);

/** Returns other members; `undefined` takes one away. */
export const members = (changes) => (answer) => {
  Object.assign(answer.json, changes);
};

/** An answer only the first time, or the first few times; the honest one afterwards. */
export const first =
  (answer, times = 1) =>
  (_, { count }) =>
    count <= times ? answer : undefined;

/** The discovery document advertises these algorithms, and the key set has this key. */
export const advertising = (...keys) => ({
  discovery: members({ id_token_signing_alg_values_supported: keys.map(({ alg }) => alg) }),
  jwks: { json: { keys: keys.map(({ jwk }) => jwk) } },
});

/** A key set of these. */
export const keySet = (...jwks) => ({ json: { keys: jwks } });

/** The provider's own public key, with other members. */
export const ownKey = (changes) => ({ ...KEYS.own.jwk, ...changes });

/**
 * The ID token is refused.
 *
 * @param {string} reason
 * @param {Partial<Expectation>} [more]
 * @returns {Expectation}
 */
export const refused = (reason, more) => ({
  code: "id_token_invalid",
  reason,
  retryable: false,
  notRequested: ["userinfo", "myInfo"],
  ...more,
});

/** @type {Expectation} */
export const signedIn = { signedIn: true, user: { sub: "8708718" }, requested: { token: 1 } };

/** Why a row says nothing of other libraries. */
export const OPTION = "tests an option or a promise of this package";

export { CAPTIVE_PORTAL_HTML };

export const MIB = 1024 * 1024;

/** Short, for answers that never come; but the package itself must have come by then, on a busy machine too. */
export const IMPATIENT = { timeout: 6000 };

/** Faults of a response, from any endpoint. */
export const USELESS = {
  "is HTML": { body: CAPTIVE_PORTAL_HTML },
  "breaks off": { body: '{"keys":[{"kty":"RSA"' },
  "is empty": { body: "" },
  "is null": { body: "null" },
  "is an array": { json: [] },
};
