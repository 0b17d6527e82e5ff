// Stores: the one in memory and the one in Redis do the same, and what `revoke` and `getSession` make of them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { createClient } from "redis";
import { memoryStore, newKey, redisStore, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { skipWithoutRedis, startRedis } from "../support/redis.mjs";
import { CLIENT, PERSON } from "../support/upstream.mjs";

/** A store that cannot be reached. */
const broken = (how) => ({
  get: how,
  set: how,
  setIfAbsent: how,
  delete: how,
  increment: how,
});

/** Plays what every store must do; `pass` lets time go by until a key ends. */
async function playStore(store, pass) {
  assert.equal(await store.get("a"), null);
  await store.set("a", "1", 10_000);
  assert.equal(await store.get("a"), "1");
  assert.equal(await store.setIfAbsent("a", "2", 10_000), false);
  assert.equal(await store.get("a"), "1");
  await store.set("a", "3", 10_000);
  assert.equal(await store.get("a"), "3");
  await store.delete("a");
  await store.delete("a");
  assert.equal(await store.get("a"), null);
  assert.equal(await store.setIfAbsent("a", "4", 10_000), true);
  assert.equal(await store.get("a"), "4");
  const sums = await Promise.all([1, 2, 3].map(() => store.increment("n", 10_000)));
  assert.deepEqual(sums.sort(), [1, 2, 3]);
  assert.equal(await store.get("n"), "3");

  await store.set("short", "1", 40);
  await store.increment("count", 40);
  await pass("short", 20);
  await store.increment("count", 10_000);
  await pass("count", 60);
  assert.equal(await store.get("short"), null);
  assert.equal(await store.increment("count", 10_000), 1, "the time began with the key");
  assert.equal(await store.setIfAbsent("short", "2", 10_000), true);
}

test("memoryStore keeps, counts and forgets", async () => {
  let now = 1_000_000;
  const store = memoryStore({ now: () => now });
  await playStore(store, async (_, milliseconds) => {
    now += milliseconds;
  });
  now += 100_000;
  await store.set("b", "1", 1000);
  assert.equal(await store.get("a"), null);
});

test("redisStore keeps, counts and forgets", { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis(t);
  const client = createClient({ url: redis.url });
  // The server ends with the test, before it.
  client.on("error", () => undefined);
  await client.connect();
  t.after(() => client.destroy());
  const store = redisStore(client, { prefix: "test:" });
  await playStore(store, async (key, milliseconds) => {
    // Redis ends it: only the last wait must.
    if (milliseconds > 40) while (await client.exists(`test:${key}`)) await client.ping();
  });
  assert.deepEqual(
    (await client.keys("*")).filter((key) => !key.startsWith("test:")),
    [],
  );
});

test("revoke ends one session, or all of a user, on every instance", async (t) => {
  const store = memoryStore();
  const { gateway, browser, another } = await setUp(t, { store });
  const other = another({});
  const { json } = await browser.signIn();
  await gateway.revoke({ sessionId: json.session_id });
  assert.equal(await other.whoIsIt(), null);
  assert.equal(await browser.whoIsIt(), null);

  await browser.signIn();
  const { user } = present(await other.whoIsIt());
  await other.gateway.revoke({ userId: user.id });
  assert.equal(await browser.whoIsIt(), null);
  assert.equal((await browser.session()).status, 204);
  await browser.signIn();
  assert.equal((await other.whoIsIt())?.user.id, user.id, "the user may sign in again");
});

test("a user's revocation does not depend on the instances' clocks", async (t) => {
  const store = memoryStore();
  const { gateway, another } = await setUp(t, { store });
  const ahead = another({ now: () => Date.now() + 30_000 });
  await ahead.signIn();
  const { user } = present(await ahead.whoIsIt());
  await gateway.revoke({ userId: user.id });
  assert.equal(await ahead.whoIsIt(), null);
});

test("revoke without a store, or without a target, rejects", async (t) => {
  const { gateway } = await setUp(t);
  await assert.rejects(gateway.revoke({ userId: "a" }), /no `store`/);
  const withStore = await setUp(t, { store: memoryStore() });
  await assert.rejects(withStore.gateway.revoke(/** @type {any} */ ({})), /one of/);
});

for (const [what, how] of Object.entries({
  rejects: () => Promise.reject(new Error("Pia")),
  throws: () => {
    throw new Error("Pia");
  },
  hangs: () => new Promise(() => {}),
})) {
  test(`a store that ${what} signs no user in, and none out`, async (t) => {
    const { browser, another, entries } = await setUp(t, { store: memoryStore() });
    await browser.signIn();
    // What is asked of the store has as long.
    const cut = another({ timeout: 100, store: /** @type {any} */ (broken(how)) });
    await assert.rejects(cut.whoIsIt(), { code: "store_unavailable" });
    const answer = await cut.session();
    assert.deepEqual([answer.status, answer.code], [503, "store_unavailable"]);
    assert.equal((await cut.signIn()).code, "store_unavailable");
    await assert.rejects(cut.gateway.revoke({ userId: "a" }), { code: "store_unavailable" });
    assert.equal((await browser.session()).status, 200, "the cookie was left alone");
    const out = await cut.signOut();
    assert.deepEqual([out.status, browser.sessionCookies], [204, []]);
    assert.equal(entries.at(-1)?.code, "store_unavailable");
  });
}

/** Signs a logout token for the user who signs in. */
function signLogoutToken(upstream, lifetimeSecs = 60) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: upstream.issuer,
    aud: CLIENT.clientId,
    sub: PERSON.sub,
    iat: now,
    exp: now + lifetimeSecs,
    jti: "1",
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
  })
    .setProtectedHeader({ alg: upstream.key.alg, kid: upstream.key.kid })
    .sign(upstream.key.privateKey);
}

