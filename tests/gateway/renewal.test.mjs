// Renewal with a refresh token, which never leaves the sealed session.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { GatewayClient, memoryStore, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { holdNextTokenResponse } from "../support/upstream.mjs";

/** A user who signed in at a provider that gives refresh tokens and access tokens for an hour. */
async function signedIn(t, options) {
  const all = await setUp(t, options);
  all.upstream.givesRefreshTokens = true;
  all.upstream.accessTokenLifetime = 3600;
  const first = await all.browser.signIn();
  const keepAlive = async (seconds) => {
    for (let left = seconds; left > 0; left -= 1000) {
      all.pass(Math.min(left, 1000));
      if (left > 1000) assert.equal((await all.browser.session()).status, 200);
    }
  };
  return { ...all, first, keepAlive, renewals: () => all.upstream.count("/token") - 1 };
}

test("an access token about to end is renewed; the refresh token stays inside and rotates", async (t) => {
  const { upstream, browser, first, keepAlive, renewals, entries } = await signedIn(t);
  await keepAlive(3400);
  assert.equal((await browser.session()).json.access_token, first.json.access_token);
  assert.equal(renewals(), 0);
  await keepAlive(100);
  const { status, json } = await browser.session();
  assert.equal(status, 200);
  assert.equal(renewals(), 1);
  assert.notEqual(json.access_token, first.json.access_token);
  assert.equal(json.expires_in, 3600);
  assert.equal(json.refresh_token, undefined);
  assert.equal(decodeJwt(json.id_token).nonce, undefined);
  assert.equal(entries.at(-1)?.session, "renewed");
  await keepAlive(3500);
  assert.equal((await browser.session()).status, 200);
  assert.equal(renewals(), 2, "with the rotated one");
  const { form } = present(upstream.requests.findLast(({ path }) => path === "/token"));
  assert.equal(form.get("grant_type"), "refresh_token");
});

test("fifty session requests at once, and a late one with the old cookie, renew once", async (t) => {
  const { browser, another, keepAlive, renewals, pass } = await signedIn(t);
  await keepAlive(3500);
  const old = new Map(browser.jar);
  const answers = await Promise.all(Array.from({ length: 50 }, () => browser.session()));
  assert(answers.every(({ status }) => status === 200));
  assert.equal(new Set(answers.map(({ json }) => json.access_token)).size, 1);
  assert.equal(renewals(), 1);
  pass(5);
  browser.jar = old;
  assert.equal((await browser.session()).status, 200);
  assert.equal(renewals(), 1);
  assert.equal((await another().session()).status, 200);
});

test("a session request waits for a renewal that takes longer than an outcome is remembered", async (t) => {
  /** @type {() => void} */
  let release = () => undefined;
  const released = new Promise((resolve) => {
    release = () => resolve(undefined);
  });
  /** @type {((value?: unknown) => void) | undefined} */
  let onHeld;
  const { browser, keepAlive, renewals, pass } = await signedIn(t, {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (onHeld && new URL(url).pathname === "/token") {
        onHeld();
        await released;
      }
      return response;
    },
  });
  await keepAlive(3500);
  const held = new Promise((resolve) => {
    onHeld = resolve;
  });
  const first = browser.session();
  await held;
  pass(40);
  const second = browser.session();
  release();
  const [one, other] = await Promise.all([first, second]);
  assert.deepEqual([one.status, other.status], [200, 200]);
  assert.equal(one.json.access_token, other.json.access_token);
  assert.equal(renewals(), 1, "the refresh token is used once");
});

test("a renewal is shared with other instances when the store fails once after the lock", async (t) => {
  const store = memoryStore();
  let failures = 0;
  const { browser, another, keepAlive, renewals } = await signedIn(t, {
    store: {
      ...store,
      get: async (key) => {
        if (key.startsWith("renewal:outcome:") && failures++ === 0) throw new Error("down");
        return store.get(key);
      },
    },
  });
  await keepAlive(3500);
  const other = another();
  other.jar = new Map(browser.jar);
  const renewed = await browser.session();
  assert.equal(renewals(), 1);
  assert.equal((await other.session()).json.access_token, renewed.json.access_token);
  assert.equal(renewals(), 1);
});

test("a renewal of a revoked grant ends the session", async (t) => {
  const { upstream, browser, keepAlive, entries } = await signedIn(t);
  upstream.revokeGrants();
  await keepAlive(3500);
  assert.equal((await browser.session()).status, 204);
  assert.equal(browser.sessionCookies.length, 0);
  const { level, status, session, code, providerError } = present(entries.at(-1));
  assert.deepEqual(
    [level, status, session, code, providerError],
    ["warn", 204, "ended", "provider_refused", "invalid_grant"],
  );
});

