// The sealed session: how it is kept, when it ends, and which changes to its cookies end it.

import assert from "node:assert/strict";
import nodeCrypto, { createCipheriv, createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { COOKIE, newKey, newLogin, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { CLIENT } from "../support/upstream.mjs";

/** A claim that makes the session need a second cookie. It does not compress well. */
const LONG = { bulk: randomBytes(2550).toString("base64url") };

/** Asserts that there is no session, and that the browser keeps no cookie. */
async function assertSignedOut(browser) {
  assert.equal(await browser.whoIsIt(), null);
  const answer = await browser.session();
  assert.equal(answer.status, 204);
  assert.equal(answer.text, "");
  assert.equal(browser.sessionCookies.length, 0, "cookies are cleared");
}

test("a reload returns the same tokens with the rest of their time, and seals the cookie again", async (t) => {
  const { upstream, browser, pass, entries } = await setUp(t);
  upstream.accessTokenLifetime = 3600;
  const signedIn = await browser.signIn();
  const before = browser.cookieHeader;
  pass(100);
  const { status, json } = await browser.session();
  assert.equal(status, 200);
  const { access_token, id_token, session_id, token_type } = signedIn.json;
  assert.deepEqual(json, { access_token, id_token, session_id, token_type, expires_in: 3500 });
  assert.notEqual(browser.cookieHeader, before);
  assert.equal(entries.at(-1)?.session, "kept");
});

test("a session request without a session is 204", async (t) => {
  const { browser, entries } = await setUp(t);
  await assertSignedOut(browser);
  assert.equal(entries.at(-1)?.session, "none");
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
  const { expiresAt } = present(await browser.whoIsIt());
  assert.equal(expiresAt, (await browser.whoIsIt())?.user.claims.exp);
  pass(86_399);
  assert.equal((await browser.session()).status, 200);
  pass(1);
  await assertSignedOut(browser);
});

test("a clock that is set back does not end a session", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn();
  pass(-3000);
  assert.equal((await browser.session()).status, 200);
});

test("sign-out clears the cookie", async (t) => {
  const { browser, entries } = await setUp(t);
  await browser.signIn();
  assert.equal((await browser.signOut()).status, 204);
  assert.equal(browser.sessionCookies.length, 0);
  assert.equal(entries.at(-1)?.session, "ended");
  await assertSignedOut(browser);
});

test("sign-out revokes the refresh token if the provider can, and holds if it can't", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.discovery.revocation_endpoint = `${upstream.issuer}/revoke`;
  upstream.givesRefreshTokens = true;
  await browser.signIn();
  assert.equal((await browser.signOut()).status, 204);
  const { path, form, headers } = present(upstream.requests.at(-1));
  assert.equal(path, "/revoke");
  assert.equal(form.get("token_type_hint"), "refresh_token");
  assert(upstream.secrets.has(present(form.get("token"))));
  assert.match(present(headers.authorization), /^Basic /);

  await browser.signIn();
  upstream.instead["/revoke"] = (request) => request.socket.destroy();
  assert.equal((await browser.signOut()).status, 204);
  await assertSignedOut(browser);
});

