/**
 * A request that a browser made, the answer to it, and a test's hand in it: as much of Playwright's `Request`,
 * `Response` and `Route` as the tests use.
 *
 * @module
 */

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { deferred } from "../deferred.mjs";

/** @import { IncomingMessage } from "node:http" */

/** Fetch's destinations, by Playwright's names for them. */
const TYPES = { document: "document", iframe: "document", frame: "document", style: "stylesheet" };

/** A request. */
export class InterceptedRequest {
  #url;
  #incoming;
  #body;
  #answer = deferred();

  /** @param {string} url @param {IncomingMessage} incoming @param {Buffer} body */
  constructor(url, incoming, body) {
    this.#url = url;
    this.#incoming = incoming;
    this.#body = body;
  }

  url() {
    return this.#url;
  }

  method() {
    return this.#incoming.method ?? "GET";
  }

  /** @returns {Record<string, any>} */
  headers() {
    return { ...this.#incoming.headers };
  }

  async allHeaders() {
    return this.headers();
  }

  postData() {
    return this.#body.length > 0 ? this.#body.toString() : null;
  }

  postDataBuffer() {
    return this.#body;
  }

  /** If a page's origin is not trusted, the browser sends no destination: then what it accepts must tell. */
  #destination() {
    const { accept = "", ...headers } = this.#incoming.headers;
    const said = headers["sec-fetch-dest"];
    if (said !== undefined) return String(said);
    return accept.startsWith("text/html") ? "document" : "empty";
  }

  resourceType() {
    const destination = this.#destination();
    if (destination !== "empty") return TYPES[destination] ?? destination;
    return this.#incoming.headers["ping-from"] ? "ping" : "fetch";
  }

  get isDocument() {
    return TYPES[this.#destination()] === "document";
  }

  get isPreflight() {
    return (
      this.method() === "OPTIONS" &&
      this.#incoming.headers["access-control-request-method"] !== undefined
    );
  }

  /** Told by the proxy, when the browser is given an answer. @param {number} status @param {Record<string, any>} headers */
  answered(status, headers) {
    this.#answer.resolve({ status: () => status, headers: () => headers });
  }

  /** Waits for the response that the browser is given. */
  response() {
    return this.#answer.promise;
  }

  /** When the browser no longer waits for the answer. @param {() => void} then */
  onClose(then) {
    this.#incoming.socket.once("close", then);
  }
}

/** An answer, whole. */
export class InterceptedResponse {
  /** @param {number} code @param {[string, string][]} pairs Headers. @param {Buffer} body */
  constructor(code, pairs, body) {
    this.code = code;
    this.pairs = pairs;
    this.body = body;
  }

  /** @param {IncomingMessage} incoming */
  static async read(incoming) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { rawHeaders } = incoming;
    const pairs = rawHeaders.flatMap((name, i) => (i % 2 ? [] : [[name, rawHeaders[i + 1]]]));
    return new InterceptedResponse(
      incoming.statusCode ?? 0,
      /** @type {[string, string][]} */ (pairs),
      Buffer.concat(chunks),
    );
  }

  status() {
    return this.code;
  }

  headers() {
    return Object.fromEntries(this.pairs.map(([name, value]) => [name.toLowerCase(), value]));
  }

  async text() {
    return this.body.toString();
  }

  async json() {
    return JSON.parse(this.body.toString());
  }
}

/** A test's hand in one request. */
export class Route {
  #request;
  #ways;

  /**
   * @param {InterceptedRequest} request
   * @param {{ finish: (answer: InterceptedResponse) => void, abort: () => void, pass: () => Promise<void>, next: () => Promise<void> }} ways
   */
  constructor(request, ways) {
    this.#request = request;
    this.#ways = ways;
  }

  request() {
    return this.#request;
  }

  async continue() {
    await this.#ways.pass();
  }

  async fallback() {
    await this.#ways.next();
  }

  async abort() {
    this.#ways.abort();
  }

  /** @param {{ url?: string }} [options] */
  async fetch({ url } = {}) {
    return InterceptedResponse.read(await send(this.#request, url));
  }

  /**
   * @param {{ response?: InterceptedResponse, status?: number, headers?: Record<string, string>, contentType?: string, body?: string |
   * Buffer, json?: any }} [options]
   */
  async fulfill({ response, status, headers, contentType, body, json } = {}) {
    const given = Object.entries(headers ?? {});
    const type = contentType ?? (json !== undefined && !response ? "application/json" : undefined);
    const names = new Set([...given.map(([name]) => name.toLowerCase()), type && "content-type"]);
    const pairs = [
      ...(headers ? [] : (response?.pairs ?? [])).filter(
        ([name]) => !names.has(name.toLowerCase()),
      ),
      ...given.filter(([name]) => !(type && name.toLowerCase() === "content-type")),
      ...(type ? [["content-type", type]] : []),
    ];
    const content = json !== undefined ? JSON.stringify(json) : (body ?? response?.body ?? "");
    this.#ways.finish(
      new InterceptedResponse(
        status ?? response?.code ?? 200,
        /** @type {[string, string][]} */ (pairs),
        Buffer.from(content),
      ),
    );
  }
}

/**
 * Sends a request to its server.
 *
 * @param {InterceptedRequest} asked
 * @param {string} [url]
 * @returns {Promise<IncomingMessage>}
 */
export function send(asked, url = asked.url()) {
  const target = new URL(url);
  const start = target.protocol === "https:" ? httpsRequest : httpRequest;
  /** @type {Record<string, string>} */
  const headers = { ...asked.headers(), host: target.host, "accept-encoding": "identity" };
  delete headers["proxy-connection"];
  delete headers.connection;
  return new Promise((resolve, reject) => {
    const request = start(target, {
      method: asked.method(),
      headers,
      agent: false,
      rejectUnauthorized: false,
      // The servers here listen at one of the two loopback addresses.
      ...(target.hostname === "localhost" && { host: "127.0.0.1", servername: "localhost" }),
    });
    request.on("response", resolve);
    request.on("error", reject);
    asked.onClose(() => request.destroy());
    request.end(asked.postDataBuffer());
  });
}
