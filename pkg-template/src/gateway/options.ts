/** What an application tells the gateway about itself, checked before the first request. */

import { base64url } from "jose";
import type { ProviderMetadata } from "../shared-types.js";
import type { LogEntry, RateLimitInfo } from "./log.js";

/** One registration at the provider. */
export interface GatewayClient {
  /** The client id from ClassLink's developer portal. */
  readonly clientId: string;
  /** The client secret. Take it from the environment or a secret store, never from source code. */
  readonly clientSecret: string;
  /** The registered redirect URIs, to the letter: absolute; https, or http on a loopback host. */
  readonly redirectUris: readonly string[];
  /** Tenant ids served; another tenant's user, or one whose tenant is unknown, is refused. Default: any. */
  readonly allowedTenants?: readonly (string | number)[];
  /** A name for the log, where there is one registration per district. */
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

/** What `createGateway` takes. */
export interface GatewayOptions {
  /** The issuer identifier, compared to the letter. Default `https://launchpad.classlink.com`. */
  readonly issuer?: string;
  /**
   * Known endpoints, overriding discovery; an issuer whose `token_endpoint` and `jwks_uri` are given here is not
   * discovered. Default: ClassLink's for its own issuer, otherwise discovery.
   */
  readonly metadata?: GatewayMetadata;
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
  /** Milliseconds for one request to the provider. Default 10000. */
  readonly timeout?: number;
  /** Hears one {@link LogEntry} for each request. One that throws changes nothing. */
  readonly log?: (entry: LogEntry) => void;
  /** Answers whether a request may go on (else 429). One that throws refuses with 503. */
  readonly rateLimit?: (info: RateLimitInfo) => boolean | Promise<boolean>;
  /** In place of the platform's `fetch`, for tests and for proxies. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * The time in milliseconds since 1970, for tests.
   *
   * @internal
   */
  readonly now?: () => number;
}

/** An option is missing or wrong. The message names it, and never shows its value. */
export class GatewayConfigError extends TypeError {
  override readonly name = "GatewayConfigError";
  /** As on the SDK's own errors. */
  readonly code = "config_invalid";

  constructor(
    /** The option's path, such as `clients[0].redirectUris[1]`. */
    readonly field: string,
    problem: string,
  ) {
    super(`createGateway: ${field} ${problem}`);
  }
}

/** One registration, validated. */
export interface ClientSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: ReadonlySet<string>;
  readonly allowedTenants: ReadonlySet<string> | undefined;
  readonly district: string | undefined;
}

/** The options, validated, with every default filled in. Times in seconds but where they say otherwise. */
export interface Settings {
  readonly issuer: string;
  readonly metadata: GatewayMetadata;
  readonly clients: ReadonlyMap<string, ClientSettings>;
  readonly sealingKeys: readonly Uint8Array<ArrayBuffer>[];
  readonly allowedOrigins: ReadonlySet<string>;
  /** The origins of all registered redirect URIs: the applications' own pages. */
  readonly applicationOrigins: ReadonlySet<string>;
  readonly basePath: string;
  /** `Infinity` for no limit. */
  readonly idleTimeout: number;
  /** `Infinity` for no limit. */
  readonly maxAge: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly log: ((entry: LogEntry) => void) | undefined;
  readonly rateLimit: ((info: RateLimitInfo) => boolean | Promise<boolean>) | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** ClassLink's issuer identifier: one for every district. */
export const CLASSLINK_ISSUER = "https://launchpad.classlink.com";

const OPTIONS = [
  "issuer",
  "metadata",
  "clients",
  "sealingKeys",
  "allowedOrigins",
  "basePath",
  "session",
  "timeout",
  "log",
  "rateLimit",
  "fetch",
  "now",
];
const CLIENT_OPTIONS = ["clientId", "clientSecret", "redirectUris", "allowedTenants", "district"];
const ENDPOINTS = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "userinfo_endpoint",
  "my_info_endpoint",
  "end_session_endpoint",
  "revocation_endpoint",
] as const;

