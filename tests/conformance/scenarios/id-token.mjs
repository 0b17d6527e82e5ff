/**
 * The ID token: `protocol.md`'s table row by row (OpenID Connect Core 1.0, 3.1.3.7; RFC 7515; RFC 7519; RFC 8725).
 *
 * @module
 */

import { KEYS, signToken } from "../keys.mjs";
import {
  advertising,
  claims,
  DAY,
  HOUR,
  header,
  hmacBy,
  inSeconds,
  keySet,
  members,
  ownKey,
  payload,
  refused,
  rewritten,
  signedBy,
  signedIn,
} from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

const PEM = String(KEYS.own.publicKey.export({ type: "spki", format: "pem" }));

/** @param {string} text */
const encode = (text) => Buffer.from(text).toString("base64url");

/** @type {Scenario[]} Rows 1 to 3: form, `crit`, `alg`. */
export const form = [
  { name: "an honest provider", expect: signedIn },
  {
    name: "it has two parts",
    arrange: { idToken: rewritten((head, body) => `${head}.${body}`) },
    expect: refused("malformed"),
  },
  {
    name: "it has four parts",
    arrange: { idToken: rewritten((...parts) => [...parts.slice(0, 3), "AA"].join(".")) },
    expect: refused("malformed"),
  },
  {
    name: "it has the five parts of an encrypted token",
    arrange: {
      idToken: (token) =>
        `${encode('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.AA.AA.${encode(JSON.stringify(token.claims))}.AA`,
    },
    expect: refused("malformed"),
  },
  {
    name: "it holds another signed token (nested JWT)",
    arrange: {
      idToken: (token) =>
        signToken(
          { ...token.header, cty: "JWT" },
          signToken(token.header, token.claims, token.key),
          token.key,
        ),
    },
    expect: refused("malformed"),
  },
  {
    name: "its parts are padded",
    arrange: { idToken: rewritten((head, body, end) => `${head}.${body}.${end}==`) },
    expect: refused("malformed"),
  },
  {
    name: "a line feed follows it",
    arrange: { idToken: rewritten((head, body, end) => `${head}.${body}.${end}\n`) },
    expect: refused("malformed"),
  },
  {
    name: "its header is no JSON",
    arrange: { idToken: rewritten((_, body, end) => `${encode("{alg:RS256}")}.${body}.${end}`) },
    expect: refused("malformed"),
  },
  {
    name: "its header is an array",
    arrange: { idToken: rewritten((_, body, end) => `${encode("[]")}.${body}.${end}`) },
    expect: refused("malformed"),
  },
  {
    name: "its claims are an array",
    arrange: { idToken: payload((text) => `[${text}]`) },
    expect: refused("malformed"),
  },
  {
    name: "its claims are null",
    arrange: { idToken: payload(() => "null") },
    expect: refused("malformed"),
  },
  {
    name: "its claims break off",
    arrange: { idToken: payload((text) => text.slice(0, -9)) },
    expect: refused("malformed"),
  },
  {
    name: "its claims are not UTF-8",
    arrange: {
      idToken: rewritten((head, body, end) => {
        const bytes = Buffer.from(body, "base64url");
        bytes[bytes.length - 3] = 0xff;
        return `${head}.${bytes.toString("base64url")}.${end}`;
      }),
    },
    expect: refused("malformed"),
  },
  {
    name: "it demands an extension (crit)",
    arrange: { idToken: header({ crit: ["urn:example:never"], "urn:example:never": true }) },
    expect: refused("critical_header"),
  },
  {
    name: "crit names exp",
    arrange: { idToken: header({ crit: ["exp"], exp: 5 }) },
    expect: refused("critical_header"),
  },
  {
    name: "crit is empty",
    arrange: { idToken: header({ crit: [] }) },
    expect: refused("critical_header"),
  },
  {
    name: "crit is null",
    arrange: { idToken: header({ crit: null }) },
    expect: refused("critical_header"),
  },
  {
    name: "its payload is not encoded (b64, RFC 7797)",
    arrange: { idToken: header({ crit: ["b64"], b64: false }) },
    expect: refused("critical_header"),
  },
  {
    name: "alg is none, and there is no signature",
    arrange: {
      idToken: (token) => signToken({ alg: "none" }, token.claims, null),
    },
    expect: refused("algorithm"),
  },
  {
    name: "alg is none, and advertised",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["none", "RS256"] }),
      idToken: (token) => signToken({ alg: "none" }, token.claims, null),
    },
    expect: refused("algorithm"),
  },
  {
    name: "alg is nOnE",
    arrange: { idToken: (token) => signToken({ alg: "nOnE" }, token.claims, null) },
    expect: refused("algorithm"),
  },
  {
    name: "alg is none over an honest signature",
    arrange: { idToken: header({ alg: "none" }) },
    expect: refused("algorithm"),
  },
  {
    name: "alg is missing",
    arrange: { idToken: header({ alg: undefined }) },
    expect: refused("algorithm"),
  },
  {
    name: "alg is a number",
    arrange: { idToken: header({ alg: 256 }) },
    expect: refused("algorithm"),
  },
  {
    name: "alg is null",
    arrange: { idToken: header({ alg: null }) },
    expect: refused("algorithm"),
  },
  {
    name: "alg is rs256",
    arrange: { idToken: header({ alg: "rs256" }) },
    expect: refused("algorithm"),
  },
  ...[
    ["the client id", "conformance"],
    ["nothing", ""],
    ["the public key (PEM)", PEM],
    ["the public key (PEM without its last line feed)", PEM.trimEnd()],
    ["the public key (JWK)", JSON.stringify(KEYS.own.jwk)],
    ["the public key (modulus)", Buffer.from(String(KEYS.own.jwk.n), "base64url")],
  ].map(([what, secret]) => ({
    name: `it is signed HS256 by ${what}`,
    arrange: { idToken: hmacBy(secret) },
    expect: refused("algorithm"),
  })),
  {
    name: "it is signed HS256 by the public key (PEM), and HS256 is advertised",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["RS256", "HS256"] }),
      idToken: hmacBy(PEM),
    },
    expect: refused("algorithm"),
  },
  {
    name: "it is signed HS256 by a secret that the key set publishes (oct)",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["HS256"] }),
      jwks: keySet({ kty: "oct", k: "c2VjcmV0", kid: "own", alg: "HS256" }),
      idToken: hmacBy("secret"),
    },
    expect: refused("algorithm"),
  },
  {
    name: "it is signed HS512 by the client id",
    arrange: { idToken: hmacBy("conformance", "HS512") },
    expect: refused("algorithm"),
  },
  ...["PS256", "ES256", "ES384", "ES512", "EdDSA"].flatMap((alg) => [
    {
      name: `it is signed ${alg}, as advertised`,
      arrange: { ...advertising(KEYS.own, KEYS[alg]), idToken: signedBy(KEYS[alg]) },
      expect: signedIn,
    },
    {
      name: `it is signed ${alg}, which is not advertised`,
      arrange: { jwks: keySet(KEYS.own.jwk, KEYS[alg].jwk), idToken: signedBy(KEYS[alg]) },
      expect: refused("algorithm"),
    },
  ]),
  {
    name: "it is signed Ed25519 by that name (RFC 9864)",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["Ed25519"] }),
      jwks: keySet({ ...KEYS.EdDSA.jwk, alg: "Ed25519" }),
      idToken: (token) => {
        const claims = { ...token.claims, at_hash: undefined };
        return signToken({ alg: "Ed25519", kid: KEYS.EdDSA.jwk.kid }, claims, KEYS.EdDSA);
      },
    },
    expect: signedIn,
  },
  {
    name: "it is signed RS512, as advertised, by a key that names no alg",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["RS512"] }),
      jwks: keySet(ownKey({ alg: undefined })),
      idToken: (token) => {
        const claims = { ...token.claims, at_hash: undefined };
        return signToken({ ...token.header, alg: "RS512" }, claims, token.key, "RS512");
      },
    },
    expect: signedIn,
  },
  {
    name: "the advertised algorithms are not said (RS256 is meant)",
    arrange: { discovery: members({ id_token_signing_alg_values_supported: undefined }) },
    expect: signedIn,
  },
  {
    name: "it is signed PS256 and the advertised algorithms are not said",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: undefined }),
      jwks: keySet(KEYS.PS256.jwk),
      idToken: signedBy(KEYS.PS256),
    },
    expect: refused("algorithm"),
  },
  {
    name: "alg says PS256, the signature is RS256",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["RS256", "PS256"] }),
      jwks: keySet(ownKey({ alg: undefined })),
      idToken: header({ alg: "PS256" }),
    },
    expect: refused("signature"),
  },
  {
    name: "its typ is nothing known",
    arrange: { idToken: header({ typ: "application/example" }) },
    expect: signedIn,
  },
];

