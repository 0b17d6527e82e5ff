/** What an application tells the gateway about itself, checked before the first request. */

import { base64url } from "jose";
import type { ProviderMetadata } from "../shared-types.js";
import { AddressLimit, Semaphore } from "./limits.js";
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
  /**
   * Called with one {@link LogEntry} for each request. It may be asynchronous, and is waited for two seconds at most; one
   * that throws, rejects or hangs changes nothing.
   */
  readonly log?: (entry: LogEntry) => void | Promise<void>;
  /** How much the provider may be asked. On by default. */
  readonly limits?: GatewayLimits;
  /**
   * Returns whether a request may go on (else 429), beside `limits`. One that throws, rejects or takes more than two
   * seconds refuses with 503.
   */
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

/** What is wrong with an option. */
export interface OptionProblem {
  /** The option's path, such as `clients[0].redirectUris[1]`. */
  readonly field: string;
  readonly problem: string;
}

/** Options are missing or wrong. The message names each of them, and never shows a value. */
export class GatewayConfigError extends TypeError {
  override readonly name = "GatewayConfigError";
  /** As on the SDK's own errors. */
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
  /** Milliseconds that `log` and `rateLimit` may take. */
  readonly hookTimeout: number;
  readonly addressLimit: AddressLimit;
  /** Turns of requests to the provider. */
  readonly upstream: Semaphore;
  readonly log: ((entry: LogEntry) => void | Promise<void>) | undefined;
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
  "limits",
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

/**
 * Whether a URL is https, or http on a loopback host, in plain characters: no user information, white space, backslash or
 * fragment, and nothing that two parsers could read in two ways. `src/protocol/url.rs` does the same, and
 * `tests/vectors/urls.json` holds both to it.
 */
export function isSecureUrl(value: unknown): value is string {
  if (typeof value !== "string" || !/^[!-~]+$/.test(value) || /[\\#]/.test(value)) return false;
  const [, scheme, authority] = /^(https?):\/\/([^/?]*)/.exec(value) ?? [];
  const [, name, address, port] =
    /^(?:([\w.-]+)|\[([0-9a-f.:]+)\])(?::(\d{1,5}))?$/i.exec(authority ?? "") ?? [];
  if (name === undefined && address === undefined) return false;
  if (Number(port ?? 0) > 0xffff || !URL.canParse(value)) return false;
  return scheme === "https" || address === "::1" || isLoopbackName(name ?? "");
}

function isLoopbackName(name: string): boolean {
  const octet = "(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])";
  return /^(?:.*\.)?localhost$/i.test(name) || new RegExp(`^127(?:\\.${octet}){3}$`).test(name);
}

/** An object's own members alone: what a polluted `Object.prototype` has is nobody's option and no provider's endpoint. */
export const ownProperties = <T extends object>(value: T): T => ({ __proto__: null, ...value });

/** Seconds that a session limit may have at most: beyond these it was meant in milliseconds. */
const LONGEST_IDLE = 2 * 86_400;
const LONGEST_SESSION = 31 * 86_400;

/** Milliseconds between which `timeout` must be: outside of these it was meant in seconds, or in another unit. */
const SHORTEST_TIMEOUT = 50;
const LONGEST_TIMEOUT = 300_000;

/** The most time that a hook of the application's may take, in milliseconds. */
const HOOK_TIMEOUT = 2000;

/**
 * Validates the options.
 *
 * @throws {@link GatewayConfigError} naming every one that is wrong.
 */
export function readOptions(given: GatewayOptions): Settings {
  const problems: OptionProblem[] = [];
  const reader = new OptionReader(problems);
  const options = reader.object("options", given, OPTIONS);
  // An empty one is what a shell makes of an unset variable.
  const issuer = options.issuer || CLASSLINK_ISSUER;
  if (!isSecureUrl(issuer) || issuer.includes("?")) {
    reader.refuse("issuer", "must be an https URL without query and fragment");
  }
  const clients = reader.clients(options.clients);
  const session = reader.object("session", options.session ?? {}, ["idleTimeout", "maxAge"]);
  const limits = reader.object("limits", options.limits ?? {}, ["perAddress", "concurrent"]);
  const maxAge = reader.positive("session.maxAge", session.maxAge ?? 28_800, true);
  const idleTimeout = reader.positive(
    "session.idleTimeout",
    session.idleTimeout ?? Math.min(1800, maxAge),
    true,
  );
  if (idleTimeout !== Number.POSITIVE_INFINITY && idleTimeout > LONGEST_IDLE) {
    reader.refuse("session.idleTimeout", `must be seconds, ${LONGEST_IDLE} at most, or false`);
  } else if (idleTimeout !== Number.POSITIVE_INFINITY && idleTimeout > maxAge) {
    reader.refuse("session.idleTimeout", "must not be longer than session.maxAge");
  }
  if (maxAge !== Number.POSITIVE_INFINITY && maxAge > LONGEST_SESSION) {
    reader.refuse("session.maxAge", `must be seconds, ${LONGEST_SESSION} at most, or false`);
  }
  const timeout = reader.positive("timeout", options.timeout ?? 10_000);
  if (timeout < SHORTEST_TIMEOUT || timeout > LONGEST_TIMEOUT) {
    reader.refuse(
      "timeout",
      `must be milliseconds, between ${SHORTEST_TIMEOUT} and ${LONGEST_TIMEOUT}`,
    );
  }
  const perAddress = reader.positive("limits.perAddress", limits.perAddress ?? 600, true);
  const concurrent = reader.positive("limits.concurrent", limits.concurrent ?? 64, true);
  const now = reader.callable("now", options.now) ?? Date.now;
  const platformFetch = (url: string, init: RequestInit) => globalThis.fetch(url, init);
  const settings = {
    issuer,
    metadata: reader.metadata(options.metadata ?? {}),
    clients,
    sealingKeys: reader.keys(options.sealingKeys),
    allowedOrigins: new Set(
      reader.list("allowedOrigins", options.allowedOrigins ?? [], (value) => {
        return isSecureUrl(value) && new URL(value).origin === value
          ? undefined
          : "must be an origin such as https://app.example: https or loopback, no path, no wildcard";
      }),
    ),
    applicationOrigins: new Set(
      [...clients.values()].flatMap(({ redirectUris }) =>
        [...redirectUris].filter(isSecureUrl).map((uri) => new URL(uri).origin),
      ),
    ),
    basePath: reader.basePath(options.basePath ?? "/auth"),
    idleTimeout,
    maxAge,
    timeout,
    hookTimeout: Math.min(timeout, HOOK_TIMEOUT),
    addressLimit: new AddressLimit(perAddress, now),
    upstream: new Semaphore(Math.ceil(concurrent)),
    log: reader.callable("log", options.log),
    rateLimit: reader.callable("rateLimit", options.rateLimit),
    fetch: reader.callable("fetch", options.fetch) ?? platformFetch,
    now,
  };
  if (problems.length > 0) throw new GatewayConfigError(problems);
  return settings;
}

/** Reads options one by one, and collects what is wrong with them. */
class OptionReader {
  readonly #problems: OptionProblem[];

  constructor(problems: OptionProblem[]) {
    this.#problems = problems;
  }

  /** Adds a problem, one for each field. */
  refuse(field: string, problem: string): void {
    if (this.#problems.some((one) => one.field === field)) return;
    this.#problems.push({ field, problem });
  }

  /** An object's own members, of which none may be unknown. */
  object<T extends object>(field: string, value: T, known: readonly string[]): T {
    if (typeof value !== "object" || value === null) {
      this.refuse(field, "must be an object");
      return ownProperties({}) as T;
    }
    const unknown = Object.keys(value).find((name) => !known.includes(name));
    if (unknown !== undefined) this.refuse(field, `has no member "${unknown.slice(0, 40)}"`);
    return ownProperties(value);
  }

  clients(given: readonly GatewayClient[]): Map<string, ClientSettings> {
    const clients = new Map<string, ClientSettings>();
    if (!Array.isArray(given) || given.length === 0) {
      this.refuse("clients", "must list at least one registration");
      return clients;
    }
    given.forEach((registration: GatewayClient, index) => {
      const field = `clients[${index}]`;
      const client = this.object(field, registration, CLIENT_OPTIONS);
      const clientId = this.identifier(`${field}.clientId`, client.clientId);
      if (clients.has(clientId)) {
        this.refuse(`${field}.clientId`, "is the id of an earlier registration");
      }
      const redirectUris = this.list(`${field}.redirectUris`, client.redirectUris, (value) => {
        if (!isSecureUrl(value)) {
          return "must be absolute, https or http on a loopback host, in plain characters, without a fragment";
        }
        return new URL(value).pathname.includes("//") ? "must not have // in its path" : undefined;
      });
      if (Array.isArray(client.redirectUris) && redirectUris.length === 0) {
        this.refuse(`${field}.redirectUris`, "must list at least one URI");
      }
      const tenants =
        client.allowedTenants &&
        this.list(`${field}.allowedTenants`, client.allowedTenants, (value) =>
          (typeof value === "string" && value !== "" && value === value.trim()) ||
          Number.isSafeInteger(value)
            ? undefined
            : "must be a tenant id: a string without blanks around it, or an integer",
        );
      clients.set(clientId, {
        clientId,
        clientSecret: this.secret(`${field}.clientSecret`, client.clientSecret),
        redirectUris: new Set(redirectUris),
        allowedTenants: tenants && new Set(tenants.map(String)),
        district:
          client.district === undefined
            ? undefined
            : this.identifier(`${field}.district`, client.district),
      });
    });
    return clients;
  }

  metadata(given: GatewayMetadata): GatewayMetadata {
    if (typeof given !== "object" || given === null) {
      this.refuse("metadata", "must be an object");
      return {};
    }
    const metadata = ownProperties(given);
    for (const name of ENDPOINTS) {
      if (metadata[name] !== undefined && !isSecureUrl(metadata[name])) {
        this.refuse(`metadata.${name}`, "must be an https or loopback URL");
      }
    }
    for (const name of [
      "id_token_signing_alg_values_supported",
      "token_endpoint_auth_methods_supported",
    ] as const) {
      this.list(`metadata.${name}`, metadata[name] ?? [], (value) =>
        typeof value === "string" ? undefined : "must be a string",
      );
    }
    const methods = metadata.token_endpoint_auth_methods_supported;
    if (
      Array.isArray(methods) &&
      !methods.some((method) => /^client_secret_(basic|post)$/.test(method))
    ) {
      this.refuse(
        "metadata.token_endpoint_auth_methods_supported",
        "must contain client_secret_basic or client_secret_post",
      );
    }
    return ownProperties(
      Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    );
  }

  keys(given: readonly string[]): Uint8Array<ArrayBuffer>[] {
    if (!Array.isArray(given) || given.length === 0) {
      this.refuse("sealingKeys", "must list at least one key");
      return [];
    }
    const seen = new Set<string>();
    return given.map((key: unknown, index) => {
      const field = `sealingKeys[${index}]`;
      // A key from a file ends with a newline.
      const bytes = typeof key === "string" ? decodeKey(key.trim()) : undefined;
      if (!bytes) this.refuse(field, "must be a base64url string");
      else if (bytes.byteLength < 32) this.refuse(field, "must hold at least 32 random bytes");
      // 32 random bytes have fewer than 16 different values once in 10^12 keys or rarer; a placeholder has few.
      else if (new Set(bytes).size < 16) this.refuse(field, "is not random");
      else if (seen.has(bytes.join())) this.refuse(field, "is the same as an earlier key");
      seen.add(bytes?.join() ?? "");
      return bytes ?? new Uint8Array();
    });
  }

  basePath(path: string): string {
    const bare = path === "/" ? "" : path;
    if (typeof path !== "string" || !/^(\/[\w.~-]+)*$/.test(bare)) {
      this.refuse("basePath", "must be a path such as /auth, without a final slash");
    }
    return bare;
  }

  /** A positive number; `false`, where that may be, is `Infinity`. */
  positive(field: string, value: number | false, mayBeFalse = false): number {
    if (value === false && mayBeFalse) return Number.POSITIVE_INFINITY;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    this.refuse(field, `must be a positive number${mayBeFalse ? " or false" : ""}`);
    return 1000;
  }

  /** An id, compared exactly: blanks around it are a mistake. */
  identifier(field: string, value: unknown): string {
    if (typeof value !== "string" || value === "") {
      this.refuse(field, "must be a string and not empty");
    } else if (value !== value.trim()) {
      this.refuse(field, "must not begin or end with blanks or newlines");
    }
    return String(value);
  }

  /** A secret, without the newline that a file ends with. */
  secret(field: string, value: unknown): string {
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    this.refuse(field, "must be a string and not empty");
    return "";
  }

  callable<T extends (...args: never[]) => unknown>(
    field: string,
    value: T | undefined,
  ): T | undefined {
    if (value === undefined || typeof value === "function") return value;
    this.refuse(field, "must be a function");
    return undefined;
  }

  list<T>(
    field: string,
    values: readonly T[],
    problem: (value: T) => string | undefined,
  ): readonly T[] {
    if (!Array.isArray(values)) {
      this.refuse(field, "must be an array");
      return [];
    }
    values.forEach((value: T, index) => {
      const found = problem(value);
      if (found) this.refuse(`${field}[${index}]`, found);
    });
    return values;
  }
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
