/**
 * The bench's servers on loopback: the applications' files and the provider. Both may delay every answer that a page
 * waits for, and keep a log of them.
 *
 * @module
 */

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { bundlePage, compress } from "./bundle.js";
import { LIBRARIES } from "./libraries.js";
import { CLIENT_ID, createProvider, initialState, RENEWING_CLIENT_ID } from "./provider.js";

/** @import { IncomingMessage, RequestListener, ServerResponse } from "node:http" */
/** @import { Library } from "./libraries.js" */
/** @import { ProviderState } from "./provider.js" */

/** @typedef {"given" | "cached" | "uncached"} MetadataMode */

/**
 * Holds the conditions of a measurement, which may change while the servers run.
 *
 * @typedef {object} Conditions
 * @property {number} delayMs Before each answer, the provider's redirects excepted.
 * @property {MetadataMode} metadata
 * @property {boolean} renews Whether applications are going to renew access tokens.
 * @property {string} [tokenResponse] Sent in place of the provider's own.
 */

/** @typedef {{ method: string, path: string, startedAt: number, endedAt: number }} LoggedRequest */

/** @typedef {Awaited<ReturnType<typeof startServers>>} Servers */

/** Brotli's quality for answers: sizes are measured elsewhere. */
const QUALITY = 5;

/** @param {RequestListener} listener */
async function listen(listener) {
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { server, origin: `http://localhost:${port}` };
}

/**
 * Starts the servers. The caller closes them.
 *
 * @param {Library[]} [libraries]
 */
export async function startServers(libraries = LIBRARIES) {
  /** @type {Conditions} */
  const conditions = { delayMs: 0, metadata: "given", renews: false };
  const providerState = initialState();
  /** @type {LoggedRequest[]} */
  const log = [];

  /** @type {(listener: RequestListener) => RequestListener} */
  const delayed = (listener) => async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    const entry = {
      method: request.method ?? "",
      path: pathname,
      startedAt: performance.now(),
      endedAt: Number.POSITIVE_INFINITY,
    };
    log.push(entry);
    response.once("finish", () => {
      entry.endedAt = performance.now();
    });
    const isRedirect = /^\/(authorize|interaction)(\/|$)/.test(pathname);
    if (conditions.delayMs > 0 && !isRedirect) await pause(conditions.delayMs);
    listener(request, response);
  };

  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const library of libraries) {
    for (const [name, { bytes }] of await bundlePage(library)) {
      files.set(`/${library.id}/${name}`, compress(bytes, QUALITY));
    }
  }

  const app = await listen(
    delayed((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
      const file = files.get(pathname);
      if (file) return sendFile(response, pathname, file);
      const library = libraries.find(({ id }) => pathname.startsWith(`/${id}/`));
      if (!library) return void response.writeHead(404).end();
      response.writeHead(200, { "Content-Type": "text/html", "Cache-Control": "no-store" });
      response.end(html(library, settingsOf(library)));
    }),
  );

  const redirectUris = libraries.map(({ id }) => `${app.origin}/${id}/callback`);
  const plain = await startProvider("", redirectUris, providerState, conditions, delayed);
  const slash = await startProvider("/", redirectUris, providerState, conditions, delayed);

  /** @param {Library} library */
  const settingsOf = ({ id, issuerEndsWithSlash }) => {
    const { issuer, metadata } = issuerEndsWithSlash ? slash : plain;
    const { metadata: mode, renews } = conditions;
    return {
      issuer,
      clientId: renews ? RENEWING_CLIENT_ID : CLIENT_ID,
      redirectUri: `${app.origin}/${id}/callback`,
      metadata: mode === "given" ? metadata : undefined,
      renews,
    };
  };

  return {
    conditions,
    providerState,
    log,
    /** @param {Library} library @param {string} page */
    urlOf: ({ id }, page) => `${app.origin}/${id}/${page}`,
    /** @param {Partial<Conditions>} changes */
    set(changes) {
      Object.assign(conditions, changes);
      providerState.isCacheable = conditions.metadata !== "uncached";
    },
    issuer: plain.issuer,
    close() {
      for (const { server } of [app, plain, slash]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/**
 * Starts one provider.
 *
 * @param {string} suffix What its issuer ends with.
 * @param {string[]} redirectUris
 * @param {ProviderState} state
 * @param {Conditions} conditions
 * @param {(listener: RequestListener) => RequestListener} delayed
 */
async function startProvider(suffix, redirectUris, state, conditions, delayed) {
  /** @type {RequestListener} */
  let answer = () => {};
  const { server, origin } = await listen(
    delayed((request, response) => {
      const { tokenResponse } = conditions;
      if (tokenResponse === undefined || request.url !== "/oauth/token") {
        return answer(request, response);
      }
      response.writeHead(200, {
        "Content-Type": "application/json",
        "Access-Control-Allow-Origin": "*",
      });
      response.end(tokenResponse);
    }),
  );
  const issuer = origin + suffix;
  answer = createProvider(issuer, redirectUris, state).callback();
  const response = await fetch(`${origin}/.well-known/openid-configuration`);
  const metadata = /** @type {Record<string, any>} */ (await response.json());
  return { server, issuer, metadata };
}

/** @param {ServerResponse} response @param {string} path @param {Buffer} file */
function sendFile(response, path, file) {
  response.writeHead(200, {
    "Content-Type": path.endsWith(".wasm") ? "application/wasm" : "text/javascript",
    "Content-Encoding": "br",
    "Content-Length": file.length,
    "Cache-Control": "public, max-age=31536000, immutable",
  });
  response.end(file);
}

/** @param {Library} library @param {object} settings */
const html = ({ head = "" }, settings) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
${head}
<title>Bench</title>
<script>window.settings = ${JSON.stringify(settings)};</script>
<script type="module" src="app.js"></script>
</html>
`;

/**
 * Counts the requests of the longest chain in which each begins after the one before it has ended.
 *
 * @param {LoggedRequest[]} requests In the order in which they began.
 */
export function countSerialRoundTrips(requests) {
  /** @type {number[]} */
  const depths = [];
  for (const [index, { startedAt }] of requests.entries()) {
    const before = requests
      .slice(0, index)
      .map(({ endedAt }, i) => (endedAt <= startedAt ? depths[i] : 0));
    depths.push(1 + Math.max(0, ...before));
  }
  return Math.max(0, ...depths);
}
