/**
 * Keys that are shared, and signing anything with them: also what no honest library signs.
 *
 * @module
 */

import { constants, createHash, createHmac, sign } from "node:crypto";
import { makeKey } from "../support/keys.mjs";

/** @import { Key } from "../support/keys.mjs" */

/** Keys that were made already. @type {Map<string, Key>} */
const made = new Map();

/**
 * Returns a key that is made once, when it is first needed: an RSA key takes a fifth of a second.
 *
 * @param {string} name
 * @param {Parameters<typeof makeKey>} how
 * @returns {Key}
 */
function sharedKey(name, ...how) {
  const key = made.get(name) ?? makeKey(...how);
  made.set(name, key);
  return key;
}

/** The keys that scenarios share. */
export const KEYS = {
  /** The provider's own. */
  get own() {
    return sharedKey("own", "own");
  },
  /** The key that the provider rotates to. */
  get next() {
    return sharedKey("next", "next");
  },
  /** An attacker's, who knows the provider's `kid`. */
  get foreign() {
    return sharedKey("foreign", "own");
  },
  /** Too short for any of the algorithms (RFC 7518, 3.3). */
  get weak() {
    return sharedKey("weak", "weak", "RS256", { modulusLength: 1024 });
  },
  get PS256() {
    return sharedKey("PS256", "ps256", "PS256");
  },
  get ES256() {
    return sharedKey("ES256", "es256", "ES256");
  },
  get ES384() {
    return sharedKey("ES384", "es384", "ES384");
  },
  get ES512() {
    return sharedKey("ES512", "es512", "ES512");
  },
  get EdDSA() {
    return sharedKey("EdDSA", "eddsa", "EdDSA");
  },
};

/** The bytes of a value as JSON; a string goes as it is. @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** @param {string | Buffer} bytes */
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/**
 * Signs a token (RFC 7515, 5.1), whatever header and claims say.
 *
 * @param {unknown} header an object, or its text
 * @param {unknown} claims an object, or its text
 * @param {Key | string | Buffer | null} key a string or bytes: an HMAC secret; `null`: an empty signature
 * @param {string} [alg] how to sign. Default: as the key does
 */
export function signToken(header, claims, key, alg) {
  const input = `${base64url(text(header))}.${base64url(text(claims))}`;
  return `${input}.${base64url(signature(input, key, alg))}`;
}

/** @param {string} input @param {Key | string | Buffer | null} key @param {string} [alg] */
function signature(input, key, alg) {
  if (key === null) return "";
  if (typeof key === "string" || Buffer.isBuffer(key)) {
    return createHmac(hashOf(alg ?? "HS256"), key)
      .update(input)
      .digest();
  }
  const by = alg ?? key.alg;
  if (by === "EdDSA") return sign(null, Buffer.from(input), key.privateKey);
  const options = {
    RS: {},
    PS: {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    },
    ES: { dsaEncoding: /** @type {const} */ ("ieee-p1363") },
  }[by.slice(0, 2)];
  return sign(hashOf(by), Buffer.from(input), { key: key.privateKey, ...options });
}

/** @param {string} alg */
const hashOf = (alg) => `sha${alg === "EdDSA" ? 512 : alg.slice(2)}`;

/**
 * The left half of an access token's hash (OpenID Connect Core 1.0, 3.1.3.6).
 *
 * @param {string} accessToken
 * @param {string} alg
 */
export function accessTokenHash(accessToken, alg) {
  const digest = createHash(hashOf(alg)).update(accessToken).digest();
  return base64url(digest.subarray(0, digest.length / 2));
}
