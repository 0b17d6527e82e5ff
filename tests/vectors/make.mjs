/**
 * Writes the vectors that the crate's tests and the gateway's read alike: what protocol.md's tables ask for, row by row.
 *
 *     node tests/vectors/make.mjs     makes new keys, signs every token with them, and writes the files again
 *
 * Change a case here, not in the files. `users.json` and `server-urls.json` are written by hand.
 *
 * @module
 */

import { createHash, createHmac, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { makeKey } from "../support/keys.mjs";

const NOW = 1_700_000_000;
const ISSUER = "https://op.example";
const CLIENT_ID = "c1";
const NONCE = "n1";
const ACCESS_TOKEN = "opaque";
/** The largest ID token that is read, in characters. */
const SIZE_LIMIT = 6144;

const rsa = makeKey("rsa");
const other = makeKey("other");
const small = makeKey("rsa", "RS256", { modulusLength: 1024 });
const keys = {
  RS: rsa,
  PS: { ...rsa, jwk: { ...rsa.jwk, alg: undefined } },
  ES256: makeKey("es256", "ES256"),
  ES384: makeKey("es384", "ES384"),
  ES512: makeKey("es512", "ES512"),
  EdDSA: makeKey("ed", "EdDSA"),
};
keys.Ed25519 = keys.EdDSA;

const b64 = (value) => Buffer.from(value).toString("base64url");
const json64 = (value) => b64(JSON.stringify(value));
const hashOf = (alg) => (/^Ed/.test(alg) ? "sha512" : `sha${alg.slice(2)}`);

const CLAIMS = {
  iss: ISSUER,
  sub: "8708718",
  aud: CLIENT_ID,
  nonce: NONCE,
  iat: NOW - 10,
  exp: NOW + 86_390,
};

function signature(alg, key, input) {
  const data = Buffer.from(input);
  if (/^Ed/.test(alg)) return sign(null, data, key);
  /** @type {import("node:crypto").SignKeyObjectInput} */
  const options = /^ES/.test(alg)
    ? { key, dsaEncoding: "ieee-p1363" }
    : { key, ...(/^PS/.test(alg) && { padding: 6, saltLength: Number(alg.slice(2)) / 8 }) };
  return sign(hashOf(alg), data, options);
}

/**
 * A signed token. A header or claims given as a string are written as they are; `undefined` members are left out.
 *
 * @param {{ header?: unknown, claims?: unknown, key?: any, alg?: string, signed?: boolean }} [options]
 */
function token({ header = {}, claims = {}, key = rsa, alg = "RS256", signed = true } = {}) {
  const head =
    typeof header === "string"
      ? header
      : JSON.stringify({ alg, kid: key.jwk.kid, .../** @type {object} */ (header) });
  const body =
    typeof claims === "string"
      ? claims
      : JSON.stringify({ ...CLAIMS, .../** @type {object} */ (claims) });
  const input = `${b64(head)}.${b64(body)}`;
  return `${input}.${signed ? b64(signature(alg, key.privateKey, input)) : ""}`;
}

/**
 * How a case differs from a valid token with the issuer's key at hand.
 *
 * @typedef {Parameters<typeof token>[0] & { raw?: string, now?: unknown[] | null, later?: unknown[],
 *   advertised?: string[] | null, fetches?: number, before?: object, maxAge?: number }} Case
 */

const idTokens = [];
/** Adds a case. `now` and `later` are the keys at hand, and those that a fetch brings; `outcome` is `valid` or the reason. */
function add(
  outcome,
  name,
  /** @type {Case} */ {
    raw,
    now = [rsa.jwk],
    later,
    advertised = ["RS256"],
    fetches,
    ...rest
  } = {},
) {
  const { before, maxAge, ...parts } = rest;
  idTokens.push({
    name,
    token: raw ?? token(parts),
    advertised,
    keys: now,
    ...(later && { keysAfterFetch: later }),
    ...(fetches !== undefined && { fetches }),
    ...(before && { renews: token({ claims: before }) }),
    ...(maxAge !== undefined && { maxAge }),
    outcome,
  });
}
const claims = (outcome, name, changes, rest = {}) =>
  add(outcome, name, { claims: changes, ...rest });
const header = (outcome, name, changes, rest = {}) =>
  add(outcome, name, { header: changes, ...rest });

add("valid", "a token like ClassLink's", { fetches: 0 });

// Row 1: form and size.
const good = token();
const [head, body, sig] = good.split(".");
for (const [name, raw] of [
  ["empty", ""],
  ["two parts", `${head}.${body}`],
  ["four parts", `${good}.AA`],
  ["five parts: encrypted", "a.b.c.d.e"],
  ["padding", `${head}=.${body}.${sig}`],
  ["padding of the signature", `${good}=`],
  ["another alphabet", `${head}.${body}.+/${sig}`],
  ["a blank", `${head}.${body}.${sig} `],
  [
    "a length that no bytes have",
    `${head}A`.length % 4 === 1 ? `${head}A.${body}.${sig}` : `${head}.${body}.AAAAA`,
  ],
]) {
  add("malformed", name, { raw });
}
add("malformed", "bits after the last byte", { raw: `${head}.${body}.${sig.slice(0, -1)}B` });
for (const [name, text] of [
  ["claims that are no JSON", "claims"],
  ["claims that are an array", "[]"],
  ["claims that are null", "null"],
  ["claims with a byte-order mark", `\ufeff${JSON.stringify(CLAIMS)}`],
  ["claims with something after them", `${JSON.stringify(CLAIMS)}x`],
  [
    "claims with a lone surrogate",
    JSON.stringify({ ...CLAIMS, name: "?" }).replace("?", "\\ud800"),
  ],
  [
    "claims with a number out of range",
    JSON.stringify({ ...CLAIMS, n: 7 }).replace(":7", ":1e400"),
  ],
  ["claims nested 128 deep", `{"a":${"[".repeat(127)}${"]".repeat(127)}}`],
]) {
  add("malformed", name, { claims: text });
}
add("malformed", "a header that is no JSON", { header: "alg" });
add("malformed", "claims that are no UTF-8", {
  raw: `${head}.${b64(Buffer.from([0x7b, 0xff, 0x7d]))}.${sig}`,
});
claims("valid", "claims nested 100 deep", {
  deep: JSON.parse(`${"[".repeat(99)}${"]".repeat(99)}`),
});
claims("valid", "odd claims: another type, a large number, a member of Object's", {
  name: { a: 1 },
  n: 1e300,
  constructor: "x",
});
add("valid", "a member twice: the last counts", {
  claims: JSON.stringify(CLAIMS).replace("{", '{"iss":"https://evil.example",'),
});
const sized = (length) => token({ claims: { bulk: "x".repeat(length) } });
let bulk = 0;
while (sized(bulk + 1).length <= SIZE_LIMIT) bulk += 1;
add("valid", "as large as allowed", { raw: sized(bulk) });
add("malformed", "larger than allowed", { raw: sized(bulk + 1) });
add("malformed", "far larger than allowed", { raw: sized(20_000) });

// Row 2: crit.
header("critical_header", "crit with an extension", { crit: ["b64"], b64: false });
header("critical_header", "crit, empty", { crit: [] });
header("critical_header", "crit, null", { crit: null });
header("critical_header", "crit before an algorithm that is refused", { crit: [], alg: "none" });

// Row 3: the algorithm.
for (const alg of [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
]) {
  const key = keys[alg] ?? keys[alg.slice(0, 2)];
  const jwk = { ...key.jwk, alg: undefined };
  const digest = createHash(hashOf(alg)).update(ACCESS_TOKEN).digest();
  add("valid", `${alg}, with its at_hash`, {
    alg,
    key,
    now: [jwk],
    advertised: [alg],
    claims: { at_hash: b64(digest.subarray(0, digest.length / 2)) },
  });
  if (alg !== "RS256") add("algorithm", `${alg}, not advertised`, { alg, key, now: [jwk] });
}
add("valid", "Ed25519 by a key for EdDSA", {
  alg: "Ed25519",
  key: keys.EdDSA,
  now: [keys.EdDSA.jwk],
  advertised: ["Ed25519"],
});
add("valid", "EdDSA by a key for Ed25519", {
  alg: "EdDSA",
  key: keys.EdDSA,
  now: [{ ...keys.EdDSA.jwk, alg: "Ed25519" }],
  advertised: ["EdDSA"],
});
add("valid", "RS256 when no algorithm is advertised", { advertised: null });
add("valid", "RS256 when the list of algorithms is empty", { advertised: [] });
for (const advertised of [null, []]) {
  add(
    "algorithm",
    `ES256 when ${advertised ? "the list is empty" : "no algorithm is advertised"}`,
    {
      alg: "ES256",
      key: keys.ES256,
      now: [keys.ES256.jwk],
      advertised,
    },
  );
}
const everything = ["RS256", "HS256", "none", "constructor"];
const hmac = (secret) => {
  const input = `${json64({ alg: "HS256", kid: "rsa" })}.${json64(CLAIMS)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
};
for (const [name, raw] of [
  ["none", `${json64({ alg: "none" })}.${json64(CLAIMS)}.`],
  ["none, with a signature", token({ header: { alg: "none" } })],
  ["HS256 by the client id", hmac(CLIENT_ID)],
  ["HS256 by the public key", hmac(rsa.publicKey.export({ type: "spki", format: "pem" }))],
  ["no algorithm", token({ header: { alg: undefined } })],
  ["an algorithm in another case", token({ header: { alg: "rs256" } })],
  ["an algorithm of the wrong type", token({ header: { alg: ["RS256"] } })],
  ["a member of Object's", token({ header: { alg: "constructor" } })],
]) {
  add("algorithm", `${name}, although advertised`, { raw, advertised: everything });
}

// Row 4: the key.
const named = (key, changes) => ({ ...key.jwk, ...changes });
const fresh = makeKey("fresh");
header("key_not_found", "a kid that is a number", { kid: 1 });
header("key_not_found", "a kid that is null", { kid: null });
header("key_not_found", "an unknown kid", { kid: "x" }, { fetches: 1 });
add("valid", "an unknown kid, found by a fetch", { key: fresh, later: [fresh.jwk], fetches: 1 });
add("valid", "no key at hand, found by a fetch", { now: [], later: [rsa.jwk], fetches: 1 });
add("valid", "rotated without a new kid: the fetch brings the key", {
  now: [named(other, { kid: "rsa" })],
  later: [rsa.jwk],
  fetches: 1,
});
add("valid", "rotated without any kid: the fetch brings the key", {
  header: { kid: undefined },
  now: [named(other, { kid: undefined })],
  later: [named(rsa, { kid: undefined })],
  fetches: 1,
});
add("signature", "a foreign key's, also after a fetch", {
  key: { ...other, jwk: rsa.jwk },
  fetches: 1,
});
header("valid", "no kid, one key", { kid: undefined });
header(
  "valid",
  "no kid, one key that fits",
  { kid: undefined },
  { now: [rsa.jwk, named(other, { use: "enc" }), keys.ES256.jwk] },
);
header(
  "key_not_found",
  "no kid, two keys that fit",
  { kid: undefined },
  { now: [rsa.jwk, other.jwk] },
);
add("valid", "two keys under one kid: the second", {
  now: [named(other, { kid: "rsa" }), rsa.jwk],
  fetches: 0,
});
add("valid", "two keys under one kid: the first", {
  now: [rsa.jwk, named(other, { kid: "rsa" })],
  fetches: 0,
});
add("valid", "one key twice", { now: [rsa.jwk, rsa.jwk], fetches: 0 });
const others = Array.from({ length: 4 }, () => makeKey("rsa").jwk);
add("valid", "four keys under one kid: the fourth", { now: [...others.slice(0, 3), rsa.jwk] });
add("signature", "five keys under one kid: the fifth is not tried", { now: [...others, rsa.jwk] });
add("valid", "a key of x5c alone beside the good one", {
  now: [{ kty: "RSA", kid: "rsa", use: "sig", x5c: ["MIIB"] }, rsa.jwk],
});
add("key_not_found", "a key of x5c alone", {
  now: [{ kty: "RSA", kid: "rsa", use: "sig", x5c: ["MIIB"] }],
});
for (const [name, changes] of [
  ["for encryption", { use: "enc" }],
  ["whose use is of the wrong type", { use: 1 }],
  ["whose operations are others", { use: undefined, key_ops: ["sign"] }],
  ["whose operations are no array", { key_ops: "verify" }],
  ["for another algorithm", { alg: "RS512" }],
  ["for an algorithm of the wrong type", { alg: 5 }],
  ["of another kind", { kty: "oct", k: "AAAA" }],
  ["without a modulus", { n: undefined }],
  ["without an exponent", { e: undefined }],
  ["whose modulus is no base64url", { n: "not base64url!" }],
]) {
  add("key_not_found", `a key ${name}`, { now: [named(rsa, changes)] });
}
add("key_not_found", "a key of 1024 bits", { key: small, now: [small.jwk] });
add("key_not_found", "a key on another curve", {
  alg: "ES256",
  key: keys.ES256,
  advertised: ["ES256"],
  now: [named(keys.ES256, { crv: "P-384" })],
});
for (const [name, changes] of [
  ["null", { alg: null, use: null, key_ops: null, x5c: null }],
  ["empty arrays", { alg: [], use: [], key_ops: [] }],
  ["what allows it", { use: "sig", key_ops: ["sign", "verify"], alg: "RS256" }],
]) {
  add("valid", `a key whose optional members are ${name}`, { now: [named(rsa, changes)] });
}
add("valid", "a private member beside the public ones", {
  now: [named(rsa, { d: "AAAA", ext: true, oth: [] })],
});

// Row 5: the signature.
add("signature", "an empty signature", { signed: false });
add("key_not_found", "an empty signature under an unknown kid", {
  signed: false,
  header: { kid: "x" },
});
add("signature", "other claims", { raw: `${head}.${json64({ ...CLAIMS, name: "else" })}.${sig}` });
add("signature", "another header", {
  raw: `${json64({ alg: "RS256", kid: "rsa", typ: "JWT" })}.${body}.${sig}`,
});
const bytes = Buffer.from(sig, "base64url");
add("signature", "cut short", { raw: `${head}.${body}.${b64(bytes.subarray(0, -4))}` });
add("signature", "all zeros", { raw: `${head}.${body}.${b64(Buffer.alloc(256))}` });

// Rows 6 to 9.
for (const [name, iss] of [
  ["another", "https://other.example"],
  ["with a final slash", `${ISSUER}/`],
  ["in another case", "https://OP.example"],
  ["missing", undefined],
  ["a list", [ISSUER]],
]) {
  claims("issuer", `iss ${name}`, { iss });
}
for (const [name, aud] of [
  ["another", "c2"],
  ["missing", undefined],
  ["an empty list", []],
  ["in another case", "C1"],
  ["with a wrong type inside", [CLIENT_ID, 7]],
  ["an object", { c1: 1 }],
]) {
  claims("audience", `aud ${name}`, { aud, azp: CLIENT_ID });
}
claims("valid", "aud a list of one", { aud: [CLIENT_ID] });
claims("valid", "several audiences, with azp", { aud: ["api", CLIENT_ID], azp: CLIENT_ID });
claims("valid", "one audience, with azp", { azp: CLIENT_ID });
claims("authorized_party", "several audiences without azp", { aud: [CLIENT_ID, "api"] });
for (const azp of ["c2", "", null, [CLIENT_ID]]) {
  claims("authorized_party", `azp ${JSON.stringify(azp)}`, { azp });
}
for (const [name, sub] of [
  ["missing", undefined],
  ["empty", ""],
  ["of 256 characters", "x".repeat(256)],
  ["a number", 8708718],
  ["null", null],
]) {
  claims("subject", `sub ${name}`, { sub });
}
claims("valid", "sub of 255 characters", { sub: "é".repeat(255) });
claims("valid", "sub of 255 characters beyond the first plane", { sub: "😀".repeat(255) });
for (const [name, nonce] of [
  ["another", "n2"],
  ["missing", undefined],
  ["a list", [NONCE]],
  ["empty", ""],
]) {
  claims("nonce", `nonce ${name}`, { nonce });
}

// Row 10: the times, with 60 seconds of tolerance.
for (const [outcome, name, changes] of [
  ["expired", "exp 60 seconds past", { exp: NOW - 60 }],
  ["valid", "exp 59 seconds past", { exp: NOW - 59 }],
  ["expired", "exp missing", { exp: undefined }],
  ["expired", "exp a string", { exp: String(NOW + 60) }],
  ["expired", "exp null", { exp: null }],
  ["issued_in_future", "iat 61 seconds ahead", { iat: NOW + 61 }],
  ["valid", "iat 60 seconds ahead", { iat: NOW + 60 }],
  ["issued_in_future", "iat missing", { iat: undefined }],
  ["issued_in_future", "iat a string", { iat: String(NOW) }],
  ["not_yet_valid", "nbf 61 seconds ahead", { nbf: NOW + 61 }],
  ["valid", "nbf 60 seconds ahead", { nbf: NOW + 60 }],
  ["not_yet_valid", "nbf a string", { nbf: String(NOW) }],
  ["not_yet_valid", "nbf null", { nbf: null }],
  ["valid", "times with fractions", { iat: NOW - 10.5, exp: NOW + 10.5 }],
]) {
  claims(outcome, name, changes);
}

// Row 11: at_hash.
const sha256 = createHash("sha256").update(ACCESS_TOKEN).digest();
claims("at_hash", "at_hash wrong", { at_hash: "AAAAAAAAAAAAAAAAAAAAAA" });
claims("at_hash", "at_hash of the whole hash", { at_hash: b64(sha256) });
claims("at_hash", "at_hash with padding", { at_hash: `${b64(sha256.subarray(0, 16))}==` });
claims("at_hash", "at_hash null", { at_hash: null });

// Row 12: auth_time, which only the browser asks for.
claims("valid", "auth_time within maxAge", { auth_time: NOW - 3600 }, { maxAge: 3600 });
claims("auth_time", "auth_time beyond maxAge", { auth_time: NOW - 3661 }, { maxAge: 3600 });
claims("auth_time", "auth_time ahead", { auth_time: NOW + 61 }, { maxAge: 3600 });
claims("auth_time", "auth_time missing", {}, { maxAge: 3600 });

// The order of the rows: what comes first decides.
claims("issuer", "everything wrong: the first row decides", {
  iss: "x",
  aud: "x",
  sub: "",
  nonce: "x",
  exp: 1,
});
claims("audience", "aud before sub", { aud: "x", sub: "" });
claims("nonce", "nonce before the times", { nonce: "x", exp: 1 });

// A renewed token (Core 12.2).
const renewed = (outcome, name, changes, before = {}) =>
  claims(outcome, `renewed: ${name}`, { nonce: undefined, ...changes }, { before });
const both = [CLIENT_ID, "api"];
renewed("valid", "as before, without a nonce", {});
renewed("valid", "with the same nonce", { nonce: NONCE });
renewed("nonce", "with another nonce", { nonce: "n2" });
renewed("nonce", "with a null nonce", { nonce: null });
renewed("user_mismatch", "another subject", { sub: "9" });
renewed("issuer", "another issuer", { iss: "https://other.example" });
renewed("valid", "aud as a list instead of a string", { aud: [CLIENT_ID] });
renewed("valid", "aud as a string instead of a list", {}, { aud: [CLIENT_ID] });
renewed(
  "valid",
  "aud in another order",
  { aud: ["api", CLIENT_ID], azp: CLIENT_ID },
  { aud: both, azp: CLIENT_ID },
);
renewed(
  "valid",
  "aud with one of them twice",
  { aud: ["api", CLIENT_ID, "api"], azp: CLIENT_ID },
  { aud: both, azp: CLIENT_ID },
);
renewed("audience", "one audience more", { aud: both, azp: CLIENT_ID }, { azp: CLIENT_ID });
renewed("audience", "one audience less", { azp: CLIENT_ID }, { aud: both, azp: CLIENT_ID });
renewed("authorized_party", "an azp when there was none", { azp: CLIENT_ID });
renewed("authorized_party", "no azp when there was one", {}, { azp: CLIENT_ID });
renewed("valid", "the same auth_time", { auth_time: NOW - 99 }, { auth_time: NOW - 99 });
renewed("valid", "no auth_time when there was one", {}, { auth_time: NOW - 99 });
renewed("auth_time", "another auth_time", { auth_time: NOW - 98 }, { auth_time: NOW - 99 });
renewed("auth_time", "an auth_time when there was none", { auth_time: NOW - 99 });
renewed("expired", "expired", { exp: 1 });

const CLASSLINKS = {
  access_token: "opaque",
  token_type: "Bearer",
  response_type: "code",
  id_token: "a.b.c",
};
const READ = { access_token: "opaque", id_token: "a.b.c" };
const responses = [];
const respond = (name, changes, outcome, status = 200) =>
  responses.push({
    name,
    status,
    body: typeof changes === "string" ? changes : JSON.stringify({ ...CLASSLINKS, ...changes }),
    outcome,
  });
const INVALID = "provider_response_invalid";
const REJECTED = "token_rejected";
respond("ClassLink's: no expires_in, no refresh token, an extra member", {}, READ);
respond("a byte-order mark", `\ufeff${JSON.stringify(CLASSLINKS)}`, READ);
respond(
  "everything",
  { expires_in: 3600, refresh_token: "r", scope: "openid profile" },
  { ...READ, expires_in: 3600, refresh_token: "r", scope: "openid profile" },
);
for (const type of ["bearer", "BEARER"]) respond(`token_type ${type}`, { token_type: type }, READ);
for (const [value, seconds] of [
  [0, 0],
  [1.5, 1.5],
  ["3600", 3600],
  ["3599.0", 3599],
  ["1e3", 1000],
  [" 60 ", 60],
  ["0", 0],
  [-1, undefined],
  ["-1", undefined],
  ["", undefined],
  ["never", undefined],
  ["0x10", undefined],
  ["1e400", undefined],
  ["Infinity", undefined],
  ["NaN", undefined],
  ["007", undefined],
  [true, undefined],
  [null, undefined],
  [[5], undefined],
  [{}, undefined],
]) {
  respond(
    `expires_in ${JSON.stringify(value)}`,
    { expires_in: value },
    { ...READ, ...(seconds !== undefined && { expires_in: seconds }) },
  );
}
for (const [value, scope] of [
  ["openid", "openid"],
  [null, undefined],
  ["", undefined],
  [[], undefined],
  [["openid", "profile"], "openid profile"],
]) {
  respond(`scope ${JSON.stringify(value)}`, { scope: value }, { ...READ, ...(scope && { scope }) });
}
for (const value of [5, true, {}, ["openid", 5]])
  respond(`scope ${JSON.stringify(value)}`, { scope: value }, INVALID);
for (const value of [null, "", 5, {}])
  respond(`refresh_token ${JSON.stringify(value)}: none`, { refresh_token: value }, READ);
respond(
  "no ID token, as a renewal may have it",
  { id_token: undefined },
  { access_token: "opaque" },
);
for (const value of [null, "", 5, {}])
  respond(`id_token ${JSON.stringify(value)}`, { id_token: value }, INVALID);
for (const name of ["access_token", "token_type"]) {
  for (const value of [undefined, null, "", 5])
    respond(`${name} ${JSON.stringify(value) ?? "missing"}`, { [name]: value }, INVALID);
}
for (const value of ["mac", "DPoP", "Bearer "])
  respond(`token_type ${value}`, { token_type: value }, INVALID);
for (const status of [200, 400, 401, 429, 500])
  respond(`an OAuth error at ${status}`, { error: "invalid_grant" }, REJECTED, status);
respond("an OAuth error alone", '{"error":"invalid_grant"}', REJECTED, 400);
for (const error of ["", null, 5, {}, []])
  respond(`error ${JSON.stringify(error)}: none`, { error }, READ);
respond("an empty error at 400", '{"error":""}', INVALID, 400);
for (const status of [299]) respond(`tokens at ${status}`, {}, READ, status);
for (const status of [304, 400, 500]) respond(`tokens at ${status}`, {}, INVALID, status);
for (const [name, text] of [
  ["HTML", "<html>"],
  ["truncated", '{"access_token":"a'],
  ["an array", "[]"],
  ["null", "null"],
  ["nothing", ""],
  ["a lone surrogate", JSON.stringify({ ...CLASSLINKS, x: "?" }).replace("?", "\\ud800")],
  ["a number out of range", JSON.stringify({ ...CLASSLINKS, x: 7 }).replace(":7", ":1e400")],
  ["two documents", "{}{}"],
]) {
  respond(name, text, INVALID);
}
respond(
  "a member twice: the last counts",
  JSON.stringify(CLASSLINKS).replace("{", '{"access_token":"first",'),
  READ,
);
respond(
  "a member of Object's",
  JSON.stringify(CLASSLINKS).replace("{", '{"__proto__":{"refresh_token":"x","error":"x"},'),
  READ,
);

const urls = [];
const secure = (isSecure, ...list) => urls.push(...list.map((url) => ({ url, isSecure })));
secure(
  true,
  "https://launchpad.classlink.com/oauth2/v2/token",
  "https://example.com",
  "https://example.com:8443",
  "https://example.com?x=1",
  "https://EXAMPLE.com/",
  "https://my-school.class_link.example/",
  "http://localhost:4400/token",
  "http://LOCALHOST/",
  "http://app.localhost/",
  "http://127.0.0.1:80/",
  "http://127.8.9.1/",
  "http://127.250.255.0/",
  "http://[::1]:3000/",
  "https://[2001:db8::1]/",
);
secure(
  false,
  "",
  "https://",
  "https:///path",
  "https:/example.com",
  "HTTPS://example.com/",
  "http://example.com/",
  "http://localhost.evil.example/",
  "http://127.0.0.1.evil.example/",
  "http://evillocalhost/",
  "https://user@example.com/",
  "https://user:pw@example.com/",
  "http://localhost@evil.example/",
  "http://localhost\\@evil.example/",
  "https://example.com\\path",
  "http://localhost:80:80/",
  "http://localhost:x/",
  "https://example.com:/",
  "https://example.com:65536/",
  "https://exa mple.com/",
  " https://example.com/",
  "https://example.com/\n",
  "https://example.com/\t",
  "https://bücher.example/",
  "https://example.com/ü",
  "https://example.com/#fragment",
  "https://example.com#",
  "https://%65xample.com/",
  "ftp://localhost/",
  "ws://localhost/",
  "//example.com/",
  "/path",
  "javascript:alert(1)",
  "http://[::1]evil.example/",
  "http://[::1",
  "http://[::2]/",
  "https://[fe80-1]/",
  "http://127.0.0.256/",
  "http://127.0.0.01/",
  "http://127.0.0.x/",
  "http://127.0.1/",
  "http://0x7f.0.0.1/",
);

const jwks = [];
const set = (name, text, isReadable) => jwks.push({ name, body: text, isReadable });
set("a key set", JSON.stringify({ keys: [rsa.jwk] }), true);
set("a byte-order mark", `\ufeff${JSON.stringify({ keys: [rsa.jwk] })}`, true);
set("no keys", '{"keys":[]}', true);
set("what is no key among the keys", '{"keys":[null,5,"x",[],{},{"kty":5}]}', true);
set("other members", '{"keys":[],"x":1}', true);
for (const [name, text] of [
  ["HTML", "<html>"],
  ["an array", "[]"],
  ["no member keys", "{}"],
  ["keys an object", '{"keys":{}}'],
  ["keys null", '{"keys":null}'],
  ["truncated", '{"keys":['],
  ["nothing", ""],
  ["a lone surrogate", '{"keys":[{"kid":"\\ud800"}]}'],
  ["nested without end", `{"keys":[${"[".repeat(200)}${"]".repeat(200)}]}`],
]) {
  set(name, text, false);
}

const write = (name, value) =>
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value, null, 1)}\n`);
write("id-tokens.json", {
  issuer: ISSUER,
  clientId: CLIENT_ID,
  nonce: NONCE,
  accessToken: ACCESS_TOKEN,
  now: NOW,
  tolerance: 60,
  sizeLimit: SIZE_LIMIT,
  cases: idTokens,
});
write("token-responses.json", responses);
write("urls.json", urls);
write("jwks.json", jwks);
