/** Requests that no browser sends: malformed, ambiguous, endless, or for a path that only looks like a route's. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { APP, newLogin, SUPPORT_CODE } from "../../support/gateway.mjs";
import { CLIENT, holdNextTokenResponse } from "../../support/upstream.mjs";
import { askRaw, startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const FORM = "application/x-www-form-urlencoded";
const PAGE = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP };
const HEAD =
  `POST /auth/token HTTP/1.1\r\nHost: app.example\r\nX-ClassLink-SPA: ${SUPPORT_CODE}\r\n` +
  `Sec-Fetch-Site: same-origin\r\nOrigin: ${APP}\r\nContent-Type: ${FORM}\r\n`;

/** @param {ServerAdapter} adapter */
export function hostileRequestTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract("a body whose end is ambiguous is refused, and nothing is smuggled", async (t) => {
    const { server, upstream } = await world(t);
    const smuggled = "GET /auth/health HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const rest of [
      `Content-Length: +4\r\n\r\ncode${smuggled}`,
      `Content-Length: 4, 5\r\n\r\ncode${smuggled}`,
      `Content-Length: 0x4\r\n\r\ncode${smuggled}`,
      `Content-Length: 99999999999999999999\r\n\r\ncode${smuggled}`,
      `Content-Length : 4\r\n\r\ncode${smuggled}`,
      `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
      `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${smuggled}`,
      `Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n${smuggled}`,
      `Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n${smuggled}`,
      `Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n${smuggled}`,
    ]) {
      const answer = await askRaw(server.baseUrl, HEAD + rest);
      const about = `${rest.slice(0, 70)}: ${answer.slice(0, 200)}`;
      assert(!answer.includes('"status":"ok"'), about);
      assert(!/^HTTP\/1\.1 [235]/m.test(answer), about);
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("a body without an end is refused once it is over 8 KiB", async (t) => {
    const { server, upstream } = await world(t);
    const { hostname, port } = new URL(server.baseUrl);
    for (const framing of ["Transfer-Encoding: chunked", "Content-Length: 1000000000000"]) {
      const socket = connect({ host: hostname, port: Number(port) });
      await once(socket, "connect");
      socket.on("error", () => undefined);
      const part = framing.startsWith("T") ? `400\r\n${"x".repeat(1024)}\r\n` : "x".repeat(1024);
      socket.write(`${HEAD}${framing}\r\n\r\n`);
      // Goes on until the server answers, however much it takes.
      const writing = setInterval(() => socket.writable && socket.write(part), 1);
      const [first] = await once(socket, "data");
      clearInterval(writing);
      socket.destroy();
      assert.match(String(first), /^HTTP\/1\.1 413 .*body_too_large/s, framing);
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("a head that is too large is refused, and the next request is served", async (t) => {
    const { server, ask } = await world(t);
    for (const head of [
      `Cookie: ${"a=b; ".repeat(40_000)}`,
      Array.from({ length: 5000 }, (_, i) => `X-${i}: ${"x".repeat(20)}`).join("\r\n"),
    ]) {
      const answer = await askRaw(
        server.baseUrl,
        `GET /auth/health HTTP/1.1\r\nHost: app.example\r\n${head}\r\n\r\n`,
      );
      assert.match(answer, /^(?:HTTP\/1\.1 (?:400|431) |$)/, answer.slice(0, 200));
    }
    assert.equal((await ask({ path: "/auth/health" })).status, 200);
  });

  contract("a header that must be single and comes twice is refused", async (t) => {
    const { server, upstream } = await world(t);
    for (const [name, value, code] of [
      ["Origin", APP, "forbidden_origin"],
      ["Origin", "https://evil.example", "forbidden_origin"],
      ["Sec-Fetch-Site", "same-origin", "forbidden_origin"],
      ["Sec-Fetch-Site", "cross-site", "forbidden_origin"],
      ["X-ClassLink-SPA", SUPPORT_CODE, "missing_header"],
    ]) {
      const answer = await askRaw(
        server.baseUrl,
        `POST ${SESSION} HTTP/1.1\r\nHost: app.example\r\nX-ClassLink-SPA: ${SUPPORT_CODE}\r\n` +
          `Sec-Fetch-Site: same-origin\r\nOrigin: ${APP}\r\n${name}: ${value}\r\n` +
          "Content-Length: 0\r\nConnection: close\r\n\r\n",
      );
      const about = `${name}: ${value}: ${answer.slice(0, 300)}`;
      assert.match(answer, /^HTTP\/1\.1 403 /, about);
      assert(answer.includes(String(code)), about);
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("two Host headers are refused", async (t) => {
    const { server } = await world(t);
    const answer = await askRaw(
      server.baseUrl,
      `POST ${SESSION} HTTP/1.1\r\nHost: app.example\r\nHost: evil.example\r\n` +
        `X-ClassLink-SPA: ${SUPPORT_CODE}\r\nOrigin: http://app.example\r\n` +
        "Content-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 400 /, answer.slice(0, 300));
  });

  contract("a path that only resolves or decodes to a route is not served", async (t) => {
    const { server } = await world(t);
    for (const path of [
      "/auth/x/../health",
      "/auth/./health",
      "/auth/%68ealth",
      "/auth/health/",
      "/auth/health;a=b",
      "/auth/health%00",
      "/auth/health%3F",
      "/auth\\health",
      "/AUTH/health",
      "//auth/health",
    ]) {
      const answer = await askRaw(
        server.baseUrl,
        `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`,
      );
      assert(!answer.includes('"status":"ok"'), path);
      assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
    }
  });

  contract("neither an upgrade nor a header for another method changes a request", async (t) => {
    const { ask, browser } = await world(t);
    await browser.signIn();
    const Cookie = browser.cookieHeader;
    for (const headers of [
      {
        Connection: "Upgrade, HTTP2-Settings",
        Upgrade: "h2c",
        "HTTP2-Settings": "AAMAAABkAAQAAP__",
      },
      { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
      {
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "DELETE",
        "X-Method-Override": "DELETE",
      },
    ]) {
      const answer = await ask({
        method: "POST",
        path: `${SESSION}&_method=DELETE`,
        headers: { ...PAGE, Cookie, ...headers },
      });
      assert.equal(answer.status, 200, JSON.stringify(headers));
    }
    assert.equal((await browser.session()).status, 200, "it was not ended");
  });

  contract("a client that leaves before its answer costs nobody else anything", async (t) => {
    const { server, upstream, browser } = await world(t);
    const { hostname, port } = new URL(server.baseUrl);
    const login = newLogin();
    const body = browser.form(login, upstream.authorize(login)).toString();
    const { asked, release } = holdNextTokenResponse(upstream);
    const outgoing = send({
      ...{ host: hostname, port, method: "POST", path: "/auth/token", agent: false },
      headers: { ...PAGE, "Content-Type": FORM, "Content-Length": String(body.length) },
    });
    outgoing.on("error", () => undefined);
    outgoing.end(body);
    await asked;
    outgoing.destroy();
    release();
    assert.equal((await browser.signIn()).status, 200);
    const logs = await server.logs();
    assert(logs.every(({ level }) => level !== "error"));
  });
}
