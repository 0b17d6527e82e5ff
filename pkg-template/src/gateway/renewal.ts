/**
 * Renews sessions with a refresh token (RFC 6749, 6; OpenID Connect Core 1.0, 12). Concurrent requests share one renewal: a
 * provider that rotates refresh tokens takes a second use of one for theft (RFC 9700, 4.14.2).
 */

import { withTimeout } from "./cache.js";
import { authenticate } from "./client-auth.js";
import { ProviderRefusal } from "./failure.js";
import { requestTokens } from "./http.js";
import { readClaims, verifyIdToken } from "./id-token.js";
import type { Provider } from "./provider.js";
import type { Session, SessionCodec } from "./session-codec.js";
import type { ClientSettings, Settings } from "./settings.js";
import { LOCK_TIMEOUTS, SharedRenewals, WAIT_TIMEOUTS } from "./shared-renewal.js";
import { readTokenResponse } from "./token-response.js";

/** How long an outcome also serves requests with the cookie from before it, in milliseconds. */
const OUTCOME_TTL_MS = 30_000;

/** The most renewals that are remembered at a time: some hundred a second. One that is forgotten too early may be sent twice. */
const CAPACITY = 10_000;

/** How long before its end an access token is renewed, in seconds; a short-lived one after half its lifetime. */
const RENEWAL_LEAD_SECS = 120;

/** Returns whether a session's tokens are about to end and can be renewed. Times are in seconds since 1970. */
export function needsRenewal(session: Session, idTokenEndsAt: number, now: number): boolean {
  if (!session.refreshToken) return false;
  const end = tokensEnd(session, idTokenEndsAt);
  return now >= end - Math.min(RENEWAL_LEAD_SECS, (end - session.obtainedAt) / 2);
}

/** Returns when the first of a session's tokens ends, in seconds since 1970. */
export function tokensEnd({ expiresAt }: Session, idTokenEndsAt: number): number {
  return Math.min(expiresAt ?? Number.POSITIVE_INFINITY, idTokenEndsAt);
}

/** A renewal that is pending, or whose outcome is remembered. */
interface Renewal {
  readonly outcome: Promise<Session>;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** Renews sessions, each refresh token's once. */
export class RefreshCoordinator {
  readonly #settings: Settings;
  readonly #provider: Provider;
  readonly #shared: SharedRenewals | undefined;
  /** By registration and refresh token, in the order in which they began. */
  readonly #renewals = new Map<string, Renewal>();

  constructor(settings: Settings, provider: Provider, codec: SessionCodec) {
    this.#settings = settings;
    this.#provider = provider;
    const { store } = settings;
    this.#shared = store && new SharedRenewals(store, settings, codec);
  }

  /**
   * Renews a session's tokens, or joins the renewal that another request began.
   *
   * @throws {@link ProviderRefusal} or {@link GatewayFailure}, as the token request and the verification do.
   */
  async renew(client: ClientSettings, session: Session, refreshToken: string): Promise<Session> {
    const { metrics, timeoutMs } = this.#settings;
    this.#evict();
    const key = renewalKey(client, refreshToken);
    const known = this.#renewals.get(key);
    if (known && this.#settings.now() < known.expiresAt) {
      metrics.countRenewal("shared");
      return withTimeout(known.outcome, WAIT_TIMEOUTS * timeoutMs, () => this.#forget(key, known));
    }
    const renewal = this.#start(client, session, refreshToken);
    // One that is over is still there if an earlier one is not.
    this.#renewals.delete(key);
    this.#renewals.set(key, renewal);
    renewal.outcome.then(
      () => {
        renewal.expiresAt = this.#settings.now() + OUTCOME_TTL_MS;
      },
      () => this.#forget(key, renewal),
    );
    return renewal.outcome;
  }

  /**
   * Returns the session as the last renewal left it, or as a pending one will leave it, so that a sign-out revokes the
   * newest tokens; the session itself if there was no renewal.
   */
  async latest(client: ClientSettings, session: Session): Promise<Session> {
    const { refreshToken } = session;
    if (!refreshToken) return session;
    const known = this.#renewals.get(renewalKey(client, refreshToken));
    try {
      if (known) return await withTimeout(known.outcome, this.#settings.timeoutMs, () => undefined);
      return (await this.#shared?.latest(client, refreshToken)) ?? session;
    } catch {
      return session;
    }
  }

  #start(client: ClientSettings, session: Session, refreshToken: string): Renewal {
    const { now, timeoutMs } = this.#settings;
    const ask = () => this.#ask(client, session, refreshToken);
    const outcome = this.#shared
      ? this.#shared.renew(client, refreshToken, OUTCOME_TTL_MS, ask)
      : ask();
    // It may wait for another instance first. One that lasts longer was cut off with the request that began it.
    return { outcome, expiresAt: now() + (WAIT_TIMEOUTS + LOCK_TIMEOUTS) * timeoutMs };
  }

  /** Forgets the oldest, up to the first that is not over, and more if there are too many: the cost does not grow with them. */
  #evict(): void {
    const now = this.#settings.now();
    for (const [key, { expiresAt }] of this.#renewals) {
      if (now < expiresAt && this.#renewals.size < CAPACITY) break;
      this.#renewals.delete(key);
    }
  }

  /** Forgets a renewal, unless another has begun in its place. */
  #forget(key: string, renewal: Renewal): void {
    if (this.#renewals.get(key) === renewal) this.#renewals.delete(key);
  }

  async #ask(client: ClientSettings, session: Session, refreshToken: string): Promise<Session> {
    const { metrics } = this.#settings;
    try {
      const renewed = await this.#request(client, session, refreshToken);
      metrics.countRenewal("renewed");
      return renewed;
    } catch (error) {
      metrics.countRenewal(error instanceof ProviderRefusal ? "refused" : "failed");
      throw error;
    }
  }

  async #request(client: ClientSettings, session: Session, refreshToken: string): Promise<Session> {
    const metadata = await this.#provider.metadata();
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken });
    const headers = authenticate(client, metadata, form);
    const response = await requestTokens(
      this.#settings,
      "refresh",
      metadata.token_endpoint,
      form,
      headers,
    );
    const tokens = readTokenResponse(response);
    const now = Math.floor(this.#settings.now() / 1000);
    if (tokens.idToken) {
      await verifyIdToken(tokens.idToken, this.#provider, now, {
        issuer: this.#settings.issuer,
        clientId: client.clientId,
        accessToken: tokens.accessToken,
        nonce: session.nonce,
        previousClaims: readClaims(session.idToken),
      });
    }
    const { expiresAt: _, ...kept } = session;
    return {
      ...kept,
      accessToken: tokens.accessToken,
      tokenType: tokens.tokenType,
      ...(tokens.idToken && { idToken: tokens.idToken }),
      ...(tokens.refreshToken && { refreshToken: tokens.refreshToken }),
      ...(tokens.scope && { scope: tokens.scope }),
      ...(tokens.expiresIn !== undefined && { expiresAt: now + Math.floor(tokens.expiresIn) }),
      obtainedAt: now,
    };
  }
}

function renewalKey({ clientId }: ClientSettings, refreshToken: string): string {
  return `${clientId} ${refreshToken}`;
}
