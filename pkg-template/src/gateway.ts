/**
 * The gateway: the server side of a sign-in. It holds the client secret, verifies the ID token before anybody gets it,
 * and keeps the session in a sealed cookie, so that a browser holds tokens in memory alone and still survives a reload.
 * On web-standard `Request` and `Response`: Node, Next.js, Hono, Deno, Bun and Cloudflare Workers run it as it is.
 *
 * ```ts
 * import { createGateway } from "classlink-spa/gateway";
 *
 * const gateway = createGateway({
 *   clients: [{
 *     clientId: process.env.CLASSLINK_CLIENT_ID,
 *     clientSecret: process.env.CLASSLINK_CLIENT_SECRET,
 *     redirectUris: ["https://app.example/callback"],
 *   }],
 *   sealingKeys: process.env.SEALING_KEYS.split(" "),   // openssl rand -base64 32
 * });
 *
 * export const { handle } = gateway;                     // answers /auth/token, /auth/session, …
 * const session = await gateway.getSession(request);     // in routes of your own: who is asking?
 * ```
 *
 * | where | how |
 * |---|---|
 * | Next.js, `app/auth/[...path]/route.ts` | `export const GET = (request: Request) => gateway().handle(request)`, likewise `POST`, `DELETE` and `OPTIONS`; made at the first request, since a build has no secrets |
 * | Hono | `app.all("/auth/*", (c) => gateway.handle(c.req.raw))` |
 * | Deno | `Deno.serve(gateway.handle)` |
 * | Bun | `Bun.serve({ fetch: (request) => gateway.handle(request) })` |
 * | Cloudflare Workers | `export default { fetch: (request, env) => … }`, the gateway made once, with the secret from `env` |
 * | Node, Express | `classlink-spa/gateway-node` |
 *
 * ## What it answers
 *
 * Paths are under `basePath`. Every request but the preflight and `health` carries the SDK's `X-ClassLink-SPA` header
 * with the support code. Answers are never cached, and carry `Date` for the SDK's clock.
 *
 * | request | answer |
 * |---|---|
 * | `POST token` | the token response less the refresh token, with the `session_id`, and the session cookie. With `?session_id=…` the session counts once it is named in a `POST session` |
 * | `GET jwks` | the provider's key set |
 * | `GET userinfo`, `GET my-info` | the provider's answer for the caller's bearer token |
 * | `POST session?client_id=…` | a token response (`expires_in` is what remains), or 204; with `&session_id=…` for that session alone |
 * | `DELETE session?client_id=…` | 204; with `&session_id=…` for that session alone |
 * | `GET health` | `{"status":"ok"}`, without asking the provider |
 *
 * ## How it refuses
 *
 * Errors are JSON by RFC 6749, section 5.2. Without the header `X-ClassLink-Gateway-Error` it is **the provider** that
 * refused: `error` is its code (an unregistered one becomes `invalid_request`), without its text; the status is 400, or
 * 503 where the provider's was 429 or 5xx; at `userinfo` and `my-info` 401 or 403. With the header it is **the
 * gateway's** own refusal or failure, and the header says which:
 *
 * | header | status | |
 * |---|---|---|
 * | `not_found`, `method_not_allowed`, `unsupported_media_type`, `body_too_large`, `request_invalid`, `unsupported_grant_type` | 404, 405, 415, 413, 400, 400 | the request is not one of the above |
 * | `unknown_client`, `unknown_redirect_uri` | 400 | not registered here, to the letter |
 * | `forbidden_origin`, `missing_header` | 403 | another site's request, or none of the SDK's |
 * | `missing_token` | 401 | `userinfo` or `my-info` without a bearer token |
 * | `rate_limited`, `rate_limit_failed` | 429, 503 | `limits` or the `rateLimit` hook said no; the hook failed or hung |
 * | `overloaded` | 503 | more requests to the provider at a time than `limits` allow, for too long |
 * | `id_token_invalid` | 400 | `error` is `invalid_grant`, and `reason` in the body says which check failed |
 * | `tenant_not_allowed` | 403 | `reason` is `tenant_other` or `tenant_unknown` |
 * | `user_mismatch` | 502 | UserInfo or a renewed ID token speaks of another subject |
 * | `session_too_large` | 500 | `error_description` says what to ask for less of |
 * | `upstream_unreachable`, `upstream_timeout`, `upstream_error`, `upstream_invalid` | 502, 504, 502, 502 | the provider is down, slow, failed or answered nonsense |
 * | `discovery_invalid`, `keys_unavailable`, `endpoint_unknown` | 502, 502, 404 | the provider's metadata or keys |
 * | `internal` | 500 | a defect of the gateway |
 *
 * ## What to know
 *
 * - The session is stateless: any instance serves it, and signing out clears the browser's cookie (and revokes the
 *   tokens where the provider can), but a copy of the cookie would last until its limits.
 * - It slides with the SDK's session requests. It ends at `idleTimeout`, at `maxAge`, and with its ID token.
 * - The cookie is `__Host-` and `Secure`. Chromium takes it from `http://localhost` too; for a browser that doesn't,
 *   develop over https.
 * - Behind a proxy that changes scheme or host the gateway sees another URL than the browser. Requests that the browser
 *   calls same-origin, from an origin that a redirect URI is registered on, pass all the same; for browsers without
 *   Fetch Metadata name the application's origin in `allowedOrigins`.
 *
 * @packageDocumentation
 */

