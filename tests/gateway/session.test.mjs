// The sealed session: how it is kept, when it ends, and what nobody can do to its cookies.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { base64url, CompactEncrypt } from "jose";
import { COOKIE, newKey, setUp } from "../support/gateway.mjs";
import { CLIENT } from "../support/upstream.mjs";

/** A claim that makes the session need a second cookie, and one that makes it too large. */
const LONG = { bulk: "x".repeat(1400) };
const TOO_LONG = { bulk: "x".repeat(4000) };

/** Nobody is signed in, and the browser keeps no cookie. */
async function assertSignedOut(browser) {
  assert.equal(await browser.whoIsIt(), null);
  const answer = await browser.session();
  assert.equal(answer.status, 204);
  assert.equal(answer.text, "");
  assert.equal(browser.jar.size, 0, "cookies are cleared");
}

test("a reload: the same tokens, the rest of their time, the cookie anew", async (t) => {
  const { upstream, browser, pass, entries } = await setUp(t);
  upstream.accessTokenLifetime = 3600;
  const signedIn = await browser.signIn();
  const before = browser.cookieHeader;
  pass(100);
  const { status, json } = await browser.session();
  assert.equal(status, 200);
  const { access_token, id_token, token_type } = signedIn.json;
  assert.deepEqual(json, { access_token, id_token, token_type, expires_in: 3500 });
  assert.notEqual(browser.cookieHeader, before);
  assert.equal(entries.at(-1).session, "kept");
});

test("nobody there: 204", async (t) => {
  const { browser, entries } = await setUp(t);
  await assertSignedOut(browser);
  assert.equal(entries.at(-1).session, "none");
});

test("the idle limit slides with each session request, and only with those", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn();
  for (let round = 0; round < 3; round += 1) {
    pass(1799);
    assert.equal((await browser.session()).status, 200);
  }
  pass(1000);
  assert((await browser.whoIsIt()) !== null);
  pass(800);
  await assertSignedOut(browser);
});

test("the absolute limit does not slide", async (t) => {
  const { browser, pass } = await setUp(t, { session: { idleTimeout: 600, maxAge: 1500 } });
  await browser.signIn();
  for (let round = 0; round < 2; round += 1) {
    pass(599);
    assert.equal((await browser.session()).status, 200);
  }
  pass(302);
  await assertSignedOut(browser);
});

test("the session ends with its ID token, whatever its own limits", async (t) => {
  const { upstream, browser, pass } = await setUp(t, {
    session: { idleTimeout: false, maxAge: false },
  });
  upstream.idTokenLifetime = 86_400;
  await browser.signIn();
  const { expiresAt } = await browser.whoIsIt();
  assert.equal(expiresAt, (await browser.whoIsIt()).user.claims.exp);
  pass(86_399);
  assert.equal((await browser.session()).status, 200);
  pass(1);
  await assertSignedOut(browser);
});

test("a clock set back is no end", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn();
  pass(-3000);
  assert.equal((await browser.session()).status, 200);
});

test("sign-out clears the cookie", async (t) => {
  const { browser, entries } = await setUp(t);
  await browser.signIn();
  assert.equal((await browser.signOut()).status, 204);
  assert.equal(browser.jar.size, 0);
  assert.equal(entries.at(-1).session, "ended");
  await assertSignedOut(browser);
});

test("sign-out revokes the refresh token where the provider can, and holds where it can't", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.discovery.revocation_endpoint = `${upstream.issuer}/revoke`;
  upstream.givesRefreshTokens = true;
  await browser.signIn();
  assert.equal((await browser.signOut()).status, 204);
  const { path, form, headers } = upstream.requests.at(-1);
  assert.equal(path, "/revoke");
  assert.equal(form.get("token_type_hint"), "refresh_token");
  assert(upstream.secrets.has(form.get("token")));
  assert.match(headers.authorization, /^Basic /);

  await browser.signIn();
  upstream.instead["/revoke"] = (request) => request.socket.destroy();
  assert.equal((await browser.signOut()).status, 204);
  await assertSignedOut(browser);
});

