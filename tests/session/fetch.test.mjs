/** `client.fetch`: the access token goes to the application's own APIs, and never anywhere else. */

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.mjs";
import { engine } from "../support/engine.mjs";
import {
  callInPage,
  countRequests,
  loginOverHttp,
  PATHS,
  sharedLoginApp,
  snapshot,
} from "../support/login.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/serve.mjs";
import { accessToken, advanceClocks, installClockOffsets } from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp(
  {},
  { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 },
);

/**
 * A request that an API was sent.
 *
 * @typedef {object} Seen
 * @property {string | undefined} method
 * @property {string | undefined} path
 * @property {string | undefined} authorization
 * @property {string | undefined} type
 * @property {string | string[] | undefined} extra
 * @property {string} body
 */

/**
 * An API that pages of any origin may call.
 *
 * @param {import("node:test").TestContext} t
 * @param {(request: Seen) => { status?: number, headers?: Record<string, string>, body?: string }} [answer]
 */
async function startApi(t, answer = () => ({})) {
  /** @type {Seen[]} */
  const requests = [];
  const listener = async (request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Headers", "authorization, content-type, x-extra");
    response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { authorization, "content-type": type, "x-extra": extra } = request.headers;
    const seen = {
      method: request.method,
      path: request.url,
      authorization,
      type,
      extra,
      body: Buffer.concat(chunks).toString(),
    };
    requests.push(seen);
    const { status = 200, headers, body = "{}" } = answer(seen);
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
  };
  return { ...(await serve(t, listener)), requests };
}

/** A user signed in, on a page that may call `api`. */
async function signedIn(t, api, options) {
  const { page, context, requests } = await browser.newPage(t);
  await installClockOffsets(context);
  const config = { apiOrigins: [api.origin] };
  const world = await startLoginApp(t, { interceptNavigation: true, config, ...options });
  await world.open(page);
  await loginOverHttp(page);
  world.standIn.requests.length = 0;
  requests.length = 0;
  return { page, context, sent: requests, ...world };
}

/** Calls `client.fetch` with arguments given as JavaScript, in which `api` is the API's origin. */
const call = (page, api, args) =>
  callInPage(
    page,
    `(async (api) => {
      const response = await client.fetch(${args});
      const { status, type, redirected } = response;
      return { status, type, redirected, text: await response.text() };
    })(${JSON.stringify(api.origin)})`,
  );

const OK = { status: 200, type: "cors", redirected: false, text: "{}" };

// ---- Where the token goes ----

test("client.fetch sends an API of apiOrigins the token, and everything that the caller gave", async (t) => {
  const api = await startApi(t);
  const { page } = await signedIn(t, api);
  const authorization = `Bearer ${await accessToken(page)}`;

  for (const args of [
    "api + '/a?b=c'",
    "new URL('/a?b=c', api)",
    "new Request(api + '/a?b=c')",
    "new Request(api + '/a?b=c', { headers: { Authorization: 'Bearer stale' } })",
  ]) {
    assert.deepEqual(await call(page, api, args), OK, args);
    const { method, path, authorization: got } = present(api.requests.pop());
    assert.deepEqual({ method, path, got }, { method: "GET", path: "/a?b=c", got: authorization });
  }

  await call(
    page,
    api,
    "api + '/a', { method: 'PUT', body: JSON.stringify({ a: 1 }), headers: { 'Content-Type': 'application/json', 'X-Extra': 'é'.length } }",
  );
  assert.deepEqual(api.requests.pop(), {
    method: "PUT",
    path: "/a",
    authorization,
    type: "application/json",
    extra: "1",
    body: '{"a":1}',
  });
});

