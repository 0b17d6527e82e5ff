/** Caches a value for all requests: one load at a time, a lifetime, and failures that are remembered for a while. */

import { GatewayFailure } from "./failure.js";

/** The lifetimes of a {@link Cached} value. */
export interface CacheRules {
  /** How long a value is returned without another load. */
  readonly freshForMs: number;
  /** How long an outdated value is still returned while loads fail. */
  readonly staleForMs: number;
  /** How long a failure is remembered, so that an outage does not cause a load for each request. */
  readonly failureForMs: number;
  /**
   * How long to wait for another request's load. Some runtimes cancel a request's I/O when its client disconnects, and then
   * the load never settles.
   */
  readonly joinTimeoutMs: number;
  /** Returns the time in milliseconds since 1970. */
  readonly now: () => number;
}

/** One value, shared by all requests of this instance. */
export class Cached<T> {
  readonly #load: () => Promise<T>;
  readonly #rules: CacheRules;
  #value: { readonly content: T; readonly loadedAt: number } | undefined;
  #failure: { readonly error: unknown; readonly failedAt: number } | undefined;
  #pendingLoad: Promise<T> | undefined;

  constructor(load: () => Promise<T>, rules: CacheRules) {
    this.#load = load;
    this.#rules = rules;
  }

  /** Returns the cached value, or loads it. Rejects with the load's error, which is remembered for a while. */
  async get(): Promise<T> {
    const { now, freshForMs, staleForMs, failureForMs } = this.#rules;
    const value = this.#value;
    if (value && now() - value.loadedAt < freshForMs) return value.content;
    const stale = value && now() - value.loadedAt < freshForMs + staleForMs ? value : undefined;
    const failure = this.#failure;
    if (failure && now() - failure.failedAt < failureForMs) {
      if (stale) return stale.content;
      throw failure.error;
    }
    try {
      return await this.refresh();
    } catch (error) {
      if (stale) return stale.content;
      throw error;
    }
  }

  /** Joins a pending load; without one, does what {@link Cached.get} does. */
  async getOrJoin(): Promise<T> {
    return this.#pendingLoad ? this.refresh() : this.get();
  }

  /** Loads the value again, or joins a pending load. */
  async refresh(): Promise<T> {
    const pending = this.#pendingLoad;
    if (!pending) return this.#startLoad();
    return withTimeout(pending, this.#rules.joinTimeoutMs, () => {
      // Another request may have given up on it before, and begun the next load.
      if (this.#pendingLoad === pending) this.#pendingLoad = undefined;
    });
  }

  #startLoad(): Promise<T> {
    const load = this.#load();
    this.#pendingLoad = load;
    load.then(
      (content) => {
        if (this.#pendingLoad !== load) return;
        this.#pendingLoad = undefined;
        this.#value = { content, loadedAt: this.#rules.now() };
        this.#failure = undefined;
      },
      (error: unknown) => {
        if (this.#pendingLoad !== load) return;
        this.#pendingLoad = undefined;
        this.#failure = { error, failedAt: this.#rules.now() };
      },
    );
    return load;
  }
}

/**
 * Waits for another request's promise, for `joinTimeoutMs` at most.
 *
 * @throws {@link GatewayFailure} `upstream_timeout`, after calling `onTimeout`.
 */
export async function withTimeout<T>(
  promise: Promise<T>,
  joinTimeoutMs: number,
  onTimeout: () => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onTimeout();
      reject(new GatewayFailure("upstream_timeout"));
    }, joinTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
