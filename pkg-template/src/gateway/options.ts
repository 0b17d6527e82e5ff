/** The gateway's options. */

import type { JWK } from "jose";
import type { ProviderMetadata } from "../shared-types.js";
import type { LogEntry, RateLimitInfo } from "./log.js";
import type { GatewayStore } from "./store.js";

/** One registration at the provider. */
export interface GatewayClient {
  /** The client id from ClassLink's developer portal. */
  readonly clientId: string;
  /** The client secret. Take it from the environment or a secret store, never from source code. */
  readonly clientSecret: string;
  /** The registered redirect URIs, exactly: absolute; https, or http on a loopback host. */
  readonly redirectUris: readonly string[];
  /** Tenant ids served; another tenant's user, or one whose tenant is unknown, is refused. Default: any. */
  readonly allowedTenants?: readonly (string | number)[];
  /** A name for the log, if there is one registration per district. */
  readonly district?: string;
}

/** The provider's metadata as the gateway uses it (OpenID Connect Discovery 1.0, section 3). */
export interface GatewayMetadata extends ProviderMetadata {
  /**
   * How the token endpoint takes the secret; `client_secret_basic` is preferred. Absent means
   * `client_secret_basic` (Discovery 1.0, section 3).
   */
  readonly token_endpoint_auth_methods_supported?: readonly string[];
}

/** How long a session lasts; never longer than its ID token. */
export interface GatewaySessionOptions {
  /**
   * Seconds without a session request until the session is over. Default 1800; `false` for no limit.
   * Only the SDK's session requests count as activity; `getSession` reads and does not renew.
   */
  readonly idleTimeout?: number | false;
  /** Seconds from sign-in until the session is over. Default 28800; `false` for no limit but the ID token's. */
  readonly maxAge?: number | false;
}

/** Limits of what reaches the provider, counted in each instance. */
export interface GatewayLimits {
  /**
   * Requests a minute to each route, of one client address (of an IPv6 address: its /64), of which 100 may come at once.
   * Default 600: a whole school may share an address. `false` for no limit. What the adapter gives as `remoteAddress` is
   * counted; behind a proxy give it the client's, or all users count as one.
   */
  readonly perAddress?: number | false;
  /** Requests to the provider at a time; further ones wait, for `timeout` at most. Default 64; `false` for no limit. */
  readonly concurrent?: number | false;
}

/** Adds an assertion of the user to the responses of `/verify`: a short-lived JWT for back ends in any language. */
export interface GatewayAssertionOptions {
  /** The `iss` claim, such as `https://app.example/auth`. */
  readonly issuer: string;
  /** The `aud` claim: the application that the assertions are for, such as `https://app.example`. */
  readonly audience: string;
  /**
   * Private P-256 keys as PEM (PKCS #8) or JWK. The first signs, all are published under `/assertion-keys`: to rotate, first
   * add the new key in second place, and put it in front when five minutes have passed.
   *
   * Make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
   */
  readonly keys: readonly (string | JWK)[];
}

/** The options of `{base}/metrics`. */
export interface GatewayMetricsOptions {
  /** The bearer token that Prometheus sends. */
  readonly token: string;
}

/** The options of `createGateway`. */
export interface GatewayOptions {
  /** The issuer identifier, compared exactly. Default `https://launchpad.classlink.com`. */
  readonly issuer?: string;
  /**
   * Known endpoints, overriding discovery; an issuer whose `token_endpoint` and `jwks_uri` are given here is not
   * discovered. Default: ClassLink's for its own issuer, otherwise discovery.
   */
  readonly metadata?: GatewayMetadata | (GatewayMetadata & Readonly<Record<string, unknown>>);
  /** One registration, or one per district. */
  readonly clients: readonly GatewayClient[];
  /**
   * Keys for the session cookie: base64url, each of at least 32 random bytes. The first seals, all of them open: to
   * rotate, first give every instance the new key in second place, then put it in front, and drop the old one once
   * `maxAge` has passed. An unknown key's sessions are signed out. Rotate at least once a year, and after a hundred million sign-ins and reloads at the latest.
   *
   * Make one with `openssl rand -base64 32` or
   * `node -e "console.log(require('crypto').randomBytes(32).toString('base64url'))"`.
   */
  readonly sealingKeys: readonly string[];
  /**
   * Origins, beside the gateway's own, whose pages may call it; exact, no wildcards. Two uses: an application on
   * another origin (which must be of the same site, or the `SameSite=Strict` cookie does not travel), and a proxy
   * that changes scheme or host so that the gateway does not see its own origin as the browser does.
   */
  readonly allowedOrigins?: readonly string[];
  /** The path that the gateway's paths begin with. Default `/auth`. */
  readonly basePath?: string;
  readonly session?: GatewaySessionOptions;
  /**
   * Binds sessions to a key of the device if the browser offers it, so that a copied cookie is useless after some
   * minutes. Default `true`.
   */
  readonly deviceBound?: boolean;
  /** Milliseconds for one request to the provider. Default 10000. */
  readonly timeout?: number;
  /**
   * Called with one {@link LogEntry} for each request. It may be asynchronous, and is waited for two seconds at most; one
   * that throws, rejects or hangs changes nothing.
   */
  readonly log?: (entry: LogEntry) => void | Promise<void>;
  /** Limits of requests to the provider. On by default. */
  readonly limits?: GatewayLimits;
  /**
   * Returns whether a request may go on (else 429), beside `limits`. One that throws, rejects or takes more than two
   * seconds refuses with 503.
   */
  readonly rateLimit?: (info: RateLimitInfo) => boolean | Promise<boolean>;
  /**
   * A store that all instances share: it brings revocation (`revoke`, sign-outs that also end copies of the cookie, back-channel
   * logout), one renewal per grant and one rate limit. Default: none, each instance for itself. See {@link memoryStore} and
   * {@link redisStore}.
   */
  readonly store?: GatewayStore;
  /** Adds a signed assertion of the user to the responses of `/verify`. Default: none. */
  readonly assertions?: GatewayAssertionOptions;
  /**
   * Serves counts for Prometheus under `{base}/metrics`: with a bearer token, or with `true` to everyone who reaches that path.
   * Default `false`; {@link Gateway.metrics} has the same text.
   */
  readonly metrics?: boolean | GatewayMetricsOptions;
  /** Replaces the platform's `fetch`, for tests and for proxies. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * The time in milliseconds since 1970, for tests.
   *
   * @internal
   */
  readonly now?: () => number;
}

