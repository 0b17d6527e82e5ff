/** Reads Node's requests directly, without a `Request`. */

import type { IncomingMessage } from "node:http";
import type { GatewayRequest } from "../request.js";
import {
  type MaybeParsed,
  NO_ORIGIN,
  type NodeHandlerOptions,
  originOf,
  parsedBody,
  pathOf,
  toRequest,
} from "./to-request.js";

/** A {@link GatewayRequest} of Node. */
export class NodeRequest implements GatewayRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly origin: string;
  readonly remoteAddress: string | undefined;
  readonly refusal: "request_invalid" | undefined;
  readonly #incoming: MaybeParsed;
  readonly #options: NodeHandlerOptions;
  readonly #headers = new Map<string, string>();

  constructor(incoming: MaybeParsed, options: NodeHandlerOptions) {
    this.#incoming = incoming;
    this.#options = options;
    this.method = incoming.method ?? "GET";
    const target = pathOf(incoming);
    const queryStart = target.indexOf("?");
    this.path = queryStart < 0 ? target : target.slice(0, queryStart);
    this.query = queryStart < 0 ? "" : target.slice(queryStart + 1);
    this.remoteAddress = addressOf(incoming, options);
    const { rawHeaders } = incoming;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] ?? "").toLowerCase();
      const value = rawHeaders[i + 1] ?? "";
      const known = this.#headers.get(name);
      // RFC 6265, 4.2.2 and RFC 9113, 8.2.3: several Cookie fields are one list.
      const separator = name === "cookie" ? "; " : ", ";
      this.#headers.set(name, known === undefined ? value : known + separator + value);
    }
    let origin: string | undefined;
    try {
      origin = originOf(incoming, options);
    } catch {
      // `refusal` below.
    }
    this.origin = origin ?? NO_ORIGIN;
    this.refusal = origin === undefined ? "request_invalid" : undefined;
  }

  header(name: string): string | null {
    return this.#headers.get(name) ?? null;
  }

  async readBody(limit: number): Promise<Uint8Array | undefined> {
    const parsed = parsedBody(this.#incoming);
    if (parsed !== undefined) return parsed.byteLength > limit ? undefined : parsed;
    return readStream(this.#incoming, limit);
  }

  toRequest(): Request {
    return toRequest(this.#incoming, this.#options);
  }
}

/** Returns the client's address; `undefined` if the connection has none. */
export function addressOf(incoming: MaybeParsed, options: NodeHandlerOptions): string | undefined {
  const addresses: readonly unknown[] = [
    options.remoteAddress?.(incoming),
    incoming.ip,
    incoming.socket.remoteAddress,
  ];
  return addresses.find((address) => typeof address === "string");
}

/** Reads a body, `limit` bytes at most; `undefined` if it is longer; the rest is discarded. */
function readStream(incoming: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    if (incoming.readableEnded) {
      resolve(new Uint8Array());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= limit) chunks.push(chunk);
      else {
        incoming.off("data", onData);
        incoming.resume();
        resolve(undefined);
      }
    };
    incoming.on("data", onData);
    incoming.once("end", () => resolve(Buffer.concat(chunks)));
    incoming.once("error", reject);
    incoming.once("close", () =>
      reject(new Error("The connection was closed before the body ended.")),
    );
  });
}
