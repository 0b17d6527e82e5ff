/**
 * Limits the requests that reach the provider: for each client address, in this instance and in the store, and the requests
 * that this instance sends at a time.
 */

import { sha256 } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import type { StoreAccess } from "./store-access.js";

/** Requests that one address may send at once: a whole school may share it, and a class signs in within a minute. */
const BURST = 100;

/** The most addresses that are counted at a time. The one whose last request is the oldest is forgotten first. */
const CAPACITY = 10_000;

/** The most requests that wait for others to end. */
const MAX_WAITING = 1000;

/** Creates the failure of a request that was not sent, since too many others were. */
export const overloaded = () =>
  new GatewayFailure("overloaded", { headers: { "Retry-After": "5" } });

/** Counts the requests of each client address to each route: a token bucket. */
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

const MINUTE_MS = 60_000;

/** How long a minute's count is kept in the store, in milliseconds. */
const WINDOW_TTL_MS = 2 * MINUTE_MS;

/** Counts the requests of each client address to each route and minute in the store, for all instances together. */
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
   * Counts a request that reaches the provider. While the store is unavailable, only {@link AddressLimit} holds.
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

/** Returns what counts as one client: an IPv4 address, or the /64 network of an IPv6 address (RFC 6177). */
export function addressGroup(address: string): string {
  const [bare = ""] = withoutPort(address.trim().toLowerCase()).split("%");
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

/** Returns an address without the port that some proxies add, which is another one for each connection. */
function withoutPort(address: string): string {
  const [, ipv6, ipv4] = /^\[([^\]]*)|^((?:\d+\.){3}\d+):/.exec(address) ?? [];
  return ipv6 ?? ipv4 ?? address;
}

/** Limits how many requests are sent at a time; further ones wait. */
export class Semaphore {
  #free: number;
  #active = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#free = limit;
  }

  /** The number of requests that were sent and have not ended. */
  get active(): number {
    return this.#active;
  }

  /** The number of requests that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits until a request may be sent, and resolves with a function to call when it has ended.
   *
   * @throws {@link GatewayFailure} `overloaded` if the signal aborts before, or if too many wait
   */
  async acquire(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    this.#active += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#active -= 1;
      const [next] = this.#waiting;
      if (next) next();
      else this.#free += 1;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || this.#waiting.size >= MAX_WAITING) {
        reject(overloaded());
        return;
      }
      const proceed = () => {
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(proceed);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(proceed);
        reject(overloaded());
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(proceed);
    });
  }
}
