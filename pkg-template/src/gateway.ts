/**
 * The gateway: the server side of a sign-in. It holds the client secret, verifies the ID token before a page gets it,
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
 * export const { handle } = gateway;                     // handles /auth/token, /auth/session, …
 * const session = await gateway.getSession(request);     // in routes of your own: the user, or null
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
 * ## Routes
 *
 * Paths are under `basePath`. Every request but the preflight and `health` carries the SDK's `X-ClassLink-SPA` header
 * with the support code. Responses are not cached (`Cache-Control: no-store`), and carry `Date` for the SDK's clock.
 *
 * | request | response |
 * |---|---|
 * | `POST token` | the token response less the refresh token, with the `session_id`, and the session cookie. With `?session_id=…` the session counts once it is named in a `POST session` |
 * | `GET jwks` | the provider's key set |
 * | `GET userinfo`, `GET my-info` | the provider's response to the caller's bearer token |
 * | `POST session?client_id=…` | a token response (`expires_in` is what remains), or 204; with `&session_id=…` for that session alone |
 * | `DELETE session?client_id=…` | 204; with `&session_id=…` for that session alone |
 * | `GET health` | `{"status":"ok"}`, without asking the provider |
 * | `POST device` | the browser registers and proves the key of a device-bound session |
 * | `verify` | forward authentication for proxies: 204 with the user in headers, or 401 |
 * | `GET assertion-keys` | the keys that verify the assertions of `verify` |
 * | `GET ready` | whether sign-ins can be served: 200 or 503 |
 * | `GET metrics` | counts for Prometheus, if they are configured |
 * | `POST backchannel-logout` | the provider ends sessions; with a `store` |
 *
 * Proxies, other servers and browsers themselves ask the last six: without the SDK's header. `docs/gateway.md` has their contract.
 *
 * ## Errors
 *
 * Errors are JSON by RFC 6749, section 5.2. Without the header `X-ClassLink-Gateway-Error` it is **the provider** that
 * refused: `error` is its code (an unregistered one becomes `invalid_request`), without its text; the status is 400, or
 * 503 if the provider's was 429 or 5xx; at `userinfo` and `my-info` 401 or 403. With the header it is **the
 * gateway's** own refusal or failure, and the header says which:
 *
 * | header | status | |
 * |---|---|---|
 * | `not_found`, `method_not_allowed`, `unsupported_media_type`, `body_too_large`, `request_invalid`, `unsupported_grant_type` | 404, 405, 415, 413, 400, 400 | the request is not one of the above |
 * | `unknown_client`, `unknown_redirect_uri` | 400 | not registered here exactly so |
 * | `forbidden_origin`, `missing_header` | 403 | another site's request, or none of the SDK's |
 * | `missing_token` | 401 | `userinfo` or `my-info` without a bearer token |
 * | `rate_limited`, `rate_limit_failed` | 429, 503 | `limits` or the `rateLimit` hook said no; the hook failed or hung |
 * | `overloaded` | 503 | more requests to the provider at a time than `limits` allow, for too long |
 * | `id_token_invalid` | 400 | `error` is `invalid_grant`, and `reason` in the body says which check failed |
 * | `tenant_not_allowed` | 403 | `reason` is `tenant_other` or `tenant_unknown` |
 * | `user_mismatch` | 502 | UserInfo or a renewed ID token is about another subject |
 * | `session_too_large` | 500 | `error_description` says what to ask for less of |
 * | `upstream_unreachable`, `upstream_timeout`, `upstream_error`, `upstream_invalid` | 502, 504, 502, 502 | the provider cannot be reached, is slow, fails or returns a malformed response |
 * | `discovery_invalid`, `keys_unavailable`, `endpoint_unknown` | 502, 502, 404 | the provider's metadata or keys |
 * | `not_signed_in` | 401 | `verify` without a session |
 * | `device_proof_required`, `device_proof_invalid` | 403, 400 | `device` without a proof of the key, or with a bad one |
 * | `device_unproved` | 503 | the browser could not refresh a device-bound session; it goes on |
 * | `not_ready` | 503 | `ready`: the provider or the store cannot be reached |
 * | `store_unavailable` | 503 | the `store` cannot be reached; no session is lost |
 * | `logout_token_invalid` | 400 | `backchannel-logout` |
 * | `internal` | 500 | a defect of the gateway |
 *
 * ## Behavior
 *
 * - The session is stateless: any instance can read it, and signing out clears the browser's cookie (and revokes the
 *   tokens if the provider can). Without a `store`, a copy of the cookie would last until its limits.
 * - It slides with the SDK's session requests. It ends at `idleTimeout`, at `maxAge`, and with its ID token.
 * - The cookie is `__Host-` and `Secure`. Chromium takes it from `http://localhost` too; for a browser that doesn't,
 *   develop over https.
 * - Behind a proxy that changes scheme or host the gateway sees another URL than the browser. Requests that the browser
 *   calls same-origin, from an origin that a redirect URI is registered on, pass all the same; for browsers without
 *   Fetch Metadata name the application's origin in `allowedOrigins`.
 *
 * @packageDocumentation
 */

