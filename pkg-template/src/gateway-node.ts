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
import { Readable } from "node:stream";
import type { Gateway } from "./gateway.js";

/** How a Node request becomes a `Request`. */
export interface NodeHandlerOptions {
  /**
   * The origin as browsers see it, such as `https://app.example`. Give it behind a proxy. Default: http or https by the
   * connection, and the `Host` header; `X-Forwarded-*` is never believed.
   */
  readonly origin?: string;
}

/** A listener for `node:http`, and a middleware for Express and its kin. */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** A Node request as Express leaves it: the path before mounting, and a body that a parser may have read already. */
type MaybeParsed = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

/**
 * Makes a Node listener of a gateway. Paths that are not the gateway's go to `next` where there is one, else they are
 * answered with 404. A form that a body parser has read already is taken as read.
 */
export function toNodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  return (incoming, outgoing, next) => {
    answer(gateway, incoming, outgoing, options, next).catch((error: unknown) => {
      if (next) next(error);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(400).end();
    });
  };
}

/**
 * A Node request as a web-standard one, for `getSession` in routes of the application's own.
 *
 * @throws TypeError where the request's URL or headers can't be read.
 */
export function toRequest(incoming: IncomingMessage, options: NodeHandlerOptions = {}): Request {
  const { method = "GET", headers } = incoming;
  const scheme = "encrypted" in incoming.socket && incoming.socket.encrypted ? "https" : "http";
  const host = headers[":authority"] ?? headers.host ?? "localhost";
  const path = (incoming as MaybeParsed).originalUrl ?? incoming.url ?? "/";
  // Joined, not resolved: a path such as //other.example must not become a host.
  const url = new URL(
    (options.origin ?? `${scheme}://${host}`) + (path.startsWith("/") ? path : "/"),
  );
  const list = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    if (name.startsWith(":")) continue;
    // RFC 6265, 4.2.2 and RFC 7540, 8.1.2.5: several Cookie fields are one list.
    if (name === "cookie") list.set(name, (values ?? []).join("; "));
    else for (const value of values ?? []) list.append(name, value);
  }
  const body = method === "GET" || method === "HEAD" ? undefined : readBody(incoming);
  return new Request(url, {
    method,
    headers: list,
    ...(body !== undefined && { body, duplex: "half" }),
  });
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

async function answer(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: NodeHandlerOptions,
  next: ((error?: unknown) => void) | undefined,
): Promise<void> {
  const { remoteAddress } = incoming.socket;
  const response = await gateway.handle(
    toRequest(incoming, options),
    remoteAddress === undefined ? {} : { remoteAddress },
  );
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
