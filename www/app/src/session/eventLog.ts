/** Keeps the client's events in memory: for the "What happened" panel, and to know how a session ended. */

import type { ClassLinkEvent } from "classlink-spa";

/** Enough for several sign-ins; an open page must not grow for ever. */
const LIMIT = 50;

const BEGINNINGS: readonly EventType[] = ["login.succeeded", "session.restored"];
const ENDINGS: readonly EventType[] = ["logout", "session.expired"];

type EventType = ClassLinkEvent["type"];

let events: readonly ClassLinkEvent[] = [];
let ended = true;
const listeners = new Set<() => void>();

/** Takes one event: the client's `onEvent`. */
export function recordEvent(event: ClassLinkEvent): void {
  events = [...events, event].slice(-LIMIT);
  if (BEGINNINGS.includes(event.type)) ended = false;
  if (ENDINGS.includes(event.type)) ended = true;
  for (const listener of listeners) listener();
}

/** The events since this page was loaded, oldest first; the same array while nothing is added. */
export function getEvents(): readonly ClassLinkEvent[] {
  return events;
}

/** Whether no session has begun in this tab that didn't end in it, too. */
export function hasEndedHere(): boolean {
  return ended;
}

/** Calls `listener` after each event; returns the function that stops it. */
export function subscribeToEvents(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
