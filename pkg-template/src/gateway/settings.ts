/** Validates the options, and fills in their defaults. */

import { AddressLimit, Semaphore, SharedAddressLimit } from "./limits.js";
import type { LogEntry, RateLimitInfo } from "./log.js";
import { Metrics } from "./metrics.js";
import { OptionReader } from "./option-reader.js";
import {
  CLASSLINK_ISSUER,
  GatewayConfigError,
  type GatewayMetadata,
  type GatewayOptions,
  isSecureUrl,
  type OptionProblem,
} from "./options.js";
import { StoreAccess } from "./store-access.js";

/** A private key as it is configured: PKCS #8 bytes, or a JWK. */
export type PrivateKey = Uint8Array<ArrayBuffer> | JsonWebKey;

/** One registration, validated. */
export interface ClientSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: ReadonlySet<string>;
  readonly allowedTenants: ReadonlySet<string> | undefined;
  readonly district: string | undefined;
}

/** The options of assertions, validated. */
export interface AssertionSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly PrivateKey[];
}

/** The options, validated, with every default filled in. */
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
  readonly idleTimeoutSecs: number;
  /** `Infinity` for no limit. */
  readonly maxAgeSecs: number;
  /** Whether sessions are bound to a key of the device if the browser offers it. */
  readonly isDeviceBound: boolean;
  /** The time that one request to the provider may take. */
  readonly timeoutMs: number;
  /** The time that `log`, `rateLimit` and an operation of the store may take. */
  readonly hookTimeoutMs: number;
  readonly addressLimit: AddressLimit;
  /** Absent without a store. */
  readonly sharedLimit: SharedAddressLimit | undefined;
  readonly store: StoreAccess | undefined;
  readonly assertions: AssertionSettings | undefined;
  readonly metrics: Metrics;
  /** The bearer token of `/metrics`: empty if there is none, `undefined` if it is not served. */
  readonly metricsToken: string | undefined;
  /** Limits how many requests to the provider are sent at a time. */
  readonly upstream: Semaphore;
  readonly log: ((entry: LogEntry) => void | Promise<void>) | undefined;
  readonly rateLimit: ((info: RateLimitInfo) => boolean | Promise<boolean>) | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const OPTIONS = [
  "issuer",
  "metadata",
  "clients",
  "sealingKeys",
  "allowedOrigins",
  "basePath",
  "session",
  "deviceBound",
  "timeout",
  "limits",
  "store",
  "assertions",
  "metrics",
  "log",
  "rateLimit",
  "fetch",
  "now",
];

/** The most seconds of a session limit: a larger number was meant in milliseconds. */
const MAX_IDLE_SECS = 2 * 86_400;
const MAX_SESSION_SECS = 31 * 86_400;

/** The bounds of `timeout`: a number outside of them was meant in another unit. */
const MIN_TIMEOUT_MS = 50;
const MAX_TIMEOUT_MS = 300_000;

/** The longest time that a hook of the application may take. */
const HOOK_TIMEOUT_MS = 2000;

/**
 * Validates the options.
 *
 * @throws {@link GatewayConfigError} with every problem.
 */
export function readOptions(input: GatewayOptions): Settings {
  const problems: OptionProblem[] = [];
  const reader = new OptionReader(problems);
  const options = reader.object("options", input, OPTIONS);
  // A shell expands an unset variable to an empty string.
  const issuer = options.issuer || CLASSLINK_ISSUER;
  if (!isSecureUrl(issuer) || issuer.includes("?")) {
    reader.refuse("issuer", "must be an https URL without query and fragment");
  }
  const clients = reader.clients(options.clients);
  const session = reader.object("session", options.session ?? {}, ["idleTimeout", "maxAge"]);
  const limits = reader.object("limits", options.limits ?? {}, ["perAddress", "concurrent"]);
  const maxAgeSecs = reader.positive("session.maxAge", session.maxAge ?? 28_800, true);
  const idleTimeoutSecs = reader.positive(
    "session.idleTimeout",
    session.idleTimeout ?? Math.min(1800, maxAgeSecs),
    true,
  );
  if (idleTimeoutSecs !== Number.POSITIVE_INFINITY && idleTimeoutSecs > MAX_IDLE_SECS) {
    reader.refuse("session.idleTimeout", `must be seconds, ${MAX_IDLE_SECS} at most, or false`);
  } else if (idleTimeoutSecs !== Number.POSITIVE_INFINITY && idleTimeoutSecs > maxAgeSecs) {
    reader.refuse("session.idleTimeout", "must not be longer than session.maxAge");
  }
  if (maxAgeSecs !== Number.POSITIVE_INFINITY && maxAgeSecs > MAX_SESSION_SECS) {
    reader.refuse("session.maxAge", `must be seconds, ${MAX_SESSION_SECS} at most, or false`);
  }
  const timeoutMs = reader.positive("timeout", options.timeout ?? 10_000);
  if (timeoutMs < MIN_TIMEOUT_MS || timeoutMs > MAX_TIMEOUT_MS) {
    reader.refuse(
      "timeout",
      `must be milliseconds, between ${MIN_TIMEOUT_MS} and ${MAX_TIMEOUT_MS}`,
    );
  }
  const perAddress = reader.positive("limits.perAddress", limits.perAddress ?? 600, true);
  const concurrent = reader.positive("limits.concurrent", limits.concurrent ?? 64, true);
  const now = reader.callable("now", options.now) ?? Date.now;
  const platformFetch = (url: string, init: RequestInit) => globalThis.fetch(url, init);
  const hookTimeoutMs = Math.min(timeoutMs, HOOK_TIMEOUT_MS);
  const metrics = new Metrics();
  const givenStore = reader.store(options.store);
  const store = givenStore && new StoreAccess(givenStore, hookTimeoutMs, metrics);
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
    idleTimeoutSecs,
    maxAgeSecs,
    isDeviceBound: reader.flag("deviceBound", options.deviceBound, true),
    timeoutMs,
    hookTimeoutMs,
    addressLimit: new AddressLimit(perAddress, now),
    sharedLimit: store && new SharedAddressLimit(store, Math.ceil(perAddress), now),
    store,
    assertions: reader.assertions(options.assertions),
    metrics,
    metricsToken: reader.metrics(options.metrics),
    upstream: new Semaphore(Math.ceil(concurrent)),
    log: reader.callable("log", options.log),
    rateLimit: reader.callable("rateLimit", options.rateLimit),
    fetch: reader.callable("fetch", options.fetch) ?? platformFetch,
    now,
  };
  if (problems.length > 0) throw new GatewayConfigError(problems);
  return settings;
}
