/** Converts Node's requests to web-standard ones. */

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** The options of a Node listener. */
export interface NodeHandlerOptions {
  /**
   * The origin as browsers see it, such as `https://app.example`. Give it behind a proxy. Default: http or https by the
   * connection, and the `Host` header; `X-Forwarded-*` is not read.
   */
  readonly origin?: string;
  /**
   * The client's address, for the gateway's limits. Give it behind a proxy: the header that the proxy sets. Default: the
   * request's `ip`, which Express sets by its `trust proxy`, or the connection's address.
   */
  readonly remoteAddress?: (request: IncomingMessage) => string | undefined;
}

/** A Node request, with the members that Express and body parsers add. */
export type MaybeParsed = IncomingMessage & {
  readonly originalUrl?: string;
  readonly body?: unknown;
  readonly ip?: unknown;
};

/** The origin of a request whose `Host` header is malformed. */
export const NO_ORIGIN = "http://invalid";

/**
 * Converts a Node request to a web-standard one, for `getSession` in the application's own routes.
 *
 * @throws TypeError if the request's URL or headers cannot be read.
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

/** Returns the origin that the request was sent to. It is only compared; the path is not taken from it. */
export function originOf(
  { headers, rawHeaders, socket }: IncomingMessage,
  { origin }: NodeHandlerOptions,
): string {
  if (origin !== undefined) return origin;
  const host = headers[":authority"] ?? headers.host ?? "localhost";
  // RFC 9112, 3.2: more than one Host field is malformed; Node reads the first. RFC 9110, 7.2: a host and a port.
  const isSingle = rawHeaders.filter(isHostField).length <= 1;
  if (
    typeof host !== "string" ||
    !isSingle ||
    !/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)
  ) {
    throw new TypeError("The Host header is malformed.");
  }
  const isEncrypted = "encrypted" in socket && socket.encrypted === true;
  return `${isEncrypted ? "https" : "http"}://${host}`;
}

function isHostField(text: string, index: number): boolean {
  return index % 2 === 0 && text.length === 4 && text.toLowerCase() === "host";
}

/** Returns path and query of the request line: origin-form, or absolute-form as it is sent to proxies (RFC 9112, 3.2). */
export function pathOf(incoming: MaybeParsed): string {
  const target = incoming.originalUrl ?? incoming.url ?? "/";
  const path = target.startsWith("/") ? target : /^https?:\/\/[^/?#]*(\/.*)$/i.exec(target)?.[1];
  return path ?? "/";
}

export function headersOf(incoming: IncomingMessage): Headers {
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

/** Returns a body that a parser has read already, encoded as the form that it was. */
export function parsedBody({
  body,
  readableEnded,
}: MaybeParsed): Uint8Array<ArrayBuffer> | undefined {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return Uint8Array.from(body);
  if (typeof body !== "object" || body === null || !readableEnded) return undefined;
  const form = Object.entries(body).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
  return new TextEncoder().encode(new URLSearchParams(form).toString());
}

function readBody(incoming: MaybeParsed): BodyInit {
  const parsed = parsedBody(incoming);
  if (parsed !== undefined) return parsed;
  // Read on demand: the request may be another handler's.
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
