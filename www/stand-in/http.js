/** Helpers for `node:http`. */

import { createServer, IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";

/** @import { ServerResponse } from "node:http" */
/** @import { Settings } from "./options.js" */

/** @typedef {(req: IncomingMessage, res: ServerResponse) => unknown} Handler */

/** The most of a request's body that is read, in bytes. */
const BODY_LIMIT_BYTES = 56 * 1024;

/**
 * A server that listens before it has a handler, which needs the port.
 *
 * @typedef {object} Listener
 * @property {string} origin
 * @property {(handler: Handler) => void} handle
 * @property {() => Promise<void>} close Closes the connections, too.
 */

/**
 * Starts a server.
 *
 * @param {Pick<Settings, "host" | "tls">} settings
 * @param {number} port 0 for a free one.
 * @returns {Promise<Listener>}
 * @throws {Error} Node's, if the port is unavailable.
 */
export async function listen({ host, tls }, port) {
  /** @type {Handler} */
  let handler = (_req, res) => sendText(res, 503, "Starting");
  const serve = (/** @type {IncomingMessage} */ req, /** @type {ServerResponse} */ res) => {
    Promise.resolve()
      .then(() => handler(req, res))
      .catch((error) => {
        report(error);
        if (!res.headersSent) sendText(res, 500, "Internal error");
      });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  // On a busy machine Node would close a connection just as a gateway or a test uses it again.
  server.keepAliveTimeout = 0;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(undefined));
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    origin: new URL(`${tls ? "https" : "http"}://${host}:${address.port}`).origin,
    handle: (next) => {
      handler = next;
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/**
 * Writes a defect of the stand-in to the console. A connection that the browser closed is not one.
 *
 * @param {NodeJS.ErrnoException} error
 */
export function report(error) {
  if (error.code !== "ECONNRESET") console.error(error);
}

/**
 * Reads a form (`application/x-www-form-urlencoded`).
 *
 * @param {IncomingMessage} req
 * @returns {Promise<URLSearchParams>}
 * @throws {Error} When it is longer than 56 KiB.
 */
export async function readForm(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw new Error("The request's body is too long");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/**
 * Returns a request like `req` with another form as its body, unread.
 *
 * @param {IncomingMessage} req
 * @param {URLSearchParams} form
 */
export function withForm(req, form) {
  const body = Buffer.from(form.toString());
  const copy = new IncomingMessage(req.socket);
  copy.method = req.method;
  copy.url = req.url;
  copy.httpVersion = req.httpVersion;
  copy.headers = { ...req.headers, "content-length": String(body.length) };
  delete copy.headers["transfer-encoding"];
  copy.push(body);
  copy.push(null);
  copy.complete = true;
  return copy;
}

/** @param {ServerResponse} res @param {number} status @param {string} text */
export function sendText(res, status, text) {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  res.end(`${text}\n`);
}

/** @param {ServerResponse} res @param {number} status @param {unknown} body */
export function sendJson(res, status, body) {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  res.end(JSON.stringify(body));
}

/**
 * Sends a page of the stand-in, which is not cached.
 *
 * @param {ServerResponse} res
 * @param {number} status
 * @param {string} page
 */
export function sendPage(res, status, page) {
  res.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
  });
  res.end(page);
}

/** @param {ServerResponse} res @param {string} location */
export function redirect(res, location) {
  res.writeHead(303, { Location: location });
  res.end();
}
