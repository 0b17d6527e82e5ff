/** A value that is loaded once for all requests: single flight, a lifetime, and a memory for failures. */

import { GatewayFailure } from "./failure.js";

/** How a {@link Cached} value lives. Times are in milliseconds. */
export interface CacheRules {
  /** How long a value is taken without asking again. */
  readonly freshForMs: number;
  /** How long an outdated value still serves while the provider can't be asked. */
  readonly staleForMs: number;
  /** How long a failure is remembered, so that an outage is not answered with a storm of requests. */
  readonly failureForMs: number;
  /**
   * How long to wait for another request's load. Some runtimes cancel a request's I/O when its client leaves;
   * requests that wait for it must not wait for ever.
   */
  readonly joinTimeoutMs: number;
  /** The time. */
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
 * Waits for another request's promise, but not for ever.
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