import type { GatewayContext, GatewayResponse, Handler } from "./gateway/context.js";
import { RequestCookies } from "./gateway/cookies.js";
import {
  checkCsrf,
  corsHeaders,
  ERROR_HEADER,
  preflightHeaders,
  readSupportCode,
  SDK_HEADER,
} from "./gateway/csrf.js";
import { GatewayFailure, ProviderRefusal } from "./gateway/failure.js";
import { withDeadline } from "./gateway/http.js";
import { type GatewayRoute, type LogEntry, LogWriter, type RequestLog } from "./gateway/log.js";
import { type GatewayOptions, readOptions } from "./gateway/options.js";
import { Provider } from "./gateway/provider.js";
import { proxyJwks, proxyProfile } from "./gateway/proxy-routes.js";
import { RefreshCoordinator } from "./gateway/renewal.js";
import { Sessions, userOf } from "./gateway/session.js";
import { endSession, readSession } from "./gateway/session-routes.js";
import { exchange } from "./gateway/token-route.js";
import type { User } from "./shared-types.js";

export type { GatewayErrorCode } from "./gateway/failure.js";
export type { GatewayRoute, LogEntry, RateLimitInfo } from "./gateway/log.js";
export {
  type GatewayClient,
  GatewayConfigError,
  type GatewayLimits,
  type GatewayMetadata,
  type GatewayOptions,
  type GatewaySessionOptions,
  type OptionProblem,
} from "./gateway/options.js";
export type { User } from "./shared-types.js";

/** Who is asking, for an application's own routes. */
export interface GatewaySession {
  /** The person, from the verified ID token. Roles are hints, never authorization. */
  readonly user: User;
  /** The scope granted; empty where the provider did not say it. */
  readonly scope: readonly string[];
  /** When the session ends unless the SDK asks for it again, in seconds since 1970. */
  readonly expiresAt: number;
}

/** What `getSession` needs of a request: a `Request`, or anything else with its headers. */
export interface SessionRequest {
  readonly headers: {
    /** A header by its name, whatever its case; `null` where there is none. */
    get(name: string): string | null;
  };
}

/** What an adapter knows of a request beyond the `Request`, as {@link Gateway.handle} takes it. */
export interface RequestContext {
  /** The client's address, for `limits` and `rateLimit`. Behind a proxy: what a header says that the proxy sets. */
  readonly remoteAddress?: string;
}

/** The server side of a sign-in. Its functions keep working when taken off it. */
export interface Gateway {
  /**
   * Answers a request to one of the gateway's paths. Never rejects.
   *
   * @param context a {@link RequestContext}. What frameworks give their handlers as a second argument is none, and
   * does no harm.
   */
  readonly handle: (request: Request, context?: unknown) => Promise<Response>;
  /**
   * Who is asking, by the session cookie; `null` when nobody is signed in. With several registrations it is the one
   * that signed in last, unless `clientId` says which.
   *
   * It asks nobody, renews nothing and doesn't count as activity. The cookie is `SameSite=Strict`, which keeps other
   * sites out but not other hosts of the same site: a route that changes something checks `Origin` besides.
   */
  readonly getSession: (
    request: SessionRequest,
    options?: { readonly clientId?: string },
  ) => Promise<GatewaySession | null>;
}

