/**
 * How much a stranger may have the provider asked: so many requests per client address, and so many at a time in all. Counted
 * in this instance; what several instances share is for the `rateLimit` hook or the proxy.
 */

import { GatewayFailure } from "./failure.js";

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
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#free = limit;
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
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next);
        next();
      } else this.#free += 1;
    };
  }
}