/** @type {Scenario[]} Row 5. */
export const signature = [
  {
    name: "it is signed by a foreign key under the provider's kid",
    arrange: { config: { profile: "userinfo" }, idToken: signedBy(KEYS.foreign) },
    // The key set is fetched again, once: the one at hand may be older than the key.
    expect: refused("signature", { requested: { jwks: 2 } }),
  },
  {
    name: "its signature is empty",
    arrange: { idToken: rewritten((head, body) => `${head}.${body}.`) },
    expect: refused("signature"),
  },
  {
    name: "one bit of its signature differs",
    arrange: {
      idToken: rewritten((head, body, end) => {
        const bytes = Buffer.from(end, "base64url");
        bytes[10] ^= 1;
        return `${head}.${body}.${bytes.toString("base64url")}`;
      }),
    },
    expect: refused("signature"),
  },
  {
    name: "its signature is cut short",
    arrange: { idToken: rewritten((head, body, end) => `${head}.${body}.${end.slice(0, 40)}`) },
    expect: refused("signature"),
  },
  {
    name: "its claims were changed after it was signed",
    arrange: {
      idToken: rewritten((head, body, end) => {
        const text = Buffer.from(body, "base64url").toString();
        return `${head}.${encode(text.replace("8708718", "8708719"))}.${end}`;
      }),
    },
    expect: refused("signature"),
  },
  {
    name: "its header was changed after it was signed",
    arrange: {
      idToken: rewritten(
        (head, body, end) =>
          `${encode(JSON.stringify({ ...JSON.parse(Buffer.from(head, "base64url").toString()), typ: "x" }))}.${body}.${end}`,
      ),
    },
    expect: refused("signature"),
  },
  {
    name: "it brings a foreign key along (jwk)",
    arrange: {
      idToken: (token) => {
        token.key = KEYS.foreign;
        token.header.jwk = KEYS.foreign.jwk;
      },
    },
    expect: refused("signature"),
  },
  {
    name: "it says where a foreign key is (jku, x5u)",
    arrange: {
      idToken: (token, provider) => {
        token.key = KEYS.foreign;
        token.header.jku = `${provider.origin}/foreign-keys`;
        token.header.x5u = `${provider.origin}/foreign-certificate`;
      },
    },
    expect: refused("signature", { notRequested: ["other"] }),
  },
  {
    name: "its ECDSA signature is in DER, not as RFC 7518, 3.4 wants it",
    arrange: {
      ...advertising(KEYS.ES256),
      idToken: (token) => {
        signedBy(KEYS.ES256)(token);
        const [head, body, end] = signToken(token.header, token.claims, token.key).split(".");
        const raw = Buffer.from(end, "base64url");
        const integer = (bytes) => Buffer.concat([Buffer.from([2, 33, 0]), bytes]);
        const pair = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
        const der = Buffer.concat([Buffer.from([0x30, pair.length]), pair]);
        return `${head}.${body}.${der.toString("base64url")}`;
      },
    },
    expect: refused("signature"),
  },
  {
    name: "its ECDSA signature is all zeros",
    arrange: {
      ...advertising(KEYS.ES256),
      idToken: (token) => {
        signedBy(KEYS.ES256)(token);
        const [head, body] = signToken(token.header, token.claims, token.key).split(".");
        return `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`;
      },
    },
    expect: refused("signature"),
  },
];