/** The endpoints that a gateway asks. */
export const GATEWAY_ENDPOINTS = ENDPOINTS.filter(
  (name) => name !== "authorization_endpoint" && name !== "end_session_endpoint",
);

/** Whether a URL is https, or http on a loopback host, and carries neither credentials nor a fragment. */
export function isSecureUrl(value: unknown): value is string {
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username || url.password || value.includes("#")) return false;
  if (url.protocol === "https:") return true;
  const host = url.hostname;
  const loopback =
    host === "localhost" ||
    host.endsWith(".localhost") ||
    host === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(host);
  return url.protocol === "http:" && loopback;
}

/** An object's own members alone: what a polluted `Object.prototype` has is nobody's option and no provider's endpoint. */
export const ownProperties = <T extends object>(value: T): T => ({ __proto__: null, ...value });

/**
 * Validates the options.
 *
 * @throws {@link GatewayConfigError} naming the first that is wrong.
 */
export function readOptions(given: GatewayOptions): Settings {
  onlyKnown("options", given, OPTIONS);
  const options = ownProperties(given);
  const issuer = options.issuer ?? CLASSLINK_ISSUER;
  if (!isSecureUrl(issuer) || issuer.includes("?")) {
    throw new GatewayConfigError("issuer", "must be an https URL without query and fragment");
  }
  const clients = readClients(options.clients);
  onlyKnown("session", options.session ?? {}, ["idleTimeout", "maxAge"]);
  const idle = ownProperties(options.session ?? {});
  const platformFetch = (url: string, init: RequestInit) => globalThis.fetch(url, init);
  return {
    issuer,
    metadata: readMetadata(options.metadata ?? {}),
    clients,
    sealingKeys: readKeys(options.sealingKeys),
    allowedOrigins: new Set(
      list("allowedOrigins", options.allowedOrigins ?? [], (value) => {
        return isSecureUrl(value) && new URL(value).origin === value
          ? undefined
          : "must be an origin such as https://app.example: https or loopback, no path, no wildcard";
      }),
    ),
    applicationOrigins: new Set(
      [...clients.values()].flatMap(({ redirectUris }) =>
        [...redirectUris].map((uri) => new URL(uri).origin),
      ),
    ),
    basePath: readBasePath(options.basePath ?? "/auth"),
    idleTimeout: readLimit("session.idleTimeout", idle.idleTimeout ?? 1800),
    maxAge: readLimit("session.maxAge", idle.maxAge ?? 28800),
    timeout: readLimit("timeout", options.timeout ?? 10_000),
    log: callable("log", options.log),
    rateLimit: callable("rateLimit", options.rateLimit),
    fetch: callable("fetch", options.fetch) ?? platformFetch,
    now: callable("now", options.now) ?? Date.now,
  };
}

function readClients(given: readonly GatewayClient[]): Map<string, ClientSettings> {
  if (!Array.isArray(given) || given.length === 0) {
    throw new GatewayConfigError("clients", "must list at least one registration");
  }
  const clients = new Map<string, ClientSettings>();
  given.forEach((registration: GatewayClient, index) => {
    const field = `clients[${index}]`;
    onlyKnown(field, registration, CLIENT_OPTIONS);
    const client = ownProperties(registration);
    const clientId = text(`${field}.clientId`, client.clientId);
    if (clients.has(clientId)) {
      throw new GatewayConfigError(`${field}.clientId`, "is the id of an earlier registration");
    }
    const redirectUris = list(`${field}.redirectUris`, client.redirectUris, (value) =>
      isSecureUrl(value)
        ? undefined
        : "must be absolute, https or http on a loopback host, without a fragment",
    );
    if (redirectUris.length === 0) {
      throw new GatewayConfigError(`${field}.redirectUris`, "must list at least one URI");
    }
    const tenants =
      client.allowedTenants &&
      list(`${field}.allowedTenants`, client.allowedTenants, (value) =>
        (typeof value === "string" && value !== "") || Number.isSafeInteger(value)
          ? undefined
          : "must be a tenant id: a string or an integer",
      );
    clients.set(clientId, {
      clientId,
      clientSecret: text(`${field}.clientSecret`, client.clientSecret),
      redirectUris: new Set(redirectUris),
      allowedTenants: tenants && new Set(tenants.map(String)),
      district:
        client.district === undefined ? undefined : text(`${field}.district`, client.district),
    });
  });
  return clients;
}

