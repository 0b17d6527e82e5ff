/**
 * Renews each grant once across instances: the one that gets the lock in the store renews, and the others read the outcome
 * from the store. Tokens are sealed there as they are in the cookie.
 */

import { randomText, sha256 } from "./encoding.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import type { Session, SessionCodec } from "./session-codec.js";
import type { ClientSettings, Settings } from "./settings.js";
import type { StoreAccess } from "./store-access.js";

/** How often the store is polled for another instance's outcome, in milliseconds. */
const POLL_MS = 50;

/** How long the lock lasts, in timeouts: a renewal sends four requests at most, for metadata, tokens, and keys twice. */
export const LOCK_TIMEOUTS = 4;

/** How long to wait for another instance's outcome, in timeouts. */
export const WAIT_TIMEOUTS = 2;

/** Coordinates renewals through the store. */
export class SharedRenewals {
  readonly #store: StoreAccess;
  readonly #settings: Settings;
  readonly #codec: SessionCodec;

  constructor(store: StoreAccess, settings: Settings, codec: SessionCodec) {
    this.#store = store;
    this.#settings = settings;
    this.#codec = codec;
  }

  /**
   * Renews, or waits for the instance that does. If the store cannot be reached, it renews: at worst the provider takes the
   * second use of a refresh token for theft, and the session is over.
   *
   * @param ttlMs how long the outcome also serves requests with the cookie from before it
   * @throws what `ask` throws; {@link ProviderRefusal} if the provider refused another instance's; {@link GatewayFailure}
   * `upstream_timeout`
   */
  async renew(
    client: ClientSettings,
    refreshToken: string,
    ttlMs: number,
    ask: () => Promise<Session>,
  ): Promise<Session> {
    const store = this.#store;
    const hash = await sha256(`${client.clientId} ${refreshToken}`);
    const outcomeKey = `renewal:outcome:${hash}`;
    const lockKey = `renewal:lock:${hash}`;
    const holder = randomText(16);
    const { timeoutMs } = this.#settings;
    const lockMs = LOCK_TIMEOUTS * timeoutMs;
    const until = performance.now() + WAIT_TIMEOUTS * timeoutMs;
    while (performance.now() < until) {
      let hasLock = false;
      try {
        let known: string | null = null;
        try {
          hasLock = await store.setIfAbsent(lockKey, holder, lockMs);
          known = await store.get(outcomeKey);
        } catch {
          // Other instances wait for the outcome of the one that has the lock.
          return hasLock ? await this.#renewFirst(client, outcomeKey, ttlMs, ask) : await ask();
        }
        if (known !== null) {
          const session = await this.#read(client, known);
          // Another instance sealed it by a key that this one does not have.
          if (!session) return await ask();
          this.#settings.metrics.countRenewal("shared");
          return session;
        }
        if (hasLock) return await this.#renewFirst(client, outcomeKey, ttlMs, ask);
      } finally {
        if (hasLock) await this.#unlock(lockKey, holder);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new GatewayFailure("upstream_timeout");
  }

  /** Returns the session as another instance's renewal left it, if its outcome is still in the store. */
  async latest(client: ClientSettings, refreshToken: string): Promise<Session | undefined> {
    const hash = await sha256(`${client.clientId} ${refreshToken}`);
    const known = await this.#store.get(`renewal:outcome:${hash}`);
    return known?.startsWith("s.") ? this.#read(client, known) : undefined;
  }

  async #renewFirst(
    client: ClientSettings,
    outcomeKey: string,
    ttlMs: number,
    ask: () => Promise<Session>,
  ): Promise<Session> {
    try {
      const session = await ask();
      await this.#write(outcomeKey, `s.${await this.#codec.seal(client, session)}`, ttlMs);
      return session;
    } catch (error) {
      if (error instanceof ProviderRefusal && error.error === "invalid_grant") {
        await this.#write(outcomeKey, `r.${error.error}`, ttlMs);
      }
      throw error;
    }
  }

  async #read(client: ClientSettings, outcome: string): Promise<Session | undefined> {
    if (outcome.startsWith("r.")) throw new ProviderRefusal(outcome.slice(2), 400);
    return (await this.#codec.open(client, outcome.slice(2)))?.session;
  }

  async #write(key: string, value: string, ttlMs: number): Promise<void> {
    // Without it, the instances that wait renew for themselves.
    await this.#store.set(key, value, ttlMs).catch(() => undefined);
  }

  /** Deletes the lock, unless it has expired and another instance holds it. */
  async #unlock(lockKey: string, holder: string): Promise<void> {
    try {
      if ((await this.#store.get(lockKey)) === holder) await this.#store.delete(lockKey);
    } catch {
      // It expires.
    }
  }
}
