// The ID token, row by row of the table in the protocol's rules: what is refused is neither answered nor sealed.

import assert from "node:assert/strict";
import { createHash, createHmac, createSign } from "node:crypto";
import { test } from "node:test";
import { exportSPKI, importJWK } from "jose";
import { setUp } from "../support/gateway.mjs";
import { makeKey } from "../support/keys.mjs";
import { CLIENT } from "../support/upstream.mjs";

/** No provider's. */
const FOREIGN = makeKey("foreign");

const b64 = (value) => Buffer.from(value).toString("base64url");
const json64 = (value) => b64(JSON.stringify(value));
const at = (token, seconds) => token.claims.iat + seconds;

/** Signs by hand what jose would refuse to. */
function signed({ header, claims, key }) {
  const input = `${typeof header === "string" ? header : json64(header)}.${typeof claims === "string" ? claims : json64(claims)}`;
  return `${input}.${b64(createSign("sha256").update(input).sign(key))}`;
}

const claims = (changes) => (token) => ({
  ...token,
  claims: { ...token.claims, ...(typeof changes === "function" ? changes(token) : changes) },
});
const raw = (make) => (token) => ({ ...token, raw: make(token) });
const without = (name) => claims({ [name]: undefined });

/** By reason: how the token is bent. */
const REFUSED = {
  malformed: {
    "two parts": raw((token) => `${json64(token.header)}.${json64(token.claims)}`),
    "five parts": raw(() => "a.b.c.d.e"),
    "no JSON": raw((token) => `${json64(token.header)}.${b64("claims")}.AAAA`),
    "an array": raw((token) => signed({ ...token, claims: [token.claims] })),
    padding: raw((token) => `${signed(token)}=`),
    "another alphabet": raw((token) => `${json64(token.header)}.${b64("{}")}+/.AAAA`),
    "no UTF-8": raw((token) =>
      signed({ ...token, claims: b64(Buffer.from('{"a":"\xff"}', "latin1")) }),
    ),
    "1 MB of claims": claims({ bulk: "x".repeat(700_000) }),
  },
  critical_header: {
    "crit with an extension": (token) => ({
      ...token,
      header: { ...token.header, crit: ["urn:example:critical"], "urn:example:critical": true },
    }),
    "crit, empty": raw((token) => signed({ ...token, header: { ...token.header, crit: [] } })),
  },
  algorithm: {
    none: raw((token) => `${json64({ alg: "none" })}.${json64(token.claims)}.`),
    "none, signed": raw((token) => signed({ ...token, header: { alg: "none", kid: "key-1" } })),
    "HS256 by the secret": raw((token) => hmac(token, CLIENT.clientSecret)),
    "HS256 by the client id": raw((token) => hmac(token, CLIENT.clientId)),
    "one that is not advertised": raw((token) =>
      signed({ ...token, header: { ...token.header, alg: "PS256" } }),
    ),
    missing: raw((token) => signed({ ...token, header: { kid: "key-1" } })),
    "of Object's": raw((token) => signed({ ...token, header: { alg: "constructor" } })),
  },
  key_not_found: {
    "an unknown kid": raw((token) => signed({ ...token, header: { alg: "RS256", kid: "x" } })),
    "a kid that is a number": raw((token) =>
      signed({ ...token, header: { alg: "RS256", kid: 1 } }),
    ),
  },
  signature: {
    "a foreign key's": (token) => ({ ...token, key: FOREIGN.privateKey }),
    "of other claims": raw((token) => {
      const [header, , signature] = signed(token).split(".");
      return `${header}.${json64({ ...token.claims, email: "else" })}.${signature}`;
    }),
    empty: raw((token) => signed(token).replace(/[^.]+$/, "")),
  },
  issuer: {
    another: claims({ iss: "https://other.example" }),
    "a final slash": claims((token) => ({ iss: `${token.claims.iss}/` })),
    missing: without("iss"),
    "a list": claims((token) => ({ iss: [token.claims.iss] })),
  },
  audience: {
    another: claims({ aud: "client-2" }),
    missing: without("aud"),
    empty: claims({ aud: [] }),
    "other case": claims({ aud: "Client-1" }),
    "wrong types inside": claims({ aud: [CLIENT.clientId, 7], azp: CLIENT.clientId }),
  },
  authorized_party: {
    "several audiences, no azp": claims({ aud: [CLIENT.clientId, "api"] }),
    "several audiences, another's azp": claims({ aud: [CLIENT.clientId, "api"], azp: "api" }),
    "one audience, another's azp": claims({ azp: "client-2" }),
    null: claims({ azp: null }),
  },
  subject: {
    missing: without("sub"),
    empty: claims({ sub: "" }),
    "256 characters": claims({ sub: "x".repeat(256) }),
    "a number": claims({ sub: 8708718 }),
  },
  nonce: {
    wrong: claims({ nonce: "another" }),
    missing: without("nonce"),
    "a list": claims((token) => ({ nonce: [token.claims.nonce] })),
  },
  expired: {
    "an hour ago": claims((token) => ({ exp: at(token, -3600) })),
    "61 seconds ago": claims((token) => ({ exp: at(token, -61) })),
    missing: without("exp"),
    "a string": claims((token) => ({ exp: String(token.claims.exp) })),
  },
  issued_in_future: {
    "61 seconds ahead": claims((token) => ({ iat: at(token, 62) })),
    missing: without("iat"),
    "a string": claims((token) => ({ iat: String(token.claims.iat) })),
  },
  not_yet_valid: {
    "61 seconds ahead": claims((token) => ({ nbf: at(token, 62) })),
    "a string": claims((token) => ({ nbf: String(token.claims.iat) })),
  },
  at_hash: {
    wrong: claims({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
    "the whole hash": claims((token) => ({ at_hash: hash("sha256", token.accessToken) })),
    null: claims({ at_hash: null }),
  },
};

function hmac(token, secret) {
  const input = `${json64({ alg: "HS256", kid: "key-1" })}.${json64(token.claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function hash(algorithm, text, share = 1) {
  const whole = createHash(algorithm).update(text).digest();
  return whole.subarray(0, whole.length * share).toString("base64url");
}

for (const [reason, cases] of Object.entries(REFUSED)) {
  test(`an ID token is refused: ${reason}`, async (t) => {
    const { upstream, browser, entries } = await setUp(t);
    for (const [name, bend] of Object.entries(cases)) {
      upstream.bend = bend;
      const answer = await browser.signIn();
      assert.equal(answer.status, 400, name);
      assert.equal(answer.code, "id_token_invalid", name);
      assert.equal(answer.json.reason, reason, name);
      assert.equal(answer.json.error, "invalid_grant");
      assert.deepEqual(answer.cookies, [], name);
      assert.equal(answer.json.access_token, undefined);
      assert.equal(entries.at(-1)?.reason, reason);
    }
  });
}

test("an ID token signed with HS256 and the public key is refused", async (t) => {
  const { upstream, browser } = await setUp(t);
  const pem = await exportSPKI(
    /** @type {CryptoKey} */ (await importJWK(upstream.key.jwk, "RS256")),
  );
  upstream.discovery.id_token_signing_alg_values_supported = ["HS256", "RS256", "none"];
  upstream.bend = raw((token) => hmac(token, pem));
  assert.equal((await browser.signIn()).json.reason, "algorithm");
  upstream.bend = raw((token) => `${json64({ alg: "none" })}.${json64(token.claims)}.`);
  assert.equal((await browser.signIn()).json.reason, "algorithm");
});

test("an ID token is accepted in every form that the rules allow", async (t) => {
  const { upstream, browser } = await setUp(t);
  const cases = {
    "a list of one audience": claims({ aud: [CLIENT.clientId] }),
    "several audiences with azp": claims({ aud: [CLIENT.clientId, "api"], azp: CLIENT.clientId }),
    "59 seconds past": claims((token) => ({ exp: at(token, -59) })),
    "59 seconds ahead": claims((token) => ({ iat: at(token, 59), nbf: at(token, 59) })),
    "255 characters": claims({ sub: "é".repeat(255) }),
    at_hash: claims((token) => ({ at_hash: hash("sha256", token.accessToken, 0.5) })),
    "odd claims": raw((token) =>
      signed({
        ...token,
        claims: b64(
          JSON.stringify({ ...token.claims, n: 7 }).replace(
            '"n":7',
            '"__proto__":{"sub":"x"},"name":{"a":1},"n":1e300,"email":7',
          ),
        ),
      }),
    ),
    "no kid, one key": (token) => ({ ...token, header: { alg: "RS256" } }),
  };
  for (const [name, bend] of Object.entries(cases)) {
    upstream.bend = bend;
    assert.equal((await browser.signIn()).status, 200, name);
  }
});

test("an ID token of every advertised algorithm is accepted, with its at_hash", async (t) => {
  const hashes = { 256: "sha256", 384: "sha384", 512: "sha512" };
  const { upstream, browser, another } = await setUp(t);
  const algorithms = [
    ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
  ];
  upstream.discovery.id_token_signing_alg_values_supported = algorithms;
  for (const alg of algorithms) {
    const key = upstream.newKey(alg, alg);
    upstream.keys.push(key.jwk);
  }
  await browser.signIn();
  for (const alg of algorithms) {
    const key = upstream.newKey(`new ${alg}`, alg);
    upstream.keys = [...upstream.keys, key.jwk];
    upstream.bend = (token) => ({
      ...claims({ at_hash: hash(hashes[alg.slice(2)] ?? "sha512", token.accessToken, 0.5) })(token),
      header: { alg, kid: key.kid },
      key: key.privateKey,
    });
    assert.equal((await another().signIn()).status, 200, alg);
  }
  upstream.discovery.id_token_signing_alg_values_supported = undefined;
  assert.equal((await another().signIn()).json.reason, "algorithm", "RS256 if none is advertised");
});

test("a key under the right kid that may not be used is ignored", async (t) => {
  const { jwk } = makeKey("key-1", "ES256");
  const small = makeKey("key-1", "RS256", { modulusLength: 1024 }).jwk;
  for (const change of [
    { use: "enc" },
    { use: undefined, key_ops: ["sign"] },
    { alg: "RS512" },
    { kty: "oct", k: "AAAA" },
    { n: undefined },
    jwk,
    small,
  ]) {
    const { upstream, browser } = await setUp(t);
    upstream.keys[0] = { ...upstream.keys[0], alg: undefined, ...change };
    assert.equal((await browser.signIn()).json.reason, "key_not_found", JSON.stringify(change));
  }
});

test("an ID token without a kid is refused when several keys fit", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.keys.push(upstream.newKey("key-2").jwk);
  upstream.bend = (token) => ({ ...token, header: { alg: "RS256" } });
  assert.equal((await browser.signIn()).json.reason, "key_not_found");
  upstream.keys = [upstream.key.jwk, { ...upstream.keys[1], use: "enc" }];
  const next = await setUp(t);
  next.upstream.keys.push({ ...upstream.keys[1] });
  next.upstream.bend = upstream.bend;
  assert.equal((await next.browser.signIn()).status, 200, "one fits");
});

test("a key set that was rotated between two logins, or just before signing, is fetched again", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  await browser.signIn();
  for (let round = 0; round < 2; round += 1) {
    upstream.key = upstream.newKey();
    upstream.keys = [upstream.key.jwk];
    assert.equal((await browser.signIn()).status, 200);
    pass(61);
  }
  assert.equal(upstream.count("/jwks"), 3);
});

test("a key set that was rotated during many logins is fetched once", async (t) => {
  const { upstream, browser } = await setUp(t);
  await browser.signIn();
  upstream.key = upstream.newKey();
  upstream.keys = [upstream.key.jwk];
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.signIn()));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(upstream.count("/jwks"), 2);
});

test("unknown key IDs cause one fetch of the key set a minute", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  await browser.signIn();
  upstream.bend = raw((token) => signed({ ...token, header: { alg: "RS256", kid: "x" } }));
  await Promise.all(Array.from({ length: 10 }, () => browser.signIn()));
  assert.equal(upstream.count("/jwks"), 2);
  pass(61);
  await browser.signIn();
  assert.equal(upstream.count("/jwks"), 3);
});

test("keys that fail to load or cannot be read refuse the sign-in", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  const tooLong = `{"keys":[],"more":"${"a".repeat(2 ** 20)}"}`;
  for (const answer of ["<html>", "[]", '{"keys":{}}', "{}", tooLong]) {
    upstream.instead["/jwks"] = (_, response) => response.end(answer);
    const { status, code, cookies } = await browser.signIn();
    assert.deepEqual([status, code, cookies], [502, "keys_unavailable", []]);
    pass(6);
  }
});

test("an outage of the key set does not stop sign-ins while the cached set has the key", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  await browser.signIn();
  upstream.instead["/jwks"] = (_, response) => response.writeHead(500).end();
  pass(3600);
  assert.equal((await browser.signIn()).status, 200);
});