test("client.fetch sends nothing to an origin that is not allowed, however its URL is written", async (t) => {
  const api = await startApi(t);
  const other = await startApi(t);
  const { page, sent, app } = await signedIn(t, api);
  const { host } = new URL(api.origin);

  for (const url of [
    other.origin,
    `//localhost:${other.port}/`,
    `/\\localhost:${other.port}/`,
    `\\\\localhost:${other.port}/`,
    `http://${host}%2eevil.example/`.replace(`:${api.port}`, ""),
    `http://localhost:${String(api.port).slice(0, -1)}/`,
    `https://${host}/`,
    `http://127.0.0.1:${api.port}/`,
    `http://localhost.:${api.port}/`,
    `http://localhost.evil.example:${api.port}/`,
    "https://api.example.evil/",
    "/own",
    "data:text/plain,a",
    `blob:${api.origin}/1b671a64-40d5-491e-99b0-da01ff1f3341`,
  ]) {
    const { error } = await call(page, api, JSON.stringify(url));
    assert.equal(error?.code, "origin_not_allowed", url);
    const { error: asRequest } = await call(page, api, `new Request(${JSON.stringify(url)})`);
    assert.equal(asRequest?.code, "origin_not_allowed", url);
  }

  assert.deepEqual(other.requests, []);
  assert.deepEqual(api.requests, []);
  assert.deepEqual(
    sent.map((request) => request.url()),
    [],
  );
  assert.equal((await call(page, api, `"${app.origin}/"`)).error.code, "origin_not_allowed");
});

test("client.fetch recognizes an allowed origin in another spelling", async (t) => {
  const api = await startApi(t);
  const { page } = await signedIn(t, api);
  for (const url of [
    `HTTP://LOCALHOST:${api.port}/x`,
    `//localhost:${api.port}/x`,
    ` ${api.origin}/x `,
  ]) {
    assert.equal((await call(page, api, JSON.stringify(url))).status, 200, url);
  }
});

test("client.fetch names the refused origin and the alternative when an origin is not in apiOrigins", async (t) => {
  const api = await startApi(t);
  const { page } = await signedIn(t, api);
  const { error } = await call(page, api, '"https://other.example/private?name=Ada"');
  assert.equal(
    error.message,
    "client.fetch sends no access token to https://other.example: add it to `apiOrigins` if it may have the token, or call the platform's fetch.",
  );
});

test("client.fetch without a session is not_signed_in, and sends no request", async (t) => {
  const api = await startApi(t);
  const { page, sent } = await signedIn(t, api);
  await callInPage(page, "client.logout()");
  assert.equal((await call(page, api, "api")).error.code, "not_signed_in");
  await page.evaluate("client.close()");
  assert.equal((await call(page, api, "api")).error.code, "client_closed");
  assert.equal(sent.length, 0);
});

// ---- Redirects ----

test("client.fetch follows no redirect, and sends the token to no other origin", async (t) => {
  const other = await startApi(t);
  const api = await startApi(t, ({ path }) => ({
    status: Number(path?.slice(1)),
    headers: { Location: `${other.origin}/stolen`, "Cache-Control": "no-store" },
  }));
  const { page } = await signedIn(t, api);

  for (const status of [301, 302, 303, 307, 308]) {
    const { error } = await call(page, api, `api + "/${status}"`);
    assert.equal(error.code, "origin_not_allowed", String(status));
    const { error: refused } = await call(page, api, `api + "/${status}", { redirect: "error" }`);
    assert.equal(refused.name, "TypeError", "as from the platform");
    assert.deepEqual(await call(page, api, `api + "/${status}", { redirect: "manual" }`), {
      status: 0,
      type: "opaqueredirect",
      redirected: false,
      text: "",
    });
    const inRequest = `new Request(api + "/${status}", { redirect: "error" })`;
    assert.equal((await call(page, api, inRequest)).error.name, "TypeError");
  }

  assert.deepEqual(other.requests, []);
  assert.equal(api.requests.length, 20);
});

// ---- 401: one renewal, one more try ----

/** An API that refuses the first token it sees. */
async function startForgetfulApi(t) {
  let refused;
  const api = await startApi(t, ({ authorization }) => {
    refused ??= authorization;
    return authorization === refused ? { status: 401, body: '"refused"' } : {};
  });
  return Object.assign(api, {
    forget() {
      refused = undefined;
      api.requests.length = 0;
    },
  });
}

