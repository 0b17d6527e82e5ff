/**
 * The network of a Node page: Node's own `fetch`, and around it what a browser adds to a request and keeps from a script:
 * cookies, the request's origin, CORS (Fetch, 3.2 and 4.8), and the routes that a test has set.
 *
 * @module
 */

import { interceptedBy } from "./route.mjs";

/** The methods, headers and types that a page may send to another origin without a preflight: Fetch, 2.2.1 and 2.2.2. */
const SAFELISTED_METHODS = ["GET", "HEAD", "POST"];
const SAFELISTED_HEADERS = ["accept", "accept-language", "content-language", "content-type"];
const SAFELISTED_TYPES =
  /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(;|$)/i;

/** The `User-Agent` by which the servers of the tests know a browser. */
const USER_AGENT = "Mozilla/5.0 (a page in Node)";

/** @param {string} url @param {string} origin */
function siteOf(url, origin) {
  if (new URL(url).origin === origin) return "same-origin";
  // Loopback hosts differ by their ports alone: one site.
  return new URL(url).hostname === new URL(origin).hostname ? "same-site" : "cross-site";
}

/** The URL that cookies go by: browsers keep `Secure` ones of a loopback host, too. @param {string} url */
const cookieUrl = (url) => url.replace(/^http:\/\/localhost\b/, "https://localhost");

/** @param {import("./browser.mjs").NodeContext} context @param {Response} response @param {string} url */
function keepCookies(context, response, url) {
  for (const line of response.headers.getSetCookie()) {
    context.cookieJar.setCookieSync(line, cookieUrl(url), { ignoreError: true });
  }
}

/**
 * Sends one request of a page and leaves redirects to the caller. No route applies to it.
 *
 * @param {import("./browser.mjs").NodeContext} context
 * @param {object} sent
 * @param {string} sent.url
 * @param {string} sent.method
 * @param {Headers} sent.headers
 * @param {any} [sent.body]
 * @param {boolean} sent.withCookies
 * @param {AbortSignal} [sent.signal]
 * @returns {Promise<Response>}
 */
export async function send(context, { url, method, headers, body, withCookies, signal }) {
  const all = new Headers(headers);
  all.set("user-agent", USER_AGENT);
  // Each connection serves once, so that none ends while a second request is on its way.
  all.set("connection", "close");
  const cookies = withCookies ? context.cookieJar.getCookieStringSync(cookieUrl(url)) : "";
  if (cookies) all.set("cookie", cookies);
  const sending = fetch(url, {
    method,
    headers: all,
    ...(body !== undefined && { body }),
    redirect: "manual",
    signal,
  });
  const response = await (signal ? Promise.race([sending, abortOf(signal)]) : sending);
  if (withCookies) keepCookies(context, response, url);
  if (!signal || !response.body) return response;
  // Node's own fetch may lose a signal to the garbage collector while the body is on its way.
  const passedOn = response.body.pipeThrough(new TransformStream(), { signal });
  const { status, statusText, headers: given } = response;
  return new Response(passedOn, { status, statusText, headers: given });
}

/** Rejects when a signal is aborted. @param {AbortSignal} signal @returns {Promise<never>} */
const abortOf = (signal) =>
  new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** @param {Headers} headers @returns {string[]} Names of headers that need a preflight. */
function unsafeHeaders(headers) {
  return [...headers.keys()]
    .filter(
      (name) =>
        !SAFELISTED_HEADERS.includes(name) ||
        (name === "content-type" && !SAFELISTED_TYPES.test(headers.get(name) ?? "")),
    )
    .sort();
}

const refused = (/** @type {string} */ why) => new TypeError("Failed to fetch", { cause: why });

/** @param {Response} response @param {string} origin @param {boolean} withCredentials */
function mayRead({ headers }, origin, withCredentials) {
  const allowed = headers.get("access-control-allow-origin");
  if (!withCredentials) return allowed === "*" || allowed === origin;
  return allowed === origin && headers.get("access-control-allow-credentials") === "true";
}

/** Asks whether the request may be sent (Fetch, 4.8). */
async function preflight(context, request, origin) {
  const names = unsafeHeaders(request.headers);
  if (SAFELISTED_METHODS.includes(request.method) && names.length === 0) return;
  const headers = new Headers({
    origin,
    "access-control-request-method": request.method,
    ...(names.length > 0 && { "access-control-request-headers": names.join(",") }),
  });
  const { url, givenSignal: signal } = request;
  const sent = { url, method: "OPTIONS", headers, withCookies: false, signal };
  const response = await send(context, sent);
  const list = (name) => (response.headers.get(name) ?? "").toLowerCase().split(/\s*,\s*/);
  const allowsHeaders = names.every((name) => list("access-control-allow-headers").includes(name));
  const allowsMethod =
    SAFELISTED_METHODS.includes(request.method) ||
    list("access-control-allow-methods").includes(request.method.toLowerCase());
  if (response.ok && mayRead(response, origin, false) && allowsHeaders && allowsMethod) return;
  throw refused("the preflight was refused");
}

/**
 * `fetch` as a script of a page has it.
 *
 * @param {import("./page.mjs").NodePage} page
 * @param {Request & { givenSignal?: AbortSignal }} request `givenSignal`: the one that its own follows.
 * @param {string} documentUrl
 * @returns {Promise<Response>}
 */
export async function pageFetch({ nodeContext: context }, request, documentUrl) {
  const { origin } = new URL(documentUrl);
  const headers = new Headers(request.headers);
  const crosses = new URL(request.url).origin !== origin;
  headers.set("sec-fetch-site", siteOf(request.url, origin));
  headers.set("sec-fetch-mode", "cors");
  headers.set("sec-fetch-dest", "empty");
  if (crosses || !["GET", "HEAD"].includes(request.method)) headers.set("origin", origin);
  if (request.referrerPolicy !== "no-referrer") {
    headers.set("referer", crosses ? `${origin}/` : documentUrl);
  }
  const withCookies =
    request.credentials === "include" || (request.credentials === "same-origin" && !crosses);
  const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined;
  const { method } = request;
  const signal = request.givenSignal;
  let { url } = request;
  for (let hops = 0; hops < 20; hops++) {
    const sent = { url, method, headers, body, withCookies, signal };
    const response = await interceptedBy(context, sent, "fetch", async (changed) => {
      if (crosses) await preflight(context, request, origin);
      return send(context, { ...sent, ...changed });
    });
    if (crosses && !mayRead(response, origin, withCookies && crosses)) {
      throw refused("the answer may not be read (CORS)");
    }
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      const type = crosses ? "cors" : "basic";
      Object.defineProperties(response, { url: { value: url }, type: { value: type } });
      return response;
    }
    if (request.redirect === "error") throw refused("it was redirected");
    if (request.redirect === "manual") {
      // That it was redirected is all that a page may know (Fetch, 4.3).
      const filtered = new Response(null, { headers: {} });
      Object.defineProperties(filtered, {
        type: { value: "opaqueredirect" },
        status: { value: 0 },
      });
      return filtered;
    }
    url = new URL(location, url).href;
  }
  throw refused("too many redirects");
}
