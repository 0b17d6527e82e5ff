// Who may ask, and how: sites, the SDK's header, methods, CORS, rates; and what is passed on, logged and answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, SUPPORT_CODE, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { CLIENT } from "../support/upstream.mjs";

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const CROSS = "https://portal.app.example";

test("the gateway refuses other sites' requests before it does anything", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  await browser.signIn();
  const before = upstream.requests.length;
  const cases = [
    { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
    { Origin: "https://evil.example", "Sec-Fetch-Site": null },
    // A browser never says these; a check that trusts one header alone would take them.
    { Origin: "https://evil.example" },
    { Origin: APP, "Sec-Fetch-Site": "cross-site" },
    { Origin: APP, "Sec-Fetch-Site": "same-site" },
    { Origin: APP, "Sec-Fetch-Site": "none" },
    { Origin: "null" },
    { Origin: "null", "Sec-Fetch-Site": null },
    { Origin: null },
    { Origin: null, "Sec-Fetch-Site": null },
    { Origin: "http://app.example" },
    { Origin: `${APP}:8443` },
    { Origin: `${APP}.evil.example` },
    { Origin: `${APP}/` },
    { Origin: "https://APP.example" },
  ];
  for (const headers of /** @type {Record<string, string | null>[]} */ (cases)) {
    for (const [method, path] of [
      ["POST", "/auth/token"],
      ["POST", SESSION],
      ["DELETE", SESSION],
    ]) {
      const answer = await browser.send(method, path, { headers });
      assert.equal(answer.status, 403, JSON.stringify(headers));
      assert.equal(answer.code, "forbidden_origin");
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
      assert.deepEqual(answer.cookies, []);
    }
  }
  assert.equal(entries.at(-1)?.level, "warn");
  for (const path of ["/auth/jwks", "/auth/userinfo", "/auth/my-info"]) {
    for (const headers of /** @type {Record<string, string | null>[]} */ ([
      { Origin: "https://evil.example", "Sec-Fetch-Site": null },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "none" },
    ])) {
      assert.equal((await browser.send("GET", path, { headers })).code, "forbidden_origin");
    }
  }
  assert.equal(upstream.requests.length, before);
  assert.equal((await browser.session()).status, 200, "the session is untouched");
});

test("the gateway serves a browser without Fetch Metadata by its Origin", async (t) => {
  const { browser } = await setUp(t);
  await browser.signIn();
  const headers = { "Sec-Fetch-Site": null };
  assert.equal((await browser.send("POST", SESSION, { headers })).status, 200);
  assert.equal((await browser.send("GET", "/auth/jwks", { headers })).status, 200);
});

test("the gateway behind a proxy that hides the origin goes by Sec-Fetch-Site or allowedOrigins", async (t) => {
  const { gateway, another, browser } = await setUp(t);
  await browser.signIn();
  const ask = (handler, headers) =>
    handler.handle(
      new Request(`http://10.0.0.7:3000${SESSION}`, {
        method: "POST",
        headers: { Cookie: browser.cookieHeader, "X-ClassLink-SPA": SUPPORT_CODE, ...headers },
      }),
    );
  const sameOrigin = { "Sec-Fetch-Site": "same-origin" };
  assert.equal((await ask(gateway, { Origin: APP, ...sameOrigin })).status, 200);
  assert.equal((await ask(gateway, { Origin: APP })).status, 403);
  assert.equal((await ask(gateway, { Origin: "https://evil.example", ...sameOrigin })).status, 403);
  const told = another({ allowedOrigins: [APP] }).gateway;
  assert.equal((await ask(told, { Origin: APP })).status, 200);
});

test("the gateway demands the SDK's header, eight characters of Crockford's base 32, on every request", async (t) => {
  const { upstream, browser } = await setUp(t);
  await browser.signIn();
  const before = upstream.requests.length;
  for (const value of [null, "", "1", "7KQ2M9Z", "7KQ2M9ZXX", "7KQ2M9ZI", "7KQ2M9ZU", "7KQ2M9Z "]) {
    for (const [method, path] of [
      ["POST", "/auth/token"],
      ["POST", SESSION],
      ["DELETE", SESSION],
      ["GET", "/auth/jwks"],
      ["GET", "/auth/userinfo"],
      ["GET", "/auth/my-info"],
    ]) {
      const answer = await browser.send(method, path, { headers: { "X-ClassLink-SPA": value } });
      assert.equal(answer.status, 403, `${value}`);
      assert.equal(answer.code, "missing_header");
    }
  }
  assert.equal(upstream.requests.length, before);
  assert.equal((await browser.session()).headers.get("x-classlink-spa"), SUPPORT_CODE);
});

