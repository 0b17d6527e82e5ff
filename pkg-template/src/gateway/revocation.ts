/**
 * Ends sessions before their limits on all instances: by the session id, by the user, or by the provider's own session
 * (OpenID Connect Back-Channel Logout 1.0).
 *
 * A user's revocation does not compare times, since instances' clocks differ. It is a random value in the store, which each
 * sign-in seals into its session: sessions that have another are over.
 */

import { randomText, sha256 } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import type { OpenSession, Session } from "./session-codec.js";
import type { Settings } from "./settings.js";
import type { StoreAccess } from "./store-access.js";
import { userIdOf } from "./user.js";

const HOUR_MS = 3_600_000;

/** The longest time that a revocation is remembered: sessions may have no limit of their own. */
const MAX_TTL_MS = 366 * 24 * HOUR_MS;

/** The value of a session's key in the store if only its copies without a device key are over. */
const BOUND = "bound";

/** Revokes sessions, and finds out which were. */
export class Revocations {
  readonly #store: StoreAccess | undefined;
  readonly #ttlMs: number;

  constructor(store: StoreAccess | undefined, { maxAgeSecs }: Settings) {
    this.#store = store;
    this.#ttlMs = Math.min(maxAgeSecs * 1000 + HOUR_MS, MAX_TTL_MS);
  }

  /**
   * Returns whether a session was revoked.
   *
   * @throws {@link GatewayFailure} `store_unavailable`
   */
  async isRevoked({ session, claims }: Pick<OpenSession, "session" | "claims">): Promise<boolean> {
    const store = this.#store;
    if (!store) return false;
    const { iss, sub, sid } = claims;
    const [ended, mark, endedSid] = await Promise.all([
      store.get(sessionKey(session.id)),
      userKey(userIdOf(iss, sub)).then((key) => store.get(key)),
      typeof sid === "string" ? sidKey(iss, sid).then((key) => store.get(key)) : null,
    ]);
    const isEnded = ended === BOUND ? session.deviceKey === undefined : ended !== null;
    return isEnded || endedSid !== null || (mark !== null && mark !== session.userMark);
  }

  /**
   * Returns the mark that a new session of a user has. Without a store it has none.
   *
   * @throws {@link GatewayFailure} `store_unavailable`
   */
  async markOf(iss: string, sub: string): Promise<Pick<Session, "userMark">> {
    const mark = await this.#store?.get(await userKey(userIdOf(iss, sub)));
    return typeof mark === "string" ? { userMark: mark } : {};
  }

  /**
   * Checks that the store responds, before the authorization code is used.
   *
   * @throws {@link GatewayFailure} `store_unavailable`
   */
  async assertAvailable(): Promise<void> {
    await this.#store?.get("ping");
  }

  /** Ends a session; without a store it does nothing. @throws {@link GatewayFailure} `store_unavailable` */
  async revokeSession(sessionId: string): Promise<void> {
    await this.#store?.set(sessionKey(sessionId), "1", this.#ttlMs);
  }

  /** Ends the copies of a session that are not bound to its device. @throws {@link GatewayFailure} `store_unavailable` */
  async requireDevice(sessionId: string): Promise<void> {
    await this.#store?.setIfAbsent(sessionKey(sessionId), BOUND, this.#ttlMs);
  }

  /** Ends all sessions that a user has now. @throws {@link GatewayFailure} `store_unavailable` */
  async revokeUser(userId: string): Promise<void> {
    await this.#store?.set(await userKey(userId), randomText(16), this.#ttlMs);
  }

  /** Ends the sessions that belong to a session of the provider. @throws {@link GatewayFailure} `store_unavailable` */
  async revokeSid(iss: string, sid: string): Promise<void> {
    await this.#store?.set(await sidKey(iss, sid), "1", this.#ttlMs);
  }

  /**
   * Returns whether a logout token has ended sessions before.
   *
   * @throws {@link GatewayFailure} `store_unavailable`
   */
  async isLogoutTokenUsed(iss: string, jti: string): Promise<boolean> {
    const store = this.#requireStore();
    return (await store.get(await logoutTokenKey(iss, jti))) !== null;
  }

  /**
   * Remembers that a logout token has ended sessions.
   *
   * @throws {@link GatewayFailure} `store_unavailable`
   */
  async markLogoutTokenUsed(iss: string, jti: string, ttlMs: number): Promise<void> {
    await this.#requireStore().set(await logoutTokenKey(iss, jti), "1", ttlMs);
  }

  #requireStore(): StoreAccess {
    if (!this.#store) throw new GatewayFailure("not_found");
    return this.#store;
  }
}

const sessionKey = (sessionId: string) => `revoked:session:${sessionId}`;
const userKey = async (userId: string) => `revoked:user:${await sha256(userId)}`;
const sidKey = async (iss: string, sid: string) => `revoked:sid:${await sha256(`${iss} ${sid}`)}`;
const logoutTokenKey = async (iss: string, jti: string) =>
  `logout:${await sha256(`${iss} ${jti}`)}`;
