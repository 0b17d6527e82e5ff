/** A provider that is down, slow, broken or taken over: at every endpoint that the gateway asks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { CLIENT, PERSON } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const DISCOVERY = "/.well-known/openid-configuration";
const TEN_MIB = 10 * 1024 * 1024;

/** @returns {import("../../support/upstream.mjs").Handler} */
const send =
  (status, body, headers = {}) =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

/** The responses of a provider that are not JSON or not of the right form, and the gateway's codes for them. */
const FAILURES = /** @type {const} */ ([
  ["HTML", send(200, "<html>"), "invalid"],
  ["cut JSON", send(200, '{"keys":['), "invalid"],
  ["JSON of another type", send(200, "[]"), "invalid"],
  ["nesting without end", send(200, "[".repeat(100_000)), "invalid"],
  ["10 MiB", send(200, `{"a":"${"x".repeat(TEN_MIB)}"}`), "invalid"],
  [
    "10 MiB in 10 KB",
    send(200, gzipSync(`{"a":"${"x".repeat(TEN_MIB)}"}`), { "Content-Encoding": "gzip" }),
    "invalid",
  ],
  ["a redirect", send(307, "", { Location: "http://127.0.0.1:1/" }), "invalid"],
  ["HTTP 500", send(500, "{}"), "error"],
  ["a broken connection", (request) => request.socket.destroy(), "unreachable"],
  ["nothing at all", () => undefined, "timeout"],
]);