test("the gateway responds to its own methods and paths alone", async (t) => {
  const { browser, entries } = await setUp(t);
  for (const [method, path, allow] of [
    ["GET", "/auth/token", "POST"],
    ["PUT", "/auth/token", "POST"],
    ["GET", SESSION, "POST, DELETE"],
    ["POST", "/auth/jwks", "GET"],
    ["HEAD", "/auth/userinfo", "GET"],
    ["OPTIONS", "/auth/my-info", "GET"],
  ]) {
    const answer = await browser.send(method, path);
    assert.equal(answer.status, 405);
    assert.equal(answer.code, "method_not_allowed");
    assert.equal(answer.headers.get("allow"), allow);
  }
  for (const path of [
    ...["/", "/auth", "/auth/", "/auth/token/", "/auth//token", "/authtoken", "/token"],
    ...["/auth/constructor", "/auth/__proto__", "/other/auth/token", "/auth/TOKEN"],
  ]) {
    const answer = await browser.send("GET", path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.code, "not_found");
  }
  assert.equal(entries.at(-1)?.event, "unknown");
});

test("the gateway serves another base path, or none", async (t) => {
  for (const [basePath, path] of [
    ["/api/sign-in", "/api/sign-in/health"],
    ["/", "/health"],
    ["", "/health"],
  ]) {
    const { browser } = await setUp(t, { basePath });
    assert.equal((await browser.send("GET", path)).status, 200);
  }
});

test("the gateway sends CORS headers to the allowed origins alone", async (t) => {
  const { browser } = await setUp(t, { allowedOrigins: [CROSS] });
  await browser.signIn();
  const preflight = (origin, path = SESSION) =>
    browser.send("OPTIONS", path, {
      headers: {
        Origin: origin,
        "Sec-Fetch-Site": "same-site",
        "X-ClassLink-SPA": null,
        Cookie: null,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-classlink-spa",
      },
    });
  const asked = await preflight(CROSS);
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get("access-control-allow-origin"), CROSS);
  assert.equal(asked.headers.get("access-control-allow-credentials"), "true");
  assert.equal(asked.headers.get("access-control-allow-methods"), "POST, DELETE");
  assert.match(present(asked.headers.get("access-control-allow-headers")), /X-ClassLink-SPA/);
  assert.equal(asked.headers.get("vary"), "Origin");

  for (const site of ["same-site", "cross-site", null]) {
    const headers = { Origin: CROSS, "Sec-Fetch-Site": site };
    const answer = await browser.send("POST", SESSION, { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), CROSS);
    assert.equal(
      answer.headers.get("access-control-expose-headers"),
      "Date, X-ClassLink-Gateway-Error",
    );
  }
  const failed = await browser.send("POST", "/auth/session", { headers: { Origin: CROSS } });
  assert.equal(failed.status, 400);
  assert.equal(failed.headers.get("access-control-allow-origin"), CROSS, "errors are readable too");

  for (const origin of [APP, "https://evil.example", "https://app.example.evil", "null"]) {
    const refused = await preflight(origin);
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
    assert.equal(refused.headers.get("vary"), "Origin");
  }
  assert.equal((await preflight(CROSS, "/auth/other")).status, 404);
  assert.equal((await browser.session()).headers.get("vary"), "Origin");
});

test("/health needs no header, and sends the provider no request", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  const headers = { "X-ClassLink-SPA": null, "Sec-Fetch-Site": "none" };
  const { status, json } = await browser.send("GET", "/auth/health", { headers });
  assert.deepEqual([status, json], [200, { status: "ok" }]);
  assert.equal((await browser.send("HEAD", "/auth/health", { headers })).status, 200);
  assert.equal((await browser.send("POST", "/auth/health", { headers })).status, 404);
  assert.equal(upstream.requests.length, 0);
  assert.equal(entries[0].event, "health");
});