test("tampered, truncated and foreign cookies are not sessions", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn();
  const [name] = browser.sessionCookies;
  const good = present(browser.jar.get(name));
  const flip = (text, index) =>
    text.slice(0, index) + (text[index] === "A" ? "B" : "A") + text.slice(index + 1);
  const bad = {
    "a flipped ciphertext": flip(good, good.length - 100),
    "a flipped tag": flip(good, good.length - 10),
    "a flipped key id": flip(good, 3),
    "a flipped IV": flip(good, 12),
    truncated: good.slice(0, -20),
    extended: `${good}AAAA`,
    "cut in half": good.slice(0, good.length / 2),
    empty: "",
    "a count alone": "1.",
    "no count": good.slice(2),
    "too high a count": `2${good.slice(1)}`,
    "another alphabet": `1.${"+/".repeat(100)}`,
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

test("a cookie not sealed by this gateway's key is not a session, whatever its key ID", async (t) => {
  const { browser, options } = await setUp(t);
  await browser.signIn();
  const [name] = browser.sessionCookies;
  const bytes = Buffer.from(present(browser.jar.get(name)).slice(2), "base64url");
  const key = Buffer.from(options.sealingKeys[0], "base64url");
  // The key as it was given is not the one that seals.
  for (const secret of [randomBytes(32), key]) {
    const cipher = createCipheriv("aes-256-gcm", secret, bytes.subarray(6, 18));
    const sealed = Buffer.concat([
      bytes.subarray(0, 18),
      cipher.update(bytes.subarray(18, -16)),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    browser.jar.set(name, `1.${sealed.toString("base64url")}`);
    await assertSignedOut(browser);
  }
});

test("a long session takes two cookies, which count only together", async (t) => {
  const { browser } = await setUp(t);
  const first = await browser.signIn({ claims: LONG });
  assert.equal(browser.sessionCookies.length, 2);
  assert(first.cookies.every((line) => line.length < 4096));
  const one = new Map(browser.jar);
  const [zero, follower] = browser.sessionCookies;
  assert.equal((await browser.session()).status, 200);
  await browser.signIn({ claims: LONG });
  const other = browser.sessionCookies.map((name) => browser.jar.get(name));
  for (const [first, second] of [
    [one.get(zero), other[1]],
    [one.get(follower), one.get(zero)],
    [one.get(zero), undefined],
    [undefined, one.get(follower)],
  ]) {
    browser.jar = new Map(one);
    for (const [name, value] of /** @type {[string, string | undefined][]} */ ([
      [zero, first],
      [follower, second],
    ])) {
      if (value === undefined) browser.jar.delete(name);
      else browser.jar.set(name, value);
    }
    await assertSignedOut(browser);
  }
});

test("a shorter session clears what a longer one left", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn({ claims: LONG });
  await browser.signIn();
  assert.equal(browser.sessionCookies.length, 1);
  const [name] = browser.sessionCookies;
  browser.jar.set(name.replace(/0$/, "1"), "left behind");
  assert((await browser.whoIsIt()) !== null, "one left behind changes nothing");
});

test("a session too large is refused, and the message says what to request less of", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  for (const length of [5000, 100_000]) {
    upstream.bendResponse = (response) => ({ ...response, access_token: "a".repeat(length) });
    const answer = await browser.signIn();
    assert.equal(answer.status, 500);
    assert.equal(answer.code, "session_too_large");
    assert.match(answer.json.error_description, /6656.*access token.*opaque/);
    assert.deepEqual(answer.cookies, []);
    assert.equal(entries.at(-1)?.level, "error");
  }
});

test("sealing keys rotate: the first seals, all open, an unknown one's session is over", async (t) => {
  const [old, fresh] = [newKey(), newKey()];
  const { browser, another } = await setUp(t, { sealingKeys: [old] });
  await browser.signIn();
  const both = another({ sealingKeys: [fresh, old] });
  assert((await both.whoIsIt()) !== null);
  assert.equal((await both.session()).status, 200, "and is sealed again, with the first key");
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
  assert.equal(browser.sessionCookies.length, 2);
  assert.equal((await browser.whoIsIt())?.user.sub, "2", "the latest");
  assert.equal((await browser.whoIsIt({ clientId: CLIENT.clientId }))?.user.sub, "1");
  assert.equal(await browser.whoIsIt({ clientId: "client-3" }), null);
  assert.equal((await browser.session(CLIENT.clientId)).status, 200);
  assert.equal((await browser.session(second.clientId)).status, 200);

  const jar = new Map(browser.jar);
  const [a, b] = browser.sessionCookies;
  const [one, two] = [a, b].map((name) => name.split(".")[0]);
  browser.jar = new Map(
    [...jar].map(([name, value]) => [
      name.replace(/^[^.]+/, (prefix) => (prefix === one ? two : one)),
      value,
    ]),
  );
  assert.equal(browser.sessionCookies.length, 2);
  assert.equal(await browser.whoIsIt(), null);
  browser.jar = jar;

  assert.equal((await browser.signOut(CLIENT.clientId)).status, 204);
  assert.equal((await browser.session(CLIENT.clientId)).status, 204);
  assert.equal((await browser.whoIsIt())?.user.sub, "2");
});

test("a session request needs one known client id", async (t) => {
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
  const [name] = browser.sessionCookies;
  const bytes = Buffer.from(present(browser.jar.get(name)).slice(2), "base64url").toString(
    "latin1",
  );
  for (const secret of [json.access_token, json.id_token, "Pia", CLIENT.clientId]) {
    assert(!bytes.includes(secret));
    assert(!browser.cookieHeader.includes(secret));
  }
});

// ---- Session ids (each answer's cookies arrive when the test says so) ----

const PIA = { sub: "1", name: "Pia" };
const PAUL = { sub: "2", name: "Paul" };

/** Who a reload finds. */
async function reload(browser) {
  const { status, json } = await browser.session();
  if (status === 204) return null;
  return JSON.parse(Buffer.from(json.id_token.split(".")[1], "base64url").toString()).sub;
}

test("the responses of /token and /session name the session, by the verifier's hash", async (t) => {
  const { browser } = await setUp(t);
  const login = newLogin();
  const expected = createHash("sha256")
    .update(`classlink-spa session:${login.verifier}`)
    .digest("base64url");
  assert.equal((await browser.signIn({ login })).json.session_id, expected);
  assert.equal((await browser.session()).json.session_id, expected);
});

test("POST /session that names another session is 204, and the browser keeps its own", async (t) => {
  const { browser, entries } = await setUp(t);
  const { json } = await browser.signIn();
  const before = browser.cookieHeader;
  const other = await browser.startNaming("POST", newLogin().sessionId);
  other.arrive();
  assert.deepEqual([other.status, other.text], [204, ""]);
  assert.equal(browser.cookieHeader, before);
  assert.equal(entries.at(-1)?.session, "none");
  const own = await browser.startNaming("POST", json.session_id);
  assert.equal(own.json.session_id, json.session_id);
});

test("DELETE /session that names another session keeps the browser's own", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.discovery.revocation_endpoint = `${upstream.issuer}/revoke`;
  const old = await browser.signIn({ claims: PIA });
  await browser.signIn({ claims: PAUL });
  for (const sessionId of [old.json.session_id, newLogin().sessionId]) {
    const answer = await browser.startNaming("DELETE", sessionId);
    answer.arrive();
    assert.equal(answer.status, 204);
    assert.equal(await reload(browser), "2");
  }
  assert.equal(upstream.count("/revoke"), 0);
});

test("a malformed or repeated session id is refused", async (t) => {
  const { browser } = await setUp(t);
  const { sessionId } = newLogin();
  for (const named of ["", "x", `${sessionId}x`, `${sessionId}&session_id=${sessionId}`]) {
    for (const method of ["POST", "DELETE"]) {
      assert.equal((await browser.startNaming(method, named)).code, "request_invalid", named);
    }
  }
  assert.equal(
    (await browser.signIn({ isNamed: true, login: { ...newLogin(), sessionId } })).code,
    "request_invalid",
  );
});

for (const isNamed of [true, false]) {
  const how = isNamed ? "that names its session" : "that names none";
  test(`a sign-out ${how} holds when an earlier session request's response arrives after it`, async (t) => {
    const { browser, pass } = await setUp(t);
    const { json } = await browser.signIn();
    pass(100);
    const late = await browser.startNaming("POST", json.session_id);
    const signOut = await browser.startNaming("DELETE", isNamed ? json.session_id : undefined);
    signOut.arrive();
    late.arrive();
    assert.equal(browser.sessionCookies.length, 1, "its cookie is back");
    assert.equal(await browser.whoIsIt(), null);
    await assertSignedOut(browser);
  });
}

test("a sign-out that names a sign-in under way holds when that response arrives after it", async (t) => {
  const { browser } = await setUp(t);
  const login = newLogin();
  const late = await browser.startSignIn({ login });
  const signOut = await browser.startNaming("DELETE", login.sessionId);
  signOut.arrive();
  late.arrive();
  assert.equal(await browser.whoIsIt(), null);
  await assertSignedOut(browser);
  await browser.signIn({ claims: PAUL });
  assert.equal(await reload(browser), "2", "and ends no later one");
});

test("a sign-out ends a sign-in that was under way, although it names none", async (t) => {
  const { browser, pass } = await setUp(t);
  const late = await browser.startSignIn();
  pass(1);
  await browser.signOut();
  late.arrive();
  await assertSignedOut(browser);
});

test("a reload shows the user who signed in while a session request of another was under way", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn({ claims: PIA });
  pass(100);
  const late = await browser.startNaming("POST");
  await browser.signIn({ claims: PAUL });
  late.arrive();
  assert.equal(browser.sessionCookies.length, 2);
  assert.equal((await browser.whoIsIt())?.user.sub, "2");
  assert.equal(await reload(browser), "2");
  assert.equal(browser.sessionCookies.length, 1);
});