/** @param {ServerAdapter} adapter */
export function hostileProviderTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  // What is not about time has much of it.
  const world = (t, changes = {}) => startWorld(t, adapter, { timeout: 60_000, ...changes });

  /** Only a provider that does not answer costs the timeout, so only its server has a short one. */
  const timeoutFor = (kind) => (kind === "timeout" ? { timeout: 300 } : {});

  /** Codes of an endpoint that is not the provider's metadata or key set. */
  const CODES = {
    invalid: "upstream_invalid",
    error: "upstream_error",
    unreachable: "upstream_unreachable",
    timeout: "upstream_timeout",
  };

  contract("a discovery document that cannot be had or read: no sign-in, no session", async (t) => {
    const { upstream, startServer } = await world(t);
    for (const [what, handler, kind] of FAILURES) {
      const browser = (await startServer(timeoutFor(kind))).newBrowser();
      const code = upstream.authorize({});
      upstream.instead[DISCOVERY] = handler;
      const answer = await browser.postToken(browser.form({ verifier: "x".repeat(43) }, code));
      const expected = ["invalid", "error"].includes(kind) ? "discovery_invalid" : CODES[kind];
      assert.deepEqual([answer.code, answer.cookies], [expected, []], what);
      assert.equal(upstream.count("/token"), 0, `${what}: no code is used up`);
      upstream.instead = {};
    }
  });

  contract("a key set that cannot be had or read: no sign-in, no session", async (t) => {
    const { upstream, startServer } = await world(t);
    for (const [what, handler, kind] of FAILURES) {
      const browser = (await startServer(timeoutFor(kind))).newBrowser();
      upstream.instead["/jwks"] = handler;
      const expected = ["invalid", "error"].includes(kind) ? "keys_unavailable" : CODES[kind];
      const answer = await browser.signIn();
      assert.deepEqual([answer.code, answer.cookies], [expected, []], what);
      assert.equal((await browser.send("GET", "/auth/jwks")).code, expected, what);
      upstream.instead = {};
    }
  });

  contract("UserInfo and my-info that cannot be had or read", async (t) => {
    const { upstream, browser, startServer } = await world(t);
    const hasty = (await startServer(timeoutFor("timeout"))).newBrowser();
    const { json } = await browser.signIn();
    const headers = { Authorization: `Bearer ${json.access_token}` };
    for (const path of ["/userinfo", "/my-info"]) {
      for (const [what, handler, kind] of FAILURES) {
        upstream.instead[path] = handler;
        const asking = kind === "timeout" ? hasty : browser;
        const answer = await asking.send("GET", `/auth${path}`, { headers });
        assert.equal(answer.code, CODES[kind], `${path}: ${what}`);
      }
      upstream.instead = {};
      assert.equal((await browser.send("GET", `/auth${path}`, { headers })).status, 200);
    }
  });

  contract("a tenant that the provider must be asked for and cannot say: no sign-in", async (t) => {
    const clients = [{ ...CLIENT, allowedTenants: [2284] }];
    const { upstream, browser, startServer } = await world(t, { clients });
    const hasty = (await startServer(timeoutFor("timeout"))).newBrowser();
    const claims = { classLink_tenant_id: undefined };
    for (const [what, handler, kind] of FAILURES) {
      upstream.instead["/userinfo"] = handler;
      const answer = await (kind === "timeout" ? hasty : browser).signIn({ claims });
      const expected = kind === "error" ? "upstream_invalid" : CODES[kind];
      assert.deepEqual([answer.code, answer.cookies], [expected, []], what);
    }
    upstream.instead = {};
    upstream.userInfo = { ...PERSON, sub: "another", classLink_tenant_id: 2284 };
    const other = await browser.signIn({ claims });
    assert.deepEqual([other.code, other.cookies], ["user_mismatch", []]);
  });

  contract("a renewal that fails keeps the session while its token lasts", async (t) => {
    const { upstream, browser, signedInAgo, startServer } = await world(t);
    const hasty = (await startServer(timeoutFor("timeout"))).newBrowser();
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1060;
    for (const [what, handler, kind] of FAILURES) {
      upstream.instead = {};
      const { answer } = await signedInAgo(1000);
      upstream.instead["/token"] = handler;
      hasty.jar = browser.jar;
      const kept = await (kind === "timeout" ? hasty : browser).session();
      assert.equal(kept.json?.access_token, answer.json.access_token, what);
      assert.notDeepEqual(browser.sessionCookies, [], what);
    }
  });

  contract("a token that expires while its renewal fails is not handed out", async (t) => {
    const { upstream, browser, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1002;
    await signedInAgo(1000);
    const expiresAt = Date.now() + 2000;
    upstream.instead["/token"] = async (_, response) => {
      await pause(Math.max(0, expiresAt - Date.now()));
      response.writeHead(503).end();
    };
    const answer = await browser.session();
    assert.deepEqual([answer.status, answer.code], [502, "upstream_error"]);
    assert.notDeepEqual(browser.sessionCookies, [], "the next request asks again");
    upstream.instead = {};
    assert.equal((await browser.session()).status, 200);
  });

  contract("a sign-out holds, whatever the revocation endpoint does", async (t) => {
    const { upstream, browser, startServer } = await world(t);
    upstream.discovery = { revocation_endpoint: `${upstream.issuer}/revoke` };
    const hasty = (await startServer(timeoutFor("timeout"))).newBrowser();
    hasty.jar = browser.jar;
    for (const [what, handler, kind] of FAILURES) {
      upstream.instead = {};
      await browser.signIn();
      upstream.instead["/revoke"] = handler;
      const answer = await (kind === "timeout" ? hasty : browser).signOut();
      assert.deepEqual([answer.status, browser.sessionCookies], [204, []], what);
      assert.equal((await browser.session()).status, 204, what);
    }
  });

  contract("no header of the provider's reaches a page", async (t) => {
    const { upstream, browser } = await world(t);
    const { json } = await browser.signIn();
    const planted = {
      "Set-Cookie": "session=planted",
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Credentials": "true",
      "Clear-Site-Data": '"cookies"',
      "Content-Type": "text/html",
      Location: "https://evil.example",
      Refresh: "0; url=https://evil.example",
      "X-ClassLink-Gateway-Error": "planted",
      "X-Planted": "planted",
    };
    const jwks = JSON.stringify({ keys: upstream.keys });
    upstream.instead["/jwks"] = send(200, jwks, planted);
    for (const path of ["/userinfo", "/my-info"]) upstream.instead[path] = send(200, "{}", planted);
    upstream.instead["/token"] = send(400, '{"error":"invalid_grant"}', planted);
    const headers = { Authorization: `Bearer ${json.access_token}`, "Cache-Control": "no-cache" };
    for (const answer of [
      await browser.send("GET", "/auth/jwks", { headers }),
      await browser.send("GET", "/auth/userinfo", { headers }),
      await browser.send("GET", "/auth/my-info", { headers }),
      await browser.signIn(),
    ]) {
      for (const name of Object.keys(planted)) {
        const expected = name === "Content-Type" ? "application/json" : null;
        assert.equal(answer.headers.get(name), expected, name);
      }
    }
  });
}
