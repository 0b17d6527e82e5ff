// The native server by HTTP/2, without TLS: as a proxy may speak to it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { APP, newLogin, SUPPORT_CODE } from "../support/gateway.mjs";
import { native } from "../support/native-gateway.mjs";
import { CLIENT } from "../support/upstream.mjs";
import { startWorld } from "./contract/world.mjs";

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const PAGE = { "x-classlink-spa": SUPPORT_CODE, "sec-fetch-site": "same-origin", origin: APP };

test("HTTP/2: sign-in, reload, who is asking, and sign-out", async (t) => {
  const { upstream, browser, server } = await startWorld(t, native);
  const client = connect(server.baseUrl);
  t.after(() => client.close());
  /** @type {(method: string, path: string, headers?: object, body?: string) => Promise<any>} */
  const ask = async (method, path, headers = {}, body = undefined) => {
    const stream = client.request({ ":method": method, ":path": path, ...headers });
    stream.end(body);
    const [answer] = await once(stream, "response");
    return { status: answer[":status"], headers: answer, text: await text(stream) };
  };
  const login = newLogin();
  const form = browser.form(login, upstream.authorize(login)).toString();
  const signedIn = await ask("POST", "/auth/token", { ...PAGE, ...FORM }, form);
  assert.equal(signedIn.status, 200, signedIn.text);
  // A browser may send each cookie in a field of its own (RFC 9113, 8.2.3).
  const cookie = signedIn.headers["set-cookie"].map((line) => line.split(";")[0]);
  assert.equal((await ask("POST", SESSION, { ...PAGE, cookie })).status, 200);
  assert.equal((await ask("GET", "/auth/verify", { cookie })).status, 204);
  assert.equal((await ask("DELETE", SESSION, { ...PAGE, cookie })).status, 204);
  assert.equal((await ask("GET", "/auth/zzz")).status, 404);
});

test("HTTP/2: CONNECT is 405, whatever host it names", async (t) => {
  const { server, logged } = await startWorld(t, native);
  const client = connect(server.baseUrl);
  t.after(() => client.close());
  for (const authority of [new URL(server.baseUrl).host, "app.example:443"]) {
    const stream = client.request({ ":method": "CONNECT", ":authority": authority });
    const [answer] = await once(stream, "response");
    assert.equal(answer[":status"], 405, authority);
    assert.equal(answer["x-classlink-gateway-error"], "method_not_allowed");
    stream.close();
  }
  const codes = (await logged("unknown")).map(({ code }) => code);
  assert.deepEqual(codes, ["method_not_allowed", "method_not_allowed"]);
});