test("a late response after the other user's sign-out brings no session back", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn({ claims: PIA });
  pass(100);
  const late = await browser.startNaming("POST");
  const second = await browser.signIn({ claims: PAUL });
  const signOut = await browser.startNaming("DELETE", second.json.session_id);
  signOut.arrive();
  late.arrive();
  await assertSignedOut(browser);
});

test("the later of two sign-ins counts when their responses arrive in the other order, and its sign-out ends both", async (t) => {
  const { browser, pass } = await setUp(t);
  const first = await browser.startSignIn({ claims: PIA });
  pass(1);
  const second = await browser.startSignIn({ claims: PAUL });
  second.arrive();
  first.arrive();
  assert.equal(await reload(browser), "2");
  first.arrive();
  await browser.signOut();
  first.arrive();
  await assertSignedOut(browser);
});

test("a sign-out's response that arrives after the next sign-in leaves that alone", async (t) => {
  const { browser, pass } = await setUp(t);
  const { json } = await browser.signIn({ claims: PIA });
  const signOut = await browser.startNaming("DELETE", json.session_id);
  pass(1);
  await browser.signIn({ claims: PAUL });
  signOut.arrive();
  assert.equal(await reload(browser), "2");
});

test("a sign-in counts after a session that another instance, with a clock ahead, has sealed", async (t) => {
  const { browser, another, options } = await setUp(t);
  const ahead = another({ now: () => options.now() + 30_000 });
  await ahead.signIn({ claims: PIA });
  await browser.signIn({ claims: PAUL });
  assert.equal(await reload(browser), "2");
});

