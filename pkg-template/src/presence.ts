/**
 * That somebody is there: what the page does by itself while somebody is signed in. It wakes the client when time has
 * passed, tells it of activity, and speaks with the application's other tabs. It decides nothing.
 *
 * @packageDocumentation
 */

/** What hears of it. */
export interface PresenceListener {
  /** Time has passed, or the page was asleep. */
  wake(): void;
  /** Somebody did something here. */
  active(): void;
  /** Another tab has posted something. */
  hear(message: TabMessage): void;
  /** The page may go into the back/forward cache. */
  freeze(): void;
  /** It comes back from there. */
  comeBack(): void;
}

/** What tabs say to each other. No token is among it. */
export interface TabMessage {
  readonly kind: string;
  /** Of a sign-in: whose, as a hash. */
  readonly person?: string | undefined;
  /** Of activity: when, in seconds since 1970. A tab that sleeps hears of it later. */
  readonly at?: string;
  /** Of a popup's answer, where its opener can't be reached otherwise. */
  readonly state?: string;
  readonly url?: string;
}

/** Any script of this origin may post to a channel. */
export function isMessage(data: unknown): data is TabMessage {
  return (
    typeof data === "object" &&
    data !== null &&
    typeof (data as TabMessage).kind === "string" &&
    Object.values(data).every((value) => value === undefined || typeof value === "string")
  );
}

/** The page's presence. */
export interface Presence {
  join(channel: string): void;
  post(message: TabMessage): void;
  schedule(milliseconds: number): void;
  lock(): Promise<(() => void) | undefined>;
  close(): void;
}

/** Somebody who types or moves about is noticed so often, in milliseconds. */
const NOTICE = 500;

/** The longest that browsers' timers can wait, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds after which a lock is no longer waited for: a tab that hangs must not hold up the others. */
const PATIENCE = 15_000;

/** Starts to listen. */
export function createPresence(listener: PresenceListener): Presence {
  const ending = new AbortController();
  const { signal } = ending;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let channel: BroadcastChannel | undefined;
  let noticed = 0;

  const on = (target: EventTarget | undefined, names: string, react: (event: Event) => void) => {
    for (const name of names.split(" ")) {
      target?.addEventListener?.(name, react, { signal, passive: true, capture: true });
    }
  };
  on(globalThis.document, "pointerdown keydown wheel touchstart", ({ isTrusted }) => {
    const now = Date.now();
    // What a script makes up is nobody's doing. A clock set back must not stop the noticing.
    if (!isTrusted || Math.abs(now - noticed) < NOTICE) return;
    noticed = now;
    listener.active();
  });
  // Timers stand still while a device sleeps, and browsers slow them in tabs that nobody sees.
  on(globalThis.document, "visibilitychange", () => listener.wake());
  on(globalThis.window, "focus online", () => listener.wake());
  on(globalThis.window, "pagehide", (event) => {
    if ((event as PageTransitionEvent).persisted) listener.freeze();
  });
  on(globalThis.window, "pageshow", (event) => {
    if ((event as PageTransitionEvent).persisted) listener.comeBack();
  });

  return {
    join(name) {
      if (channel?.name === name) return;
      channel?.close();
      channel = undefined;
      try {
        channel = new BroadcastChannel(name);
        channel.onmessage = ({ data }) => {
          if (isMessage(data)) listener.hear(data);
        };
        // Under test runners: a channel must not keep Node from ending.
        (channel as { unref?: () => void }).unref?.();
      } catch {
        // There is none, or the browser blocks it with the site's storage: the tabs go on alone.
      }
    },
    post(message) {
      try {
        channel?.postMessage(message);
      } catch {
        // The same.
      }
    },
    schedule(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(() => listener.wake(), Math.min(milliseconds, LONGEST));
    },
    lock: () =>
      new Promise((resolve) => {
        const { locks } = navigator;
        if (!locks || !channel) return resolve(undefined);
        locks
          .request(
            channel.name,
            { signal: AbortSignal.timeout(PATIENCE) },
            () => new Promise<void>((release) => resolve(release)),
          )
          .catch(() => resolve(undefined));
      }),
    close() {
      ending.abort();
      clearTimeout(timer);
      channel?.close();
    },
  };
}