test("/jwks returns the provider's key set, from a cache that a caller may bypass", async (t) => {
  const { upstream, browser } = await setUp(t);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => browser.send("GET", "/auth/jwks")),
  );
  assert(answers.every(({ json }) => json.keys[0].kid === upstream.key.kid));
  assert.equal(upstream.count("/jwks"), 1);
  upstream.keys = [upstream.newKey("key-2").jwk];
  assert.equal((await browser.send("GET", "/auth/jwks")).json.keys[0].kid, "key-1");
  const headers = { "Cache-Control": "no-cache" };
  for (let round = 0; round < 3; round += 1) {
    const { json } = await browser.send("GET", "/auth/jwks", { headers });
    assert.equal(json.keys[0].kid, "key-2");
  }
  assert.equal(upstream.count("/jwks"), 2);
});

test("/userinfo and /my-info return the provider's response to the caller's bearer token", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  const { json } = await browser.signIn();
  const headers = { Authorization: `Bearer ${json.access_token}` };
  for (const path of ["/userinfo", "/my-info"]) {
    const get = (authorization) =>
      browser.send("GET", `/auth${path}`, { headers: { Authorization: authorization } });
    assert.equal((await get(headers.Authorization)).status, 200);
    assert.equal(upstream.requests.at(-1)?.headers.authorization, headers.Authorization);
    assert.equal(upstream.requests.at(-1)?.headers.cookie, undefined);

    const before = upstream.count(path);
    for (const wrong of [null, "Basic abc", "Bearer", "Bearer a b", "Bearer a, Bearer b"]) {
      const answer = await get(wrong);
      assert.equal(answer.status, 401);
      assert.equal(answer.code, "missing_token");
      assert.equal(answer.headers.get("www-authenticate"), "Bearer");
    }
    assert.equal(upstream.count(path), before);

    const refused = await get("Bearer other");
    assert.equal(refused.status, 401);
    assert.equal(refused.code, null, "the provider's refusal");
    assert.deepEqual(refused.json, { error: "invalid_token" });
    assert.equal(entries.at(-1)?.upstreamStatus, 401);

    const raw = '{"UserId":12345678901234567890,"status":403,"message":"as ClassLink does"}';
    for (const [status, body, answered, code] of /** @type {const} */ ([
      [200, raw, 200, null],
      [403, "{}", 403, null],
      [404, "{}", 502, "upstream_invalid"],
      [500, "Pia", 502, "upstream_error"],
      [429, "Pia", 502, "upstream_error"],
      [200, "<html>Pia", 502, "upstream_invalid"],
      [200, "[]", 502, "upstream_invalid"],
      [302, "", 502, "upstream_invalid"],
      [200, `{"x":"${"x".repeat(2 ** 20)}"}`, 502, "upstream_invalid"],
    ])) {
      upstream.instead[path] = (_, response) =>
        response.writeHead(status, { Location: "/elsewhere" }).end(body);
      const answer = await get(headers.Authorization);
      assert.equal(answer.status, answered, body.slice(0, 30));
      assert.equal(answer.code, code);
      if (code === null && status === 200) assert.equal(answer.text, raw, "as it is");
    }
  }
});

test("/my-info is 404 when the provider's metadata names no such endpoint", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.discovery.my_info_endpoint = undefined;
  const headers = { Authorization: "Bearer abc" };
  assert.equal((await browser.send("GET", "/auth/my-info", { headers })).code, "endpoint_unknown");
});

test("rateLimit is called after the guards and before anything is done", async (t) => {
  const asked = [];
  /** @type {any} */
  let answer = true;
  const { upstream, browser } = await setUp(t, {
    rateLimit: (info) => {
      asked.push(info);
      if (answer === "throws") throw new Error("Pia");
      return answer;
    },
  });
  const context = { remoteAddress: "192.0.2.7" };
  assert.equal((await browser.send("POST", SESSION, { context })).status, 204);
  const { request, ...info } = asked[0];
  assert.deepEqual(info, {
    route: "session.read",
    remoteAddress: "192.0.2.7",
    supportCode: SUPPORT_CODE,
  });
  assert.equal(request.headers.get("origin"), APP);
  await browser.send("POST", SESSION, { headers: { Origin: "https://evil.example" } });
  await browser.send("GET", "/auth/health");
  assert.equal(asked.length, 1);

  answer = Promise.resolve(false);
  const limited = await browser.signIn();
  assert.equal(limited?.status, 429);
  assert.equal(limited.code, "rate_limited");
  assert.equal(limited?.headers.get("retry-after"), "10");
  answer = "throws";
  assert.equal((await browser.signIn()).code, "rate_limit_failed");
  answer = undefined;
  assert.equal((await browser.signIn()).code, "rate_limited", "a hook that forgets to answer");
  assert.equal(upstream.requests.length, 0);
});

