/**
 * How much a stranger may have the provider asked: so many requests per client address, and so many at a time in all. Counted
 * in this instance; what several instances share is for the `rateLimit` hook or the proxy.
 */

import { sha256 } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import type { StoreAccess } from "./store-access.js";

/** A whole school may share one address, and a class signs in within a minute: this many at once. */
const BURST = 100;

/** Addresses that are counted at a time. The one that was heard of longest ago is forgotten first. */
const CAPACITY = 10_000;

/** Requests that wait for their turn. */
const MAX_WAITING = 1000;

/** The failure of a request that could not even begin. */
export const overloaded = () =>
  new GatewayFailure("overloaded", { headers: { "Retry-After": "5" } });

/** Token buckets per client address and route. */
export class AddressLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param perMinute requests of one address to one route; `Infinity` for no limit. */
  constructor(perMinute: number, now: () => number) {
    this.#perSecond = perMinute / 60;
    this.#now = now;
  }

  /**
   * Counts a request that reaches the provider. Requests whose address is not known are not counted.
   *
   * @throws {@link GatewayFailure} `rate_limited`
   */
  count(route: string, remoteAddress: string | undefined): void {
    if (remoteAddress === undefined || this.#perSecond === Number.POSITIVE_INFINITY) return;
    const key = `${route} ${addressGroup(remoteAddress)}`;
    const at = this.#now();
    const burst = Math.min(BURST, Math.max(1, this.#perSecond * 60));
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at };
    const elapsed = Math.max(0, at - bucket.at) / 1000;
    const tokens = Math.min(burst, bucket.tokens + elapsed * this.#perSecond);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at });
    if (this.#buckets.size > CAPACITY) {
      const [oldest = ""] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    if (tokens < 1) {
      const seconds = String(Math.ceil((1 - tokens) / this.#perSecond));
      throw new GatewayFailure("rate_limited", { headers: { "Retry-After": seconds } });
    }
  }
}

/** How long a minute's count is kept in the store, in milliseconds. */
const WINDOW_TTL_MS = 120_000;
const MINUTE_MS = 60_000;

/** Counts each client address's requests of a minute in the store, for all instances together. */
export class SharedAddressLimit {
  readonly #store: StoreAccess;
  readonly #perMinute: number;
  readonly #now: () => number;

  constructor(store: StoreAccess, perMinute: number, now: () => number) {
    this.#store = store;
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /**
   * Counts a request that reaches the provider. While the store is down, each instance's own limit is what there is.
   *
   * @throws {@link GatewayFailure} `rate_limited`
   */
  async count(route: string, remoteAddress: string | undefined): Promise<void> {
    if (remoteAddress === undefined || this.#perMinute === Number.POSITIVE_INFINITY) return;
    const hash = await sha256(`${route} ${addressGroup(remoteAddress)}`);
    const minute = Math.floor(this.#now() / MINUTE_MS);
    const count = await this.#store
      .increment(`rate:${hash}:${minute}`, WINDOW_TTL_MS)
      .catch(() => 0);
    if (count > this.#perMinute) {
      const left = Math.ceil(((minute + 1) * MINUTE_MS - this.#now()) / 1000);
      throw new GatewayFailure("rate_limited", { headers: { "Retry-After": String(left) } });
    }
  }
}

/** The addresses that count as one client: an IPv4 address, or the /64 network of an IPv6 one (RFC 6177). */
export function addressGroup(address: string): string {
  const [bare = ""] = address
    .trim()
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .split("%");
  if (!bare.includes(":")) return bare;
  const mapped = /^(?:0*:)*(?:ffff:)((?:\d+\.){3}\d+)$/.exec(bare);
  if (mapped) return mapped[1] ?? bare;
  const [head = "", tail] = bare.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    while (groups.length + after.length < 8) groups.push("0");
    groups.push(...after);
  }
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${network.join(":")}::/64`;
}

/** Lets so many run at a time; further ones wait their turn. */
export class Semaphore {
  #free: number;
  #active = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#free = limit;
  }

  /** How many run. */
  get active(): number {
    return this.#active;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for a turn, or until the signal aborts; resolves with what gives the turn back. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.size >= MAX_WAITING) throw overloaded();
    else {
      await new Promise<void>((resolve, reject) => {
        const go = () => {
          signal.removeEventListener("abort", give);
          resolve();
        };
        const give = () => {
          this.#waiting.delete(go);
          reject(overloaded());
        };
        signal.addEventListener("abort", give, { once: true });
        this.#waiting.add(go);
      });
    }
    this.#active += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#active -= 1;
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next);
        next();
      } else this.#free += 1;
    };
  }
}
