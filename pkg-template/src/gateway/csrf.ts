/**
 * Refuses requests of other sites than the application's (OAuth 2.0 for Browser-Based Applications, the CSRF defenses of
 * its back-end patterns; Fetch Metadata). A cookie alone is never enough.
 */

import { GatewayFailure } from "./failure.js";
import type { GatewayRequest } from "./request.js";
import type { Settings } from "./settings.js";

/** The header that the SDK sends with every request. Forms and images cannot send it, scripts of other sites may not. */
export const SDK_HEADER = "X-ClassLink-SPA";

/** Names the gateway's own refusals and failures in a response; absent if the provider refused. */
export const ERROR_HEADER = "X-ClassLink-Gateway-Error";

/** Reads the support code: eight characters of Crockford's base 32. */
export function readSupportCode(request: GatewayRequest): string | undefined {
  const value = request.header("x-classlink-spa") ?? "";
  return /^[0-9A-HJKMNP-TV-Z]{8}$/i.test(value) ? value : undefined;
}

/**
 * Refuses requests of other sites.
 *
 * @throws {@link GatewayFailure} `forbidden_origin`
 */
export function checkCsrf(request: GatewayRequest, settings: Settings): void {
  const origin = request.header("origin");
  const site = request.header("sec-fetch-site");
  if (origin !== null && settings.allowedOrigins.has(origin)) return;
  // Browsers leave out `Origin` only with GET and HEAD.
  const isOwnPage = origin === null ? request.method === "GET" : isOwnOrigin(origin);
  const isSameOrigin = site === null || site === "same-origin";
  if (!isOwnPage || !isSameOrigin) throw new GatewayFailure("forbidden_origin");

  function isOwnOrigin(origin: string): boolean {
    // Behind a proxy that changes scheme or host, `request.origin` is not the browser's. Then the browser's statement that
    // page and gateway share an origin counts, if a redirect URI is registered on that origin.
    return (
      origin === request.origin ||
      (site === "same-origin" && settings.applicationOrigins.has(origin))
    );
  }
}

/** Returns the CORS headers for an allowed origin; for any other, only that the response depends on it. */
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
 * Returns the headers of the response to a preflight of an allowed origin.
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