const ROUTES: Readonly<Record<string, Readonly<Record<string, readonly [GatewayRoute, Handler]>>>> =
  {
    "/token": { POST: ["token", exchange] },
    "/jwks": { GET: ["jwks", proxyJwks] },
    "/userinfo": { GET: ["userinfo", proxyProfile("userinfo_endpoint")] },
    "/my-info": { GET: ["my-info", proxyProfile("my_info_endpoint")] },
    "/session": { POST: ["session.read", readSession], DELETE: ["session.end", endSession] },
  };

/**
 * Makes a gateway. It starts no request by itself.
 *
 * @throws {@link GatewayConfigError} naming every option that is missing or wrong.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const settings = readOptions(options);
  const provider = new Provider(settings);
  const gateway: GatewayContext = {
    settings,
    provider,
    sessions: new Sessions(settings),
    renewals: new RefreshCoordinator(settings, provider),
    logWriter: new LogWriter(settings),
  };
  return {
    handle: (request, context) => handle(request, context, gateway),
    getSession: async ({ headers }, { clientId } = {}) => {
      const cookies = new RequestCookies(headers.get("cookie"));
      const client = clientId === undefined ? undefined : settings.clients.get(clientId);
      const found =
        clientId === undefined
          ? await gateway.sessions.findAll(cookies)
          : [client && (await gateway.sessions.find(client, cookies)).newest];
      const [latest] = found
        .filter((open) => open !== undefined)
        .sort((a, b) => b.session.order - a.session.order);
      if (!latest) return null;
      return {
        user: userOf(latest),
        scope: (latest.session.scope ?? "").split(" ").filter(Boolean),
        expiresAt: gateway.sessions.expiry(latest),
      };
    },
  };
}

async function handle(
  request: Request,
  context: unknown,
  gateway: GatewayContext,
): Promise<Response> {
  const { settings } = gateway;
  const started = settings.now();
  const supportCode = readSupportCode(request);
  const entry: RequestLog = { event: "unknown", ...(supportCode && { supportCode }) };
  let answer: GatewayResponse;
  let failure: unknown;
  try {
    answer = await route(request, readContext(context), gateway, entry);
  } catch (error) {
    failure = error;
    answer = failed(error);
  }
  const response = respond(request, answer, gateway, entry);
  const durationMs = settings.now() - started;
  await gateway.logWriter.write(
    toLogEntry(entry, failure ?? entry.recoveredError, response.status, durationMs),
  );
  return response;
}

/** What an adapter knows of a request that a `Request` can't say: `gateway-node.ts` sets these. */
interface AdapterContext extends RequestContext {
  /** The method, where it is one that no `Request` may have. */
  readonly [METHOD]?: string;
  /** Why the request can't be answered as it is. */
  readonly [REFUSAL]?: "request_invalid";
}

const METHOD = Symbol.for("classlink-spa.method");
const REFUSAL = Symbol.for("classlink-spa.refusal");

/** What frameworks give their handlers as a second argument is no context of ours. */
function readContext(context: unknown): AdapterContext {
  if (typeof context !== "object" || context === null) return {};
  const { remoteAddress, [METHOD]: method, [REFUSAL]: refusal } = context as AdapterContext;
  return {
    ...(typeof remoteAddress === "string" && { remoteAddress }),
    ...(typeof method === "string" && { [METHOD]: method }),
    ...(refusal && { [REFUSAL]: refusal }),
  };
}

