/**
 * Lets a page start a login by itself once at most, and then only for a person who asks.
 *
 * By itself it starts where somebody arrives signed out: not after an error, not when somebody was signed in on this page
 * (a sign-out, or a session that ended on a shared device, must not sign the same pupil in again), not when the page was
 * reloaded, reached by the back button or shown anew from the back/forward cache, not straight from the callback page, and
 * not inside a frame, where it takes a click to open a window for it. However many components ask, one login starts.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "../errors.js";
import { isClassLinkError } from "../errors.js";
import type { ClassLinkClient, LoginOptions } from "../types.js";
import { arrivesAnew, bringsAnswer, isFramed } from "./arrival.js";

/** Where the gate stands; the same object while nothing changes. */
export interface GateState {
  /** `"fresh"`: a login may start by itself. `"spent"`: it waits for the person. */
  readonly phase: "fresh" | "starting" | "spent";
  /** Why the last login couldn't be started. */
  readonly error: ClassLinkError | null;
}

/** One client's gate. */
export interface LoginGate {
  getState(): GateState;
  /** Calls `listener` after each change; answers with the function that stops it. */
  subscribe(listener: () => void): () => void;
  /** Follows the client and the page; answers with the function that stops it. */
  watch(): () => void;
  /** Starts a login if it may, and nobody is signed in. */
  startByItself(options?: LoginOptions): void;
  /** Starts a login because a person asked, or waits for the one that is starting. Failures are in the state. */
  start(options?: LoginOptions): Promise<void>;
  /** When it last turned out that the gate must wait, on the clock of `event.timeStamp`. */
  readonly spentAt: number;
}

/** What a server knows of it. */
export const FRESH: GateState = Object.freeze({ phase: "fresh", error: null });
const SPENT: GateState = Object.freeze({ phase: "spent", error: null });

const gates = new WeakMap<object, LoginGate>();

/** The one gate of a client, for all components of a page. */
export function loginGate(client: ClassLinkClient): LoginGate {
  let gate = gates.get(client);
  if (!gate) {
    gate = createGate(client);
    gates.set(client, gate);
  }
  return gate;
}

function createGate(client: ClassLinkClient): LoginGate {
  let state = typeof window === "undefined" || (arrivesAnew() && !isFramed()) ? FRESH : SPENT;
  let spentAt = 0;
  let starting: Promise<void> | undefined;
  const listeners = new Set<() => void>();

  function enter(next: GateState): void {
    if (next.phase === "spent") spentAt = performance.now();
    if (next.phase === state.phase && next.error === state.error) return;
    state = next;
    for (const listener of [...listeners]) listener();
  }

  /** Any state but these two says that a login was tried, or succeeded. */
  function follow(): void {
    const { status } = client.getSnapshot();
    if (status === "loading" || (status === "signed-out" && state.phase !== "spent")) return;
    const settled = status === "signed-in" || status === "signing-in";
    if (state.phase !== "starting") enter(settled ? SPENT : { ...state, phase: "spent" });
  }

  function comeBack({ persisted }: PageTransitionEvent): void {
    if (!persisted) return;
    starting = undefined;
    if (state.phase === "starting") enter(SPENT);
  }

  function start(options?: LoginOptions): Promise<void> {
    if (starting) return starting;
    enter({ phase: "starting", error: null });
    const current = run(options).finally(() => {
      if (starting === current) starting = undefined;
    });
    starting = current;
    return current;
  }

  async function run(options?: LoginOptions): Promise<void> {
    try {
      await (isFramed()
        ? client.startLogin({ ...options, mode: "popup" })
        : client.startLogin(options));
      enter(SPENT);
    } catch (error) {
      if (!isClassLinkError(error)) {
        enter(SPENT);
        throw error;
      }
      enter({ phase: "spent", error });
    }
  }

  return {
    start,
    getState: () => state,
    get spentAt() {
      return spentAt;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    watch() {
      const stop = client.subscribe(follow);
      follow();
      window.addEventListener("pageshow", comeBack);
      return () => {
        stop();
        window.removeEventListener("pageshow", comeBack);
      };
    },
    startByItself(options) {
      if (state.phase !== "fresh" || client.getSnapshot().status !== "signed-out") return;
      if (bringsAnswer(location.search)) {
        enter(SPENT);
        console.error(
          "classlink-spa: this page's URL brings ClassLink's answer, but it asks people to sign in first. Put CallbackPage outside of RequireSignIn.",
        );
        return;
      }
      void start(options);
    },
  };
}
