/**
 * Writes `sealed-sessions.json`: sessions as the cookies of both servers hold them, and cookies that are not a session. It is
 * written after the contract (`docs/gateway.md`, The cookie) with `node:crypto` alone, and calls neither server's code.
 *
 *     node tests/vectors/make-sealed-sessions.mjs     keys, times and nonces are fixed, so the file changes with this one alone
 *
 * @module
 */

import { createCipheriv, createHash, hkdfSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";

const NOW = 1_700_000_000;
const ISSUER = "https://op.example";
const CLIENT_ID = "c1";
const PREFIX = "__Host-classlink-";
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";
/** Characters of a sealed session in one cookie. */
const CHUNK_SIZE = 3800;

const b64 = (value) => Buffer.from(value).toString("base64url");
const sha256 = (text) => createHash("sha256").update(text).digest();

/** Bytes that look random and are the same in each run. */
function bytes(name, length) {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(`${name} ${i}`));
  return Buffer.concat(blocks).subarray(0, length);
}

const KEYS = ["newest", "older", "unknown"].map((name) => bytes(`sealing key: ${name}`, 32));
const [NEWEST, OLDER, UNKNOWN] = KEYS;

// The content.

/** A part with its length before it. */
function part(content) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([length, content]);
}

function packToken(token, isDeflated = false) {
  const parts = token.split(".").map((one) => Buffer.from(one, "base64url"));
  const isExact = parts.map(b64).join(".") === token;
  if (parts.length !== 3 || !isExact) return Buffer.concat([Buffer.of(0), Buffer.from(token)]);
  const [header, claims, signature] = parts;
  const body = Buffer.concat([part(header), claims]);
  return isDeflated
    ? Buffer.concat([Buffer.of(2), part(deflateRawSync(body)), signature])
    : Buffer.concat([Buffer.of(1), part(body), signature]);
}

/** @param {any} session @param {{ deflates?: boolean, idToken?: Buffer }} [options] */
function pack(session, { deflates = false, idToken = packToken(session.idToken, deflates) } = {}) {
  const rest = [
    session.order,
    session.createdAt,
    session.lastUsedAt,
    session.obtainedAt,
    session.expiresAt ?? null,
    session.tokenType,
    session.scope ?? null,
    session.tenant ?? null,
    session.isProvisional ? 1 : 0,
  ];
  if (session.userMark !== undefined || session.deviceKey !== undefined) {
    rest.push(session.userMark ?? null);
  }
  if (session.deviceKey !== undefined) rest.push(session.deviceKey);
  return Buffer.concat([
    Buffer.of(2),
    part(Buffer.from(session.id, "base64url")),
    part(Buffer.from(session.nonce, "base64url")),
    part(Buffer.from(JSON.stringify(rest))),
    part(packToken(session.accessToken)),
    part(session.refreshToken === undefined ? Buffer.of() : packToken(session.refreshToken)),
    part(idToken),
  ]);
}

// The seal.

const SESSION = ["classlink-spa session 2", ISSUER, CLIENT_ID];

function derive(key, purpose, length) {
  return Buffer.from(hkdfSync("sha256", key, "", `classlink-spa gateway ${purpose}`, length));
}

/** Seals with a nonce of its own for each content. */
function seal(content, { key = NEWEST, context = SESSION, nonce = bytes(b64(content), 12) } = {}) {
  const cipher = createCipheriv("aes-256-gcm", derive(key, "session 2", 32), nonce);
  cipher.setAAD(Buffer.from(JSON.stringify(context)));
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  return b64(Buffer.concat([derive(key, "key id", 6), nonce, encrypted, cipher.getAuthTag()]));
}

// Sessions.

/** An ID token. Nothing verifies it again. */
const idToken = (claims = {}) =>
  [
    b64(JSON.stringify({ alg: "RS256", kid: "k" })),
    b64(JSON.stringify({ iss: ISSUER, sub: "8708718", exp: NOW + 86_400, ...claims })),
    b64(bytes("signature", 256)),
  ].join(".");

/** An ID token that deflate makes longer, so that every implementation of it writes the same. */
const SHORT_ID_TOKEN = [b64("{}"), b64(`{"exp":${NOW + 86_400}}`), b64(bytes("short", 64))].join(
  ".",
);

