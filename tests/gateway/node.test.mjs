// The adapter for node:http and Express, over real HTTP.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import { connect as connectTo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { importEntry } from "../support/bundle.mjs";
import { APP, newLogin, SUPPORT_CODE, setUp } from "../support/gateway.mjs";
import { listen } from "../support/serve.mjs";
import { CLIENT } from "../support/upstream.mjs";

const { stopOnSignal, toNodeHandler, toRequest } = await importEntry("gateway-node");

/** Serves a listener until the test ends; returns a function that sends a request to it. */
async function serve(t, listener) {
  const port = await listen(t, createServer(listener));
  const origin = `http://127.0.0.1:${port}`;
  /**
   * @param {string} method
   * @param {string} path
   * @param {{ headers?: Record<string, string | undefined>, body?: string }} [options]
   */
  const ask = async (method, path, { headers = {}, body } = {}) => {
    const request = send({ port, host: "127.0.0.1", method, path, headers });
    request.end(body);
    const [response] = await once(request, "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  return { origin, ask };
}

const SDK = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin" };
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;

test("the Node listener serves a sign-in, a reload and a sign-out", async (t) => {
  const { gateway, upstream, browser } = await setUp(t);
  const { origin, ask } = await serve(t, toNodeHandler(gateway));
  const headers = { ...SDK, Origin: origin };
  const login = newLogin();
  const body = browser.form(login, upstream.authorize(login)).toString();
  const answer = await ask("POST", "/auth/token", { headers: { ...headers, ...FORM }, body });
  assert.equal(answer.status, 200);
  assert(JSON.parse(answer.body).id_token);
  assert(!Array.isArray(answer.headers.date) && answer.headers.date);
  const Cookie = answer.headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");

  const reloaded = await ask("POST", SESSION, { headers: { ...headers, Cookie } });
  assert.equal(reloaded.status, 200);
  const ended = await ask("DELETE", SESSION, { headers: { ...headers, Cookie } });
  assert.deepEqual([ended.status, ended.body], [204, ""]);
  assert.equal(ended.headers["content-length"], undefined);
  assert(ended.headers["set-cookie"].some((line) => /\.0=;.*Max-Age=0$/.test(line)));
  const foreign = await ask("POST", SESSION, { headers: { ...headers, Origin: APP, Cookie } });
  assert.equal(foreign.status, 200, "same-origin to the browser, and the application's");
  const evil = await ask("POST", SESSION, {
    headers: { ...headers, Origin: "https://evil.example" },
  });
  assert.equal(evil.status, 403);
});

test("the Node listener sends two cookies, and reads both", async (t) => {
  const { gateway, upstream, browser } = await setUp(t);
  const { origin, ask } = await serve(t, toNodeHandler(gateway));
  const headers = { ...SDK, Origin: origin };
  const login = newLogin();
  const code = upstream.authorize({ ...login, claims: { bulk: "x".repeat(1400) } });
  const body = browser.form(login, code).toString();
  const answer = await ask("POST", "/auth/token", { headers: { ...headers, ...FORM }, body });
  assert.equal(answer.headers["set-cookie"].length, 2);
  const Cookie = answer.headers["set-cookie"].map((line) => line.split(";")[0]);
  assert.equal((await ask("POST", SESSION, { headers: { ...headers, Cookie } })).status, 200);
});

test("the Node listener cuts off an endless body", async (t) => {
  const { gateway } = await setUp(t);
  const { origin, ask } = await serve(t, toNodeHandler(gateway));
  const headers = { ...SDK, ...FORM, Origin: origin };
  const answer = await ask("POST", "/auth/token", { headers, body: "x".repeat(100_000) });
  assert.equal(answer.status, 413);
});

test("the Node listener passes other paths on to the application, whose requests getSession reads", async (t) => {
  const { gateway, browser } = await setUp(t);
  await browser.signIn();
  const handler = toNodeHandler(gateway);
  const { ask } = await serve(t, (request, response) => {
    handler(request, response, async (error) => {
      assert.equal(error, undefined);
      const session = await gateway.getSession(toRequest(request));
      response.end(session ? session.user.sub : "no session");
    });
  });
  assert.equal((await ask("GET", "/api")).body, "no session");
  const headers = { Cookie: browser.cookieHeader };
  assert.equal((await ask("GET", "/api", { headers })).body, "8708718");
  assert.equal((await ask("POST", "/api", { headers, body: "x" })).body, "8708718");
  assert.equal((await ask("GET", "/auth/health")).body, '{"status":"ok"}');
  assert.equal((await ask("GET", "//evil.example/auth/health")).body, "no session");
});

test("the Node listener without an application responds 404 to another path, and 400 to an unreadable request", async (t) => {
  const { gateway } = await setUp(t);
  const { ask } = await serve(t, toNodeHandler(gateway));
  assert.equal((await ask("GET", "/api")).status, 404);
  assert.equal((await ask("GET", "/auth/health", { headers: { Host: "a b" } })).status, 400);
});

test("the Node listener calls a `handle` that the application has wrapped", async (t) => {
  const { gateway } = await setUp(t);
  const asked = [];
  /** @type {typeof gateway.handle} */
  const handle = (request, context) => {
    asked.push(new URL(request.url).pathname);
    return gateway.handle(request, context);
  };
  const { ask } = await serve(t, toNodeHandler({ ...gateway, handle }));
  assert.equal((await ask("GET", "/auth/health")).status, 200);
  assert.equal((await ask("TRACE", "/auth/session")).status, 405);
  assert.deepEqual(asked, ["/auth/health", "/auth/session"]);
});

test("the Node listener takes the origin from its options behind a proxy", async (t) => {
  const { gateway, browser } = await setUp(t);
  await browser.signIn();
  const { ask } = await serve(t, toNodeHandler(gateway, { origin: APP }));
  const headers = { "X-ClassLink-SPA": SUPPORT_CODE, Origin: APP, Cookie: browser.cookieHeader };
  assert.equal((await ask("POST", SESSION, { headers })).status, 200);
  const forged = { ...headers, Origin: "https://evil.example", "X-Forwarded-Host": "evil.example" };
  assert.equal((await ask("POST", SESSION, { headers: forged })).status, 403);
});

test("the Node listener works in Express, mounted and behind a body parser", async (t) => {
  const { gateway, upstream, browser } = await setUp(t);
  const handler = toNodeHandler(gateway);
  const parsers = [
    (body) => Object.fromEntries(new URLSearchParams(body)),
    (body) => body,
    (body) => Buffer.from(body),
  ];
  for (const parse of parsers) {
    const { origin, ask } = await serve(t, async (request, response) => {
      request.body = parse(await text(request));
      request.originalUrl = request.url;
      request.url = request.url.replace("/auth", "");
      handler(request, response, () => response.writeHead(599).end());
    });
    const headers = { ...SDK, ...FORM, Origin: origin };
    const login = newLogin();
    const body = browser.form(login, upstream.authorize(login)).toString();
    assert.equal((await ask("POST", "/auth/token", { headers, body })).status, 200);
  }
});

test("a repeated parameter that a body parser made a list of is refused", async (t) => {
  const { gateway, upstream, browser } = await setUp(t);
  const handler = toNodeHandler(gateway);
  const { origin, ask } = await serve(t, async (request, response) => {
    const form = new URLSearchParams(await text(request));
    request.body = { ...Object.fromEntries(form), code: form.getAll("code") };
    handler(request, response);
  });
  const login = newLogin();
  const form = browser.form(login, upstream.authorize(login));
  form.append("code", "another");
  const headers = { ...SDK, ...FORM, Origin: origin };
  const answer = await ask("POST", "/auth/token", { headers, body: form.toString() });
  assert.equal(answer.headers["x-classlink-gateway-error"], "request_invalid");
});

test("rateLimit is given the peer's address", async (t) => {
  const heard = [];
  const { gateway } = await setUp(t, { rateLimit: (info) => heard.push(info.remoteAddress) > 0 });
  const { origin, ask } = await serve(t, toNodeHandler(gateway));
  await ask("POST", SESSION, { headers: { ...SDK, Origin: origin } });
  assert.deepEqual(heard, ["127.0.0.1"]);
});

test("a remoteAddress that is not a string leaves the peer's address", async (t) => {
  const heard = [];
  const { gateway } = await setUp(t, { rateLimit: (info) => heard.push(info.remoteAddress) > 0 });
  const remoteAddress = /** @type {any} */ (() => ["192.0.2.7"]);
  const { origin, ask } = await serve(t, toNodeHandler(gateway, { remoteAddress }));
  const { status } = await ask("POST", SESSION, { headers: { ...SDK, Origin: origin } });
  assert.equal(status, 204);
  assert.deepEqual(heard, ["127.0.0.1"]);
});

// ---- The path comes from the request line alone ----

test("a malformed Host, or one with a path, is refused by the gateway", async (t) => {
  const { gateway, browser, entries } = await setUp(t);
  await browser.signIn();
  const { ask } = await serve(t, toNodeHandler(gateway));
  const headers = { ...SDK, Cookie: browser.cookieHeader };
  for (const host of [
    `x${SESSION}&`,
    "x/auth/session?client_id=client-1&",
    "a b",
    "a@b",
    "a:b",
    "a:1:2",
    "[::1",
    "ä",
  ]) {
    const answer = await ask("POST", SESSION, { headers: { ...headers, Host: host } });
    assert.equal(answer.status, 400, host);
    assert.equal(answer.headers["x-classlink-gateway-error"], "request_invalid", host);
    assert.doesNotMatch(answer.body, /at |Error/);
    assert.equal(entries.at(-1)?.code, "request_invalid");
    assert.equal(
      (await ask("POST", "/auth/zzz", { headers: { ...headers, Host: host } })).status,
      404,
    );
  }
  assert.equal((await ask("GET", "http://evil.example/auth/health")).body, '{"status":"ok"}');
});

test("TRACE, TRACK and CONNECT get the gateway's own response, and a log entry", async (t) => {
  const { gateway, entries } = await setUp(t);
  const { origin } = await serve(t, toNodeHandler(gateway));
  const { port } = new URL(origin);
  for (const method of ["TRACE", "trace", "TRACK"]) {
    const socket = connectTo({ port: Number(port), host: "127.0.0.1" });
    socket.end(`${method} ${SESSION} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    if (method !== "TRACE") continue; // Node's own parser refuses the others.
    assert.match(answer, /^HTTP\/1.1 405 /);
    assert.match(answer, /Allow: POST, DELETE/i);
    assert.match(answer, /X-ClassLink-Gateway-Error: method_not_allowed/i);
    assert.equal(entries.at(-1)?.code, "method_not_allowed");
  }
});

test("the Node listener serves a sign-in, a reload and a sign-out over HTTP/2", async (t) => {
  const { gateway, upstream, browser } = await setUp(t);
  const server = createHttp2Server(toNodeHandler(gateway)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const origin = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  const client = connect(origin);
  t.after(() => client.close());
  /** @type {(method: string, path: string, headers?: object, body?: string) => Promise<any>} */
  const ask = async (method, path, headers = {}, body = undefined) => {
    const stream = client.request({
      ":method": method,
      ":path": path,
      ...SDK,
      origin,
      ...headers,
    });
    stream.end(body);
    const [answer] = await once(stream, "response");
    return { status: answer[":status"], headers: answer, body: await text(stream) };
  };
  const login = newLogin();
  const form = browser.form(login, upstream.authorize(login)).toString();
  const signedIn = await ask("POST", "/auth/token", FORM, form);
  assert.equal(signedIn.status, 200, signedIn.body);
  const cookie = signedIn.headers["set-cookie"].map((line) => line.split(";")[0]);
  assert.equal((await ask("POST", SESSION, { cookie })).status, 200);
  assert.equal((await ask("DELETE", SESSION, { cookie })).status, 204);
  assert.equal((await ask("GET", "/auth/zzz")).status, 404);
  const tunnel = client.request({ ":method": "CONNECT", ":authority": "app.example:443" });
  const [refused] = await once(tunnel, "response");
  assert.equal(refused[":status"], 405);
  tunnel.close();
});

// ---- Stopping ----

/** A server whose sign-in is held at the provider until `release()`. */
async function serveHeld(t, setUpStop) {
  const all = await setUp(t);
  const { upstream, gateway, browser } = all;
  const server = createServer(toNodeHandler(gateway)).listen(0, "127.0.0.1");
  const stop = setUpStop(server);
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  let release;
  const arrived = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    upstream.instead["/token"] = async (_, response) => {
      await new Promise((go) => {
        release = go;
        resolve();
      });
      response.writeHead(400).end('{"error":"invalid_grant"}');
    };
  });
  const login = newLogin();
  const request = send({
    port,
    agent,
    host: "127.0.0.1",
    method: "POST",
    path: "/auth/token",
    headers: { ...SDK, ...FORM, Origin: origin },
  });
  request.on("error", () => undefined);
  request.end(browser.form(login, upstream.authorize(login)).toString());
  const answered = once(request, "response");
  await arrived;
  return { server, stop, port, answered, release: () => release() };
}

test("a stop finishes the exchange that is under way, takes no other, and then ends", async (t) => {
  let stopped;
  const hasStopped = new Promise((resolve) => {
    stopped = resolve;
  });
  const { stop, port, answered, release } = await serveHeld(t, (server) =>
    stopOnSignal(server, { signals: [], onStopped: stopped }),
  );
  stop();
  const refused = connectTo({ port: Number(port), host: "127.0.0.1" });
  assert.equal((await once(refused, "error"))[0].code, "ECONNREFUSED");
  release();
  const [response] = await answered;
  assert.equal(response.statusCode, 400);
  assert.equal(response.headers.connection, "close");
  assert.deepEqual(JSON.parse(await text(response)), { error: "invalid_grant" });
  await hasStopped;
});

test("a stop ends requests that take too long", async (t) => {
  let stopped;
  const hasStopped = new Promise((resolve) => {
    stopped = resolve;
  });
  const { stop, answered } = await serveHeld(t, (server) =>
    stopOnSignal(server, { signals: [], timeout: 10, onStopped: stopped }),
  );
  stop();
  await assert.rejects(answered, { code: "ECONNRESET" });
  await hasStopped;
});

test("a stop by signal is listened for once, and not after it", async (t) => {
  const { gateway } = await setUp(t);
  const server = createServer(toNodeHandler(gateway)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const before = process.listenerCount("SIGUSR2");
  const stopped = new Promise((resolve) => {
    stopOnSignal(server, { signals: ["SIGUSR2"], onStopped: () => resolve(undefined) });
  });
  assert.equal(process.listenerCount("SIGUSR2"), before + 1);
  process.emit("SIGUSR2");
  await stopped;
  assert.equal(process.listenerCount("SIGUSR2"), before);
});