/** A claim's wrong values, each a scenario. @returns {Scenario[]} */
const each = (name, values, reason, more) =>
  Object.entries(values).map(([what, value]) => ({
    name: `${name} is ${what}`,
    arrange: {
      idToken: claims(
        typeof value === "function" ? (all) => ({ [name]: value(all) }) : { [name]: value },
      ),
    },
    expect: refused(reason, more),
  }));

const taken = (name, idToken, more) => ({
  name,
  arrange: { idToken, ...more },
  expect: signedIn,
});

/** @type {Scenario[]} Rows 6 to 9 and 11. */
export const content = [
  ...each(
    "iss",
    {
      "another's": "https://evil.example",
      missing: undefined,
      null: null,
      "a number": 5,
      "an array": ({ iss }) => [iss],
      "the same with a slash at its end": ({ iss }) => `${iss}/`,
      "the same in capitals": ({ iss }) => iss.toUpperCase(),
      "the same with another scheme": ({ iss }) => iss.replace("http:", "https:"),
      "its first letters": ({ iss }) => iss.slice(0, -1),
    },
    "issuer",
  ),
  ...each(
    "aud",
    {
      "another's": "another-client",
      missing: undefined,
      null: null,
      "a number": 5,
      "an object": { conformance: true },
      "an empty array": [],
      "an array of others": ["a", "b"],
      "an array with a number in it": ["conformance", 5],
      "the client id and more": "conformance-2",
      "the client id in capitals": "CONFORMANCE",
      "the client id among others, in one string": "other conformance",
    },
    "audience",
  ),
  taken("aud is an array of the client id alone", claims({ aud: ["conformance"] })),
  {
    name: "aud has a second member, and azp is missing",
    arrange: { idToken: claims({ aud: ["conformance", "another-client"] }) },
    expect: refused("authorized_party"),
  },
  {
    name: "aud has a second member, and azp is another's",
    arrange: {
      idToken: claims({ aud: ["conformance", "another-client"], azp: "another-client" }),
    },
    expect: refused("authorized_party"),
  },
  taken(
    "aud has a second member, and azp is the client id",
    claims({ aud: ["another-client", "conformance"], azp: "conformance" }),
  ),
  ...each(
    "azp",
    { "another's": "another-client", "a number": 5, null: null, empty: "" },
    "authorized_party",
  ),
  taken("azp is the client id", claims({ azp: "conformance" })),
  ...each(
    "sub",
    {
      missing: undefined,
      empty: "",
      "a number": 8708718,
      null: null,
      "an array": ["8708718"],
      "256 characters long": "a".repeat(256),
    },
    "subject",
  ),
  {
    name: "sub is 255 characters long",
    arrange: { idToken: claims({ sub: "a".repeat(255) }) },
    expect: { signedIn: true, user: { sub: "a".repeat(255) } },
  },
  ...each(
    "nonce",
    {
      wrong: "b".repeat(43),
      missing: undefined,
      empty: "",
      null: null,
      "an array that holds it": ({ nonce }) => [nonce],
      "its first half": ({ nonce }) => nonce?.slice(0, 21) ?? "x",
    },
    "nonce",
  ),
  ...each(
    "at_hash",
    {
      wrong: "MTIzNDU2Nzg5MDEyMzQ1Ng",
      empty: "",
      "a number": 5,
      null: null,
      "right but padded": ({ at_hash }) => `${at_hash}==`,
    },
    "at_hash",
  ),
  taken("at_hash is missing", claims({ at_hash: undefined })),
  {
    name: "at_hash is another access token's",
    arrange: { token: members({ access_token: "another-access-token" }) },
    expect: refused("at_hash"),
  },
];