test("an outage keeps the session, while the access token lasts and after", async (t) => {
  const { upstream, browser, keepAlive, pass, first, entries } = await signedIn(t);
  await keepAlive(3500);
  upstream.instead["/token"] = (_, response) => response.writeHead(500).end();
  assert.equal((await browser.session()).json.access_token, first.json.access_token);
  const { level, session, code, upstreamStatus } = present(entries.at(-1));
  assert.deepEqual([level, session, code, upstreamStatus], ["warn", "kept", "upstream_error", 500]);
  pass(150);
  const answer = await browser.session();
  assert.equal(answer.status, 502);
  assert.equal(answer.code, "upstream_error");
  assert.equal(browser.sessionCookies.length, 1, "the cookie stays");
  delete upstream.instead["/token"];
  assert.equal((await browser.session()).status, 200);
});

test("a token that expires while its renewal fails is not handed out", async (t) => {
  const { upstream, browser, keepAlive, pass } = await signedIn(t);
  await keepAlive(3500);
  upstream.instead["/token"] = (_, response) => {
    pass(150);
    response.writeHead(500).end();
  };
  const answer = await browser.session();
  assert.deepEqual([answer.status, answer.code], [502, "upstream_error"]);
  assert.equal(browser.sessionCookies.length, 1, "the cookie stays");
});

test("an outcome is remembered for half a minute, although a renewal from before it is pending", async (t) => {
  const { upstream, gateway, browser, pass } = await signedIn(t, {
    session: { idleTimeout: false },
  });
  const other = new GatewayClient(gateway, upstream);
  await other.signIn();
  pass(3500);
  const { asked, release } = holdNextTokenResponse(upstream);
  const pending = browser.session();
  await asked;
  const old = new Map(other.jar);
  const { json } = await other.session();
  pass(29);
  other.jar = new Map(old);
  assert.equal((await other.session()).json.access_token, json.access_token);
  pass(2);
  other.jar = new Map(old);
  assert.equal((await other.session()).status, 204, "the provider refuses the second use");
  release();
  assert.equal((await pending).status, 200);
});

test("a session without a refresh token returns an expired access token as expired", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  upstream.accessTokenLifetime = 600;
  await browser.signIn();
  pass(700);
  const { status, json } = await browser.session();
  assert.equal(status, 200);
  assert.equal(json.expires_in, 0);
});

test("a renewal without an ID token keeps the one before", async (t) => {
  const { upstream, browser, keepAlive, first } = await signedIn(t);
  upstream.bendResponse = ({ id_token: _, ...response }) => response;
  await keepAlive(3500);
  const { json } = await browser.session();
  assert.equal(json.id_token, first.json.id_token);
  assert.notEqual(json.access_token, first.json.access_token);
});

test("a renewed ID token may repeat the nonce, and the session goes on from it", async (t) => {
  const { upstream, browser, keepAlive, first } = await signedIn(t);
  const { nonce } = decodeJwt(first.json.id_token);
  upstream.bend = (token) => ({ ...token, claims: { ...token.claims, nonce } });
  await keepAlive(3500);
  assert.equal((await browser.session()).status, 200);
});

/** Changes that a renewed ID token must not have. */
/** @type {Record<string, [claims: Record<string, unknown>, code: string, reason?: string]>} */
const OTHERS = {
  "another subject": [{ sub: "9" }, "user_mismatch", undefined],
  "another issuer": [{ iss: "https://other.example" }, "id_token_invalid", "issuer"],
  "another audience": [{ aud: "client-2" }, "id_token_invalid", "audience"],
  "one audience more": [
    { aud: ["client-1", "api"], azp: "client-1" },
    "id_token_invalid",
    "audience",
  ],
  "an azp when there was none": [{ azp: "client-1" }, "id_token_invalid", "authorized_party"],
  "another auth_time": [{ auth_time: 1 }, "id_token_invalid", "auth_time"],
  "another nonce": [{ nonce: "another" }, "id_token_invalid", "nonce"],
  "an end in the past": [{ exp: 1 }, "id_token_invalid", "expired"],
};

for (const [name, [claims, code, reason]] of Object.entries(OTHERS)) {
  test(`a renewed ID token with ${name} ends the session`, async (t) => {
    const { upstream, browser, keepAlive } = await signedIn(t);
    upstream.bend = (token) => ({ ...token, claims: { ...token.claims, ...claims } });
    await keepAlive(3500);
    const answer = await browser.session();
    assert.equal(answer.code, code);
    assert.equal(answer.json.reason, reason);
    assert.equal(browser.sessionCookies.length, 0);
  });
}
