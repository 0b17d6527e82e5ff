/**
 * The provider's keys (RFC 7517; OpenID Connect Core 1.0, 10.1).
 *
 * @module
 */

import { KEYS } from "../keys.mjs";
import {
  CAPTIVE_PORTAL_HTML,
  first,
  header,
  IMPATIENT,
  keySet,
  MIB,
  ownKey,
  refused,
  signedBy,
  signedIn,
  USELESS,
} from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

/** @type {Scenario[]} */
export const keySets = [
  {
    name: "the key is rotated between two logins",
    play: async (stage) => {
      await stage.signIn();
      stage.provider.key = KEYS.next;
      stage.provider.keys = [KEYS.next.jwk];
      return stage.signIn();
    },
    expect: { signedIn: true, requested: { token: 2, jwks: 2 } },
  },
  {
    name: "the key is rotated just before signing",
    arrange: {
      jwks: (_, { count }) => keySet((count === 1 ? KEYS.own : KEYS.next).jwk),
      idToken: signedBy(KEYS.next),
    },
    expect: { ...signedIn, requested: { token: 1, jwks: 2 } },
  },
  {
    name: "the key is rotated just before signing, and tokens name no kid",
    arrange: {
      jwks: (_, { count }) => keySet((count === 1 ? KEYS.own : KEYS.next).jwk),
      idToken: (token) => {
        signedBy(KEYS.next)(token);
        token.header.kid = undefined;
      },
    },
    expect: { ...signedIn, requested: { token: 1, jwks: 2 } },
  },
  {
    name: "the next key is published beside the present one",
    arrange: { jwks: keySet(KEYS.next.jwk, KEYS.own.jwk) },
    expect: { ...signedIn, requested: { token: 1, jwks: 1 } },
  },
  {
    name: "the token's kid is in no key set: asked again, once",
    arrange: { idToken: header({ kid: "unknown" }) },
    expect: refused("key_not_found", { requested: { jwks: 2 } }),
  },
  {
    name: "the token's kid differs in case",
    arrange: { idToken: header({ kid: "OWN" }) },
    expect: refused("key_not_found"),
  },
  {
    name: "the token's kid is a number",
    arrange: { idToken: header({ kid: 5 }) },
    expect: refused("key_not_found"),
  },
  {
    name: "the token's kid is a path (../own)",
    arrange: { idToken: header({ kid: "../own" }) },
    expect: refused("key_not_found", { notRequested: ["other"] }),
  },
  {
    name: "the token names no kid, and there is one key",
    arrange: { idToken: header({ kid: undefined }) },
    expect: signedIn,
  },
  {
    name: "neither the token nor the only key names a kid",
    arrange: { idToken: header({ kid: undefined }), jwks: keySet(ownKey({ kid: undefined })) },
    expect: signedIn,
  },
  {
    name: "the token names no kid, and there are several keys",
    arrange: {
      idToken: header({ kid: undefined }),
      jwks: keySet(KEYS.next.jwk, KEYS.own.jwk),
    },
    expect: refused("key_not_found"),
  },
  {
    name: "the token names no kid, and one of several keys fits",
    arrange: {
      idToken: header({ kid: undefined }),
      jwks: keySet(KEYS.ES256.jwk, { ...KEYS.next.jwk, use: "enc" }, KEYS.own.jwk),
    },
    expect: signedIn,
  },
  {
    name: "the token names a kid, and the only key none",
    arrange: { jwks: keySet(ownKey({ kid: undefined })) },
    expect: refused("key_not_found"),
  },
  {
    name: "two keys have the token's kid, the right one first",
    arrange: { jwks: keySet(KEYS.own.jwk, KEYS.foreign.jwk) },
    expect: signedIn,
  },
  {
    name: "two keys have the token's kid, the right one last",
    arrange: { jwks: keySet(KEYS.foreign.jwk, KEYS.own.jwk) },
    expect: signedIn,
  },
  {
    name: "an encryption key and a signing key have the token's kid",
    arrange: { jwks: keySet({ ...KEYS.next.jwk, kid: "own", use: "enc" }, KEYS.own.jwk) },
    expect: signedIn,
  },
  {
    name: "an RSA key and an EC key have the token's kid",
    arrange: { jwks: keySet({ ...KEYS.ES256.jwk, kid: "own" }, KEYS.own.jwk) },
    expect: signedIn,
  },
  ...Object.entries({
    "is for encryption (use)": { use: "enc" },
    "is for encryption (key_ops)": { use: undefined, key_ops: ["encrypt", "wrapKey"] },
    "is for another algorithm (alg)": { alg: "RS512" },
    "has a use that is no string": { use: 5 },
    "has key_ops that are no array": { key_ops: "verify" },
    "has no modulus": { n: undefined },
    "has a modulus that is no base64url": { n: "not base64url!" },
    "has an unknown kty": { kty: "XYZ" },
  }).map(([what, changes]) => ({
    name: `the key under the token's kid ${what}`,
    arrange: { jwks: keySet(ownKey(changes)) },
    expect: refused("key_not_found"),
  })),
  {
    name: "the key names neither use nor alg",
    arrange: { jwks: keySet(ownKey({ use: undefined, alg: undefined })) },
    expect: signedIn,
  },
  {
    name: "the key has key_ops that allow verifying",
    arrange: { jwks: keySet(ownKey({ use: undefined, key_ops: ["verify"] })) },
    expect: signedIn,
  },
  {
    name: "there are things among the keys that are none",
    arrange: { jwks: keySet(null, "key", 5, [], {}, { kty: 5 }, { kty: "RSA" }, KEYS.own.jwk) },
    expect: signedIn,
  },
  {
    name: "the key set has further members, and keys have too",
    arrange: { jwks: { json: { keys: [ownKey({ x5c: ["AA=="], "": 1 })], more: true } } },
    expect: signedIn,
  },
  {
    name: "the key set is sent as text/html",
    arrange: { jwks: (answer) => ({ ...answer, headers: { "Content-Type": "text/html" } }) },
    expect: signedIn,
  },
  { name: "there are no keys", arrange: { jwks: keySet() }, expect: refused("key_not_found") },
  {
    name: "there are a thousand keys",
    arrange: {
      jwks: keySet(
        ...Array.from({ length: 1000 }, (_, i) => ({ ...KEYS.next.jwk, kid: `k${i}` })),
        KEYS.own.jwk,
      ),
    },
    expect: signedIn,
  },
  {
    name: "the key set is 2 MiB large",
    arrange: { jwks: { body: JSON.stringify({ keys: [], more: "a".repeat(2 * MIB) }) } },
    expect: { code: "keys_unavailable" },
  },
  {
    name: "the key set fails once (500)",
    arrange: { jwks: first({ status: 500, body: CAPTIVE_PORTAL_HTML }) },
    expect: { ...signedIn, requested: { token: 1, jwks: 2 } },
  },
  {
    name: "the key set hangs once",
    arrange: { config: IMPATIENT, jwks: first({ hang: true }) },
    expect: { ...signedIn, requested: { token: 1, jwks: 2 } },
  },
  {
    name: "the key set hangs",
    arrange: { config: IMPATIENT, jwks: { hang: true } },
    expect: { code: "keys_unavailable", retryable: true },
  },
  {
    name: "the key set drips",
    arrange: { config: IMPATIENT, jwks: { drip: true } },
    expect: { code: "keys_unavailable", retryable: true },
  },
  {
    name: "the key set's answer is a redirect",
    arrange: { jwks: { status: 302, headers: { Location: "/elsewhere" }, body: "" } },
    expect: { code: "keys_unavailable", notRequested: ["other"] },
  },
  {
    name: "the key set's answer is refused by CORS",
    arrange: { jwks: (answer) => ({ ...answer, cors: false }) },
    expect: { code: "keys_unavailable" },
  },
  ...[404, 429, 500].map((status) => ({
    name: `the key set's answer is ${status}`,
    arrange: { jwks: { status, json: { keys: [KEYS.own.jwk] } } },
    expect: { code: "keys_unavailable", status, retryable: true },
  })),
  ...Object.entries({
    ...USELESS,
    "has no keys member": { json: {} },
    "has keys that are no array": { json: { keys: { 0: KEYS.own.jwk } } },
  }).map(([what, jwks]) => ({
    name: `the key set's answer ${what}`,
    arrange: { jwks },
    expect: { code: "keys_unavailable", retryable: true },
  })),
];
