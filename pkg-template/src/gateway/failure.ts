/**
 * The gateway's refusals and failures. Every text here is its own: nothing that a provider, a caller or the
 * configuration sent is ever part of one.
 */

import type { ClassLinkErrorReason } from "../shared-types.js";

/** The response for each code: HTTP status, OAuth error code (RFC 6749, 5.2) and description. */
const RESPONSES = {
  not_found: [404, "invalid_request", "The gateway has no such path."],
  method_not_allowed: [405, "invalid_request", "This path does not take this method."],
  unsupported_media_type: [
    415,
    "invalid_request",
    "The token request must be application/x-www-form-urlencoded.",
  ],
  body_too_large: [413, "invalid_request", "The request body is over 8 KiB."],
  request_invalid: [
    400,
    "invalid_request",
    "A parameter is missing, repeated, malformed or unknown.",
  ],
  unsupported_grant_type: [
    400,
    "unsupported_grant_type",
    "Only grant_type=authorization_code is taken.",
  ],
  unknown_client: [400, "invalid_client", "The client id is not one of this gateway's."],
  unknown_redirect_uri: [
    400,
    "invalid_grant",
    "The redirect URI is not exactly one that is registered for this client.",
  ],
  forbidden_origin: [
    403,
    "access_denied",
    "The request comes from another site. Behind a proxy that changes scheme or host, name the application's origin in allowedOrigins.",
  ],
  missing_header: [403, "access_denied", "The X-ClassLink-SPA header is missing or malformed."],
  missing_token: [401, "invalid_token", "A bearer token is required."],
  rate_limited: [429, "temporarily_unavailable", "Too many requests."],
  rate_limit_failed: [503, "temporarily_unavailable", "The rate limit could not be checked."],
  overloaded: [503, "temporarily_unavailable", "Too many requests to the provider are under way."],
  not_signed_in: [401, "login_required", "There is no session."],
  device_proof_required: [403, "access_denied", "The device must prove that it has its key."],
  device_proof_invalid: [400, "invalid_request", "The device's proof was refused."],
  device_unproved: [
    503,
    "temporarily_unavailable",
    "The browser could not prove that it has the device's key.",
  ],
  not_ready: [503, "temporarily_unavailable", "The gateway cannot serve sign-ins yet."],
  store_unavailable: [503, "temporarily_unavailable", "The store cannot be reached."],
  logout_token_invalid: [400, "invalid_request", "The logout token was refused."],
  endpoint_unknown: [404, "invalid_request", "The provider's metadata names no such endpoint."],
  upstream_unreachable: [502, "temporarily_unavailable", "The provider can't be reached."],
  upstream_timeout: [504, "temporarily_unavailable", "The provider did not answer in time."],
  upstream_error: [502, "server_error", "The provider failed."],
  upstream_invalid: [
    502,
    "server_error",
    "The provider's answer is not what the standard asks for.",
  ],
  discovery_invalid: [502, "server_error", "The provider's metadata is not usable."],
  keys_unavailable: [
    502,
    "temporarily_unavailable",
    "The provider's key set cannot be fetched or read.",
  ],
  id_token_invalid: [400, "invalid_grant", "The ID token was refused; see the reason."],
  user_mismatch: [502, "server_error", "The provider's answer is about another subject."],
  tenant_not_allowed: [403, "access_denied", "This tenant is not served; see the reason."],
  session_too_large: [500, "server_error", "The session does not fit into cookies."],
  internal: [500, "server_error", "The gateway failed."],
} as const satisfies Record<string, readonly [status: number, error: string, description: string]>;

/** The codes of the gateway's own refusals and failures, in the header `X-ClassLink-Gateway-Error`. */
export type GatewayErrorCode = keyof typeof RESPONSES;

/** Options of a {@link GatewayFailure}. */
export interface FailureDetails {
  readonly reason?: ClassLinkErrorReason;
  /** Replaces the code's description; never a text from outside. */
  readonly description?: string;
  /** The status of the provider's response, for the log. */
  readonly upstreamStatus?: number;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `Set-Cookie` values that go out with the refusal. */
  readonly cookies?: readonly string[];
}

/** A refusal or failure of the gateway itself. */
export class GatewayFailure extends Error {
  override readonly name = "GatewayFailure";

  constructor(
    readonly code: GatewayErrorCode,
    readonly details: FailureDetails = {},
  ) {
    super(code);
  }

  /** The HTTP status of the response. */
  get status(): number {
    return RESPONSES[this.code][0];
  }

  /** The body of the response: RFC 6749, 5.2, and the reason if there is one. */
  get body(): Record<string, string> {
    const [, error, description] = RESPONSES[this.code];
    const { reason, description: special } = this.details;
    return { error, error_description: special ?? description, ...(reason && { reason }) };
  }
}

/**
 * Error codes of a token endpoint that are passed on: RFC 6749, 4.1.2.1 and 5.2, RFC 6750, 3.1 and the OpenID
 * Connect ones. Any other code could be any text, so it becomes `invalid_request`.
 */
const PROVIDER_CODES: ReadonlySet<string> = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_token",
  "insufficient_scope",
  "access_denied",
  "server_error",
  "temporarily_unavailable",
  "login_required",
  "interaction_required",
  "consent_required",
]);

/** A refusal of the provider: its OAuth error code is passed on alone, without the gateway's error header. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  /** The provider's error code if it is a registered one, else `invalid_request`. */
  readonly error: string;

  constructor(
    error: string,
    /** The provider's HTTP status. */
    readonly upstreamStatus: number,
    /** The response's status. 503 means that another attempt may succeed. */
    readonly status: number = upstreamStatus === 429 || upstreamStatus >= 500 ? 503 : 400,
  ) {
    super("provider_refused");
    this.error = PROVIDER_CODES.has(error) ? error : "invalid_request";
  }
}