// ---- A sign-in whose answer was cut off ----

test("a page that names its session in the token request has one once it has named it again", async (t) => {
  const { browser, pass } = await setUp(t);
  const login = newLogin();
  await browser.signIn({ login, isNamed: true });
  assert((await browser.whoIsIt()) !== null, "for the application's routes at once");
  assert.equal(await reload(browser), null, "for another tab not yet");
  assert.equal(browser.sessionCookies.length, 1, "whose request does not end it");

  const used = await browser.startNaming("POST", login.sessionId);
  used.arrive();
  assert.equal(used.json.session_id, login.sessionId);
  pass(100);
  assert.equal(await reload(browser), "8708718");
});

test("a sign-in whose response was cut off leaves nothing", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn({ isNamed: true });
  // The head and its cookies are there, the body is not; the page is loaded again.
  assert.equal(await reload(browser), null);
  pass(60);
  assert.equal(await browser.whoIsIt(), null);
  await assertSignedOut(browser);
});

test("a sign-in whose response was cut off does not bring the user before back", async (t) => {
  const { browser } = await setUp(t);
  const { json } = await browser.signIn({ claims: PIA });
  await browser.signIn({ claims: PAUL, isNamed: true });
  assert.equal(await reload(browser), null);
  assert.equal((await browser.startNaming("POST", json.session_id)).status, 204);
});

