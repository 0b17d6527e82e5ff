/** Accesses the store in bounded time, and counts the operations. */

import { GatewayFailure } from "./failure.js";
import { withDeadline } from "./http.js";
import type { Metrics } from "./metrics.js";
import type { GatewayStore } from "./store.js";

/** Accesses the store. */
export class StoreAccess {
  readonly #store: GatewayStore;
  readonly #timeoutMs: number;
  readonly #metrics: Metrics;

  constructor(store: GatewayStore, timeoutMs: number, metrics: Metrics) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#metrics = metrics;
  }

  /** As {@link GatewayStore.get}. @throws {@link GatewayFailure} `store_unavailable` */
  get(key: string): Promise<string | null> {
    return this.#run("get", () => this.#store.get(key));
  }

  /** As {@link GatewayStore.set}. @throws {@link GatewayFailure} `store_unavailable` */
  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#run("set", () => this.#store.set(key, value, ttlMs));
  }

  /** As {@link GatewayStore.setIfAbsent}. @throws {@link GatewayFailure} `store_unavailable` */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    return this.#run("set", () => this.#store.setIfAbsent(key, value, ttlMs));
  }

  /** As {@link GatewayStore.delete}. @throws {@link GatewayFailure} `store_unavailable` */
  async delete(key: string): Promise<void> {
    await this.#run("delete", () => this.#store.delete(key));
  }

  /** As {@link GatewayStore.increment}. @throws {@link GatewayFailure} `store_unavailable` */
  increment(key: string, ttlMs: number): Promise<number> {
    return this.#run("increment", () => this.#store.increment(key, ttlMs));
  }

  async #run<T>(
    operation: "get" | "set" | "delete" | "increment",
    work: () => Promise<T>,
  ): Promise<T> {
    const unavailable = () =>
      new GatewayFailure("store_unavailable", { headers: { "Retry-After": "5" } });
    try {
      const result = await withDeadline(this.#timeoutMs, unavailable, async () => work());
      this.#metrics.countStore(operation, "ok");
      return result;
    } catch {
      this.#metrics.countStore(operation, "failed");
      throw unavailable();
    }
  }
}
