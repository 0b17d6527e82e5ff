/** Caches the provider's metadata (OpenID Connect Discovery 1.0) and key set (RFC 7517). */

import { Cached } from "./cache.js";
import { GatewayFailure } from "./failure.js";
import { fetchFromProvider, type JsonObject } from "./http.js";
import { readKeySet } from "./jwks.js";
import {
  CLASSLINK_ISSUER,
  GATEWAY_ENDPOINTS,
  type GatewayMetadata,
  isSecureUrl,
  ownProperties,
} from "./options.js";
import type { Settings } from "./settings.js";

/**
 * ClassLink's endpoints, for its own issuer. Its documentation shows the secret in the form; Discovery lists
 * `client_secret_basic` too, and `metadata` can ask for that.
 */
const CLASSLINK: GatewayMetadata = {
  authorization_endpoint: `${CLASSLINK_ISSUER}/oauth2/v2/auth`,
  token_endpoint: `${CLASSLINK_ISSUER}/oauth2/v2/token`,
  jwks_uri: `${CLASSLINK_ISSUER}/oauth2/v2/jwks`,
  userinfo_endpoint: "https://nodeapi.classlink.com/v2/my/profileinfo",
  my_info_endpoint: "https://nodeapi.classlink.com/v2/my/info",
  id_token_signing_alg_values_supported: ["RS256"],
  token_endpoint_auth_methods_supported: ["client_secret_post"],
};

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;

/** Metadata with the endpoints that every sign-in needs. */
export interface UsableMetadata extends GatewayMetadata {
  readonly token_endpoint: string;
  readonly jwks_uri: string;
}

/** The provider's metadata and keys, cached for all requests of this instance. */
export class Provider {
  readonly #settings: Settings;
  readonly #metadata: Cached<UsableMetadata>;
  readonly #keys: Cached<readonly JsonObject[]>;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: Settings) {
    this.#settings = settings;
    const rules = {
      staleForMs: 24 * HOUR_MS,
      failureForMs: 5 * SECOND_MS,
      joinTimeoutMs: 2 * settings.timeoutMs + SECOND_MS,
      now: settings.now,
    };
    this.#metadata = new Cached(() => this.#discover(), { ...rules, freshForMs: HOUR_MS });
    this.#keys = new Cached(() => this.#fetchKeys(), { ...rules, freshForMs: HOUR_MS / 6 });
  }

  /**
   * Returns the provider's metadata: configured, built in or discovered.
   *
   * @throws {@link GatewayFailure} `discovery_invalid`, `upstream_*`.
   */
  async metadata(): Promise<UsableMetadata> {
    const { issuer, metadata } = this.#settings;
    const known =
      issuer === CLASSLINK_ISSUER ? ownProperties({ ...CLASSLINK, ...metadata }) : metadata;
    if (isUsable(known)) return known;
    return ownProperties({ ...(await this.#metadata.get()), ...known });
  }

  /**
   * Returns the provider's key set.
   *
   * @throws {@link GatewayFailure} `keys_unavailable`, or what {@link Provider.metadata} throws.
   */
  async keys(): Promise<readonly JsonObject[]> {
    return this.#keys.get();
  }

  /**
   * Fetches the key set again, for a token that no cached key verifies. It does so once a minute at most, so that forged tokens
   * do not flood the provider; in between it returns the cached key set, or that of a pending fetch.
   */
  async freshKeys(): Promise<readonly JsonObject[]> {
    const now = this.#settings.now();
    if (now - this.#refreshedAt < 60 * SECOND_MS) return this.#keys.getOrJoin();
    this.#refreshedAt = now;
    return this.#keys.refresh();
  }

  async #discover(): Promise<UsableMetadata> {
    const { issuer } = this.#settings;
    // Discovery 1.0, section 4.1: a final slash goes before the well-known path is added.
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const {
      ok,
      status,
      json: document,
    } = await fetchFromProvider(this.#settings, "discovery", url);
    const json = ownProperties(document ?? {});
    const invalid = () => new GatewayFailure("discovery_invalid", { upstreamStatus: status });
    // Discovery 1.0, section 4.3: the issuer is identical, or the document is another's.
    if (!ok || json.issuer !== issuer) throw invalid();
    const found: Record<string, unknown> = {};
    for (const name of GATEWAY_ENDPOINTS) {
      if (json[name] === undefined) continue;
      if (!isSecureUrl(json[name])) throw invalid();
      found[name] = json[name];
    }
    for (const name of [
      "id_token_signing_alg_values_supported",
      "token_endpoint_auth_methods_supported",
    ]) {
      if (Array.isArray(json[name])) {
        found[name] = json[name].filter((value) => typeof value === "string");
      }
    }
    const complete: GatewayMetadata = ownProperties({ ...found, ...this.#settings.metadata });
    if (!isUsable(complete)) throw invalid();
    return complete;
  }

  async #fetchKeys(): Promise<readonly JsonObject[]> {
    const { jwks_uri } = await this.metadata();
    const { ok, status, json } = await fetchFromProvider(this.#settings, "jwks", jwks_uri);
    const keys = readKeySet(json);
    if (!ok || !keys) {
      throw new GatewayFailure("keys_unavailable", { upstreamStatus: status });
    }
    return keys;
  }
}

function isUsable(metadata: GatewayMetadata): metadata is UsableMetadata {
  return metadata.token_endpoint !== undefined && metadata.jwks_uri !== undefined;
}