/** @type {Scenario[]} Rows 10 and 12. The device's clock is right. */
export const times = [
  ...each(
    "exp",
    {
      missing: undefined,
      null: null,
      "a string": () => String(inSeconds(HOUR)),
      "an hour ago": () => inSeconds(-HOUR),
      "90 seconds ago": () => inSeconds(-90),
      zero: 0,
      negative: -1,
    },
    "expired",
  ),
  taken(
    "exp is 30 seconds ago: within the tolerance",
    claims(() => ({ exp: inSeconds(-30) })),
  ),
  taken(
    "exp is a fraction",
    claims(() => ({ exp: inSeconds(HOUR) + 0.5 })),
  ),
  taken("exp is 1e300", claims({ exp: 1e300 })),
  ...each(
    "iat",
    {
      missing: undefined,
      null: null,
      "a string": () => String(inSeconds(0)),
      "an hour ahead": () => inSeconds(HOUR),
      "two minutes ahead": () => inSeconds(120),
    },
    "issued_in_future",
  ),
  taken(
    "iat is 30 seconds ahead: within the tolerance",
    claims(() => ({ iat: inSeconds(30) })),
  ),
  taken(
    "iat is a week ago",
    claims(() => ({ iat: inSeconds(-7 * DAY) })),
  ),
  ...each(
    "nbf",
    { null: null, "a string": () => String(inSeconds(-5)), "an hour ahead": () => inSeconds(HOUR) },
    "not_yet_valid",
  ),
  taken(
    "nbf is past",
    claims(() => ({ nbf: inSeconds(-5) })),
  ),
  ...Object.entries({
    missing: undefined,
    "a string": () => String(inSeconds(0)),
    "an hour ago": () => inSeconds(-HOUR),
    "an hour ahead": () => inSeconds(HOUR),
  }).map(([what, value]) => ({
    name: `max_age was asked for, and auth_time is ${what}`,
    arrange: {
      login: { maxAge: 600 },
      idToken: claims(() => ({ auth_time: typeof value === "function" ? value() : value })),
    },
    expect: refused("auth_time", { sent: { authorization: { max_age: "600" } } }),
  })),
  { name: "max_age was asked for and kept", arrange: { login: { maxAge: 600 } }, expect: signedIn },
  taken(
    "auth_time is old, and max_age was not asked for",
    claims(() => ({ auth_time: inSeconds(-DAY) })),
  ),
];