/** A mistake in an option. */
export interface OptionProblem {
  /** The option's path, such as `clients[0].redirectUris[1]`. */
  readonly field: string;
  readonly problem: string;
}

/** Thrown if options are missing or wrong. The message names each of them, and contains no value. */
export class GatewayConfigError extends TypeError {
  override readonly name = "GatewayConfigError";
  /** The code of the SDK's errors for a wrong configuration. */
  readonly code = "config_invalid";
  /** The path of the first that is wrong, such as `clients[0].redirectUris[1]`. */
  readonly field: string;

  constructor(
    /** Everything that is wrong. */
    readonly problems: readonly OptionProblem[],
  ) {
    super(
      `createGateway: ${problems.map(({ field, problem }) => `${field} ${problem}`).join("; ")}`,
    );
    this.field = problems[0]?.field ?? "options";
  }
}

/** ClassLink's issuer identifier: one for every district. */
export const CLASSLINK_ISSUER = "https://launchpad.classlink.com";

/** The endpoints that metadata may name. */
export const ENDPOINTS = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "userinfo_endpoint",
  "my_info_endpoint",
  "end_session_endpoint",
  "revocation_endpoint",
] as const;

/** The endpoints that a gateway sends requests to, or whose responses it passes on. */
export const GATEWAY_ENDPOINTS = ENDPOINTS.filter(
  (name) => name !== "authorization_endpoint" && name !== "end_session_endpoint",
);

/**
 * Returns whether a URL is https, or http on a loopback host, in plain characters: no user information, white space, backslash or
 * fragment, and nothing that two parsers could read in two ways. `src/protocol/url.rs` does the same, and
 * `tests/vectors/urls.json` holds both to it. `tests/vectors/server-urls.json` has what the servers refuse besides: a browser has
 * one parser, and there the check would make the module larger.
 */
export function isSecureUrl(value: unknown): value is string {
  if (typeof value !== "string" || !/^[!-~]+$/.test(value) || /[\\#]/.test(value)) return false;
  const [, scheme, authority] = /^(https?):\/\/([^/?]*)/.exec(value) ?? [];
  const [, name, address, port] =
    /^(?:([\w.-]+)|\[([0-9a-f.:]+)\])(?::(\d{1,5}))?$/i.exec(authority ?? "") ?? [];
  if (name === undefined && address === undefined) return false;
  if (Number(port ?? 0) > 0xffff || !URL.canParse(value)) return false;
  // Parsers read other numbers for an IPv4 address: 1234 for 0.0.4.210 (URL Standard, 3.5).
  const { hostname } = new URL(value);
  if (/^[\d.]+$/.test(hostname) && hostname !== name) return false;
  return scheme === "https" || address === "::1" || isLoopbackName(name ?? "");
}

function isLoopbackName(name: string): boolean {
  const octet = "(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])";
  return /^(?:.*\.)?localhost$/i.test(name) || new RegExp(`^127(?:\\.${octet}){3}$`).test(name);
}

/** Copies an object's own members, so that a member of a polluted `Object.prototype` is neither an option nor an endpoint. */
export const ownProperties = <T extends object>(value: T): T => ({ __proto__: null, ...value });