const never = () => new Promise(() => {});
const rejects = () => Promise.reject(new Error("Pia"));
const throws = () => {
  throw new Error("Pia");
};
/** An object that looks like a promise and is not one. */
const badThenable = () => ({
  // biome-ignore lint/suspicious/noThenProperty: that is what is tried
  get then() {
    throw new Error("Pia");
  },
});

for (const [what, log] of Object.entries({ throws, rejects, never, badThenable })) {
  test(`a logger that ${what} changes nothing`, async (t) => {
    const { browser } = await setUp(t, { log: /** @type {any} */ (log), timeout: 100 });
    // One that hangs is waited for once, and not by every request.
    for (let i = 0; i < 5; i += 1)
      assert.equal((await browser.send("GET", "/auth/health")).status, 200);
  });
}

test("an asynchronous logger is waited for, since a runtime may stop after the response", async (t) => {
  const written = [];
  const { browser } = await setUp(t, {
    log: async (entry) => {
      await new Promise((resolve) => setImmediate(resolve));
      written.push(entry.event);
    },
  });
  await browser.send("GET", "/auth/health");
  assert.deepEqual(written, ["health"]);
});

for (const [what, rateLimit] of Object.entries({ throws, rejects, never, badThenable })) {
  test(`a rate limit that ${what} refuses in time`, async (t) => {
    const { upstream, browser } = await setUp(t, {
      rateLimit: /** @type {any} */ (rateLimit),
      timeout: 100,
    });
    const answer = await browser.signIn();
    assert.deepEqual([answer.status, answer.code], [503, "rate_limit_failed"]);
    assert.equal(upstream.requests.length, 0);
  });
}

for (const [what, fetch, code] of [
  ["throws", throws, "upstream_unreachable"],
  ["rejects", rejects, "upstream_unreachable"],
  ["resolves with nothing", async () => undefined, "upstream_unreachable"],
  ["returns no promise", () => 7, "upstream_unreachable"],
  ["never settles", never, "upstream_timeout"],
  [
    "brings a body that never ends",
    async () => new Response(new ReadableStream({ pull: never })),
    "upstream_timeout",
  ],
]) {
  test(`a fetch of the application's own that ${what} is ${code}`, async (t) => {
    const { browser } = await setUp(t, { fetch: /** @type {any} */ (fetch), timeout: 100 });
    assert.equal((await browser.signIn()).code, code);
  });
}

test("a defect of the gateway is a 500 without the error's message", async (t) => {
  const { gateway, entries } = await setUp(t);
  const request = new Request(`${APP}${SESSION}`, {
    method: "POST",
    headers: { "X-ClassLink-SPA": SUPPORT_CODE, Origin: APP },
  });
  const { get } = request.headers;
  request.headers.get = (name) => (name === "cookie" ? throws() : get.call(request.headers, name));
  const answer = await gateway.handle(request);
  assert.equal(answer.status, 500);
  assert.equal(answer.headers.get("X-ClassLink-Gateway-Error"), "internal");
  assert(!(await answer.text()).includes("Pia"));
  assert.equal(entries.at(-1)?.code, "internal");
});

// ---- Limits of what reaches the provider, on by default ----

test("the gateway passes on a hundred of three hundred invalid requests of one address", async (t) => {
  const { upstream, browser, pass } = await setUp(t);
  const headers = { Authorization: "Bearer junk" };
  const ask = (path, remoteAddress) =>
    browser.send("GET", path, { headers, context: { remoteAddress } });
  for (const path of ["/userinfo", "/my-info"]) {
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => ask(`/auth${path}`, "192.0.2.7")),
    );
    assert.equal(upstream.count(path), 100);
    const limited = answers.find(({ code }) => code === "rate_limited");
    assert.equal(limited?.status, 429);
    assert.equal(limited?.headers.get("retry-after"), "1");
    assert.equal((await ask(`/auth${path}`, "192.0.2.8")).code, null, "another address");
  }
  pass(1);
  await Promise.all(Array.from({ length: 20 }, () => ask("/auth/userinfo", "192.0.2.7")));
  assert.equal(upstream.count("/userinfo"), 100 + 1 + 10, "ten a second");
});