/** @type {Scenario[]} What is in a token beyond what is checked. */
export const odd = [
  {
    name: "it claims __proto__",
    arrange: { idToken: payload((text) => text.replace("{", '{"__proto__":{"polluted":true},')) },
    play: async (stage) => {
      const { status } = await stage.signIn();
      return { status, polluted: await stage.ask("({}).polluted ?? null") };
    },
    expect: { answers: { status: "signed-in", polluted: null } },
  },
  {
    name: "it claims constructor, toString and hasOwnProperty",
    arrange: {
      idToken: claims({
        constructor: { prototype: { polluted: true } },
        toString: 5,
        hasOwnProperty: 1,
      }),
    },
    play: async (stage) => {
      const { status } = await stage.signIn();
      return { status, polluted: await stage.ask("({}).polluted ?? null") };
    },
    expect: { answers: { status: "signed-in", polluted: null } },
  },
  taken(
    "it claims a whole number of a hundred digits",
    payload((text) => text.replace("{", `{"big":${"9".repeat(100)},`)),
  ),
  {
    name: "it claims a number beyond every number (1e999)",
    arrange: { idToken: payload((text) => text.replace("{", '{"big":1e999,')) },
    expect: refused("malformed"),
  },
  {
    name: "sub comes twice: the last counts (RFC 7519, 4)",
    arrange: { idToken: payload((text) => text.replace(/}$/, ',"sub":"8708799"}')) },
    expect: { signedIn: true, user: { sub: "8708799" } },
  },
  {
    name: "iss comes twice, the right one first",
    arrange: { idToken: payload((text) => text.replace(/}$/, ',"iss":"https://evil.example"}')) },
    expect: refused("issuer"),
  },
  {
    name: "nonce comes twice, the right one first",
    arrange: { idToken: payload((text) => text.replace(/}$/, ',"nonce":"wrong"}')) },
    expect: refused("nonce"),
  },
  {
    name: "it claims half a character (a lone surrogate)",
    arrange: { idToken: payload((text) => text.replace("{", '{"odd":"\\ud800",')) },
    expect: refused("malformed"),
  },
  taken("it claims a NUL character", claims({ odd: "\0" })),
  taken(
    "its claims are nested a hundred deep",
    payload((text) => text.replace("{", `{"deep":${"[".repeat(100)}${"]".repeat(100)},`)),
  ),
  {
    name: "its claims are nested ten thousand deep",
    arrange: {
      idToken: payload((text) =>
        text.replace("{", `{"deep":${"[".repeat(10_000)}${"]".repeat(10_000)},`),
      ),
    },
    expect: refused("malformed"),
  },
  taken("a claim is 3 KB long", claims({ long: "a".repeat(3000) })),
  {
    name: "a claim is 100 KB long",
    arrange: { idToken: claims({ long: "a".repeat(100_000) }) },
    expect: refused("malformed"),
  },
  {
    name: "a claim is 300 KB long",
    arrange: { idToken: claims({ long: "a".repeat(300_000) }) },
    expect: refused("malformed"),
  },
  {
    name: "a claim is 1 MB long",
    arrange: { idToken: claims({ long: "a".repeat(1_000_000) }) },
    expect: { code: "provider_response_invalid" },
  },
  taken("it has a hundred claims", (token) => {
    for (let i = 0; i < 100; i++) token.claims[`c${i}`] = i;
  }),
  {
    name: "it has ten thousand claims",
    arrange: {
      idToken: (token) => {
        for (let i = 0; i < 10_000; i++) token.claims[`c${i}`] = i;
      },
    },
    expect: refused("malformed"),
  },
  {
    name: "every personal claim has another type",
    arrange: {
      idToken: claims({
        name: 5,
        given_name: {},
        family_name: [],
        email: false,
        email_verified: "true",
        profile: 7,
        picture: null,
        locale: {},
        address: "Springfield",
        classLink_tenant_id: {},
      }),
    },
    expect: {
      signedIn: true,
      user: { name: undefined, email: undefined, emailVerified: undefined, tenant: undefined },
    },
  },
  {
    name: "it is signed by a key too short to be one (RSA, 1024 bits)",
    arrange: { jwks: keySet(KEYS.weak.jwk), idToken: signedBy(KEYS.weak) },
    expect: refused("key_not_found"),
  },
  {
    name: "it is signed by a key on another curve than its alg (ES256 with P-384)",
    arrange: {
      discovery: members({ id_token_signing_alg_values_supported: ["ES256"] }),
      jwks: keySet({ ...KEYS.ES384.jwk, alg: undefined }),
      idToken: (token) =>
        signToken(
          { ...token.header, alg: "ES256", kid: KEYS.ES384.jwk.kid },
          token.claims,
          KEYS.ES384,
          "ES256",
        ),
    },
    expect: refused("key_not_found"),
  },
];
