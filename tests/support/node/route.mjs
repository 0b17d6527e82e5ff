/**
 * Requests that a test answers itself: Playwright's `route`, for Node pages.
 *
 * @module
 */

/** @typedef {{ url: string, method: string, headers: Headers, body?: any, withCookies: boolean, signal?: AbortSignal }} Sent */

/**
 * Whether a URL is one that a pattern means: an exact URL or a glob, a regular expression, or a predicate.
 *
 * @param {string | RegExp | ((url: URL) => boolean)} pattern
 * @param {string} url
 */
export function matchesUrl(pattern, url) {
  if (typeof pattern === "function") return pattern(new URL(url));
  if (pattern instanceof RegExp) return pattern.test(url);
  const source = pattern
    .replace(/[.+^${}()|[\]\\?]/g, "\\$&")
    .replaceAll("**", "\0")
    .replaceAll("*", "[^/]*")
    .replaceAll("\0", ".*");
  return new RegExp(`^${source}$`).test(url);
}

/** A request as Playwright shows it. @param {Sent} sent @param {string} type */
export const shownRequest = (sent, type) => ({
  url: () => sent.url,
  method: () => sent.method,
  headers: () => Object.fromEntries(sent.headers),
  allHeaders: async () => Object.fromEntries(sent.headers),
  postData: () => (sent.body === undefined ? null : String(sent.body)),
  resourceType: () => type,
});

/** An answer as Playwright shows it. @param {Response} response */
const shownResponse = (response) => ({
  response,
  status: () => response.status,
  ok: () => response.ok,
  headers: () => Object.fromEntries(response.headers),
  json: () => response.clone().json(),
  text: () => response.clone().text(),
  body: async () => Buffer.from(await response.clone().arrayBuffer()),
});

/** The answer that a test gives. */
function fulfilled({ status, headers, contentType, body, json, response }) {
  const from = response?.response;
  const all = new Headers(headers ?? from?.headers ?? {});
  if (contentType) all.set("content-type", contentType);
  if (json !== undefined) all.set("content-type", "application/json");
  // It says how long another body was.
  all.delete("content-length");
  all.delete("content-encoding");
  const text = json === undefined ? body : JSON.stringify(json);
  return new Response(text ?? (from ? from.clone().body : null), {
    status: status ?? from?.status ?? 200,
    headers: all,
  });
}

/**
 * Has a request answered by the last route that matches it, or by `usual`.
 *
 * @param {import("./browser.mjs").NodeContext} context
 * @param {Sent} sent
 * @param {string} type
 * @param {(changed?: Partial<Sent>) => Promise<Response>} usual
 * @returns {Promise<Response>}
 */
export async function interceptedBy(context, sent, type, usual) {
  context.emit("request", shownRequest(sent, type));
  if (context.offline) throw new TypeError("Failed to fetch", { cause: "offline" });
  const routes = context.routes.filter(({ pattern }) => matchesUrl(pattern, sent.url));
  const next = async () => {
    const route = routes.pop();
    if (!route) return usual();
    if (route.times !== undefined && --route.times === 0) {
      context.routes.splice(context.routes.indexOf(route), 1);
    }
    return new Promise((resolve, reject) => {
      sent.signal?.addEventListener("abort", () => reject(sent.signal?.reason));
      const given = route.handler({
        request: () => shownRequest(sent, type),
        fulfill: async (/** @type {any} */ answer = {}) => resolve(fulfilled(answer)),
        abort: async () => reject(new TypeError("Failed to fetch")),
        fallback: async () => next().then(resolve, reject),
        continue: async () => usual().then(resolve, reject),
        fetch: async (/** @type {{ url?: string, postData?: string }} */ { url, postData } = {}) =>
          shownResponse(await usual({ ...(url && { url }), ...(postData && { body: postData }) })),
      });
      Promise.resolve(given).catch(reject);
    });
  };
  return next();
}