import { AssertionSigner } from "./gateway/assertions.js";
import { check } from "./gateway/check.js";
import type { GatewayCheckResult } from "./gateway/check-result.js";
import type { GatewayContext } from "./gateway/context.js";
import { RequestCookies } from "./gateway/cookies.js";
import { findCurrent } from "./gateway/current-session.js";
import { DeviceBinding } from "./gateway/device-binding.js";
import { LogWriter } from "./gateway/log-writer.js";
import type { GatewayOptions } from "./gateway/options.js";
import { Provider } from "./gateway/provider.js";
import { RefreshCoordinator } from "./gateway/renewal.js";
import { fromWebRequest, HANDLE, type RequestHandler, toWebResponse } from "./gateway/request.js";
import { Revocations } from "./gateway/revocation.js";
import { handleRequest } from "./gateway/router.js";
import { Sealing } from "./gateway/sealing.js";
import { Sessions, userOf } from "./gateway/session.js";
import { SessionCodec } from "./gateway/session-codec.js";
import { readOptions } from "./gateway/settings.js";
import type { User } from "./shared-types.js";

export type { GatewayCheck, GatewayCheckResult } from "./gateway/check-result.js";
export type { GatewayErrorCode } from "./gateway/failure.js";
export type { GatewayRoute, LogEntry, RateLimitInfo } from "./gateway/log.js";
export {
  type GatewayAssertionOptions,
  type GatewayClient,
  GatewayConfigError,
  type GatewayLimits,
  type GatewayMetadata,
  type GatewayMetricsOptions,
  type GatewayOptions,
  type GatewaySessionOptions,
  type OptionProblem,
} from "./gateway/options.js";
export { type GatewayStore, memoryStore, redisStore } from "./gateway/store.js";
export type { User } from "./shared-types.js";

/** The session of a request, for an application's own routes. */
export interface GatewaySession {
  /** The user, from the verified ID token. Roles are hints, never authorization. */
  readonly user: User;
  /** The scope granted; empty if the provider did not say it. */
  readonly scope: readonly string[];
  /** When the session ends unless the SDK asks for it again, in seconds since 1970. */
  readonly expiresAt: number;
}

/** The part of a request that `getSession` reads: a `Request`, or another object with its headers. */
export interface SessionRequest {
  readonly headers: {
    /** Returns the header of a name, in any case; `null` if it is absent. */
    get(name: string): string | null;
  };
}

/** The facts that an adapter knows of a request beyond the `Request`, as {@link Gateway.handle} takes it. */
export interface RequestContext {
  /** The client's address, for `limits` and `rateLimit`. Behind a proxy: the value of the header that the proxy sets. */
  readonly remoteAddress?: string;
}

