/** A value that is loaded once for all requests: single flight, a lifetime, and a memory for failures. */

import { GatewayFailure } from "./failure.js";

/** How a {@link Cached} value lives. Times are in milliseconds. */
export interface CacheRules {
  /** How long a value is taken without asking again. */
  readonly freshFor: number;
  /** How long an outdated value still serves while the provider can't be asked. */
  readonly staleFor: number;
  /** How long a failure is remembered, so that an outage is not answered with a storm of requests. */
  readonly failureFor: number;
  /**
   * How long to wait for another request's load. Some runtimes cancel a request's I/O when its client leaves;
   * requests that wait for it must not wait for ever.
   */
  readonly joinTimeout: number;
  /** The time. */
  readonly now: () => number;
}

/** One value, shared by all requests of this instance. */
export class Cached<T> {
  readonly #load: () => Promise<T>;
  readonly #rules: CacheRules;
  #value: { readonly content: T; readonly at: number } | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #flight: Promise<T> | undefined;

  constructor(load: () => Promise<T>, rules: CacheRules) {
    this.#load = load;
    this.#rules = rules;
  }

  /** The value: remembered, or loaded. Rejects with what the load rejected with, now or from memory. */
  async get(): Promise<T> {
    const { now, freshFor, staleFor, failureFor } = this.#rules;
    const value = this.#value;
    if (value && now() - value.at < freshFor) return value.content;
    const usable = value && now() - value.at < freshFor + staleFor ? value : undefined;
    if (this.#failure && now() - this.#failure.at < failureFor) {
      if (usable) return usable.content;
      throw this.#failure.error;
    }
    try {
      return await this.refresh();
    } catch (error) {
      if (usable) return usable.content;
      throw error;
    }
  }

  /** The value of a load under way, if there is one; else as {@link Cached.get}. */
  async getOrJoin(): Promise<T> {
    return this.#flight ? this.refresh() : this.get();
  }

  /** Loads the value again, or joins a load under way. */
  async refresh(): Promise<T> {
    if (!this.#flight) {
      const flight = this.#run();
      this.#flight = flight;
      const clearFlight = () => {
        if (this.#flight === flight) this.#flight = undefined;
      };
      flight.then(clearFlight, clearFlight);
      return flight;
    }
    return withTimeout(this.#flight, this.#rules.joinTimeout, () => {
      this.#flight = undefined;
    });
  }

  async #run(): Promise<T> {
    try {
      const loaded = await this.#load();
      this.#value = { content: loaded, at: this.#rules.now() };
      this.#failure = undefined;
      return loaded;
    } catch (error) {
      this.#failure = { error, at: this.#rules.now() };
      throw error;
    }
  }
}

/**
 * Waits for another request's promise, but not for ever.
 *
 * @throws {@link GatewayFailure} `upstream_timeout`, after calling `abandoned`.
 */
export async function withTimeout<T>(
  promise: Promise<T>,
  joinTimeout: number,
  abandoned: () => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abandoned();
      reject(new GatewayFailure("upstream_timeout"));
    }, joinTimeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
