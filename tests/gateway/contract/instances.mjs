/** Several instances and one Redis: revocation, one renewal per grant, one rate limit, and a store that is down. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import { createClient } from "redis";
import { Device, readRegistration } from "../../support/device.mjs";
import { APP, newLogin, SUPPORT_CODE } from "../../support/gateway.mjs";
import { skipWithoutRedis, startRedis } from "../../support/redis.mjs";
import { CLIENT, PERSON } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const PREFIX = "classlink-spa:";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const hash = (text) => createHash("sha256").update(text).digest("base64url");
const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";

/**
 * @param {ServerAdapter} adapter
 * @param {ServerAdapter} [other] The second instance's, if a fleet is mixed.
 */
export function instanceTests(adapter, other = adapter) {
  const names = other === adapter ? adapter.name : `${adapter.name} and ${other.name}`;
  const contract = (name, play) => void test(`${names}: ${name}`, { skip: skipWithoutRedis }, play);

  /** Two instances and a Redis. */
  const world = async (t, changes = {}) => {
    const redis = await startRedis(t);
    const first = await startWorld(t, adapter, {
      timeout: 2000,
      store: { redis: redis.url, prefix: PREFIX },
      ...changes,
    });
    const second = await first.startServer({}, other);
    const store = createClient({ url: redis.url });
    store.on("error", () => undefined);
    await store.connect();
    t.after(() => store.destroy());
    return {
      ...first,
      redis,
      store,
      second,
      /** Returns this browser with the other instance for its server. */
      elsewhere: () => Object.assign(second.newBrowser(), { jar: first.browser.jar }),
    };
  };

  contract("each instance serves the sessions of the other, and keeps them", async (t) => {
    const { second, browser, elsewhere, signedInAgo, newBrowser } = await world(t);
    await signedInAgo(120);
    const reloaded = await elsewhere().session();
    assert.equal(reloaded.status, 200);
    assert.equal(reloaded.cookies.length, 1, "sealed again");
    assert.equal((await browser.session()).json.id_token, reloaded.json.id_token);
    const there = second.newBrowser();
    const { json } = await there.signIn({ claims: { bulk: "x".repeat(500) } });
    const here = Object.assign(newBrowser(), { jar: there.jar });
    assert.equal((await here.session()).json.id_token, json.id_token);
  });

  contract("a sign-out ends copies of the cookie on every instance", async (t) => {
    const { browser, elsewhere } = await world(t);
    await browser.signIn();
    const copy = new Map(browser.jar);
    await browser.signOut();
    for (const attacker of [elsewhere(), browser]) {
      attacker.jar = new Map(copy);
      assert.equal((await attacker.session()).status, 204);
      assert.deepEqual(attacker.sessionCookies, []);
    }
  });

  contract("a copy from before the device was bound is over after its first refresh", async (t) => {
    const { browser, elsewhere, newBrowser } = await world(t);
    const login = newLogin();
    const answer = await browser.signIn({ login });
    const copy = Object.assign(newBrowser(), { jar: new Map(browser.jar) });
    const device = new Device();
    await device.register(browser, answer);
    assert.equal(
      (await copy.session()).status,
      200,
      "until then the browser may have lost the key",
    );
    const { path } = readRegistration(answer.headers);
    assert.equal((await device.refresh(elsewhere(), path, login.sessionId)).status, 200);
    assert.equal((await copy.session()).status, 204);
    assert.equal((await browser.session()).status, 200);
  });

  contract("a revoked session is over everywhere; another of the same user is not", async (t) => {
    const { browser, elsewhere, newBrowser, verify, store } = await world(t);
    const login = newLogin();
    await browser.signIn({ login });
    const other = newBrowser();
    await other.signIn();
    await store.set(`${PREFIX}revoked:session:${login.sessionId}`, "1", { PX: 60_000 });
    assert.equal((await verify()).status, 401);
    assert.equal((await elsewhere().session()).status, 204);
    assert.equal((await other.session()).status, 200);
  });

  contract("an operator ends one session, or all that a user has", async (t) => {
    const { upstream, config, browser, elsewhere, newBrowser, verify } = await world(t);
    const revoke = (target) => adapter.revoke?.(config, target);
    const login = newLogin();
    await browser.signIn({ login });
    const other = newBrowser();
    await other.signIn();
    await revoke({ sessionId: login.sessionId });
    assert.equal((await verify()).status, 401);
    assert.equal((await elsewhere().session()).status, 204);
    assert.equal((await other.session()).status, 200);
    await revoke({ userId: `${upstream.issuer}|${PERSON.sub}` });
    assert.equal((await other.session()).status, 204);
    await other.signIn();
    assert.equal((await other.session()).status, 200);
  });

  contract("a revoked user has no session anywhere, and may sign in again", async (t) => {
    const { upstream, browser, elsewhere, newBrowser, verify, store } = await world(t);
    const key = `${PREFIX}revoked:user:${hash(`${upstream.issuer}|${PERSON.sub}`)}`;
    const other = newBrowser();
    await other.signIn({ claims: { sub: "other" } });
    for (let round = 0; round < 2; round += 1) {
      await browser.signIn();
      assert.equal((await verify()).status, 204);
      await store.set(key, randomBytes(16).toString("base64url"), { PX: 60_000 });
      assert.equal((await verify()).status, 401);
      assert.equal((await elsewhere().session()).status, 204);
    }
    await browser.signIn();
    assert.equal((await elsewhere().session()).status, 200);
    assert.equal((await other.session()).status, 200);
  });

  contract("a grant is renewed once, whichever instance gets the requests", async (t) => {
    const { upstream, browser, elsewhere, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    await signedInAgo(1000);
    const asked = upstream.count("/token");
    const browsers = Array.from({ length: 10 }, (_, i) => (i % 2 ? elsewhere() : browser));
    const all = await Promise.all(browsers.map((one) => one.startNaming("POST", undefined)));
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(all.map(({ json }) => json.access_token)).size, 1);
    assert.equal(upstream.count("/token"), asked + 1);
    const late = await elsewhere().startNaming("POST", undefined);
    assert.equal(late.json.access_token, all[0].json.access_token);
    assert.equal(upstream.count("/token"), asked + 1);
  });

  contract("a grant that the provider refuses is refused once", async (t) => {
    const { upstream, browser, elsewhere, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    await signedInAgo(1000);
    upstream.revokeGrants();
    const asked = upstream.count("/token");
    const first = await browser.startNaming("POST", undefined);
    const second = await elsewhere().startNaming("POST", undefined);
    assert.deepEqual([first.status, second.status], [204, 204]);
    assert.equal(upstream.count("/token"), asked + 1);
  });

  // Of a mixed fleet's servers each waits as it does beside its own kind.
  if (other === adapter) {
    contract("another instance's renewal is waited for twice the timeout, then 504", async (t) => {
      const timeout = 2000;
      const { upstream, store, browser, logged, signedInAgo } = await world(t, { timeout });
      upstream.givesRefreshTokens = true;
      upstream.accessTokenLifetime = 1000;
      /** @type {string | undefined} */
      let refreshToken;
      upstream.bendResponse = (response) => {
        refreshToken = response.refresh_token;
        return response;
      };
      await signedInAgo(1000);
      const asked = upstream.count("/token");
      // Long enough for an instance that got no processor time for seconds, and short of four times the timeout.
      const lock = `${PREFIX}renewal:lock:${hash(`${CLIENT.clientId} ${refreshToken}`)}`;
      await store.set(lock, "another", { PX: 3.5 * timeout });
      const { status, code, cookies } = await browser.session();
      assert.deepEqual([status, code, cookies], [504, "upstream_timeout", []]);
      const entry = (await logged("session.read")).at(-1);
      assert(entry?.durationMs >= 1.9 * timeout, String(entry?.durationMs));
      assert.equal(upstream.count("/token"), asked, "the refresh token is not used twice");
    });
  }

  contract("all instances together count an address's requests", async (t) => {
    const { upstream, server, second, store } = await world(t, {
      limits: { perAddress: 20 },
      remoteAddressHeader: "X-Real-IP",
    });
    const once = (instance, address) =>
      instance.ask({
        path: "/auth/userinfo",
        headers: {
          "X-ClassLink-SPA": SUPPORT_CODE,
          "Sec-Fetch-Site": "same-origin",
          Origin: APP,
          "X-Real-IP": address,
          Authorization: "Bearer junk",
        },
      });
    const minute = () => Math.floor(Date.now() / 60_000);
    // Again, if a minute ends in between: each has its own count.
    for (let attempt = 1; ; attempt += 1) {
      const [before, begun] = [upstream.count("/userinfo"), minute()];
      const address = `203.0.113.${attempt}`;
      const answers = await Promise.all(
        // Fewer than either instance would refuse by itself.
        Array.from({ length: 30 }, (_, i) => once(i % 2 ? server : second, address)),
      );
      if (minute() !== begun) continue;
      assert.equal(upstream.count("/userinfo") - before, 20);
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 10);
      assert(refused.every(({ headers }) => Number(headers["retry-after"]) <= 60));
      break;
    }
    assert((await store.keys(`${PREFIX}rate:*`)).length >= 1);
  });

  contract("while the store is down no user is signed in, and none is signed out", async (t) => {
    const { upstream, redis, browser, verify, newBrowser, logged } = await world(t);
    await browser.signIn();
    const before = new Map(browser.jar);
    await redis.stop();
    const read = await browser.session();
    assert.deepEqual([read.status, read.code, read.cookies], [503, "store_unavailable", []]);
    assert.equal(read.headers.get("retry-after"), "5");
    const verified = await verify();
    assert.deepEqual(
      [verified.status, verified.headers["x-classlink-gateway-error"]],
      [503, "store_unavailable"],
    );
    const exchanged = upstream.count("/token");
    const other = newBrowser();
    assert.equal((await other.signIn()).code, "store_unavailable");
    assert.equal(upstream.count("/token"), exchanged, "no code was used up");

    // Who only reads cookies needs no store: there is none.
    assert.equal((await other.session()).status, 204);
    await redis.start();
    const back = async () => {
      let answer = await browser.session();
      while (answer.status === 503) answer = await browser.session();
      return answer;
    };
    assert.equal((await back()).status, 200);
    assert.deepEqual([...browser.jar.keys()], [...before.keys()]);

    await redis.stop();
    const out = await browser.signOut();
    assert.equal(out.status, 204, "a sign-out holds in the browser");
    assert.deepEqual(browser.sessionCookies, []);
    const ended = (await logged("session.end")).at(-1);
    assert.deepEqual([ended?.code, ended?.session], ["store_unavailable", "ended"]);
  });

  contract("while the store is down each instance renews for itself", async (t) => {
    const { upstream, redis, browser, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    await signedInAgo(1000);
    await redis.stop();
    const asked = upstream.count("/token");
    // Whether the session was revoked is not known: nothing is handed out, and nothing is renewed.
    assert.equal((await browser.session()).code, "store_unavailable");
    assert.equal(upstream.count("/token"), asked);
  });

  contract("readiness reports whether the store is reachable", async (t) => {
    const { redis, ask } = await world(t);
    const first = await ask({ path: "/auth/ready" });
    assert.deepEqual(JSON.parse(first.text).checks, { provider: "ok", store: "ok" });
    await redis.stop();
    const second = await ask({ path: "/auth/ready" });
    assert.equal(second.status, 503);
    assert.deepEqual(JSON.parse(second.text).checks, { provider: "ok", store: "failed" });
    assert.equal((await ask({ path: "/auth/health" })).status, 200);
  });

  contract("the store holds no token and no name, and nothing for ever", async (t) => {
    const { upstream, browser, signedInAgo, store } = await world(t, {
      remoteAddressHeader: "X-Real-IP",
    });
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    await signedInAgo(1000);
    await browser.send("POST", `/auth/session?client_id=${CLIENT.clientId}`, {
      headers: { "X-Real-IP": "203.0.113.7" },
    });
    await browser.signOut();
    const keys = await store.keys("*");
    assert(keys.length >= 3, keys.join());
    for (const key of keys) {
      assert(key.startsWith(PREFIX), key);
      assert((await store.pTTL(key)) > 0, `${key} has a time to live`);
      const written = key + (await store.get(key));
      for (const secret of [...upstream.secrets, ...Object.values(PERSON), "203.0.113.7"]) {
        if (String(secret).length > 5)
          assert(!written.includes(String(secret)), `${key}: ${secret}`);
      }
    }
  });

  contract("the provider's back-channel logout ends the sessions that it names", async (t) => {
    const { upstream, browser, elsewhere, newBrowser, verify, ask } = await world(t);
    await browser.signIn({ claims: { sid: "session-1" } });
    const other = newBrowser();
    await other.signIn({ claims: { sid: "session-2" } });
    const now = Math.floor(Date.now() / 1000);
    const sign = (claims, header = {}, key = upstream.key.privateKey) =>
      new SignJWT({
        iss: upstream.issuer,
        aud: CLIENT.clientId,
        iat: now,
        exp: now + 60,
        jti: randomBytes(8).toString("hex"),
        events: { [LOGOUT_EVENT]: {} },
        ...claims,
      })
        .setProtectedHeader({
          alg: upstream.key.alg,
          kid: upstream.key.kid,
          typ: "logout+jwt",
          ...header,
        })
        .sign(key);
    const post = (token) =>
      ask({
        method: "POST",
        path: "/auth/backchannel-logout",
        headers: FORM,
        body: new URLSearchParams({ logout_token: token }).toString(),
      });
    const sub = PERSON.sub;
    for (const [what, token] of [
      ["nonce", await sign({ sub, nonce: "x" })],
      ["no events", await sign({ sub, events: undefined })],
      ["another event", await sign({ sub, events: { other: {} } })],
      ["neither sub nor sid", await sign({})],
      ["another issuer", await sign({ sub, iss: "https://evil.example" })],
      ["another audience", await sign({ sub, aud: "other" })],
      ["expired", await sign({ sub, exp: now - 300 })],
      ["a lifetime of more than a year", await sign({ sub, exp: now + 367 * 86_400 })],
      ["no jti", await sign({ sub, jti: undefined })],
      ["another key", await sign({ sub }, {}, upstream.newKey().privateKey)],
      ["another type", await sign({ sub }, { typ: "at+jwt" })],
      ["no token", "junk"],
    ]) {
      const { status, headers } = await post(token);
      assert.deepEqual(
        [status, headers["x-classlink-gateway-error"]],
        [400, "logout_token_invalid"],
        what,
      );
    }
    assert.equal((await verify()).status, 204);

    const bySid = await sign({ sub, sid: "session-1" });
    const done = await post(bySid);
    assert.deepEqual([done.status, done.text], [200, ""]);
    assert.equal(done.headers["cache-control"], "no-store");
    assert.equal((await post(bySid)).status, 400, "a logout token counts once");
    assert.equal((await verify()).status, 401);
    assert.equal((await elsewhere().session()).status, 204);
    assert.equal((await other.session()).status, 200);
    assert.equal((await post(await sign({ sub }))).status, 200);
    assert.equal((await other.session()).status, 204);
    assert.equal((await other.signIn()).status, 200);
    assert.equal((await other.session()).status, 200);
  });

  contract("without a store there is no back-channel logout", async (t) => {
    const { ask } = await startWorld(t, adapter);
    const request = { method: "POST", path: "/auth/backchannel-logout", headers: FORM, body: "" };
    assert.equal((await ask(request)).status, 404);
  });
}
