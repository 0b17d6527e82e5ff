/** The SDK's routes: sign-in, the session in its cookie, and its end. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { deferred } from "../../support/deferred.mjs";
import { createGateway, GatewayClient, newKey, newLogin } from "../../support/gateway.mjs";
import { CLIENT, holdNextTokenResponse, PERSON } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const noSession = (answer) => assert.deepEqual([answer.status, answer.text], [204, ""]);

/** The bytes of a response's head, as a proxy counts them. */
const headSize = ({ headers }) =>
  [...headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 17);

/** Four districts of one issuer. */
const DISTRICTS = [1, 2, 3, 4].map((number) => ({
  clientId: `district-${number}`,
  clientSecret: "secret",
  redirectUris: CLIENT.redirectUris,
}));

/** @param {ServerAdapter} adapter */
export function sessionTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract("a sign-in returns the tokens less the refresh token, and the session id", async (t) => {
    const { upstream, browser } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 3600;
    const login = newLogin();
    const { status, json, headers, cookies, code } = await browser.signIn({ login });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json).sort(), [
      "access_token",
      "expires_in",
      "id_token",
      "response_type",
      "session_id",
      "token_type",
    ]);
    assert.equal(json.session_id, login.sessionId);
    assert.equal(code, null);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert(Math.abs(Date.parse(String(headers.get("date"))) - Date.now()) < 60_000);
    for (const line of cookies) {
      assert.match(line, /^__Host-classlink-[\w-]{12}\.\S+=\S+; Path=\/; Secure; HttpOnly; Same/);
    }
  });

  contract("a reload finds the session, and a sign-out ends it", async (t) => {
    const { browser } = await world(t);
    noSession(await browser.session());
    const { json } = await browser.signIn();
    const reloaded = await browser.session();
    assert.equal(reloaded.status, 200);
    assert.equal(reloaded.json.id_token, json.id_token);
    assert.equal(reloaded.json.access_token, json.access_token);
    noSession(await browser.signOut());
    assert.deepEqual(browser.sessionCookies, []);
    noSession(await browser.session());
  });

  contract("a request that names another session finds none, and ends none", async (t) => {
    const { browser } = await world(t);
    const login = newLogin();
    await browser.signIn({ login });
    const other = newLogin().sessionId;
    for (const method of ["POST", "DELETE"]) {
      const answer = await browser.startNaming(method, other);
      answer.arrive();
      noSession(answer);
    }
    const own = await browser.startNaming("POST", login.sessionId);
    assert.equal(own.json.session_id, login.sessionId);
  });

  contract("a sign-in that names its session counts once the page names it again", async (t) => {
    const { browser, verify } = await world(t);
    const login = newLogin();
    await browser.signIn({ login, isNamed: true });
    noSession(await browser.session());
    assert.equal((await verify()).status, 204, "the page's first requests are served");
    const named = await browser.startNaming("POST", login.sessionId);
    named.arrive();
    assert.equal(named.status, 200);
    assert.equal((await browser.session()).status, 200);
  });

  contract(
    "a sign-out holds when the answer of an earlier session request comes late",
    async (t) => {
      const { browser, signedInAgo } = await world(t);
      await signedInAgo(120);
      const late = await browser.startNaming("POST", undefined);
      assert.equal(late.status, 200);
      await browser.signOut();
      late.arrive();
      noSession(await browser.session());
    },
  );

  contract("a sign-out that names a sign-in under way ends it, whenever it arrives", async (t) => {
    const { browser, verify } = await world(t);
    const login = newLogin();
    const late = await browser.startSignIn({ login, isNamed: true });
    assert.equal(late.status, 200);
    const out = await browser.startNaming("DELETE", login.sessionId);
    out.arrive();
    noSession(out);
    late.arrive();
    assert.equal((await verify()).status, 401);
    const named = await browser.startNaming("POST", login.sessionId);
    named.arrive();
    noSession(named);
    noSession(await browser.session());
  });

  contract(
    "a user who signs in is not replaced by a late response for the one before",
    async (t) => {
      const { browser, signedInAgo } = await world(t);
      await signedInAgo(120);
      const late = await browser.startNaming("POST", undefined);
      const { json } = await browser.signIn({ claims: { sub: "another" } });
      late.arrive();
      assert.equal((await browser.session()).json.id_token, json.id_token);
    },
  );

  contract(
    "a session ends at its idle limit, its absolute limit and with its ID token",
    async (t) => {
      const { browser, signedInAgo } = await world(t, {
        session: { idleTimeout: 1000, maxAge: 5000 },
      });
      await signedInAgo(900);
      assert.equal((await browser.session()).status, 200);
      await signedInAgo(1100);
      noSession(await browser.session());
      assert.deepEqual(browser.sessionCookies, [], "cookies are cleared");
      await signedInAgo(500, { exp: Math.floor(Date.now() / 1000) - 100 });
      noSession(await browser.session());
    },
  );

  contract("the absolute limit does not slide", async (t) => {
    const { browser, signedInAgo } = await world(t, {
      session: { idleTimeout: false, maxAge: 900 },
    });
    await signedInAgo(800);
    assert.equal((await browser.session()).status, 200);
    await signedInAgo(1000);
    noSession(await browser.session());
  });

  contract("a session that was used within a minute is not sealed again", async (t) => {
    const { browser, signedInAgo } = await world(t);
    await browser.signIn();
    assert.deepEqual((await browser.session()).cookies, []);
    await signedInAgo(120);
    assert.equal((await browser.session()).cookies.length, 1);
    assert.deepEqual((await browser.session()).cookies, []);
  });

  contract("it opens what the handler sealed, and the handler opens what it sealed", async (t) => {
    const { upstream, config, browser, newBrowser } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 3600;
    const claims = { bulk: randomBytes(2000).toString("base64url") };
    const { json } = await browser.signIn({ claims });
    const reference = new GatewayClient(createGateway(/** @type {any} */ (config)), upstream);
    reference.jar = browser.jar;
    assert.equal((await reference.session()).json.id_token, json.id_token);
    const user = (await reference.whoIsIt())?.user;
    assert.equal(user?.id, `${upstream.issuer}|${PERSON.sub}`);
    const signedIn = await reference.signIn({ claims });
    const other = newBrowser();
    other.jar = reference.jar;
    assert.equal((await other.session()).json.id_token, signedIn.json.id_token);
  });

  contract(
    "keys rotate: the first seals, all open, and what another key sealed is over",
    async (t) => {
      const { browser, config, startServer } = await world(t);
      await browser.signIn();
      const rotated = await startServer({ sealingKeys: [newKey(), ...config.sealingKeys] });
      const next = rotated.newBrowser();
      next.jar = new Map(browser.jar);
      const answer = await next.session();
      assert.equal(answer.status, 200);
      assert.equal(answer.cookies.length, 1, "sealed again, by the new key");
      browser.jar = next.jar;
      noSession(await browser.session());
    },
  );

  contract(
    "four districts in one browser: the cookies stay within 7 KB, the oldest goes",
    async (t) => {
      const { browser } = await world(t, { clients: DISTRICTS }, { clients: DISTRICTS });
      for (const client of DISTRICTS) {
        const claims = { bulk: randomBytes(1500).toString("base64url") };
        assert.equal((await browser.signIn({ client, claims })).status, 200);
      }
      assert(browser.cookieHeader.length <= 7 * 1024, String(browser.cookieHeader.length));
      noSession(await browser.session("district-1"));
      assert.equal((await browser.session("district-4")).status, 200);
    },
  );

  contract("the head of a sign-in's response stays below a proxy's 4 KB", async (t) => {
    const { browser } = await world(t);
    const bulk = randomBytes(1700).toString("base64url");
    const { status, headers, json } = await browser.signIn({ claims: { bulk } });
    assert.equal(status, 200);
    assert(json.id_token.length > 3500, String(json.id_token.length));
    assert(headSize({ headers }) < 4096, String(headSize({ headers })));
  });

  contract(
    "a session too large for cookies is refused, and the message says what to request less of",
    async (t) => {
      const { upstream, browser } = await world(t);
      upstream.bendResponse = (response) => ({
        ...response,
        access_token: randomBytes(5000).toString("base64url"),
      });
      const { status, code, json, cookies } = await browser.signIn();
      assert.deepEqual([status, code, cookies], [500, "session_too_large", []]);
      assert.match(json.error_description, /access token/);
    },
  );

  contract("a token about to end is renewed, once for all who ask", async (t) => {
    const { upstream, browser, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    const { answer: before } = await signedInAgo(1000);
    const asked = upstream.count("/token");
    const all = await Promise.all(
      Array.from({ length: 10 }, () => browser.startNaming("POST", undefined)),
    );
    assert.equal(upstream.count("/token"), asked + 1);
    const tokens = new Set(all.map(({ json }) => json.access_token));
    assert.equal(tokens.size, 1);
    assert(!tokens.has(before.json.access_token));
    assert(all.every(({ json }) => !("refresh_token" in json)));
    const late = await browser.startNaming("POST", undefined);
    assert(tokens.has(late.json.access_token), "who comes late with the old cookie");
    assert.equal(upstream.count("/token"), asked + 1);
  });

  contract(
    "an outage does not sign out while the token lasts; the end of the grant does",
    async (t) => {
      const { upstream, browser, signedInAgo } = await world(t);
      upstream.givesRefreshTokens = true;
      upstream.accessTokenLifetime = 1060;
      const { answer } = await signedInAgo(1000);
      upstream.instead["/token"] = (_, response) => response.writeHead(503).end();
      const kept = await browser.session();
      assert.equal(kept.json.access_token, answer.json.access_token);
      upstream.instead = {};
      upstream.revokeGrants();
      noSession(await browser.session());
      assert.deepEqual(browser.sessionCookies, []);
    },
  );

  contract(
    "a sign-out revokes the token if the provider can, and holds if it cannot",
    async (t) => {
      const { upstream, browser } = await world(t);
      upstream.discovery = { revocation_endpoint: `${upstream.issuer}/revoke` };
      await browser.signIn();
      noSession(await browser.signOut());
      assert.equal(upstream.count("/revoke"), 1);
      upstream.instead["/revoke"] = (_, response) => response.writeHead(500).end();
      await browser.signIn();
      noSession(await browser.signOut());
      noSession(await browser.session());
    },
  );

  contract("tenants: another district's user is refused, and nothing is sealed", async (t) => {
    const clients = [{ ...CLIENT, allowedTenants: [2284] }];
    const { upstream, browser } = await world(t, { clients });
    assert.equal((await browser.signIn()).status, 200);
    const other = await browser.signIn({ claims: { classLink_tenant_id: 9 } });
    assert.deepEqual([other.status, other.code], [403, "tenant_not_allowed"]);
    assert.equal(other.json.reason, "tenant_other");
    upstream.userInfo = { sub: PERSON.sub };
    upstream.myInfo = { UserId: 8708718 };
    const unknown = await browser.signIn({ claims: { classLink_tenant_id: undefined } });
    assert.equal(unknown.json.reason, "tenant_unknown");
    upstream.myInfo = { UserId: 8708718, TenantId: 2284, Tenant: "Springfield" };
    const asked = await browser.signIn({ claims: { classLink_tenant_id: undefined } });
    assert.equal(asked.status, 200);
    assert.equal((await browser.session()).status, 200);
  });

  contract("keys, UserInfo and my-info are the provider's", async (t) => {
    const { upstream, browser } = await world(t);
    const { json } = await browser.signIn();
    assert.deepEqual((await browser.send("GET", "/auth/jwks")).json, { keys: upstream.keys });
    const headers = { Authorization: `Bearer ${json.access_token}` };
    assert.equal((await browser.send("GET", "/auth/userinfo", { headers })).json.sub, PERSON.sub);
    assert.equal((await browser.send("GET", "/auth/my-info", { headers })).json.TenantId, 2284);
    const foreign = { Authorization: "Bearer none" };
    const refused = await browser.send("GET", "/auth/userinfo", { headers: foreign });
    assert.deepEqual(
      [refused.status, refused.code, refused.json.error],
      [401, null, "invalid_token"],
    );
    const without = await browser.send("GET", "/auth/my-info");
    assert.deepEqual([without.status, without.code], [401, "missing_token"]);
  });

  contract("a stop finishes the exchange that is under way, and then ends", async (t) => {
    const { upstream, server, browser } = await world(t);
    const { asked, release } = holdNextTokenResponse(upstream);
    const signingIn = browser.signIn();
    await asked;
    const stopped = server.stop();
    release();
    assert.equal((await signingIn).status, 200);
    await stopped;
    await assert.rejects(server.ask({ path: SESSION }));
  });

  contract("a stop does not wait for a provider longer than the timeout", async (t) => {
    const { upstream, server, browser } = await world(t, { timeout: 1500 });
    const asked = deferred();
    upstream.instead["/token"] = () => asked.resolve();
    const signingIn = browser.signIn();
    await asked.promise;
    const stopped = server.stop();
    const { status, code, cookies } = await signingIn;
    assert.deepEqual([status, code, cookies], [504, "upstream_timeout", []]);
    await stopped;
  });
}