// ---- Old formats, and the size of headers ----

test("a cookie in the format before session ids is not a session, and is cleared", async (t) => {
  const { browser } = await setUp(t);
  browser.jar.set(`${COOKIE}.0`, "2.eyJhbGciOiJkaXIifQ..AAAA.BBBB.CCCC").set(`${COOKIE}.1`, "DDDD");
  assert.equal(await browser.whoIsIt(), null);
  assert.equal((await browser.session()).status, 204);
  assert.equal(browser.jar.size, 0);
});

test("a sign-in clears the oldest of four districts' cookies, so that the header stays within 7 KB", async (t) => {
  const clients = ["a", "b", "c", "d"].map((clientId) => ({ ...CLIENT, clientId }));
  const { browser, pass } = await setUp(t, { clients }, { clients });
  browser.jar.set("theme", "x".repeat(1000));
  for (const client of clients) {
    await browser.signIn({ client, claims: LONG });
    pass(1);
    assert(browser.cookieHeader.length <= 7 * 1024, `${browser.cookieHeader.length}`);
    assert.equal((await browser.session(client.clientId)).status, 200);
  }
  assert.equal((await browser.session("a")).status, 204);
  assert.equal((await browser.session("c")).status, 204);
  await browser.signIn({ client: clients[0] });
  assert.equal((await browser.session("d")).status, 200, "as many as there is room for stay");
});

test("cookies of a registration that is no longer served are cleared first", async (t) => {
  const clients = [CLIENT, { ...CLIENT, clientId: "gone" }, { ...CLIENT, clientId: "stays" }];
  const { browser, another, pass } = await setUp(t, { clients }, { clients });
  for (const client of [clients[2], clients[1]]) {
    await browser.signIn({ client, claims: { bulk: LONG.bulk.slice(0, 1500) } });
    pass(1);
  }
  const now = another({ clients: [CLIENT, clients[2]] });
  await now.signIn({ claims: { bulk: LONG.bulk.slice(0, 2700) } });
  assert.equal((await now.session("stays")).status, 200);
  assert.equal((await now.session()).status, 200);
});

test("the response to a sign-in with an ID token of 4 KB has a head below 4 KB", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn();
  // What a district's claims look like: words, and some ids.
  const groups = Array.from({ length: 60 }, (_, i) => ({
    id: `${41_000 + i * 37}`,
    name: `Grade ${i % 12}, Room ${100 + i}`,
  }));
  const answer = await browser.signIn({ claims: { groups } });
  assert(answer.json.id_token.length > 4000);
  const head = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  assert(head.length < 4096 - "HTTP/1.1 200 OK\r\n\r\n".length, `${head.length}`);
});

test("a session that was sealed within the minute is not sealed again", async (t) => {
  const { browser, pass } = await setUp(t);
  await browser.signIn();
  pass(59);
  assert.deepEqual((await browser.session()).cookies, []);
  pass(1);
  assert.equal((await browser.session()).cookies.length, 1);
});

test("the cost of getSession does not grow with the number of registrations", async (t) => {
  const clients = Array.from({ length: 500 }, (_, i) => ({ ...CLIENT, clientId: `client-${i}` }));
  const { gateway, browser } = await setUp(t, { clients }, { clients });
  await browser.signIn({ client: clients[7] });
  const digest = t.mock.method(nodeCrypto, "createHash");
  const decrypt = t.mock.method(nodeCrypto, "createDecipheriv");
  let read = 0;
  const headers = {
    get: () => {
      read += 1;
      return browser.cookieHeader;
    },
  };
  for (let i = 0; i < 10; i += 1) assert((await gateway.getSession({ headers })) !== null);
  assert.deepEqual(
    [digest.mock.callCount(), decrypt.mock.callCount(), read],
    [0, 10, 10],
    "names are known, and one session is opened each time",
  );
});
