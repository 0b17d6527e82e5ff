/**
 * The store that several instances share: revocations, who renews a grant, rate limits. Optional; without a store a gateway remembers
 * nothing that another would need.
 */

/**
 * A store that all instances share. Each operation is atomic, and rejects if the store cannot be reached. Its content
 * has no secret and names no user: ids are hashed, tokens are sealed.
 */
export interface GatewayStore {
  /** Resolves with the value of a key, or `null`. */
  get(key: string): Promise<string | null>;
  /** Sets a key for so many milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<unknown>;
  /** Sets a key that has no value, and resolves with whether it did. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  /** Deletes a key. */
  delete(key: string): Promise<unknown>;
  /** Adds one to a key, and resolves with the sum. The time to live begins when the key does. */
  increment(key: string, ttlMs: number): Promise<number>;
}

/** A store in this process, for one instance and for tests: sign-outs and revocations hold until the process ends. */
export function memoryStore({
  now = Date.now,
}: {
  readonly now?: () => number;
} = {}): GatewayStore {
  const entries = new Map<string, { value: string; readonly until: number }>();
  let sweepAt = 0;
  const find = (key: string) => {
    const entry = entries.get(key);
    return entry && entry.until > now() ? entry : undefined;
  };
  const put = (key: string, value: string, ttlMs: number) => {
    const at = now();
    if (at >= sweepAt) {
      sweepAt = at + SWEEP_MS;
      for (const [old, { until }] of entries) if (until <= at) entries.delete(old);
    }
    entries.set(key, { value, until: at + ttlMs });
  };
  return {
    get: async (key) => find(key)?.value ?? null,
    set: async (key, value, ttlMs) => put(key, value, ttlMs),
    setIfAbsent: async (key, value, ttlMs) => {
      if (find(key)) return false;
      put(key, value, ttlMs);
      return true;
    },
    delete: async (key) => entries.delete(key),
    increment: async (key, ttlMs) => {
      const entry = find(key);
      const count = Number(entry?.value ?? 0) + 1;
      if (entry) entry.value = String(count);
      else put(key, "1", ttlMs);
      return count;
    },
  };
}

/** How often a memory store deletes expired keys, in milliseconds. */
const SWEEP_MS = 60_000;

/** A Redis client, as {@link redisStore} needs it: one of the npm package `redis`, 4.6 or newer. */
export interface RedisClient {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, options: { PX: number; NX?: true }): Promise<unknown>;
  del(key: string): Promise<unknown>;
  multi(): RedisTransaction;
}

/** A `MULTI` of the npm package `redis`. */
export interface RedisTransaction {
  set(key: string, value: string, options: { PX: number; NX: true }): RedisTransaction;
  incr(key: string): RedisTransaction;
  exec(): Promise<readonly unknown[]>;
}

/**
 * A store in Redis, or a server that speaks its protocol.
 *
 * ```ts
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true });
 * client.on("error", (error) => console.error(error.message));
 * await client.connect();
 * const gateway = createGateway({ …, store: redisStore(client) });
 * ```
 *
 * With `disableOfflineQueue` a request fails at once while Redis is away, and not after two seconds.
 *
 * @param options `prefix`: what the keys begin with. Default `classlink-spa:`.
 */
export function redisStore(
  // The client's own types are generic over modules and protocol versions.
  client: object,
  { prefix = "classlink-spa:" }: { readonly prefix?: string } = {},
): GatewayStore {
  const redis = client as RedisClient;
  return {
    get: async (key) => {
      const value = await redis.get(prefix + key);
      return typeof value === "string" ? value : null;
    },
    set: (key, value, ttlMs) => redis.set(prefix + key, value, { PX: Math.ceil(ttlMs) }),
    setIfAbsent: async (key, value, ttlMs) => {
      const options = { PX: Math.ceil(ttlMs), NX: true } as const;
      return (await redis.set(prefix + key, value, options)) === "OK";
    },
    delete: (key) => redis.del(prefix + key),
    increment: async (key, ttlMs) => {
      const options = { PX: Math.ceil(ttlMs), NX: true } as const;
      const replies = await redis
        .multi()
        .set(prefix + key, "0", options)
        .incr(prefix + key)
        .exec();
      return Number(replies[1]);
    },
  };
}
