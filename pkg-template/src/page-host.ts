/**
 * Connects the core with its page: reports the page's events, the user's activity and the messages of the application's
 * other tabs, and gives it a timer, locks and a channel. It decides nothing.
 *
 * @packageDocumentation
 */

import { type Host, PageEvent } from "./core.js";

/** Receives what {@link PageHost} reports. */
export interface PageListener {
  notify(event: PageEvent): void;
  /** Records that the user was active. */
  recordActivity(): void;
  /** Receives a message of another tab. */
  receive(message: TabMessage): void;
}

/** A message between tabs. It has no token. */
export interface TabMessage {
  readonly kind: string;
  /** The session that it is about. */
  readonly session?: string | undefined;
  /** The user of a sign-in or of activity, as a hash. */
  readonly user?: string | undefined;
  /** The time of activity, in seconds since 1970: a tab that sleeps receives the message later. */
  readonly at?: string | undefined;
  /** The state of a login in a popup that has lost its opener. */
  readonly state?: string;
  /** The callback URL of that login. */
  readonly url?: string;
}

/** Returns whether data has the form of a message: any script of this origin may post to a channel. */
export function isTabMessage(data: unknown): data is TabMessage {
  return (
    typeof data === "object" &&
    data !== null &&
    typeof (data as TabMessage).kind === "string" &&
    Object.values(data).every((value) => value === undefined || typeof value === "string")
  );
}

/** The members of {@link Host} that a page has while it is connected with the core. */
export interface PageHost {
  join: Host["join"];
  post: Host["post"];
  /** Posts to the channel that the page has joined or joins next. */
  send(message: TabMessage): void;
  schedule: Host["schedule"];
  lock: Host["lock"];
  /** Stops listening, leaves the channel and releases the locks. */
  close(): void;
}

/** The shortest time between two reports of user activity, in milliseconds. */
const ACTIVITY_THROTTLE_MS = 500;

/** The longest that browsers' timers can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds after which a lock is no longer waited for: a tab that hangs must not hold up the others. */
const LOCK_TIMEOUT_MS = 15_000;

/** Listens to the page, and to the channel that it joins. */
export function createPageHost(listener: PageListener): PageHost {
  const ending = new AbortController();
  /** Releases the locks that are held. */
  const held = new Set<() => void>();
  const { signal } = ending;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let channel: BroadcastChannel | undefined;
  /** The name of the channel, also if the browser has none. */
  let joined: string | undefined;
  let unsent: TabMessage[] = [];
  let reportedAt = 0;

  const on = (target: EventTarget | undefined, names: string, react: (event: Event) => void) => {
    for (const name of names.split(" ")) {
      target?.addEventListener?.(name, react, { signal, passive: true, capture: true });
    }
  };
  on(globalThis.document, "pointerdown keydown wheel touchstart", ({ isTrusted }) => {
    const now = Date.now();
    // Events that scripts dispatch do not count. A clock set back must not stop the reports.
    if (!isTrusted || Math.abs(now - reportedAt) < ACTIVITY_THROTTLE_MS) return;
    reportedAt = now;
    listener.recordActivity();
  });
  // Timers stop while a device sleeps, and browsers slow them in hidden tabs.
  on(globalThis.document, "visibilitychange", () => {
    listener.notify(document.visibilityState === "hidden" ? PageEvent.Hidden : PageEvent.Woke);
  });
  on(globalThis.window, "focus", () => listener.notify(PageEvent.Focused));
  on(globalThis.window, "online", () => listener.notify(PageEvent.Woke));
  on(globalThis.window, "pagehide pageshow", (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    listener.notify(event.type === "pagehide" ? PageEvent.PageHide : PageEvent.PageShow);
  });

  function join(name: string): void {
    if (joined === name) return;
    joined = name;
    channel?.close();
    channel = undefined;
    try {
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => {
        if (isTabMessage(data)) listener.receive(data);
      };
      // Under test runners: a channel must not keep Node from ending.
      (channel as { unref?: () => void }).unref?.();
    } catch {
      // The browser has no channels, or blocks them with the site's storage: each tab is alone.
    }
    const waiting = unsent;
    unsent = [];
    waiting.forEach(send);
  }

  function send(message: TabMessage): void {
    try {
      if (joined) channel?.postMessage(message);
      else unsent.push(message);
    } catch {
      // The browser has closed the channel, or blocks it with the site's storage: each tab is alone.
    }
  }

  return {
    join,
    send,
    post(name, kind, session, user, at) {
      if (name) join(name);
      // NaN, which stands for no time, is falsy.
      send({ kind, session, user, at: at ? `${at}` : undefined });
    },
    schedule(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(
        () => listener.notify(PageEvent.TimerFired),
        Math.min(milliseconds, MAX_TIMER_MS),
      );
    },
    lock: (name) =>
      new Promise((resolve) => {
        const { locks } = navigator;
        if (!locks) return resolve(undefined);
        locks
          .request(
            name,
            { signal: AbortSignal.timeout(LOCK_TIMEOUT_MS) },
            () =>
              new Promise<void>((release) => {
                held.add(release);
                resolve(() => {
                  held.delete(release);
                  release();
                });
                if (ending.signal.aborted) release();
              }),
          )
          .catch(() => resolve(undefined));
      }),
    close() {
      ending.abort();
      clearTimeout(timer);
      channel?.close();
      // After a panic nothing else releases them.
      for (const release of held) release();
    },
  };
}