test("limits count an IPv6 client by its /64, an IPv4 client alike in either form, and neither by its port", async (t) => {
  const { browser } = await setUp(t, { limits: { perAddress: 1 } });
  const ask = (remoteAddress) =>
    browser.send("GET", "/auth/userinfo", {
      headers: { Authorization: "Bearer junk" },
      context: { remoteAddress },
    });
  for (const [first, ...same] of [
    [
      "2001:db8:1:2::1",
      "2001:db8:1:2:ffff:ffff:ffff:ffff",
      "2001:0DB8:0001:0002::9",
      "[2001:db8:1:2::3]",
      "[2001:db8:1:2::3]:5678",
      "[2001:db8:1:2::4%eth0]:5679",
    ],
    ["2001:db8:1:3::1", "2001:db8:1:3::2%eth0"],
    ["::1", "0:0:0:0:0:0:0:1"],
    [
      "192.0.2.1",
      "::ffff:192.0.2.1",
      "192.0.2.1:5678",
      "192.0.2.1:5679",
      "[::ffff:192.0.2.1]:5678",
    ],
    ["192.0.2.2"],
  ]) {
    assert.equal((await ask(first)).code, null, first);
    for (const address of same) assert.equal((await ask(address)).code, "rate_limited", address);
  }
});

test("the log has a duration of 0 when the clock is set back during a request", async (t) => {
  const { browser, entries, pass } = await setUp(t, {
    rateLimit: () => {
      pass(-5);
      return true;
    },
  });
  assert.equal((await browser.session()).status, 204);
  assert.deepEqual(
    entries.map(({ durationMs }) => durationMs),
    [0],
  );
});

test("limits count sign-ins, forced key fetches, renewals and revocations, and no request that reaches no provider", async (t) => {
  const { upstream, browser, pass } = await setUp(t, { limits: { perAddress: 1 } });
  upstream.givesRefreshTokens = true;
  upstream.accessTokenLifetime = 3600;
  const context = { remoteAddress: "192.0.2.7" };
  await browser.signIn();
  for (let i = 0; i < 5; i += 1) {
    assert.equal((await browser.send("POST", SESSION, { context })).status, 200);
    assert.equal((await browser.send("GET", "/auth/jwks", { context })).status, 200);
  }
  const headers = { "Cache-Control": "no-cache" };
  assert.equal((await browser.send("GET", "/auth/jwks", { context, headers })).code, null);
  assert.equal(
    (await browser.send("GET", "/auth/jwks", { context, headers })).code,
    "rate_limited",
  );
  for (let i = 0; i < 3; i += 1) {
    pass(1170);
    assert.equal((await browser.send("POST", SESSION, { context })).status, 200);
  }
  assert.equal(upstream.count("/token"), 2, "renewed");
});

test("limits let so many requests to the provider run at a time, and the others wait", async (t) => {
  let underWay = 0;
  let most = 0;
  const { browser } = await setUp(t, {
    limits: { concurrent: 3 },
    fetch: async (url, init) => {
      underWay += 1;
      most = Math.max(most, underWay);
      const response = await fetch(url, init).finally(() => {
        underWay -= 1;
      });
      return response;
    },
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.signIn()));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(most, 3);
});

test("limits refuse requests that wait too long for a provider that hangs, and serve later ones", async (t) => {
  let hangs = false;
  const { browser, entries } = await setUp(t, {
    limits: { concurrent: 2 },
    timeout: 3000,
    fetch: (url, init) => (hangs ? never() : fetch(url, init)),
  });
  await browser.signIn();
  hangs = true;
  const answers = await Promise.all(Array.from({ length: 5 }, () => browser.signIn()));
  const codes = answers.map(({ code }) => code).sort();
  assert.deepEqual(codes, [...Array(3).fill("overloaded"), ...Array(2).fill("upstream_timeout")]);
  assert.equal(answers.find(({ code }) => code === "overloaded")?.status, 503);
  assert.equal(entries.at(-1)?.level, "error");
  hangs = false;
  assert.equal((await browser.signIn()).status, 200);
});
