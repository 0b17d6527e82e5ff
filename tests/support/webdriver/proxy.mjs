/**
 * The proxy that a session's browser asks for everything: it sees the requests, lets a test answer in a server's place,
 * and puts a script at the start of every document.
 *
 * @module
 */

import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { InterceptedRequest, InterceptedResponse, Route, send } from "./network.mjs";
import { allowing, CHANNEL, withStart } from "./page-start.mjs";
import { listen, startSocks } from "./socks.mjs";

/** @import { IncomingMessage, ServerResponse } from "node:http" */

/**
 * A session's handlers of its browser's requests.
 *
 * @typedef {object} Hand
 * @property {boolean} offline
 * @property {(request: InterceptedRequest) => void} requested Told of every request, before it is answered.
 * @property {(request: InterceptedRequest) => { handler: (route: Route, request: InterceptedRequest) => unknown }[]} routesFor Who answers it in
 * the server's place, the last one that was asked for first.
 * @property {(message: any) => unknown} told A message from a page's script; its answer goes back.
 * @property {(id: string) => Promise<unknown>} later What a message's answer was to be.
 * @property {() => string} script What every document starts with.
 * @property {(origin: string) => string[]} cookiesFor Cookies to set with the next answer of an origin.
 * @property {(request: InterceptedRequest) => void} failed Told of a request that got no answer.
 */

/**
 * Starts a proxy.
 *
 * @param {Hand} hand
 * @param {{ key: string, cert: string }} certificate For https, which it has to be the server of.
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function startProxy(hand, certificate) {
  const listener = (scheme) => (request, response) => {
    const url = `${scheme}://${request.headers.host}${request.url}`;
    serve(hand, url, request, response).catch(() => response.destroy());
  };
  const http = createServer(listener("http"));
  const https = createTlsServer(certificate, listener("https"));
  for (const server of [http, https]) {
    server.on("clientError", (_, socket) => socket.destroy());
    server.on("upgrade", passUpgradeOn);
  }
  const inner = { http: await listen(http), https: await listen(https) };
  const socks = await startSocks((isTls) =>
    hand.offline ? undefined : isTls ? inner.https : inner.http,
  );
  return {
    address: socks.address,
    async close() {
      await socks.close();
      for (const server of [http, https]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** A WebSocket, as a development server's: from http to http. @param {IncomingMessage} incoming @param {any} socket */
function passUpgradeOn(incoming, socket, head) {
  const { hostname, port } = new URL(`http://${incoming.headers.host}`);
  const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
  }
  const target = connect(Number(port || 80), hostname === "localhost" ? "127.0.0.1" : hostname);
  for (const [one, other] of [
    [socket, target],
    [target, socket],
  ]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
    one.pipe(other);
  }
  target.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) target.write(head);
}

/** @param {Hand} hand @param {string} url @param {IncomingMessage} incoming @param {ServerResponse} outgoing */
async function serve(hand, url, incoming, outgoing) {
  // A connection that is used again may be cut while it lies idle, and the request be sent once more.
  outgoing.shouldKeepAlive = false;
  // A server that does not say the time stays one.
  outgoing.sendDate = false;
  const { pathname, search } = new URL(url);
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (pathname === CHANNEL) return answerPage(hand, search.slice(1), body, outgoing);
  if (hand.offline) return void outgoing.destroy();
  // It was not requested, and no server here has one.
  if (pathname === "/favicon.ico") return void outgoing.writeHead(404).end();

  const asked = new InterceptedRequest(url, incoming, body);
  const abort = () => {
    hand.failed(asked);
    outgoing.destroy();
  };
  const finish = (/** @type {InterceptedResponse} */ answer) =>
    finishWith(hand, asked, answer, outgoing);
  const pass = async () => {
    try {
      await passOn(asked, outgoing, finish);
    } catch {
      abort();
    }
  };
  if (asked.isPreflight) return pass();
  hand.requested(asked);
  const routes = hand.routesFor(asked);
  const next = async () => {
    const route = routes.shift();
    if (!route) return pass();
    await route.handler(new Route(asked, { finish, abort, pass, next }), asked);
  };
  await next();
}

/** Handles a message or a request of a page's script. */
async function answerPage(hand, id, body, outgoing) {
  const answer = id ? { value: await hand.later(id) } : hand.told(JSON.parse(body.toString()));
  outgoing.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  outgoing.end(JSON.stringify(answer ?? {}));
}

/** The server's own answer: as it comes, unless it is a document. */
async function passOn(asked, outgoing, finish) {
  const incoming = await send(asked);
  if (asked.isDocument) return finish(await InterceptedResponse.read(incoming));
  const status = incoming.statusCode ?? 502;
  asked.answered(status, incoming.headers);
  outgoing.writeHead(status, withoutConnection(incoming.rawHeaders));
  incoming.on("error", () => outgoing.destroy());
  incoming.on("aborted", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** @param {string[]} raw */
function withoutConnection(raw) {
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (/^(connection|keep-alive|transfer-encoding)$/i.test(raw[i])) continue;
    headers.push(raw[i], raw[i + 1]);
  }
  return headers;
}

/** Answers the browser; a document begins with the session's script. */
function finishWith(hand, asked, answer, outgoing) {
  const headers = new Headers();
  for (const [name, value] of answer.pairs) {
    if (/^(connection|keep-alive|transfer-encoding|content-length|content-encoding)$/i.test(name)) {
      continue;
    }
    headers.append(name, value);
  }
  let { body } = answer;
  const { origin } = new URL(asked.url());
  const type = headers.get("content-type") ?? "";
  if (asked.isDocument && type.startsWith("text/html") && body.length > 0) {
    const script = hand.script();
    body = Buffer.from(withStart(body.toString(), script));
    if (!/charset/i.test(type)) headers.set("content-type", `${type}; charset=utf-8`);
    for (const name of ["content-security-policy", "content-security-policy-report-only"]) {
      const policy = headers.get(name);
      if (policy) headers.set(name, allowing(policy, script, origin));
    }
  }
  for (const cookie of hand.cookiesFor(origin)) headers.append("set-cookie", cookie);
  if (![204, 304].includes(answer.code) && asked.method() !== "HEAD") {
    headers.set("content-length", String(body.length));
  }
  asked.answered(answer.code, Object.fromEntries(headers));
  outgoing.writeHead(answer.code, [...headers].flat());
  outgoing.end(body);
}