function readMetadata(given: GatewayMetadata): GatewayMetadata {
  if (typeof given !== "object" || given === null) {
    throw new GatewayConfigError("metadata", "must be an object");
  }
  const metadata = ownProperties(given);
  for (const name of ENDPOINTS) {
    if (metadata[name] !== undefined && !isSecureUrl(metadata[name])) {
      throw new GatewayConfigError(`metadata.${name}`, "must be an https or loopback URL");
    }
  }
  for (const name of [
    "id_token_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
  ] as const) {
    list(`metadata.${name}`, metadata[name] ?? [], (value) =>
      typeof value === "string" ? undefined : "must be a string",
    );
  }
  const methods = metadata.token_endpoint_auth_methods_supported;
  if (methods && !methods.some((method) => /^client_secret_(basic|post)$/.test(method))) {
    throw new GatewayConfigError(
      "metadata.token_endpoint_auth_methods_supported",
      "must contain client_secret_basic or client_secret_post",
    );
  }
  return ownProperties(
    Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
  );
}

function readKeys(given: readonly string[]): Uint8Array<ArrayBuffer>[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new GatewayConfigError("sealingKeys", "must list at least one key");
  }
  return given.map((key: unknown, index) => {
    const field = `sealingKeys[${index}]`;
    const bytes = typeof key === "string" ? decodeKey(key) : undefined;
    if (!bytes) throw new GatewayConfigError(field, "must be a base64url string");
    if (bytes.byteLength < 32) {
      throw new GatewayConfigError(field, "must hold at least 32 random bytes");
    }
    // 32 random bytes have fewer than 16 different values once in 10^12 keys or rarer; a placeholder has few.
    if (new Set(bytes).size < 16) {
      throw new GatewayConfigError(field, "is not random");
    }
    return bytes;
  });
}

/** Takes either base64 alphabet, with or without padding: `openssl` writes the one, Node the other. */
function decodeKey(key: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w+/-]+={0,2}$/.test(key)) return undefined;
  try {
    return Uint8Array.from(
      base64url.decode(key.replace(/[+/]/g, (c) => (c === "+" ? "-" : "_")).replace(/=+$/, "")),
    );
  } catch {
    return undefined;
  }
}

function readBasePath(path: string): string {
  const bare = path === "/" ? "" : path;
  if (typeof path !== "string" || !/^(\/[\w.~-]+)*$/.test(bare)) {
    throw new GatewayConfigError("basePath", "must be a path such as /auth, without a final slash");
  }
  return bare;
}

function readLimit(field: string, value: number | false): number {
  if (value === false && field.startsWith("session.")) return Number.POSITIVE_INFINITY;
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
    throw new GatewayConfigError(field, "must be a positive number");
  }
  return value;
}

function onlyKnown(field: string, value: object, known: readonly string[]): void {
  if (typeof value !== "object" || value === null) {
    throw new GatewayConfigError(field, "must be an object");
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new GatewayConfigError(field, `has no member "${unknown.slice(0, 40)}"`);
  }
}

function text(field: string, value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new GatewayConfigError(field, "must be a string and not empty");
  }
  return value;
}

function callable<T extends (...args: never[]) => unknown>(
  field: string,
  value: T | undefined,
): T | undefined {
  if (value !== undefined && typeof value !== "function") {
    throw new GatewayConfigError(field, "must be a function");
  }
  return value;
}

function list<T>(
  field: string,
  values: readonly T[],
  problem: (value: T) => string | undefined,
): readonly T[] {
  if (!Array.isArray(values)) throw new GatewayConfigError(field, "must be an array");
  values.forEach((value: T, index) => {
    const found = problem(value);
    if (found) throw new GatewayConfigError(`${field}[${index}]`, found);
  });
  return values;
}
