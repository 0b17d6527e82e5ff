/** The log entry of a request, without personal data and secrets. */

import type { ClassLinkErrorReason } from "../shared-types.js";
import type { GatewayErrorCode } from "./failure.js";

/** The route of a request. */
export type GatewayRoute =
  | "token"
  | "jwks"
  | "userinfo"
  | "my-info"
  | "session.read"
  | "session.end"
  | "verify"
  | "device"
  | "assertion-keys"
  | "backchannel-logout"
  | "preflight"
  | "health"
  | "ready"
  | "metrics"
  | "unknown";

/** One request, as it may go to any log or monitoring service: no token, code, name, claim, secret or address. */
export interface LogEntry {
  readonly event: GatewayRoute;
  /** `"error"` if the gateway, its configuration or the provider failed, `"warn"` if it refused. */
  readonly level: "info" | "warn" | "error";
  /** The HTTP status of the response. */
  readonly status: number;
  readonly durationMs: number;
  /** The request's `X-Request-Id`, or a random one; the response has it too. */
  readonly requestId: string;
  /** The trace id of the request's `traceparent`. */
  readonly traceId?: string;
  /** The eight characters that the user can read out; absent if the request had none. */
  readonly supportCode?: string;
  /**
   * The gateway's own refusal or failure, or `provider_refused`. With a status below 400 it is why a session could not
   * be renewed, though it goes on for now.
   */
  readonly code?: GatewayErrorCode | "provider_refused";
  readonly reason?: ClassLinkErrorReason;
  /** The provider's registered OAuth error code, with `provider_refused`. */
  readonly providerError?: string;
  /** The status of the provider's response, if the request needed one. */
  readonly upstreamStatus?: number;
  /** The outcome for the session. */
  readonly session?: "sealed" | "renewed" | "kept" | "none" | "ended";
  /** The registration's `district`, if the configuration names one. */
  readonly district?: string;
}

/** The facts that `rateLimit` is given. */
export interface RateLimitInfo {
  readonly route: GatewayRoute;
  /** The request, for its headers; its body must stay unread. */
  readonly request: Request;
  /** The peer's address, if the adapter knows it. Behind a proxy it is the proxy's. */
  readonly remoteAddress?: string;
  readonly supportCode?: string;
}