async function route(
  request: Request,
  context: AdapterContext,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings } = gateway;
  const { [METHOD]: method = request.method, [REFUSAL]: refusal, remoteAddress } = context;
  const { pathname } = new URL(request.url);
  const path = pathname.startsWith(settings.basePath)
    ? pathname.slice(settings.basePath.length)
    : "";
  const isHealth = path === "/health" && (method === "GET" || method === "HEAD");
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (!methods && !isHealth) throw new GatewayFailure("not_found");
  if (refusal) throw new GatewayFailure(refusal);
  if (isHealth || !methods) {
    entry.event = "health";
    return { status: 200, body: JSON.stringify({ status: "ok" }) };
  }
  if (method === "OPTIONS" && request.headers.has("Access-Control-Request-Method")) {
    entry.event = "preflight";
    return { status: 204, headers: preflightHeaders(request, settings, Object.keys(methods)) };
  }
  const found = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!found) {
    const allow = Object.keys(methods).join(", ");
    throw new GatewayFailure("method_not_allowed", { headers: { Allow: allow } });
  }
  const [event, handler] = found;
  entry.event = event;
  checkCsrf(request, settings);
  if (entry.supportCode === undefined) throw new GatewayFailure("missing_header");
  await checkRate(request, remoteAddress, gateway, entry);
  return handler(request, gateway, entry, () => {
    settings.addressLimit.count(event, remoteAddress);
  });
}

/** Asks the application's `rateLimit`. */
async function checkRate(
  request: Request,
  remoteAddress: string | undefined,
  { settings }: GatewayContext,
  { event, supportCode }: RequestLog,
): Promise<void> {
  const { rateLimit, hookTimeout } = settings;
  if (!rateLimit) return;
  const failure = () => new GatewayFailure("rate_limit_failed");
  const isAllowed = await withDeadline(hookTimeout, failure, async () =>
    rateLimit({
      route: event,
      request,
      ...(remoteAddress !== undefined && { remoteAddress }),
      ...(supportCode && { supportCode }),
    }),
  ).catch(() => {
    throw failure();
  });
  if (isAllowed !== true) {
    throw new GatewayFailure("rate_limited", { headers: { "Retry-After": "10" } });
  }
}

/** The answer to what was thrown: the provider's refusal as its code alone, everything else under a code of our own. */
function failed(error: unknown): GatewayResponse {
  if (error instanceof ProviderRefusal) {
    return { status: error.status, body: JSON.stringify({ error: error.error }) };
  }
  const failure = error instanceof GatewayFailure ? error : new GatewayFailure("internal");
  return {
    status: failure.status,
    body: JSON.stringify(failure.body),
    headers: { ...failure.details.headers, [ERROR_HEADER]: failure.code },
    ...(failure.details.cookies && { cookies: failure.details.cookies }),
  };
}

function respond(
  request: Request,
  answer: GatewayResponse,
  { settings }: GatewayContext,
  entry: RequestLog,
): Response {
  const headers = new Headers({
    "Cache-Control": "no-store",
    // Not every runtime adds it, and the SDK sets its clock by it.
    Date: new Date(settings.now()).toUTCString(),
    "X-Content-Type-Options": "nosniff",
    ...(answer.body !== undefined && { "Content-Type": "application/json" }),
    ...(entry.supportCode && { [SDK_HEADER]: entry.supportCode }),
    ...corsHeaders(request, settings),
    ...answer.headers,
  });
  for (const cookie of answer.cookies ?? []) headers.append("Set-Cookie", cookie);
  const body = request.method === "HEAD" ? undefined : answer.body;
  return new Response(body ?? null, { status: answer.status, headers });
}

function toLogEntry(
  entry: RequestLog,
  failure: unknown,
  status: number,
  durationMs: number,
): LogEntry {
  const refusal = failure instanceof ProviderRefusal ? failure : undefined;
  const own = failure instanceof GatewayFailure ? failure : undefined;
  const code =
    failure === undefined ? undefined : refusal ? "provider_refused" : (own?.code ?? "internal");
  const upstreamStatus =
    refusal?.upstreamStatus ?? own?.details.upstreamStatus ?? entry.upstreamStatus;
  // These two say that the registration or the secret is wrong, whatever the status.
  const misconfigured = refusal && /^(invalid|unauthorized)_client$/.test(refusal.error);
  return {
    event: entry.event,
    level: status >= 500 || misconfigured ? "error" : code ? "warn" : "info",
    status,
    durationMs,
    ...(entry.supportCode && { supportCode: entry.supportCode }),
    ...(code && { code }),
    ...(own?.details.reason && { reason: own.details.reason }),
    ...(refusal && { providerError: refusal.error }),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(entry.session && { session: entry.session }),
    ...(entry.district !== undefined && { district: entry.district }),
  };
}