for (const [name, init, body] of /** @type {const} */ ([
  ["without a body", "", /^$/],
  ["with a string", ", { method: 'POST', body: 'text' }", /^text$/],
  ["with a Blob", ", { method: 'POST', body: new Blob(['blob']) }", /^blob$/],
  ["with bytes", ", { method: 'POST', body: new TextEncoder().encode('bytes') }", /^bytes$/],
  ["with URL parameters", ", { method: 'POST', body: new URLSearchParams({ a: 'b' }) }", /^a=b$/],
  [
    "with a form",
    ", { method: 'POST', body: (() => { const form = new FormData(); form.set('a', 'b'); return form; })() }",
    /name="a"\r\n\r\nb\r\n/,
  ],
])) {
  test(`a 401 to a request ${name} leads to one renewal and one more try`, async (t) => {
    const api = await startForgetfulApi(t);
    const { page, standIn } = await signedIn(t, api);

    assert.deepEqual(await call(page, api, `api${init}`), OK);

    assert.equal(countRequests(standIn, PATHS.token), 1);
    assert.equal(api.requests.length, 2);
    for (const request of api.requests) assert.match(request.body, body);
    const [first, second] = api.requests;
    assert.notEqual(second.authorization, first.authorization);
    // Two bodies of one form have boundaries of their own.
    if (!/form/.test(name)) assert.equal(second.type, first.type);
  });
}

test("client.fetch sends the second try where the first went when the URL object was changed meanwhile", async (t) => {
  const other = await startApi(t);
  const api = await startForgetfulApi(t);
  const { page } = await signedIn(t, api);
  const sent = await callInPage(
    page,
    `(async () => {
      const url = new URL("/first", ${JSON.stringify(api.origin)});
      const init = { method: "POST", body: "first", headers: { "X-Extra": "first" } };
      const response = client.fetch(url, init);
      url.host = ${JSON.stringify(`localhost:${other.port}`)};
      url.pathname = "/second";
      init.body = init.headers["X-Extra"] = "second";
      return (await response).status;
    })()`,
  );

  assert.equal(sent, 200);
  assert.deepEqual(other.requests, []);
  assert.deepEqual(
    api.requests.map(({ path, body, extra }) => ({ path, body, extra })),
    Array(2).fill({ path: "/first", body: "first", extra: "first" }),
  );
});

browserTest(
  "client.fetch repeats a Request without a body; one with a body, and a stream, it sends once",
  async (t) => {
    const api = await startForgetfulApi(t);
    const { page, standIn } = await signedIn(t, api);
    // Firefox doesn't show whether a Request has a body: what may have one is sent once, what has none by its method twice.
    const shown = await page.evaluate("'body' in Request.prototype");
    const { status } = await call(page, api, "new Request(api, { method: 'DELETE' })");
    assert.equal(status, shown ? 200 : 401);
    if (!shown) assert.equal((await call(page, api, "new Request(api)")).status, 200);
    assert.equal(countRequests(standIn, PATHS.token), 1);

    api.forget();
    const withBody = "new Request(api, { method: 'POST', body: 'once' })";
    assert.deepEqual(await call(page, api, withBody), { ...OK, status: 401, text: '"refused"' });
    assert.deepEqual(
      api.requests.map(({ body }) => body),
      ["once"],
    );
    assert.equal(countRequests(standIn, PATHS.token), 1);

    // Chromium streams by HTTP/2 alone, WebKit not at all, Firefox sends a word in its place: what counts is that nothing is
    // sent twice.
    api.forget();
    const stream = "api, { method: 'POST', duplex: 'half', body: new Blob(['a']).stream() }";
    const { error, status: streamed } = await call(page, api, stream);
    if (engine === "firefox") assert.equal(streamed, 401);
    else assert.equal(error?.name, engine === "webkit" ? "NotSupportedError" : "TypeError");
    assert.equal(api.requests.length, engine === "firefox" ? 1 : 0);
    assert.equal(countRequests(standIn, PATHS.token), 1);
  },
);

test("client.fetch returns a second 401, and renews once for many at once", async (t) => {
  const api = await startApi(t, () => ({ status: 401, body: '"never"' }));
  const { page, standIn } = await signedIn(t, api);
  const args = JSON.stringify(api.origin);
  const statuses = await page.evaluate(
    `Promise.all(Array.from({ length: 5 }, () => client.fetch(${args}).then(({ status }) => status)))`,
  );
  assert.deepEqual(statuses, Array(5).fill(401));
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.equal(api.requests.length, 10);
  assert.equal((await snapshot(page)).status, "signed-in");
});