test("tampered, truncated and foreign cookies are no session", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn();
  const [[name, good]] = browser.jar;
  const [count, header, ...rest] = good.split(".");
  const flip = (text, index) =>
    text.slice(0, index) + (text[index] === "A" ? "B" : "A") + text.slice(index + 1);
  const bad = {
    "a flipped ciphertext": flip(good, good.length - 100),
    "a flipped tag": flip(good, good.length - 10),
    "a flipped nonce": flip(good, good.indexOf("..") + 4),
    "a flipped header": [count, flip(header, 12), ...rest].join("."),
    truncated: good.slice(0, -20),
    extended: `${good}AAAA`,
    "cut in half": good.slice(0, good.length / 2),
    empty: "",
    "a count alone": "1.",
    "no count": good.slice(2),
    "too high a count": `2${good.slice(1)}`,
    "not a JWE": "1.a.b.c.d.e",
    long: `1.${"A".repeat(10_000)}`,
  };
  for (const [what, value] of Object.entries(bad)) {
    browser.jar.set(name, value);
    await assertSignedOut(browser).catch((error) => {
      throw new Error(what, { cause: error });
    });
  }
  browser.jar.set(name, good);
  assert.equal((await browser.session()).status, 200);
});

test("what was not sealed by this gateway's key is no session, whatever its header says", async (t) => {
  const { browser, options } = await setUp(t);
  await browser.signIn();
  const [[name, good]] = browser.jar;
  const { kid } = JSON.parse(Buffer.from(good.split(".")[1], "base64url"));
  const content = new TextEncoder().encode(JSON.stringify({ v: 1, client: CLIENT.clientId }));
  const key = Buffer.from(options.sealingKeys[0], "base64url");
  for (const [header, secret] of [
    [{ alg: "dir", enc: "A256GCM", kid }, randomBytes(32)],
    // The key as it was given is not the one that seals.
    [{ alg: "dir", enc: "A256GCM", kid }, key],
    [{ alg: "A256KW", enc: "A256GCM", kid }, key],
    [{ alg: "dir", enc: "A128CBC-HS256", kid }, key],
  ]) {
    const sealed = await new CompactEncrypt(content).setProtectedHeader(header).encrypt(secret);
    browser.jar.set(name, `1.${sealed}`);
    await assertSignedOut(browser);
  }
});

test("a long session takes two cookies, which stand only together", async (t) => {
  const { browser } = await setUp(t);
  const first = await browser.signIn({ claims: LONG });
  assert.equal(first.cookies.length, 2);
  assert(first.cookies.every((line) => line.length < 4096));
  const one = new Map(browser.jar);
  assert.equal((await browser.session()).status, 200);
  await browser.signIn({ claims: LONG });
  const other = new Map(browser.jar);
  const [zero, follower] = [...other.keys()];
  for (const jar of [
    new Map([
      [zero, one.get(zero)],
      [follower, other.get(follower)],
    ]),
    new Map([
      [zero, other.get(follower)],
      [follower, other.get(zero)],
    ]),
    new Map([[zero, other.get(zero)]]),
    new Map([[follower, other.get(follower)]]),
  ]) {
    browser.jar.clear();
    for (const [name, value] of jar) browser.jar.set(name, value);
    await assertSignedOut(browser);
  }
});

test("a shorter session clears what a longer one left, and is not confused by it", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn({ claims: LONG });
  const left = browser.jar.get(`${COOKIE}.1`);
  const answer = await browser.signIn();
  assert.equal(answer.cookies.length, 2);
  assert.match(answer.cookies[1], /\.1=;.*Max-Age=0/);
  assert.equal(browser.jar.size, 1);
  browser.jar.set(`${COOKIE}.1`, left);
  assert((await browser.whoIsIt()) !== null, "one left behind changes nothing");
  assert.equal((await browser.session()).status, 200);
  assert.equal(browser.jar.size, 1);
});