async function postLogoutToken(gateway, token) {
  const request = new Request("https://app.example/auth/backchannel-logout", {
    method: "POST",
    body: new URLSearchParams({ logout_token: token }),
  });
  return (await gateway.handle(request)).status;
}

test("a logout token counts when it is sent again after the store failed", async (t) => {
  const store = memoryStore();
  let failures = 0;
  const { browser, gateway, upstream } = await setUp(t, {
    store: {
      ...store,
      set: async (key, value, ttlMs) => {
        if (key.startsWith("revoked:") && failures++ === 0) throw new Error("down");
        await store.set(key, value, ttlMs);
      },
    },
  });
  await browser.signIn();
  const token = await signLogoutToken(upstream);
  const post = () => postLogoutToken(gateway, token);
  assert.equal(await post(), 503);
  assert.notEqual(await browser.whoIsIt(), null);
  assert.equal(await post(), 200);
  assert.equal(await browser.whoIsIt(), null);
  assert.equal(await post(), 400, "it counts once");
});

test("a logout token is remembered as used until it expires", async (t) => {
  const store = memoryStore();
  const days = [];
  const { gateway, upstream } = await setUp(t, {
    store: {
      ...store,
      set: async (key, value, ttlMs) => {
        if (key.startsWith("logout:")) days.push(Math.round(ttlMs / 86_400_000));
        await store.set(key, value, ttlMs);
      },
    },
  });
  const token = await signLogoutToken(upstream, 30 * 86_400);
  assert.equal(await postLogoutToken(gateway, token), 200);
  assert.deepEqual(days, [30]);
});

test("a store without the methods of one is refused", async (t) => {
  const store = /** @type {any} */ ({ get: () => null });
  await assert.rejects(setUp(t, { store }), /store must have the functions get, set, setIfAbsent/);
});

test("runtimes without Node's modules open the same cookies", async (t) => {
  const key = newKey();
  const { browser, upstream, options } = await setUp(t, { sealingKeys: [key] });
  await browser.signIn({ claims: { bulk: "x".repeat(500) } });
  const module = new URL("../support/gateway.mjs", import.meta.url).href;
  const script = `
    process.getBuiltinModule = undefined;
    const { createGateway } = await import(${JSON.stringify(module)});
    const [issuer, client, key, cookie] = JSON.parse(process.argv[1]);
    const gateway = createGateway({
      issuer, clients: [client], sealingKeys: [key],
      assertions: { issuer: "a", audience: "b", keys: [JSON.parse(process.argv[2])] },
    });
    const session = await gateway.getSession({ headers: new Headers({ cookie }) });
    const answer = await gateway.handle(
      new Request("https://app.example/auth/verify", { headers: { cookie } }),
    );
    const keys = await gateway.handle(new Request("https://app.example/auth/assertion-keys"));
    console.log(JSON.stringify([
      session.user.id,
      answer.headers.get("X-ClassLink-Assertion").split(".").length,
      (await keys.json()).keys.length,
    ]));
  `;
  const { privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign"],
  );
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  const given = [upstream.issuer, options.clients[0], key, browser.cookieHeader];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...["--input-type=module", "--eval", script],
    ...[given, jwk].map((value) => JSON.stringify(value)),
  ]);
  assert.deepEqual(JSON.parse(stdout), [`${upstream.issuer}|8708718`, 3, 1]);
});
