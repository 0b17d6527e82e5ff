/**
 * Who may ask: the application's own pages and no other site's (OAuth 2.0 for Browser-Based Applications, the backend
 * patterns' CSRF defences; Fetch Metadata). A cookie alone is never enough.
 */

import { GatewayFailure } from "./failure.js";
import type { GatewayRequest } from "./request.js";
import type { Settings } from "./settings.js";

/** The header that the SDK sends with every request. No form and no image can, and a script of another site may not. */
export const SDK_HEADER = "X-ClassLink-SPA";

/** Names the gateway's own refusals and failures in a response; absent if the provider refused. */
export const ERROR_HEADER = "X-ClassLink-Gateway-Error";

/** The support code: eight characters of Crockford's base 32. */
export function readSupportCode(request: GatewayRequest): string | undefined {
  const value = request.header("x-classlink-spa") ?? "";
  return /^[0-9A-HJKMNP-TV-Z]{8}$/i.test(value) ? value : undefined;
}

/**
 * Refuses other sites.
 *
 * @throws {@link GatewayFailure} `forbidden_origin`
 */
export function checkCsrf(request: GatewayRequest, settings: Settings): void {
  const origin = request.header("origin");
  const site = request.header("sec-fetch-site");
  const allowed = origin !== null && settings.allowedOrigins.has(origin);
  if (origin === null ? request.method !== "GET" : !allowed && !isOwn(origin, site)) {
    throw new GatewayFailure("forbidden_origin");
  }
  if (site !== null && site !== "same-origin" && !allowed) {
    throw new GatewayFailure("forbidden_origin");
  }

  function isOwn(origin: string, site: string | null): boolean {
    // Behind a proxy the URL may show another host than the browser's; then the browser's own word that page and
    // gateway share an origin holds, if that origin is one that a redirect URI is registered on.
    return (
      origin === request.origin ||
      (site === "same-origin" && settings.applicationOrigins.has(origin))
    );
  }
}

/** The CORS headers for an allowed origin, and for every other only that the response depends on it. */
export function corsHeaders(request: GatewayRequest, settings: Settings): Record<string, string> {
  const origin = request.header("origin");
  if (origin === null || !settings.allowedOrigins.has(origin)) return { Vary: "Origin" };
  return {
    Vary: "Origin",
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": `Date, ${ERROR_HEADER}`,
  };
}

/**
 * Answers a preflight's question, for an allowed origin.
 *
 * @throws {@link GatewayFailure} `forbidden_origin`
 */
export function preflightHeaders(
  request: GatewayRequest,
  settings: Settings,
  methods: readonly string[],
): Record<string, string> {
  if (!settings.allowedOrigins.has(request.header("origin") ?? "")) {
    throw new GatewayFailure("forbidden_origin");
  }
  return {
    "Access-Control-Allow-Methods": methods.join(", "),
    "Access-Control-Allow-Headers": `Authorization, Content-Type, ${SDK_HEADER}`,
    "Access-Control-Max-Age": "600",
  };
}
