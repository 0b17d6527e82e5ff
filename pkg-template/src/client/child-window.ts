/**
 * Logins that do not leave the page: popups, hidden iframes, and how their callback page hands its URL over. The origin,
 * source and state of every message are compared.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";
import { isMessage, type TabMessage } from "../presence.js";

const CALLBACK_MESSAGE = "classlink-spa.answer";
const ACK_MESSAGE = "classlink-spa.taken";

/** Milliseconds between two looks at whether a popup was closed. */
const POPUP_POLL_MS = 300;

/** Milliseconds that an answer may be on its way from a popup that has closed. */
const POPUP_CLOSE_GRACE_MS = 1000;

/** Milliseconds in which another page acknowledges a callback that it was waiting for. */
const ACK_TIMEOUT_MS = 500;

/** Prefix, before the state, of the name of the lock that a page holds while it waits for a callback. */
const LOCK_PREFIX = "classlink-spa ";

/** The logins of one client in popups and hidden iframes. */
export interface ChildWindows {
  /** `Host.openChildWindow` in `core.ts`. `timeout` is the frame's, in milliseconds. */
  open(
    url: string,
    state: string,
    popup: Window | undefined,
    timeout: number,
    cancelled: AbortSignal,
  ): Promise<string | undefined>;
  /** `Host.handOver` in `core.ts`. */
  handOver(url: string, state: string): Promise<boolean>;
  /** Handles a message of another tab; returns whether it is about a child window. */
  handleMessage(message: TabMessage): boolean;
  /** Stops waiting for all of them. */
  close(): void;
}

/** Opens a window for a login. To be called in the click that asks for it. */
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

/** Runs `use` while this page has the lock of a state; without the lock in browsers that have none. */
async function withLock(state: string, use: () => void | Promise<void>): Promise<void> {
  await navigator.locks?.request(LOCK_PREFIX + state, use).catch(() => {});
}

/** `post` sends to the other tabs, for popups that have lost their opener. */
export function createChildWindows(post: (message: TabMessage) => void): ChildWindows {
  const ending = new AbortController();
  /** By state: from which window the callback may come, and what takes it. */
  const waiting = new Map<string, { from: () => Window | null; take: (url: string) => void }>();
  /** By state: called when another page acknowledges a callback. */
  const offered = new Map<string, () => void>();

  function receive(
    { kind, state = "", url }: TabMessage,
    source?: MessageEventSource | null,
  ): boolean {
    if (kind === ACK_MESSAGE) offered.get(state)?.();
    const wait = kind === CALLBACK_MESSAGE ? waiting.get(state) : undefined;
    // A channel has no source: its messages are this origin's own, and the state is known to the login alone.
    if (wait && typeof url === "string" && (source === undefined || source === wait.from())) {
      const taken = { kind: ACK_MESSAGE, state };
      if (source) (source as Window).postMessage(taken, location.origin);
      else post(taken);
      wait.take(url);
    }
    return kind === ACK_MESSAGE || kind === CALLBACK_MESSAGE;
  }

  globalThis.addEventListener?.(
    "message",
    ({ origin, source, data }) => {
      if (origin === location.origin && isMessage(data)) receive(data, source);
    },
    { signal: ending.signal },
  );

  return {
    handleMessage: (message) => receive(message),
    close: () => ending.abort(),

    open(url, state, popup, timeout, cancelled) {
      return new Promise((resolve, reject) => {
        const frame = popup ? undefined : document.createElement("iframe");
        let timer: ReturnType<typeof setInterval> | undefined;
        let release = () => {};
        const ended = new Promise<void>((resolve) => {
          release = resolve;
        });
        void withLock(state, () => ended);
        const end = () => {
          release();
          waiting.delete(state);
          clearInterval(timer);
          ending.signal.removeEventListener("abort", end);
          frame?.remove();
        };
        const giveUp = () => {
          end();
          reject(
            new ClassLinkError({
              code: "popup_closed",
              message:
                "The window was closed before the sign-in was finished, or Cross-Origin-Opener-Policy cut it off.",
            }),
          );
        };
        cancelled.addEventListener("abort", giveUp);
        if (cancelled.aborted) return giveUp();
        waiting.set(state, {
          from: () => popup ?? frame?.contentWindow ?? null,
          take(answer) {
            end();
            resolve(answer);
          },
        });
        ending.signal.addEventListener("abort", end);
        if (popup) {
          let closedAt = 0;
          timer = setInterval(() => {
            // A provider that isolates its pages (Cross-Origin-Opener-Policy) makes a popup look closed that isn't:
            // while this page has no focus, the user may be signing in there.
            if (!popup.closed || !(document.hasFocus() || closedAt)) return;
            closedAt ||= Date.now();
            if (Date.now() - closedAt >= POPUP_CLOSE_GRACE_MS) giveUp();
          }, POPUP_POLL_MS);
          popup.location.replace(url);
        } else if (frame) {
          frame.hidden = true;
          frame.setAttribute("aria-hidden", "true");
          frame.title = "ClassLink";
          frame.src = url;
          const load = () => {
            timer = setInterval(() => {
              end();
              resolve(undefined);
            }, timeout);
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
      const taken = new Promise<boolean>((resolve) => {
        offered.set(state, () => resolve(true));
        // Granted once the page that waits has the callback or is gone, and at once if there is none.
        void withLock(state, () => {}).finally(() =>
          setTimeout(() => resolve(false), ACK_TIMEOUT_MS),
        );
      });
      for (const page of [window.parent, window.opener as Window | null]) {
        // Only a page of this origin gets it.
        if (page && page !== window) page.postMessage(callback, location.origin);
      }
      post(callback);
      const handedOver = await taken;
      offered.delete(state);
      // The result is told first. A window that no script opened stays.
      if (handedOver) setTimeout(() => window.close());
      return handedOver;
    },
  };
}
