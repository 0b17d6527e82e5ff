/**
 * Keeps the listeners of a state that frameworks follow.
 *
 * @packageDocumentation
 */

/** Functions that are called after each change. */
export interface Listeners {
  /** Calls `listener` after each change; returns the function that removes it. */
  subscribe(listener: () => void): () => void;
  /** Calls the listeners that there are now: one that is added by another waits for the next change. */
  notify(): void;
}

/** Creates an empty set of listeners. */
export function createListeners(): Listeners {
  const listeners = new Set<() => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    notify() {
      for (const listener of [...listeners]) listener();
    },
  };
}
