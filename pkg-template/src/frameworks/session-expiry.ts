/**
 * Counts down to the end of a session, from the event `session.expiring` on.
 *
 * @packageDocumentation
 */

import { subscribeToEvents } from "../client-internals.js";
import type { ClassLinkClient } from "../types.js";
import { createListeners } from "./listeners.js";

/** The countdown while a session is about to end. */
export interface SessionExpiringState {
  /** Whole seconds until the session ends unless the user is active. */
  readonly remainingSeconds: number;
  /** Keeps the session: restarts the idle limit, in every tab. */
  readonly stayActive: () => void;
}

/** The countdown of one client. */
export interface SessionExpiry {
  /** Returns the countdown, the same object for a second; `null` unless the session is about to end. */
  getState(): SessionExpiringState | null;
  /** Calls `listener` after each change; returns the function that removes it. */
  subscribe(listener: () => void): () => void;
  /** Follows the client's events; returns the function that stops it. */
  watch(): () => void;
}

const SECOND_MS = 1000;

const expiries = new WeakMap<object, SessionExpiry>();

/** Returns the one countdown of a client. */
export function sessionExpiry(client: ClassLinkClient): SessionExpiry {
  let expiry = expiries.get(client);
  if (!expiry) {
    expiry = createSessionExpiry(client);
    expiries.set(client, expiry);
  }
  return expiry;
}

function createSessionExpiry(client: ClassLinkClient): SessionExpiry {
  let state: SessionExpiringState | null = null;
  let endsAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watchers = 0;
  let stopFollowing: (() => void) | undefined;
  let stopListening: (() => void) | undefined;
  const { subscribe, notify } = createListeners();

  function enter(next: SessionExpiringState | null): void {
    if (next?.remainingSeconds === state?.remainingSeconds) return;
    state = next;
    notify();
  }

  function stop(): void {
    clearTimeout(timer);
    stopFollowing?.();
    stopFollowing = undefined;
    enter(null);
  }

  function stayActive(): void {
    client.stayActive();
    stop();
  }

  function count(): void {
    clearTimeout(timer);
    const left = endsAt - performance.now();
    // If the session lives on after that, the user was active in another tab.
    if (left <= 0 || !client.getSnapshot().user) {
      stop();
      return;
    }
    const remainingSeconds = Math.ceil(left / SECOND_MS);
    enter({ remainingSeconds, stayActive });
    timer = setTimeout(count, left - (remainingSeconds - 1) * SECOND_MS);
  }

  return {
    getState: () => state,
    subscribe,
    watch() {
      watchers += 1;
      if (watchers === 1) {
        stopListening = subscribeToEvents(client, ({ type, durationMs = 0 }) => {
          if (type !== "session.expiring") return;
          endsAt = performance.now() + durationMs;
          stopFollowing ??= client.subscribe(() => {
            if (!client.getSnapshot().user) stop();
          });
          count();
        });
      }
      return () => {
        watchers -= 1;
        if (watchers > 0) return;
        stopListening?.();
        stop();
      };
    },
  };
}