test("a session too large is refused, and says what to ask for less of", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  const answer = await browser.signIn({ claims: TOO_LONG });
  assert.equal(answer.status, 500);
  assert.equal(answer.code, "session_too_large");
  assert.match(answer.json.error_description, /6144.*ID token.*fewer scopes or claims/);
  assert.deepEqual(answer.cookies, []);
  assert.equal(entries.at(-1).level, "error");
  upstream.bendResponse = (response) => ({ ...response, access_token: "a".repeat(5000) });
  assert.match((await browser.signIn()).json.error_description, /access token.*opaque/);
});

test("sealing keys rotate: the first seals, all open, an unknown one's session is over", async (t) => {
  const [old, fresh] = [newKey(), newKey()];
  const { browser, another } = await setUp(t, { sealingKeys: [old] });
  await browser.signIn();
  const both = another({ sealingKeys: [fresh, old] });
  assert((await both.whoIsIt()) !== null);
  assert.equal((await both.session()).status, 200, "and is sealed anew, with the first");
  assert((await another({ sealingKeys: [fresh] }).whoIsIt()) !== null);
  assert.equal(await browser.whoIsIt(), null, "the old instance does not know the new key");

  await browser.signIn();
  await assertSignedOut(another({ sealingKeys: [fresh] }));
});

test("instances of one deployment serve each other's sessions", async (t) => {
  const { browser, another } = await setUp(t);
  await browser.signIn();
  assert.equal((await another().session()).status, 200);
});

test("another issuer's gateway with the same key takes no session from this one", async (t) => {
  const { browser, another } = await setUp(t);
  await browser.signIn();
  assert.equal(await another({ issuer: "https://other.example" }).whoIsIt(), null);
});

test("two registrations live side by side, and their cookies can't be swapped", async (t) => {
  const second = { ...CLIENT, clientId: "client-2", redirectUris: ["https://app.example/two"] };
  const both = { clients: [CLIENT, second] };
  const { browser, pass } = await setUp(t, both, both);
  await browser.signIn({ claims: { sub: "1" } });
  pass(1);
  await browser.signIn({ client: second, claims: { sub: "2" } });
  assert.equal(browser.jar.size, 2);
  assert.equal((await browser.whoIsIt()).user.sub, "2", "the latest");
  assert.equal((await browser.whoIsIt({ clientId: CLIENT.clientId })).user.sub, "1");
  assert.equal(await browser.whoIsIt({ clientId: "client-3" }), null);
  assert.equal((await browser.session(CLIENT.clientId)).status, 200);
  assert.equal((await browser.session(second.clientId)).status, 200);

  const [[a, one], [b, two]] = browser.jar;
  browser.jar.set(a, two).set(b, one);
  assert.equal(await browser.whoIsIt(), null);
  browser.jar.set(a, one).set(b, two);

  assert.equal((await browser.signOut(CLIENT.clientId)).status, 204);
  assert.equal((await browser.session(CLIENT.clientId)).status, 204);
  assert.equal((await browser.whoIsIt()).user.sub, "2");
});

test("the session's client id: one, and a known one", async (t) => {
  const { browser } = await setUp(t);
  for (const [query, code] of [
    ["", "request_invalid"],
    ["?client_id=", "request_invalid"],
    ["?client_id=client-1&client_id=client-1", "request_invalid"],
    ["?client_id=client-2", "unknown_client"],
  ]) {
    for (const method of ["POST", "DELETE"]) {
      assert.equal((await browser.send(method, `/auth/session${query}`)).code, code);
    }
  }
});

test("the cookie shows nothing of its content", async (t) => {
  const { browser } = await setUp(t);
  const { json } = await browser.signIn();
  const [, , ...parts] = browser.cookieHeader.split(".");
  const bytes = parts.map((part) => Buffer.from(base64url.decode(part)).toString("latin1")).join();
  for (const secret of [json.access_token, json.id_token, "Pia", CLIENT.clientId]) {
    assert(!bytes.includes(secret));
    assert(!browser.cookieHeader.includes(secret));
  }
});
