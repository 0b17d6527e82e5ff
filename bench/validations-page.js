/**
 * The page that validates ID tokens, one after the other.
 *
 * @module
 */

// @ts-expect-error: the same.
import { start, validateIdToken } from "benchmark-wasm/classlink_spa.js";
// @ts-expect-error: built by `validations.js`.
import base64 from "benchmark-wasm/classlink_spa_bg.wasm";
import { createLocalJWKSet, jwtVerify } from "jose";
import { run } from "../pkg-template/src/task.js";

/** @import { Sample } from "./validations.js" */

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** @param {string} text */
const decode = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
/** @param {string} text */
const decodeUrl = (text) => decode(text.replaceAll("-", "+").replaceAll("_", "/"));

/** @type {Promise<void> | undefined} */
let started;

/**
 * How each validates one token, and what it prepares once.
 *
 * @type {Record<string, (sample: Sample) => Promise<() => Promise<unknown>>>}
 */
const VALIDATORS = {
  /** The signature alone, with a key at hand. */
  async webCrypto({ idToken, keySet }) {
    const [jwk] = JSON.parse(keySet).keys;
    const key = await crypto.subtle.importKey("jwk", jwk, RS256, false, ["verify"]);
    const [header, payload, signature] = idToken.split(".");
    const input = new TextEncoder().encode(`${header}.${payload}`);
    const bytes = decodeUrl(signature);
    return () => crypto.subtle.verify(RS256, key, bytes, input);
  },
  async "classlink-spa"({ idToken, keySet, accessToken, issuer, clientId, nonce }) {
    started ??= start(decode(base64));
    await started;
    return () => run(validateIdToken(idToken, keySet, accessToken, issuer, clientId, nonce));
  },
  /** Without `nonce` and `at_hash`, which it leaves to its callers; it keeps the imported key. */
  async jose({ idToken, keySet, issuer, clientId }) {
    const keys = createLocalJWKSet(JSON.parse(keySet));
    return () => jwtVerify(idToken, keys, { issuer, audience: clientId, algorithms: ["RS256"] });
  },
};

/**
 * Returns the seconds that so many validations take.
 *
 * @param {string} name
 * @param {Sample} sample
 * @param {number} validations
 */
async function measureValidations(name, sample, validations) {
  const validate = await VALIDATORS[name](sample);
  const startedAt = performance.now();
  for (let i = 0; i < validations; i++) {
    if (!(await validate())) throw new Error(`${name} refuses the token`);
  }
  return (performance.now() - startedAt) / 1000;
}

Object.assign(window, { measureValidations });
