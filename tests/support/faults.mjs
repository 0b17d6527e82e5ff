/**
 * The faults of one HTTP request between a page and a server, played at the socket: Playwright's own interception
 * knows no answer that hangs, drips or breaks off.
 *
 * @module
 */

/** @import { IncomingMessage, ServerResponse } from "node:http" */

/** The page of a school's network for every request until a user signs in to it. */
export const CAPTIVE_PORTAL_HTML = "<!doctype html><title>Sign in to the school's network</title>";

/** More than any answer may be, in bytes. */
const HUGE = 10 * 1024 * 1024;

/** How long a dripping answer waits between two bytes, in milliseconds. */
const DRIP = 50;

/**
 * An answer as the server would have given it.
 *
 * @typedef {object} Usual
 * @property {number} status
 * @property {Record<string, any>} headers
 * @property {Buffer} body
 */

/**
 * One kind of fault. `play` answers, or doesn't; if it takes `usual`, the server has done its part before the answer is
 * spoiled.
 *
 * @typedef {object} Fault
 * @property {boolean} [processed] Whether the server learns of the request.
 * @property {(response: ServerResponse, request: IncomingMessage, usual: Usual) => unknown} play
 */

/** Sends nothing, ever. */
export function neverRespond() {}

/** Sends headers, then a byte at a time, for ever. @param {ServerResponse} response */
export function trickle(response) {
  response.flushHeaders();
  const timer = setInterval(() => response.write(" "), DRIP);
  response.on("close", () => clearInterval(timer));
}

/** Sends the beginning of an answer, and ends the connection. @param {ServerResponse} response @param {string | Buffer} text */
export function truncate(response, text) {
  // A `HEAD` has nothing else.
  response.flushHeaders();
  response.write(text, () => response.destroy());
}

/** @param {ServerResponse} response @param {number} status @param {Record<string, any>} headers @param {any} [body] */
function send(response, status, headers, body = "") {
  response.writeHead(status, { ...headers, "Cache-Control": "no-store" }).end(body);
}

const JSON_TYPE = { "Content-Type": "application/json" };
const HTML_TYPE = { "Content-Type": "text/html" };

/** A JSON object with every member of another type; an empty array in place of anything else. @param {Buffer} body */
function ofWrongTypes(body) {
  try {
    const members = Object.entries(JSON.parse(body.toString()));
    if (members.length === 0) return "[]";
    const wrong = (value) => (typeof value === "object" ? "text" : { not: "expected" });
    return JSON.stringify(Object.fromEntries(members.map(([name, value]) => [name, wrong(value)])));
  } catch {
    return "[]";
  }
}

/** Makes a body much too long that stays valid. @param {Buffer} body */
function tooLong(body) {
  const text = body.toString();
  const rest = "a".repeat(HUGE);
  return text.startsWith("{") && text.length > 2
    ? `${text.slice(0, -1)},"more":"${rest}"}`
    : Buffer.concat([body, Buffer.alloc(HUGE, " ")]);
}

/** Every kind, by its name. @type {Record<string, Fault>} */
export const FAULTS = {
  /** The connection is refused. */
  refused: { play: (_, { socket }) => socket.resetAndDestroy() },
  /** No answer ever comes. */
  hung: { play: neverRespond },
  /** An answer comes so slowly that it never ends. */
  drip: {
    play(response) {
      response.writeHead(200, JSON_TYPE);
      trickle(response);
    },
  },
  /** Another server responds with a page. */
  html: { play: (response) => send(response, 200, HTML_TYPE, CAPTIVE_PORTAL_HTML) },
  /** Another server's page, which the browser's cache keeps. */
  kept: {
    play: (response) =>
      response
        .writeHead(200, { ...HTML_TYPE, "Cache-Control": "max-age=600" })
        .end(CAPTIVE_PORTAL_HTML),
  },
  redirect: { play: (response) => send(response, 302, { Location: "/elsewhere" }) },
  error: { play: (response) => send(response, 500, HTML_TYPE, "<h1>Internal Server Error</h1>") },
  /** The server has done its part, and the connection ends before it can say so. */
  lost: { processed: true, play: (response) => response.destroy() },
  /** The connection ends in the middle of the answer. */
  reset: {
    processed: true,
    play(response, _, { status, headers, body }) {
      // A browser asks again by itself if not even the headers came.
      response.writeHead(status === 204 ? 200 : status, {
        ...headers,
        "content-length": String(body.length + 1000),
      });
      truncate(response, body.length ? body.subarray(0, Math.ceil(body.length / 2)) : "{");
    },
  },
  /** A proxy cuts the answer off, and passes it on as whole. */
  truncated: {
    processed: true,
    play: (response, _, { status, headers, body }) =>
      send(response, status, headers, body.subarray(0, Math.floor(body.length / 2))),
  },
  huge: {
    processed: true,
    play: (response, _, { status, headers, body }) =>
      send(response, status === 204 ? 200 : status, headers, tooLong(body)),
  },
  /** JSON, but not of the types that were agreed on. */
  types: {
    processed: true,
    play: (response, _, { status, headers, body }) =>
      send(response, status === 204 ? 200 : status, headers, ofWrongTypes(body)),
  },
};

/**
 * Answers a request with a fault.
 *
 * @param {keyof typeof FAULTS} kind
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {() => unknown} usual What would have answered.
 */
export async function injectFault(kind, request, response, usual) {
  const fault = FAULTS[kind];
  if (!fault) throw new TypeError(`${kind}: there is no such fault`);
  if (fault.processed) return fault.play(response, request, await capture(response, usual));
  // What stands in between doesn't know who may read its answers; here every origin may, so that the fault is seen.
  const { origin } = request.headers;
  if (origin !== undefined) {
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Headers", "authorization, x-classlink-spa");
  }
  request.resume();
  return fault.play(response, request, { status: 0, headers: {}, body: Buffer.alloc(0) });
}

/**
 * Has a request answered as usual, but keeps the answer.
 *
 * @param {ServerResponse} response Nothing is sent of it.
 * @param {() => unknown} usual
 * @returns {Promise<Usual>}
 */
export function capture(response, usual) {
  const own = { write: response.write, end: response.end, writeHead: response.writeHead };
  /** @type {Buffer[]} */
  const chunks = [];
  /** @type {Record<string, any>} */
  let head = {};
  const take = (chunk, encoding) => {
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function") {
      chunks.push(typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
    }
    return true;
  };
  return new Promise((resolve, reject) => {
    Object.assign(response, {
      writeHead(status, message, headers) {
        response.statusCode = status;
        const given = (typeof message === "object" ? message : headers) ?? {};
        for (const [name, value] of Object.entries(given)) response.setHeader(name, value);
        return response;
      },
      write: take,
      end(chunk, encoding) {
        take(chunk, typeof encoding === "string" ? encoding : "utf8");
        Object.assign(response, own);
        head = { ...response.getHeaders() };
        for (const name of response.getHeaderNames()) response.removeHeader(name);
        const { "content-length": _, "transfer-encoding": __, ...headers } = head;
        resolve({ status: response.statusCode, headers, body: Buffer.concat(chunks) });
        return response;
      },
    });
    Promise.resolve(usual()).catch(reject);
  });
}
