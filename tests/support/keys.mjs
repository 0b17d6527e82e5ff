/**
 * Making signing keys.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";

/** @import { KeyObject } from "node:crypto" */

/**
 * A signing key and what the world sees of it.
 *
 * @typedef {object} Key
 * @property {string} alg
 * @property {Record<string, unknown>} jwk The public JWK, with `kid`, `alg` and `use`.
 * @property {KeyObject} privateKey
 * @property {KeyObject} publicKey
 */

/** The algorithm and the parameters of each kind of key. @type {Record<string, [type: any, options: object]>} */
const KINDS = {
  RS: ["rsa", { modulusLength: 2048 }],
  PS: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  ES384: ["ec", { namedCurve: "P-384" }],
  ES512: ["ec", { namedCurve: "P-521" }],
  EdDSA: ["ed25519", {}],
};

/**
 * Makes a key.
 *
 * @param {string} kid
 * @param {string} [alg] as in RFC 7518, 3.1 and RFC 8037
 * @param {object} [options] of Node's generator, in place of the usual ones
 * @returns {Key}
 */
export function makeKey(kid, alg = "RS256", options) {
  const [type, usual] = KINDS[alg] ?? KINDS[alg.slice(0, 2)];
  // Asked for as JWKs: exporting a key that was just made can hang Node.js. It holds the key's lock, and if its
  // generator is collected meanwhile, that wants to have it, too (seen in Node.js 20.20).
  /** @type {{ publicKey: any, privateKey: any }} The JWKs, which Node's types do not know of. */
  const pair = generateKeyPairSync(type, {
    ...(options ?? usual),
    publicKeyEncoding: { type: "spki", format: "jwk" },
    privateKeyEncoding: { type: "pkcs8", format: "jwk" },
  });
  return {
    alg,
    jwk: { ...pair.publicKey, kid, alg, use: "sig" },
    privateKey: createPrivateKey({ key: pair.privateKey, format: "jwk" }),
    publicKey: createPublicKey({ key: pair.publicKey, format: "jwk" }),
  };
}
