/** The limits of what a stranger may have the provider asked, which are on by default. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, SUPPORT_CODE } from "../../support/gateway.mjs";
import { CLIENT } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const PAGE = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP };

/** @param {ServerAdapter} adapter */
export function limitTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  /** A world in which an address may have one request of each kind in a long time. */
  const strict = (t) => world(t, { limits: { perAddress: 1 }, remoteAddressHeader: "X-Real-IP" });
  const headers = { "X-Real-IP": "203.0.113.7" };

  contract("every route that reaches the provider is limited by address", async (t) => {
    const { upstream, browser } = await strict(t);
    const bearer = { ...headers, Authorization: "Bearer junk" };
    for (const [path, asks, once] of /** @type {const} */ ([
      [
        "/token",
        1,
        () => browser.postToken(browser.form({ verifier: "x".repeat(43) }, "junk"), headers),
      ],
      ["/userinfo", 1, () => browser.send("GET", "/auth/userinfo", { headers: bearer })],
      ["/my-info", 1, () => browser.send("GET", "/auth/my-info", { headers: bearer })],
      [
        "/jwks",
        2,
        () =>
          browser.send("GET", "/auth/jwks", {
            headers: { ...headers, "Cache-Control": "no-cache" },
          }),
      ],
    ])) {
      const codes = [(await once()).code, (await once()).code, (await once()).code];
      assert.notEqual(codes[0], "rate_limited", path);
      assert.deepEqual(codes.slice(1), ["rate_limited", "rate_limited"], path);
      assert(upstream.count(path) <= asks, `${path}: ${upstream.count(path)}`);
    }
  });

  contract("over the limit a session is kept and not renewed, and a sign-out holds", async (t) => {
    const { upstream, browser, signedInAgo } = await strict(t);
    upstream.discovery = { revocation_endpoint: `${upstream.issuer}/revoke` };
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1060;
    for (let round = 0; round < 3; round += 1) {
      await signedInAgo(1000);
      const signIns = upstream.count("/token");
      assert.equal((await browser.send("POST", SESSION, { headers })).status, 200);
      assert.equal(upstream.count("/token"), signIns + (round === 0 ? 1 : 0), "renewed once");
      const out = await browser.send("DELETE", SESSION, { headers });
      assert.deepEqual([out.status, browser.sessionCookies], [204, []]);
    }
    assert.equal(upstream.count("/revoke"), 1);
  });

  contract("what does not reach the provider is not limited", async (t) => {
    const { browser, ask } = await strict(t);
    assert.equal((await browser.signIn()).status, 200);
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await browser.send("POST", SESSION, { headers })).status, 200);
      assert.equal((await browser.send("GET", "/auth/jwks", { headers })).status, 200);
      for (const path of ["/auth/health", "/auth/ready"]) {
        assert.equal((await ask({ path, headers })).status, 200);
      }
      const Cookie = browser.cookieHeader;
      assert.equal(
        (await ask({ path: "/auth/verify", headers: { ...headers, Cookie } })).status,
        204,
      );
    }
  });

  contract(
    "an address reaches the provider up to a limit, whatever its port, and an IPv6 network is one",
    async (t) => {
      // Sixty at once, and one more each second.
      const config = { limits: { perAddress: 60 }, remoteAddressHeader: "X-Real-IP" };
      const { upstream, ask } = await world(t, config);
      const once = (address) =>
        ask({
          path: "/auth/userinfo",
          headers: { ...PAGE, "X-Real-IP": address, Authorization: "Bearer junk" },
        });
      const send = (addressOf) =>
        Promise.all(Array.from({ length: 120 }, (_, index) => once(addressOf(index))));
      const limited = (await send(() => "203.0.113.7")).filter(({ status }) => status === 429);
      assert(limited.length > 0 && limited.length <= 60);
      for (const { headers } of limited) {
        assert.equal(headers["x-classlink-gateway-error"], "rate_limited");
        assert(Number(headers["retry-after"]) >= 1);
      }
      assert.equal(upstream.count("/userinfo"), 120 - limited.length);
      assert.equal((await once("203.0.113.8")).status, 401, "another address is served");
      const network = await send((index) => `2001:db8::${index.toString(16)}`);
      assert(network.some(({ status }) => status === 429));
      const ports = await send((index) => `203.0.113.9:${5000 + index}`);
      assert(ports.some(({ status }) => status === 429));
    },
  );

  contract(
    "so many requests to the provider at a time; the others wait for their turn",
    async (t) => {
      const { upstream, browser } = await world(t, { limits: { concurrent: 2 } });
      await browser.send("GET", "/auth/jwks");
      const active = [];
      let most = 0;
      upstream.instead["/userinfo"] = (_, response) => {
        active.push(response);
        most = Math.max(most, active.length);
        // Both places are taken: what would come now, waits.
        if (active.length === 2) for (const one of active.splice(0)) one.writeHead(401).end();
      };
      const headers = { Authorization: "Bearer junk" };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => browser.send("GET", "/auth/userinfo", { headers })),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401]));
      assert.equal(most, 2);
    },
  );
}
