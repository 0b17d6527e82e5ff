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

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type {
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Session,
} from "node:http2";
import { Readable } from "node:stream";
import type { Gateway } from "./gateway.js";

/** How a Node request becomes a `Request`. */
export interface NodeHandlerOptions {
  /**
   * The origin as browsers see it, such as `https://app.example`. Give it behind a proxy. Default: http or https by the
   * connection, and the `Host` header; `X-Forwarded-*` is never believed.
   */
  readonly origin?: string;
  /**
   * The client's address, for the gateway's limits. Give it behind a proxy: the header that the proxy sets. Default: the
   * request's `ip`, which Express sets by its `trust proxy`, or the connection's address.
   */
  readonly remoteAddress?: (request: IncomingMessage) => string | undefined;
}

/** A listener for `node:http`, and a middleware for Express and its kin. */
export type NodeHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** A Node request as Express leaves it: the path before mounting, and a body that a parser may have read already. */
type MaybeParsed = IncomingMessage & {
  readonly originalUrl?: string;
  readonly body?: unknown;
  readonly ip?: unknown;
};

/** What the gateway is told of a request that no `Request` can have: `gateway.ts` reads these. */
const METHOD = Symbol.for("classlink-spa.method");
const REFUSAL = Symbol.for("classlink-spa.refusal");

/** Methods that the Fetch Standard forbids. */
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** In place of a `Host` that is none. */
const NO_ORIGIN = "http://invalid";

/**
 * Makes a Node listener of a gateway, for HTTP/1.1 and HTTP/2. Paths that are not the gateway's go to `next` where there is
 * one, else they are answered with 404. A form that a body parser has read already is taken as read.
 */
export function toNodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  return (incoming, outgoing, next) => {
    const request = incoming as IncomingMessage;
    const response = outgoing as ServerResponse;
    answer(gateway, request, response, options, next).catch((error: unknown) => {
      if (next) next(error);
      else if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
}

/**
 * A Node request as a web-standard one, for `getSession` in routes of the application's own.
 *
 * @throws TypeError where the request's URL or headers can't be read.
 */
export function toRequest(incoming: IncomingMessage, options: NodeHandlerOptions = {}): Request {
  const { method = "GET" } = incoming;
  const body = method === "GET" || method === "HEAD" ? undefined : readBody(incoming);
  return new Request(originOf(incoming, options) + pathOf(incoming), {
    method,
    headers: headersOf(incoming),
    ...(body !== undefined && { body, duplex: "half" }),
  });
}

/** How a server stops. */
export interface StopOptions {
  /** The signals that stop it. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Milliseconds after which what is still under way is cut off. Default 20000. */
  readonly timeout?: number;
  /** What to do then. Default: the process ends. */
  readonly onStopped?: () => void;
}

/**
 * Stops a server at SIGTERM, as containers and process managers send it: it takes no further connection, finishes what is
 * under way (an exchange that is cut off costs a sign-in), and then ends the process. Call it before the first request.
 *
 * @returns Stops the server, as the signal does.
 */
export function stopOnSignal(
  server: Server | Http2Server,
  { signals = ["SIGTERM", "SIGINT"], timeout = 20_000, onStopped = process.exit }: StopOptions = {},
): () => void {
  const http1 = "closeIdleConnections" in server ? server : undefined;
  const underWay = new Set<ServerResponse>();
  const sessions = new Set<{ close(): void; destroy(): void }>();
  let isStopping = false;
  // Else a connection that is kept alive would wait for its next request.
  const endConnection = (response: ServerResponse) => {
    if (http1 && !response.headersSent) response.setHeader("Connection", "close");
  };
  server.on("request", (_: unknown, response: ServerResponse) => {
    underWay.add(response);
    response.once("close", () => {
      underWay.delete(response);
      if (isStopping) http1?.closeIdleConnections();
    });
    if (isStopping) endConnection(response);
  });
  server.on("session", (session: Http2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    for (const signal of signals) process.removeListener(signal, stop);
    const late = setTimeout(() => {
      http1?.closeAllConnections();
      for (const session of sessions) session.destroy();
    }, timeout);
    server.close(() => {
      clearTimeout(late);
      onStopped();
    });
    for (const response of underWay) endConnection(response);
    for (const session of sessions) session.close();
    http1?.closeIdleConnections();
  };
  for (const signal of signals) process.on(signal, stop);
  return stop;
}

/** The origin that the request was sent to. It is only compared; the path does not come from it. */
function originOf({ headers, socket }: IncomingMessage, { origin }: NodeHandlerOptions): string {
  if (origin !== undefined) return origin;
  const host = headers[":authority"] ?? headers.host ?? "localhost";
  // RFC 9110, 7.2: a host and a port.
  if (typeof host !== "string" || !/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)) {
    throw new TypeError("The Host header is malformed.");
  }
  const isEncrypted = "encrypted" in socket && socket.encrypted === true;
  return `${isEncrypted ? "https" : "http"}://${host}`;
}

/** Path and query of the request line alone: origin-form, or absolute-form as it is sent to proxies (RFC 9112, 3.2). */
function pathOf(incoming: MaybeParsed): string {
  const target = incoming.originalUrl ?? incoming.url ?? "/";
  const path = target.startsWith("/") ? target : /^https?:\/\/[^/?#]*(\/.*)$/i.exec(target)?.[1];
  return path ?? "/";
}

function headersOf(incoming: IncomingMessage): Headers {
  const list = new Headers();
  // HTTP/2 requests have no `headersDistinct`.
  for (const [name, values] of Object.entries(incoming.headersDistinct ?? incoming.headers)) {
    if (name.startsWith(":")) continue;
    const all = [values ?? []].flat();
    // RFC 6265, 4.2.2 and RFC 9113, 8.2.3: several Cookie fields are one list.
    if (name === "cookie") list.set(name, all.join("; "));
    else for (const value of all) list.append(name, value);
  }
  return list;
}

function readBody(incoming: MaybeParsed): BodyInit {
  const { body } = incoming;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Uint8Array.from(body);
  if (typeof body === "object" && body !== null && incoming.readableEnded) {
    const form = Object.entries(body).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    );
    return new URLSearchParams(form).toString();
  }
  // Read when it is asked for and not before: the path may turn out to be another handler's.
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= (Readable.toWeb(incoming) as ReadableStream<Uint8Array>).getReader();
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** The request for the gateway, and beside it what a `Request` can't say: each gets the gateway's own answer. */
function readRequest(
  incoming: MaybeParsed,
  options: NodeHandlerOptions,
): { request: Request; context: object } {
  const remoteAddress =
    options.remoteAddress?.(incoming) ??
    (typeof incoming.ip === "string" ? incoming.ip : incoming.socket.remoteAddress);
  const address = remoteAddress === undefined ? {} : { remoteAddress };
  const { method = "GET" } = incoming;
  try {
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

async function answer(
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
  // RFC 9110, 8.6: none on 204.
  if (body.byteLength > 0) outgoing.setHeader("Content-Length", body.byteLength);
  outgoing.writeHead(response.status);
  outgoing.end(body);
}