const session = (changes = {}) => ({
  id: b64(sha256("session")),
  nonce: b64(sha256("nonce")),
  order: NOW * 1000 + 123,
  createdAt: NOW,
  lastUsedAt: NOW,
  obtainedAt: NOW,
  tokenType: "Bearer",
  accessToken: "an opaque access token",
  idToken: idToken(),
  ...changes,
});

const DEVICE_KEY = b64(bytes("device key", 64));

/** Contents that are written in these bytes, whichever server writes them. */
const written = [
  ["an opaque access token", {}],
  [
    "every member",
    {
      refreshToken: "a refresh token",
      accessToken: idToken({ aud: "an API" }),
      expiresAt: NOW + 3600,
      scope: "openid profile",
      tenant: { id: "2284", name: 'Höhe "A"\n\u2028\u{1f3eb}' },
      isProvisional: true,
      userMark: b64(bytes("mark", 16)),
      deviceKey: DEVICE_KEY,
    },
  ],
  ["a mark of the store", { userMark: b64(bytes("mark", 16)) }],
  ["a device without a mark of the store", { deviceKey: DEVICE_KEY }],
  ["a tenant without a name", { tenant: { id: "2284" } }],
  ["an access token that is a JWS", { accessToken: SHORT_ID_TOKEN }],
  ["an access token of base64url with bits after its last byte", { accessToken: "AB.AB.AB" }],
].map(([name, changes]) => {
  const one = session({ idToken: SHORT_ID_TOKEN, .../** @type {object} */ (changes) });
  const nonce = bytes(String(name), 12);
  const content = pack(one);
  const sealed = seal(content, { nonce });
  return { name, session: one, content: b64(content), nonce: b64(nonce), sealed };
});

/** Sealed sessions that are opened, though servers may write them otherwise. */
const read = /** @type {[string, any, any, any][]} */ ([
  ["an ID token that is deflated", session(), { deflates: true }, {}],
  ["an ID token that is not deflated although it could be", session(), {}, {}],
  ["a session of an older key", session(), {}, { key: OLDER }],
]).map(([name, one, form, by]) => ({
  name,
  session: one,
  sealed: seal(pack(one, form), by),
  isOutdated: by.key !== undefined,
}));

// What is not a session.

const usual = pack(session());
const sealed = seal(usual);
const changed = (at) => {
  const copy = Buffer.from(sealed, "base64url");
  copy[at] ^= 1;
  return b64(copy);
};
const withIdToken = (token) => pack(session(), { idToken: token });
/** The offset of the part of the JSON array in `usual`. */
const MEMBERS_AT = 1 + 2 * (2 + 32);
const withMembers = (text) =>
  Buffer.concat([
    usual.subarray(0, MEMBERS_AT),
    part(Buffer.from(text)),
    usual.subarray(MEMBERS_AT + 2 + usual.readUInt16BE(MEMBERS_AT)),
  ]);

const refused = [
  ["nothing", ""],
  ["fewer bytes than key id, nonce and tag", b64(bytes("short", 33))],
  ["no content", seal(Buffer.of())],
  ["another alphabet", sealed.replace(/[-_A]/, "+")],
  ["padding", `${sealed}=`],
  ["a blank after it", `${sealed} `],
  ["another bit in the key id", changed(0)],
  ["another bit in the nonce", changed(6)],
  ["another bit in the content", changed(18)],
  ["another bit in the tag", changed(-1 + Buffer.from(sealed, "base64url").length)],
  ["a tag that is cut", b64(Buffer.from(sealed, "base64url").subarray(0, -1))],
  ["something after the tag", b64(Buffer.concat([Buffer.from(sealed, "base64url"), Buffer.of(0)]))],
  ["an unknown key", seal(usual, { key: UNKNOWN })],
  ["another issuer", seal(usual, { context: [SESSION[0], "https://other.example", CLIENT_ID] })],
  ["another registration", seal(usual, { context: [SESSION[0], ISSUER, "c2"] })],
  ["another purpose", seal(usual, { context: ["classlink-spa device proof", ISSUER, CLIENT_ID] })],
  [
    "an issuer without a slash of its own",
    seal(usual, { context: [SESSION[0], `${ISSUER}/`, CLIENT_ID] }),
  ],
  ["another form", seal(Buffer.concat([Buffer.of(1), usual.subarray(1)]))],
  ["a part that is cut", seal(usual.subarray(0, -1))],
  ["a part less", seal(usual.subarray(0, usual.length - 2 - packToken(session().idToken).length))],
  ["members that are not JSON", seal(withMembers("[1,"))],
  ["members that are not an array", seal(withMembers("{}"))],
  [
    "an ID token that is not deflated as it says",
    seal(withIdToken(Buffer.concat([Buffer.of(2), part(bytes("junk", 60))]))),
  ],
  [
    "an ID token that inflates to more than 64 KiB",
    seal(withIdToken(Buffer.concat([Buffer.of(2), part(deflateRawSync(Buffer.alloc(1 << 20)))]))),
  ],
  [
    "an ID token whose claims are not JSON",
    seal(withIdToken(packToken(`${b64("{}")}.${b64("claims")}.AA`))),
  ],
  ["an ID token that is empty", seal(withIdToken(Buffer.of()))],
].map(([name, text]) => ({ name, sealed: text }));

