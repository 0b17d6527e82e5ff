/** The routes for operations, and the log: health, readiness, metrics, ids in the log. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, SUPPORT_CODE } from "../../support/gateway.mjs";
import { CLIENT, PERSON } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const PAGE = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP };

/** @param {ServerAdapter} adapter */
export function operationTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract(
    "health reports that the process serves, without a request to the provider",
    async (t) => {
      const { upstream, ask } = await world(t);
      const { status, text } = await ask({ path: "/auth/health" });
      assert.deepEqual([status, JSON.parse(text)], [200, { status: "ok" }]);
      assert.equal(upstream.requests.length, 0);
    },
  );

  contract("ready reports whether sign-ins can be served", async (t) => {
    const { upstream, ask, startServer } = await world(t);
    const first = await ask({ path: "/auth/ready" });
    assert.deepEqual(
      [first.status, JSON.parse(first.text)],
      [200, { status: "ready", checks: { provider: "ok" } }],
    );
    for (let i = 0; i < 20; i += 1) await ask({ path: "/auth/ready" });
    assert.equal(upstream.count("/jwks"), 1, "keys are cached");
    upstream.instead["/jwks"] = (_, response) => response.writeHead(500).end();
    const second = await startServer();
    for (let i = 0; i < 20; i += 1) {
      const { status, text, headers } = await second.ask({ path: "/auth/ready" });
      assert.equal(status, 503);
      assert.equal(headers["x-classlink-gateway-error"], "not_ready");
      const body = { status: "unavailable", checks: { provider: "failed" } };
      assert.deepEqual(JSON.parse(text), body);
    }
    assert(upstream.count("/jwks") < 10, "failures are remembered, too");
    assert.equal((await ask({ path: "/auth/ready" })).status, 200, "the old keys still serve");
  });

  contract("metrics are served if they are configured, to the token's bearer", async (t) => {
    const { ask, startServer } = await world(t);
    assert.equal((await ask({ path: "/auth/metrics" })).status, 404);
    const open = await startServer({ metrics: true });
    const { status, headers, text } = await open.ask({ path: "/auth/metrics" });
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.match(text, /^classlink_gateway_info\{server="\w+"\} 1$/m);
    const closed = await startServer({ metrics: { token: "let-me-in" } });
    for (const [value, expected] of /** @type {const} */ ([
      [undefined, 401],
      ["Bearer other", 401],
      ["Basic let-me-in", 401],
      ["Bearer let-me-in", 200],
    ])) {
      const answer = await closed.ask({
        path: "/auth/metrics",
        headers: value ? { Authorization: value } : {},
      });
      assert.equal(answer.status, expected, value);
    }
  });

  contract("metrics count requests, the provider's share and sessions", async (t) => {
    const { browser, ask, verify } = await world(t, { metrics: true });
    await browser.signIn();
    await browser.session();
    await verify();
    await browser.signOut();
    await browser.session();
    const { text } = await ask({ path: "/auth/metrics" });
    const value = (series) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${series} `))
          ?.split(" ")[1],
      );
    for (const [series, expected] of /** @type {const} */ ([
      ['requests_total{route="token",outcome="ok"}', 1],
      ['requests_total{route="session.read",outcome="ok"}', 1],
      ['requests_total{route="session.read",outcome="none"}', 1],
      ['requests_total{route="verify",outcome="ok"}', 1],
      ['requests_total{route="session.end",outcome="ok"}', 1],
      ['request_duration_seconds_count{route="token"}', 1],
      ['request_duration_seconds_bucket{route="token",le="+Inf"}', 1],
      ['provider_requests_total{endpoint="token",outcome="ok"}', 1],
      ['provider_requests_total{endpoint="jwks",outcome="ok"}', 1],
      ['provider_requests_total{endpoint="discovery",outcome="ok"}', 1],
      ['provider_duration_seconds_count{endpoint="token"}', 1],
      ["provider_requests_in_flight", 0],
      ["provider_requests_waiting", 0],
      ["sessions_begun_total", 1],
      ['sessions_ended_total{reason="sign-out"}', 1],
    ])) {
      assert.equal(value(`classlink_gateway_${series}`), expected, `${series}\n${text}`);
    }
  });

  contract("no label of a metric comes from a request, and their number is bounded", async (t) => {
    const { browser, ask } = await world(t, { metrics: true });
    await browser.signIn();
    const series = async () => {
      const { text } = await ask({ path: "/auth/metrics" });
      for (const secret of [CLIENT.clientId, PERSON.sub, "evil", "8708718", APP]) {
        assert(!text.includes(secret), secret);
      }
      return text.split("\n").length;
    };
    await ask({ path: "/auth/evil" });
    await ask({ path: "/auth/token?evil", method: "POST", headers: { ...PAGE, Origin: "evil" } });
    await series();
    const before = await series();
    for (let i = 0; i < 30; i += 1) {
      await ask({ path: `/auth/evil-${i}?evil=${i}` });
      await ask({
        path: "/auth/session",
        method: "POST",
        headers: { ...PAGE, Origin: `evil-${i}` },
      });
    }
    assert((await series()) - before <= 40);
  });

  contract(
    "each log entry has a request id, which the response has too, and the trace's",
    async (t) => {
      const { ask, logged } = await world(t);
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
      const given = "0af7651916cd43dd8448eb211c80319c";
      /** @type {[headers: Record<string, string>, requestId?: string, traceId?: string][]} */
      const requests = [
        [{}, undefined, undefined],
        [{ "X-Request-Id": given }, given, undefined],
        [{ "X-Request-Id": "Pia Privat" }, undefined, undefined],
        [{ traceparent: `00-${traceId}-00f067aa0ba902b7-01` }, undefined, traceId],
        [{ traceparent: `ff-${traceId}-00f067aa0ba902b7-01` }, undefined, undefined],
        [{ traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` }, undefined, undefined],
        [{ traceparent: "Pia Privat" }, undefined, undefined],
      ];
      const ids = [];
      for (const [headers, expected] of requests) {
        const answer = await ask({
          method: "POST",
          path: SESSION,
          headers: { ...PAGE, ...headers },
        });
        const id = String(answer.headers["x-request-id"]);
        if (expected) assert.equal(id, expected);
        else assert.match(id, /^[0-9a-f]{32}$/);
        ids.push(id);
      }
      const entries = await logged("session.read");
      assert.deepEqual(
        entries.map(({ requestId, traceId }) => [requestId, traceId]),
        requests.map(([, , trace], index) => [ids[index], trace]),
      );
    },
  );

  contract("a log entry holds no name, address, token, code or secret", async (t) => {
    const { upstream, config, server, browser } = await world(t);
    upstream.givesRefreshTokens = true;
    await browser.signIn();
    await browser.session();
    await browser.postToken(browser.form({ verifier: "x".repeat(43) }, "used"));
    await browser.signOut();
    const written = JSON.stringify(await server.logs());
    assert(written.includes(SUPPORT_CODE));
    for (const secret of [
      ...upstream.secrets,
      ...browser.verifiers,
      ...config.sealingKeys,
      CLIENT.clientSecret,
      PERSON.name,
      PERSON.email,
      PERSON.sub,
    ]) {
      assert(!written.includes(secret), `logged: ${secret}`);
    }
  });
}
