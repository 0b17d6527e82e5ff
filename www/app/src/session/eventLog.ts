/** Keeps the client's events in memory for the "What happened" panel. They hold nothing personal. */

import type { ClassLinkEvent } from "classlink-spa";

/** Enough for several sign-ins; an open page must not grow for ever. */
const LIMIT = 50;

let events: readonly ClassLinkEvent[] = [];
const listeners = new Set<() => void>();

/** Takes one event: the client's `onEvent`. */
export function recordEvent(event: ClassLinkEvent): void {
  events = [...events, event].slice(-LIMIT);
  for (const listener of listeners) listener();
}

/** The events since this page was loaded, oldest first; the same array while nothing is added. */
export function getEvents(): readonly ClassLinkEvent[] {
  return events;
}

/** Calls `listener` after each event; answers with the function that stops it. */
export function subscribeToEvents(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
