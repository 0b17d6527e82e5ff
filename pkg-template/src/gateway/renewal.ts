/**
 * Renewal with a refresh token (RFC 6749, 6; OpenID Connect Core 1.0, 12). One request for all who ask at once: a
 * provider that rotates refresh tokens takes a second use of one for theft (RFC 9700, 4.14.2).
 */

import { withTimeout } from "./cache.js";
import { authenticate } from "./client-auth.js";
import { ProviderRefusal } from "./failure.js";
import { askToken } from "./http.js";
import { readClaims, verifyIdToken } from "./id-token.js";
import type { Provider } from "./provider.js";
import type { Session, SessionCodec } from "./session-codec.js";
import type { ClientSettings, Settings } from "./settings.js";
import { SharedRenewals } from "./shared-renewal.js";
import { readTokenResponse } from "./token-response.js";

/** Milliseconds for which an outcome also answers those who come with the cookie from before it. */
const OUTCOME_TTL_MS = 30_000;

/** The most outcomes that are remembered at a time. */
const CAPACITY = 1000;

/** How long before its end an access token is renewed, in seconds; of a short-lived one, half its life. */
const RENEWAL_LEAD_SECS = 120;

/** Whether a session's tokens are about to end and can be renewed. `now` and `idTokenEnd` are in seconds. */
export function needsRenewal(session: Session, idTokenEnd: number, now: number): boolean {
  if (!session.refreshToken) return false;
  const end = Math.min(session.expiresAt ?? Number.POSITIVE_INFINITY, idTokenEnd);
  return now >= end - Math.min(RENEWAL_LEAD_SECS, (end - session.obtainedAt) / 2);
}

/** Renews sessions, each refresh token's once. */
export class RefreshCoordinator {
  readonly #settings: Settings;
  readonly #provider: Provider;
  readonly #shared: SharedRenewals | undefined;
  readonly #outcomes = new Map<
    string,
    { readonly outcome: Promise<Session>; readonly at: number }
  >();

  constructor(settings: Settings, provider: Provider, codec: SessionCodec) {
    this.#settings = settings;
    this.#provider = provider;
    const { store } = settings;
    this.#shared = store && new SharedRenewals(store, settings, codec);
  }

  /**
   * The session with fresh tokens.
   *
   * @throws {@link ProviderRefusal} or {@link GatewayFailure}, as the token request and the verification do.
   */
  async renew(client: ClientSettings, session: Session, refreshToken: string): Promise<Session> {
    const now = this.#settings.now();
    for (const [key, { at }] of this.#outcomes) {
      if (now - at < OUTCOME_TTL_MS && this.#outcomes.size < CAPACITY) break;
      this.#outcomes.delete(key);
    }
    const key = `${client.clientId} ${refreshToken}`;
    const forget = () => this.#outcomes.delete(key);
    const known = this.#outcomes.get(key);
    if (known) {
      this.#settings.metrics.countRenewal("shared");
      return withTimeout(known.outcome, 2 * this.#settings.timeout, forget);
    }
    const ask = () => this.#ask(client, session, refreshToken);
    const outcome = this.#shared
      ? this.#shared.renew(client, refreshToken, OUTCOME_TTL_MS, ask)
      : ask();
    this.#outcomes.set(key, { outcome, at: now });
    outcome.catch(forget);
    return outcome;
  }

  /** The session as the last renewal left it or will leave it, so that a sign-out revokes what a renewal under way brings. */
  async latest(client: ClientSettings, session: Session): Promise<Session> {
    const known = this.#outcomes.get(`${client.clientId} ${session.refreshToken}`);
    if (!known) {
      const { refreshToken } = session;
      const shared = refreshToken && this.#shared?.latest(client, refreshToken);
      return (await (shared || undefined)?.catch(() => undefined)) ?? session;
    }
    return withTimeout(known.outcome, this.#settings.timeout, () => undefined).catch(() => session);
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
    const response = await askToken(
      this.#settings,
      "refresh",
      metadata.token_endpoint,
      form,
      headers,
    );
    const grant = readTokenResponse(response);
    const now = Math.floor(this.#settings.now() / 1000);
    if (grant.idToken) {
      await verifyIdToken(grant.idToken, this.#provider, now, {
        issuer: this.#settings.issuer,
        clientId: client.clientId,
        accessToken: grant.accessToken,
        nonce: session.nonce,
        previousClaims: readClaims(session.idToken),
      });
    }
    const { expiresAt: _, ...kept } = session;
    return {
      ...kept,
      accessToken: grant.accessToken,
      tokenType: grant.tokenType,
      ...(grant.idToken && { idToken: grant.idToken }),
      ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
      ...(grant.scope && { scope: grant.scope }),
      ...(grant.expiresIn !== undefined && { expiresAt: now + Math.floor(grant.expiresIn) }),
      obtainedAt: now,
    };
  }
}