// Cookies.

const registration = b64(sha256(CLIENT_ID)).slice(0, 12);
const cookieOf = (suffix, value) => `${PREFIX}${registration}.${suffix}=${value}`;
const tagOf = (/** @type {{ id: string, deviceKey?: string }} */ { id, deviceKey }) =>
  deviceKey === undefined ? id.slice(0, 8) : id.slice(8, 16);

/** A sealed session's cookies. */
function cookiesOf(tag, text) {
  const count = Math.ceil(text.length / CHUNK_SIZE);
  return Array.from({ length: count }, (_, index) => {
    const chunk = text.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE);
    return cookieOf(`${tag}.${index}`, index === 0 ? `${count}.${chunk}` : chunk);
  });
}
const inCookies = (one, by = {}) => cookiesOf(tagOf(one), seal(pack(one), by));

const proof = (one, end, purpose = "device proof", id = one.id) =>
  cookieOf(
    `proof-${one.id.slice(8, 16)}`,
    seal(Buffer.from(String(end)), {
      context: [`classlink-spa ${purpose}`, ISSUER, CLIENT_ID, id],
    }),
  );

const one = session();
const [cookie = ""] = inCookies(one);
const later = session({ id: b64(sha256("later")), order: one.order + 1 });
const large = session({ accessToken: b64(bytes("large", 3300)) });
const [first = "", second = ""] = inCookies(large);
const bound = session({ deviceKey: DEVICE_KEY });
const tag = tagOf(one);
const base36 = (order) => order.toString(36);