/** The server side of a sign-in. Its functions keep working when taken off it. */
export interface Gateway {
  /**
   * Handles a request to one of the gateway's paths. Never rejects.
   *
   * @param context a {@link RequestContext}. The second argument that frameworks give their handlers is
   * ignored.
   */
  readonly handle: (request: Request, context?: unknown) => Promise<Response>;
  /**
   * Returns the session of the request's cookies; `null` without one. With several registrations it is the one with the
   * latest sign-in, unless `clientId` names another.
   *
   * It sends no request but to the `store`, renews nothing and does not count as activity. If the store cannot be reached, it
   * rejects with an error whose `code` is `store_unavailable`: whether the session was revoked is not known.
   *
   * The cookie is `SameSite=Strict`: other sites' requests come without it, other hosts of the same site send it. So a route
   * that changes something must check `Origin`, too.
   */
  readonly getSession: (
    request: SessionRequest,
    options?: { readonly clientId?: string },
  ) => Promise<GatewaySession | null>;
  /**
   * Ends one session, or all that a user has, on every instance, from the next request on. The user may sign in again.
   * Needs `store`; rejects if that cannot be reached, and then nothing is revoked.
   *
   * @param target `sessionId`: the `sid` of an assertion, or `session_id` of a token response. `userId`: `user.id`.
   */
  readonly revoke: (target: RevokeTarget) => Promise<void>;
  /**
   * Finds what is wrong with a deployment, before it serves: fetches the provider's metadata, keys and time, sends a code that
   * was never issued to see whether the provider accepts each client id and secret, and tries the store. Never rejects.
   */
  readonly check: () => Promise<GatewayCheckResult>;
  /** Writes the counts of this instance as `{base}/metrics` does, for a port that only Prometheus reaches. */
  readonly metrics: () => string;
}

/** The sessions that {@link Gateway.revoke} ends. */
export type RevokeTarget =
  | { readonly sessionId: string; readonly userId?: never }
  | { readonly userId: string; readonly sessionId?: never };

/**
 * Creates a gateway. It sends no request before it gets one.
 *
 * @throws {@link GatewayConfigError} with every option that is missing or wrong.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const settings = readOptions(options);
  const provider = new Provider(settings);
  const sealing = new Sealing(settings);
  const codec = new SessionCodec(sealing);
  const devices = new DeviceBinding(settings, sealing);
  const revocations = new Revocations(settings.store, settings);
  const gateway: GatewayContext = {
    settings,
    provider,
    sessions: new Sessions(settings, codec, devices),
    renewals: new RefreshCoordinator(settings, provider, codec),
    revocations,
    devices,
    assertions: settings.assertions && new AssertionSigner(settings.assertions),
    logWriter: new LogWriter(settings),
  };
  const handleDirectly: RequestHandler = (request) => handleRequest(request, gateway);
  const handle = async (request: Request, context?: unknown) =>
    toWebResponse(await handleDirectly(fromWebRequest(request, context)));
  return {
    handle: Object.assign(handle, { [HANDLE]: handleDirectly }),
    getSession: async ({ headers }, { clientId } = {}) => {
      const cookies = new RequestCookies(headers.get("cookie"));
      const current = await findCurrent(cookies, clientId, gateway);
      if (!current) return null;
      const { open } = current;
      return {
        user: userOf(open),
        scope: (open.session.scope ?? "").split(" ").filter(Boolean),
        expiresAt: gateway.sessions.expiry(open),
      };
    },
    revoke: async ({ sessionId, userId }) => {
      if (!settings.store) {
        throw new TypeError("gateway.revoke: there is no `store` that remembers it; give one");
      }
      if ((sessionId === undefined) === (userId === undefined)) {
        throw new TypeError("gateway.revoke: one of `sessionId` and `userId` is required");
      }
      if (sessionId !== undefined) await revocations.revokeSession(sessionId);
      if (userId !== undefined) await revocations.revokeUser(userId);
      settings.metrics.countEnded("revoked");
    },
    check: () => check(gateway),
    metrics: () => settings.metrics.write(settings.upstream),
  };
}
