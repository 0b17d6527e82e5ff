/**
 * The gateway on `node:http` and Express.
 *
 * ```ts
 * import { createServer } from "node:http";
 * import { createGateway } from "classlink-spa/gateway";
 * import { toNodeHandler } from "classlink-spa/gateway-node";
 *
 * const handler = toNodeHandler(createGateway({ … }), { origin: "https://app.example" });
 * createServer(handler).listen(3000);    // or, in Express: app.use("/auth", handler)
 * ```
 *
 * @packageDocumentation
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { addressOf, NodeRequest } from "./gateway/node/node-request.js";
import {
  headersOf,
  type MaybeParsed,
  NO_ORIGIN,
  type NodeHandlerOptions,
  originOf,
  pathOf,
  toRequest,
} from "./gateway/node/to-request.js";
import {
  HANDLE,
  METHOD,
  type PlainResponse,
  REFUSAL,
  type RequestHandler,
} from "./gateway/request.js";
import type { Gateway } from "./gateway.js";

export { readSecret } from "./gateway/node/secrets.js";
export { type StopOptions, stopOnSignal } from "./gateway/node/stop.js";
export { type NodeHandlerOptions, toRequest } from "./gateway/node/to-request.js";

/** A listener for `node:http`, and a middleware for Express and similar frameworks. */
export type NodeHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** Methods that the Fetch Standard forbids. */
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/**
 * Matches a path that a `Request` would change, so that another route would handle it: dot segments (RFC 3986, 5.2.4), a
 * backslash, which it takes for a slash, and a fragment (URL Standard, 4.4).
 */
const CHANGED_BY_REQUEST = /^[^?#\\]*(?:[#\\]|\/(?:\.|%2e){1,2}(?:[/?]|$))/i;

/**
 * Creates the Node listener of a gateway, for HTTP/1.1 and HTTP/2. Paths that are not the gateway's go to `next`, or get a 404
 * without one. The body may have been read by a body parser already.
 */
export function toNodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  return (incoming, outgoing, next) => {
    // Absent on a `handle` that the application has wrapped in one of its own.
    const { [HANDLE]: direct } = gateway.handle as { [HANDLE]?: RequestHandler };
    const request = incoming as IncomingMessage;
    const response = outgoing as ServerResponse;
    const handled = direct
      ? handleDirectly(direct, request, response, options, next)
      : handleAsWebRequest(gateway, request, response, options, next);
    handled.catch((error: unknown) => {
      if (next) next(error);
      else if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
}

async function handleDirectly(
  direct: RequestHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: NodeHandlerOptions,
  next: ((error?: unknown) => void) | undefined,
): Promise<void> {
  const { status, headers, cookies, body } = await direct(new NodeRequest(incoming, options));
  if (next && headers["X-ClassLink-Gateway-Error"] === "not_found") {
    next();
    return;
  }
  writeResponse(outgoing, { status, headers, cookies, body }, incoming.httpVersionMajor);
}

function writeResponse(
  outgoing: ServerResponse,
  { status, headers, cookies, body }: PlainResponse,
  httpVersion: number,
): void {
  const all: Record<string, string | number | readonly string[]> = { ...headers };
  if (cookies.length > 0) all["Set-Cookie"] = cookies;
  // RFC 9110, 8.6: a 204 has no Content-Length.
  if (body !== undefined) all["Content-Length"] = Buffer.byteLength(body);
  // The rest of a body that is too long is not read.
  if (status === 413 && httpVersion === 1) all.Connection = "close";
  outgoing.writeHead(status, all as Record<string, string | number | string[]>);
  outgoing.end(body);
}

/** Reads a request, and beside it what a `Request` cannot hold, so that the gateway itself refuses it. */
function readRequest(
  incoming: MaybeParsed,
  options: NodeHandlerOptions,
): { request: Request; context: object } {
  const remoteAddress = addressOf(incoming, options);
  const address = remoteAddress === undefined ? {} : { remoteAddress };
  const { method = "GET" } = incoming;
  try {
    if (CHANGED_BY_REQUEST.test(pathOf(incoming))) throw new TypeError("The path is not resolved.");
    if (!FORBIDDEN_METHODS.has(method)) {
      return { request: toRequest(incoming, options), context: address };
    }
    const request = new Request(originOf(incoming, options) + pathOf(incoming), {
      headers: headersOf(incoming),
    });
    return { request, context: { ...address, [METHOD]: method } };
  } catch {
    const request = new Request(new URL(NO_ORIGIN + pathOf(incoming)));
    return { request, context: { ...address, [METHOD]: method, [REFUSAL]: "request_invalid" } };
  }
}

async function handleAsWebRequest(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: NodeHandlerOptions,
  next: ((error?: unknown) => void) | undefined,
): Promise<void> {
  const { request, context } = readRequest(incoming, options);
  const response = await gateway.handle(request, context);
  if (next && response.headers.get("X-ClassLink-Gateway-Error") === "not_found") {
    next();
    return;
  }
  const body = Buffer.from(await response.arrayBuffer());
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  // RFC 9110, 8.6: a 204 has no Content-Length.
  if (body.byteLength > 0) outgoing.setHeader("Content-Length", body.byteLength);
  outgoing.writeHead(response.status);
  outgoing.end(body);
}