/** `session`: the id of the session that there is, or `null`. */
const cookies = [
  ["a session", [cookie], one],
  ["no cookies", [], null],
  ["cookies of others beside it", ["a=b", cookie, "", "=", "c", `${PREFIX}x=1`], one],
  ["a session in two cookies", [first, second], large],
  ["a session in two cookies, the second first", [second, first], large],
  ["the second of two alone", [second], null],
  ["the first of two alone", [first], null],
  ["a third of two", [first, second, cookieOf(`${tag}.2`, "AAAA")], large],
  ["no number of parts", [cookie.replace("=1.", "=")], null],
  ["no part at all", [cookie.replace("=1.", "=0.")], null],
  ["one part too many", [cookie.replace("=1.", "=2.")], null],
  ["the tag of another session", [cookie.replace(tag, tagOf(later))], null],
  ["the tag of a bound session", [cookie.replace(tag, tagOf(bound))], null],
  ["the name of another registration", [cookie.replace(registration, "AAAAAAAAAAAA")], null],
  ["the name of the form before session ids", [cookie.replace(`.${tag}.0`, ".0")], null],
  ["a name without the prefix", [cookie.replace("__Host-", "")], null],
  ["a cookie twice: the first counts", [cookie, cookieOf(`${tag}.0`, "1.AAAA")], one],
  [
    "a cookie twice: the first counts, if it is not a session",
    [cookieOf(`${tag}.0`, "1.AAAA"), cookie],
    null,
  ],
  ["an older key's", inCookies(one, { key: OLDER }), one],
  ["two sessions: the one of the higher order", [cookie, ...inCookies(later)], later],
  ["sessions count since its order", [cookie, cookieOf(`since-${base36(one.order)}`, "1")], one],
  [
    "sessions count since a later order",
    [cookie, cookieOf(`since-${base36(one.order + 1)}`, "1")],
    null,
  ],
  [
    "the largest of several orders counts",
    [
      cookie,
      cookieOf("since-1", "1"),
      cookieOf(`since-${base36(one.order + 1)}`, "1"),
      cookieOf("since-2", "1"),
    ],
    null,
  ],
  [
    "an order that is not a number",
    [cookie, cookieOf("since-ZZ", "1"), cookieOf(`since-${"z".repeat(11)}`, "1")],
    one,
  ],
  ["it was ended", [cookie, cookieOf(`ended-${tag}`, "1")], null],
  ["another was ended", [cookie, cookieOf(`ended-${tagOf(later)}`, "1")], one],
  [
    "a bound one was ended, by the tag that it had before",
    [...inCookies(bound), proof(bound, NOW + 60), cookieOf(`ended-${tag}`, "1")],
    null,
  ],
  ["unused for the idle limit", inCookies(session({ lastUsedAt: NOW - 1800 })), null],
  ["unused for a second less", inCookies(session({ lastUsedAt: NOW - 1799 })), one],
  ["as old as the absolute limit", inCookies(session({ createdAt: NOW - 28_800 })), null],
  ["a second younger", inCookies(session({ createdAt: NOW - 28_799 })), one],
  ["an ID token that is over", inCookies(session({ idToken: idToken({ exp: NOW }) })), null],
  ["an access token that is over", inCookies(session({ expiresAt: NOW - 60 })), one],
  ["provisional", inCookies(session({ isProvisional: true, createdAt: NOW - 59 })), one],
  [
    "provisional for a minute",
    inCookies(session({ isProvisional: true, createdAt: NOW - 60 })),
    null,
  ],
  ["bound, with its device's proof", [...inCookies(bound), proof(bound, NOW + 1)], bound],
  ["bound, without a proof", inCookies(bound), null],
  ["bound, with a proof that is over", [...inCookies(bound), proof(bound, NOW)], null],
  [
    "bound, with a proof of another session",
    [...inCookies(bound), proof(bound, NOW + 60, "device proof", later.id)],
    null,
  ],
  [
    "bound, with a challenge for its proof",
    [...inCookies(bound), proof(bound, NOW + 60, "device challenge")],
    null,
  ],
  ["bound, with a proof that is not a number", [...inCookies(bound), proof(bound, "later")], null],
  ["bound, and a copy from before: without a proof", [...inCookies(bound), cookie], null],
  [
    "bound, and a copy from before: with a proof",
    [cookie, ...inCookies(bound), proof(bound, NOW + 60)],
    bound,
  ],
].map(([name, pairs, found]) => ({
  name,
  cookies: /** @type {string[]} */ (pairs).join("; "),
  session: /** @type {any} */ (found)?.id ?? null,
}));

/** `Set-Cookie` values. */
const largeSealed = seal(pack(large));
const lines = {
  sealed: [seal(pack(one)), largeSealed].map((text) => ({
    tag,
    sealed: text,
    lines: cookiesOf(tag, text).map((pair) => `${pair}; ${ATTRIBUTES}`),
  })),
  since: [1, 35, 36, one.order].map((order) => ({
    order,
    line: `${cookieOf(`since-${base36(order)}`, "1")}; ${ATTRIBUTES}; Max-Age=86400`,
  })),
  ended: { tag, line: `${cookieOf(`ended-${tag}`, "1")}; ${ATTRIBUTES}; Max-Age=3600` },
  proof: {
    tag,
    proof: "AAAA",
    line: `${cookieOf(`proof-${tag}`, "AAAA")}; ${ATTRIBUTES}; Max-Age=300`,
  },
};

const file = new URL("sealed-sessions.json", import.meta.url);
const content = {
  issuer: ISSUER,
  clientId: CLIENT_ID,
  sealingKeys: [NEWEST, OLDER].map(b64),
  now: NOW,
  written,
  read,
  refused,
  cookies,
  lines,
};
writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