test("client.fetch returns a 401 that remains after a renewal, and keeps the session", async (t) => {
  const api = await startApi(t, () => ({ status: 401 }));
  const { page, standIn } = await signedIn(t, api);
  standIn.fail("token");
  assert.equal((await call(page, api, "api")).status, 401);
  assert.equal(api.requests.length, 1);
  assert.equal((await snapshot(page)).status, "signed-in");
});

test("client.fetch renews an expired token before it sends anything", async (t) => {
  const api = await startApi(t);
  const { page, standIn } = await signedIn(t, api);
  const stale = await accessToken(page);
  await advanceClocks(page, 301);
  assert.equal((await call(page, api, "api")).status, 200);
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.notEqual(api.requests[0].authorization, `Bearer ${stale}`);
});

// ---- As the platform's ----

test("client.fetch rejects an aborted request as the platform does, also while a token is renewed", async (t) => {
  const api = await startApi(t);
  const { page, standIn } = await signedIn(t, api);
  assert.equal(
    (await call(page, api, "api, { signal: AbortSignal.abort() }")).error.name,
    "AbortError",
  );
  const inRequest = "new Request(api, { signal: AbortSignal.abort() })";
  assert.equal((await call(page, api, inRequest)).error.name, "AbortError");
  assert.deepEqual(api.requests, []);

  standIn.delay("token", 60_000);
  await advanceClocks(page, 301);
  const { error } = await call(page, api, "api, { signal: AbortSignal.timeout(200) }");
  assert.equal(error.name, "TimeoutError");
  assert.deepEqual(api.requests, []);
});

browserTest(
  "client.fetch leaves no listener behind when many requests share one signal",
  async (t) => {
    const api = await startApi(t);
    const { page } = await signedIn(t, api);
    const listening = await callInPage(
      page,
      `(async (api) => {
        let count = 0;
        const { addEventListener, removeEventListener } = EventTarget.prototype;
        AbortSignal.prototype.addEventListener = function (...args) {
          count++;
          addEventListener.apply(this, args);
        };
        AbortSignal.prototype.removeEventListener = function (...args) {
          count--;
          removeEventListener.apply(this, args);
        };
        const { signal } = new AbortController();
        for (let n = 0; n < 3; n++) await client.fetch(api, { signal });
        return count;
      })(${JSON.stringify(api.origin)})`,
    );
    assert.equal(listening, 0);
    assert.equal(api.requests.length, 3);
  },
);

test("client.fetch rejects what the platform's fetch rejects, with the same error", async (t) => {
  const api = await startApi(t);
  const { page } = await signedIn(t, api);
  for (const args of [
    "'http://['",
    "api, { method: 'GET', body: 'a' }",
    // No request has a user name.
    "api.replace('//', '//user:password@')",
    `"http://localhost:${api.port}@localhost:1/"`,
  ]) {
    assert.equal((await call(page, api, args)).error.name, "TypeError", args);
  }
  assert.deepEqual(api.requests, []);
});

test("client.fetch calls the page's own fetch wrapper, with a Request", async (t) => {
  const api = await startForgetfulApi(t);
  const { page, standIn } = await signedIn(t, api);
  await page.evaluate(() => {
    const platform = window.fetch;
    window.wrapped = [];
    window.fetch = async (...args) => {
      const { method, url = String(args[0]) } = /** @type {Partial<Request>} */ (args[0]);
      window.wrapped.push([method, url]);
      const response = await platform(...args);
      return new Response(await response.blob(), response);
    };
  });

  assert.equal((await call(page, api, "api + '/x', { method: 'POST', body: 'a' }")).status, 200);

  const toApi = (await page.evaluate("wrapped")).filter(([, url]) => url.startsWith(api.origin));
  assert.deepEqual(toApi, Array(2).fill(["POST", `${api.origin}/x`]));
  assert.equal(countRequests(standIn, PATHS.token), 1);
});
