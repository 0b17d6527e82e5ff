/**
 * Opens logins in popups and hidden iframes, whose callback page hands its URL over to the page that opened them. The
 * origin, source and state of every message are compared.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";
import { isTabMessage, type TabMessage } from "../page-host.js";

/** The kind of the message with which a callback page hands its URL over. */
const CALLBACK_MESSAGE = "classlink-spa.answer";

/** The kind of the message that acknowledges it. */
const ACK_MESSAGE = "classlink-spa.taken";

/** Milliseconds between two looks at whether a popup was closed. */
const POPUP_POLL_MS = 300;

/** Milliseconds that a callback may be on its way from a popup that has closed. */
const POPUP_CLOSE_GRACE_MS = 1000;

/** Milliseconds in which a page acknowledges a callback that it was waiting for. */
const ACK_TIMEOUT_MS = 500;

/** Prefix, before the state, of the name of the lock that a page holds while it waits for a callback. */
const LOCK_PREFIX = "classlink-spa ";

/** The logins of one client in popups and hidden iframes. */
export interface ChildWindows {
  /** Opens a login: `Host.openChildWindow` in `core.ts`. `timeoutMs` is an iframe's. */
  open(
    url: string,
    state: string,
    popup: Window | undefined,
    timeoutMs: number,
    cancelled: AbortSignal,
  ): Promise<string | undefined>;
  /** Hands a callback over: `Host.handOver` in `core.ts`. */
  handOver(url: string, state: string): Promise<boolean>;
  /** Handles a message of another tab; returns whether it is about a child window. */
  handleMessage(message: TabMessage): boolean;
  /** Stops waiting for all of them. */
  close(): void;
}

/**
 * Opens a window for a login, or returns the one that the application opened. Must be called in the click itself: browsers
 * block other popups.
 */
export function openPopup(given: Window | null | undefined): Window {
  const popup =
    given === undefined
      ? window.open("about:blank", "_blank", "popup,width=500,height=700")
      : given;
  if (popup && !popup.closed) return popup;
  throw new ClassLinkError({
    code: "popup_blocked",
    message:
      "The browser opened no window. Call startLogin in the click itself, before any await, or give it a window that was opened there.",
  });
}

/** Runs `use` while this page holds the lock of a state. In a browser without Web Locks, `use` does not run. */
async function withLock(state: string, use: () => void | Promise<void>): Promise<void> {
  await navigator.locks?.request(LOCK_PREFIX + state, use).catch(() => {});
}

/** A login that waits for its callback. */
interface WaitingLogin {
  /** Returns the window that the callback must come from. */
  getSource(): Window | null;
  onCallback(url: string): void;
}

/** Creates the child windows of one client. */
export function createChildWindows(
  /** Sends to the other tabs, for popups that have lost their opener. */
  post: (message: TabMessage) => void,
): ChildWindows {
  const ending = new AbortController();
  /** The logins of this page, by their state. */
  const waitingLogins = new Map<string, WaitingLogin>();
  /** The functions to call when another page acknowledges a callback, by its state. */
  const ackListeners = new Map<string, () => void>();

  function receive(
    { kind, state = "", url }: TabMessage,
    source?: MessageEventSource | null,
  ): boolean {
    if (kind === ACK_MESSAGE) ackListeners.get(state)?.();
    const login = kind === CALLBACK_MESSAGE ? waitingLogins.get(state) : undefined;
    // A channel has no source: its messages are this origin's own, and the state is known to the login alone.
    if (
      login &&
      typeof url === "string" &&
      (source === undefined || source === login.getSource())
    ) {
      const ack = { kind: ACK_MESSAGE, state };
      if (source) (source as Window).postMessage(ack, location.origin);
      else post(ack);
      login.onCallback(url);
    }
    return kind === ACK_MESSAGE || kind === CALLBACK_MESSAGE;
  }

  globalThis.addEventListener?.(
    "message",
    ({ origin, source, data }) => {
      if (origin === location.origin && isTabMessage(data)) receive(data, source);
    },
    { signal: ending.signal },
  );

  return {
    handleMessage: (message) => receive(message),
    close: () => ending.abort(),

    open(url, state, popup, timeoutMs, cancelled) {
      return new Promise((resolve, reject) => {
        const frame = popup ? undefined : document.createElement("iframe");
        /** Of `setInterval` or `setTimeout`, whose timers are cleared alike. */
        let timer: ReturnType<typeof setTimeout> | undefined;
        let release = () => {};
        const ended = new Promise<void>((resolve) => {
          release = resolve;
        });
        void withLock(state, () => ended);
        const end = () => {
          release();
          waitingLogins.delete(state);
          clearTimeout(timer);
          ending.signal.removeEventListener("abort", end);
          frame?.remove();
        };
        const giveUp = (message: string) => {
          end();
          reject(new ClassLinkError({ code: "popup_closed", message }));
        };
        // The session settles the call by what took its place, such as a sign-out: with `not_signed_in`.
        const cancel = () => giveUp("The sign-in was cancelled.");
        cancelled.addEventListener("abort", cancel);
        if (cancelled.aborted) return cancel();
        waitingLogins.set(state, {
          getSource: () => popup ?? frame?.contentWindow ?? null,
          onCallback(callbackUrl) {
            end();
            resolve(callbackUrl);
          },
        });
        ending.signal.addEventListener("abort", end);
        if (popup) {
          let closedAt: number | undefined;
          timer = setInterval(() => {
            if (!popup.closed) return;
            // A provider that isolates its pages (Cross-Origin-Opener-Policy) makes a popup look closed that isn't:
            // while this page has no focus, the user may be signing in there.
            if (document.hasFocus()) closedAt ??= Date.now();
            if (closedAt && Date.now() - closedAt >= POPUP_CLOSE_GRACE_MS) {
              giveUp(
                "The window was closed before the sign-in was finished, or Cross-Origin-Opener-Policy cut it off.",
              );
            }
          }, POPUP_POLL_MS);
          popup.location.replace(url);
        } else if (frame) {
          frame.hidden = true;
          frame.setAttribute("aria-hidden", "true");
          frame.title = "ClassLink";
          frame.src = url;
          const load = () => {
            timer = setTimeout(() => {
              end();
              resolve(undefined);
            }, timeoutMs);
            document.body.append(frame);
          };
          // A script in <head> runs before there is a body.
          if (document.body) load();
          else document.addEventListener("DOMContentLoaded", load, { signal: ending.signal });
        }
      });
    },

    async handOver(url, state) {
      const callback = { kind: CALLBACK_MESSAGE, state, url };
      const acknowledged = new Promise<boolean>((resolve) => {
        ackListeners.set(state, () => resolve(true));
        // The lock is granted once the page that waits has the callback or is gone, and at once if no page waits.
        void withLock(state, () => {}).finally(() =>
          setTimeout(() => resolve(false), ACK_TIMEOUT_MS),
        );
      });
      for (const page of [window.parent, window.opener as Window | null]) {
        // Only a page of this origin gets it.
        if (page && page !== window) page.postMessage(callback, location.origin);
      }
      post(callback);
      const isHandedOver = await acknowledged;
      ackListeners.delete(state);
      // Once the call has settled. Browsers close only windows that a script opened.
      if (isHandedOver) setTimeout(() => window.close());
      return isHandedOver;
    },
  };
}
