/**
 * An application for browser tests: plain pages that import the built package, from a server whose answers a test can
 * spoil.
 *
 * ```js
 * const app = await startApp(t, { head: { date: new Date(0) } });
 * await page.goto(`${app.origin}/callback?code=…`);
 * await page.evaluate(async () => {
 *   const { createClient } = await import("/pkg/index.js");
 *   …
 * });
 * ```
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { closeServer } from "./serve.mjs";

/** @import { IncomingMessage, RequestListener, ServerResponse } from "node:http" */
/** @import { TestContext } from "node:test" */

/** The built package, served under `/pkg/`. */
const PKG = fileURLToPath(new URL("../../pkg/", import.meta.url));

const PAGES = ["/", "/callback", "/launch"];

/** @type {Record<string, string>} */
const TYPES = {
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * How the application's server answers. A test may change the object that it gave while the server runs.
 *
 * @typedef {object} AppOptions
 * @property {number} [port] Default 0: a free one.
 * @property {string} [host] The host name in `origin`. Default `"localhost"`.
 * @property {string} [origin] Where browsers are led to that see it under another name and port.
 * @property {{ key: string, cert: string }} [tls] PEM; with it the origin is https.
 * @property {Record<string, string>} [headers] Added to every page, a Content-Security-Policy for instance.
 * @property {string} [script] A module that every page runs, as text.
 * @property {"wrong-type" | "fail-once" | "missing"} [wasm] What is wrong with the `.wasm`: it comes as `text/plain`; its
 * first request gets a 503; every request gets a 404. Default: nothing.
 * @property {(request: IncomingMessage, response: ServerResponse, usual: () => unknown) => unknown} [instead] Answers every
 * request in the server's place, or has it answered as usual.
 * @property {RequestListener} [gateway] Answers everything beneath `/auth/` and `/api/`. Default: nothing does, 404.
 * @property {{ date?: Date | null, age?: number }} [head] What `HEAD` says of the time: the `Date` header (`null`: none;
 * default: the true time), and `Age` in seconds (default: none).
 */

/**
 * @typedef {object} App
 * @property {string} origin
 * @property {string} redirectUri `origin` and `/callback`
 * @property {string} launchUrl `origin` and `/launch`
 * @property {number} port
 * @property {{ method: string, path: string }[]} requests What was asked of it, without queries, oldest first.
 * @property {() => Promise<void>} close
 */

/**
 * Starts an application. It ends with the test.
 *
 * @param {Pick<TestContext, "after">} t
 * @param {AppOptions} [options]
 * @returns {Promise<App>}
 */
export async function startApp(t, options = {}) {
  /** @type {App["requests"]} */
  const requests = [];
  let wasmFailed = false;

  /** @type {RequestListener} */
  const usual = async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    requests.push({ method: request.method ?? "", path: pathname });
    if (options.gateway && /^\/(auth|api)\//.test(pathname)) {
      return void options.gateway(request, response);
    }
    if (request.method === "HEAD") return tellTime(response, options.head);
    if (PAGES.includes(pathname)) return sendPage(response, options);
    if (pathname.endsWith(".wasm")) {
      if (options.wasm === "missing") return void response.writeHead(404).end();
      if (options.wasm === "fail-once" && !wasmFailed) {
        wasmFailed = true;
        return void response.writeHead(503).end();
      }
      if (options.wasm === "wrong-type") return sendFile(pathname, response, "text/plain");
    }
    return sendFile(pathname, response);
  };

  /** @type {RequestListener} */
  const answer = (request, response) =>
    options.instead
      ? options.instead(request, response, () => usual(request, response))
      : usual(request, response);

  const server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer);
  const { host = "localhost", port = 0 } = options;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    // Browsers try both loopback addresses for the name `localhost`; one answers.
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = options.origin ?? `${options.tls ? "https" : "http"}://${host}:${address.port}`;
  const close = () => closeServer(server);
  t.after(close);
  return {
    origin,
    redirectUri: `${origin}/callback`,
    launchUrl: `${origin}/launch`,
    port: address.port,
    requests,
    close,
  };
}

/** @param {ServerResponse} response @param {AppOptions["head"]} head */
function tellTime(response, { date, age } = {}) {
  response.sendDate = date === undefined;
  if (date) response.setHeader("Date", date.toUTCString());
  if (age !== undefined) response.setHeader("Age", age);
  response.writeHead(200, { "Cache-Control": "no-store" }).end();
}

/** @param {ServerResponse} response @param {AppOptions} options */
function sendPage(response, { headers, script }) {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", ...headers });
  response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>Test app</title>
${script ? `<script type="module">${script}</script>` : ""}
</html>
`);
}

/**
 * Sends a file of the package; 404 for anything else.
 *
 * @param {string} pathname
 * @param {ServerResponse} response
 * @param {string} [type] default: by the file's name
 */
async function sendFile(pathname, response, type = TYPES[extname(pathname)]) {
  const path = join(PKG, decodeURIComponent(pathname.replace(/^\/pkg\//, "")));
  const found =
    pathname.startsWith("/pkg/") &&
    path.startsWith(PKG.endsWith(sep) ? PKG : PKG + sep) &&
    (await stat(path).catch(() => undefined))?.isFile();
  if (!found) return void response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": type ?? "application/octet-stream" });
  createReadStream(path).pipe(response);
}
