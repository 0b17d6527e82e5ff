/**
 * Reads requests: a web-standard `Request`, or one of Node, which is read directly, since creating `Request` and `Response`
 * takes longer than everything else.
 */

import { readBytes } from "./http.js";

/** A request of any adapter. */
export interface GatewayRequest {
  readonly method: string;
  /** The path of the request line, without the query. */
  readonly path: string;
  /** The query, without its question mark. */
  readonly query: string;
  /** The origin that the request was sent to, as far as the server can see. It is only compared. */
  readonly origin: string;
  /** The client's address, if the adapter knows it. */
  readonly remoteAddress?: string | undefined;
  /** Why the request cannot be served as it is. */
  readonly refusal?: "request_invalid" | undefined;
  /** A header by its name in lower case; several are joined by commas. */
  header(name: string): string | null;
  /** Reads the body, `limit` bytes at most; `undefined` if it is longer. */
  readBody(limit: number): Promise<Uint8Array | undefined>;
  /** The request for an application's hook; its body is unread. */
  toRequest(): Request;
}

/** A response before it becomes a `Response` or Node's own. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` values. */
  readonly cookies: readonly string[];
  readonly body: string | undefined;
}

/** The facts that an adapter knows of a request beyond the `Request`. */
export interface AdapterContext {
  readonly remoteAddress?: string;
  /** The method, if no `Request` may have it. */
  readonly [METHOD]?: string;
  /** Why the request cannot be served as it is. */
  readonly [REFUSAL]?: "request_invalid";
}

/** `gateway-node.ts` sets these: it is a bundle of its own. */
export const METHOD = Symbol.for("classlink-spa.method");
export const REFUSAL = Symbol.for("classlink-spa.refusal");

/** The member of `handle` that takes a {@link GatewayRequest}, for `gateway-node.ts`. */
export const HANDLE = Symbol.for("classlink-spa.handle");

/** Handles a request. Never rejects. */
export type RequestHandler = (request: GatewayRequest) => Promise<PlainResponse>;

/** Reads a `Request`. The second argument that frameworks give their handlers is not a context, and is ignored. */
export function fromWebRequest(request: Request, context: unknown): GatewayRequest {
  const { origin, pathname, search } = new URL(request.url);
  const given = (typeof context === "object" && context !== null ? context : {}) as AdapterContext;
  const { remoteAddress, [METHOD]: method, [REFUSAL]: refusal } = given;
  return {
    method: typeof method === "string" ? method : request.method,
    path: pathname,
    query: search.slice(1),
    origin,
    remoteAddress: typeof remoteAddress === "string" ? remoteAddress : undefined,
    refusal: refusal === "request_invalid" ? refusal : undefined,
    header: (name) => request.headers.get(name),
    readBody: (limit) => readBytes(request.body, limit),
    toRequest: () => request,
  };
}

/** Creates the `Response`. */
export function toWebResponse({ status, headers, cookies, body }: PlainResponse): Response {
  const list = new Headers(headers);
  for (const cookie of cookies) list.append("Set-Cookie", cookie);
  return new Response(body ?? null, { status, headers: list });
}
