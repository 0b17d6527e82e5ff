/**
 * Decides whether a page may start a login by itself, and starts it: once at most, and afterwards only if the user asks.
 *
 * By itself it starts if the user navigates to the page signed out. It does not after an error, after a login that was begun
 * and given up, or once a user was signed in (after a sign-out, or a session that ended on a shared device, ClassLink would
 * sign the same student in again): a mark in `sessionStorage` holds this across page loads, until a sign-in. Nor if the page
 * was reloaded, reached by the back button or restored from the back/forward cache, comes straight from the callback page,
 * or is inside a frame, where it takes a click to open a popup. However many components ask, one login starts.
 *
 * @packageDocumentation
 */

import { localizeFor, subscribeToEvents } from "../client-internals.js";
import { ClassLinkError, isClassLinkError } from "../errors.js";
import { type LoginMark, readLoginMark, setLoginMark } from "../login-mark.js";
import type { ClassLinkClient, LoginOptions, User } from "../types.js";
import { isAuthorizationResponse, isFramed, isNewVisit } from "./arrival.js";
import { createListeners } from "./listeners.js";

/** The state of a gate; the same object while nothing changes. */
export interface GateState {
  /** `"fresh"`: a login may start by itself. `"spent"`: it waits for the user. */
  readonly phase: "fresh" | "starting" | "spent";
  /** Why the last login failed to start. */
  readonly error: ClassLinkError | null;
}

/** One client's gate. */
export interface LoginGate {
  getState(): GateState;
  /** Calls `listener` after each change; returns the function that removes it. */
  subscribe(listener: () => void): () => void;
  /** Follows the client and the page; returns the function that stops it. */
  watch(): () => void;
  /** Starts a login if it may, and no user is signed in. */
  startByItself(options?: LoginOptions): void;
  /** Starts a login because the user asked, or waits for the one that is starting. Failures are in the state. */
  start(options?: LoginOptions): Promise<void>;
  /** Tries again after `failed` because the user asked: restores the session first unless it was a login that failed. */
  retry(failed: ClassLinkError, options?: LoginOptions): Promise<void>;
  /**
   * Returns the user, or starts a login if it may.
   *
   * @throws {@link ClassLinkError} `not_signed_in` if none may start, or it did not lead away from this page.
   */
  requireUser(options?: LoginOptions): Promise<User>;
  /** The time at which the gate last became spent, on the clock of `event.timeStamp`. */
  readonly spentAt: number;
  /** The mark that was there when the page was loaded. */
  readonly initialMark: LoginMark | null;
}

/** The state on a server. */
export const FRESH: GateState = Object.freeze({ phase: "fresh", error: null });
const SPENT: GateState = Object.freeze({ phase: "spent", error: null });

/** Shared by the package's entries, each of which is a bundle of its own. */
const GATES = Symbol.for("classlink-spa.gates");

/** Returns the one gate of a client, for all components and loaders of a page. */
export function loginGate(client: ClassLinkClient): LoginGate {
  const shared = globalThis as { [GATES]?: WeakMap<object, LoginGate> };
  shared[GATES] ??= new WeakMap();
  let gate = shared[GATES].get(client);
  if (!gate) {
    gate = createGate(client);
    shared[GATES].set(client, gate);
  }
  return gate;
}

function createGate(client: ClassLinkClient): LoginGate {
  const isServer = typeof window === "undefined";
  const initialMark = isServer ? null : (readLoginMark() as LoginMark | null);
  if (initialMark === "callback") setLoginMark(null);
  let state = isServer || (!initialMark && isNewVisit() && !isFramed()) ? FRESH : SPENT;
  let spentAt = 0;
  let starting: Promise<void> | undefined;
  let isWatching = false;
  let hasReportedNesting = false;
  /** Whether the page is being left: its requests end, and that is not an error of the user's. */
  let isLeft = false;
  const { subscribe, notify } = createListeners();

  function enter(next: GateState): void {
    if (next.phase === "spent") spentAt = performance.now();
    if (next.phase === state.phase && next.error === state.error) return;
    state = next;
    notify();
  }

  /** Follows the client's status. */
  function follow(): void {
    const { status } = client.getSnapshot();
    if (status === "error") setTimeout(markError);
    // Any other status says that a login was tried, or succeeded.
    if (status === "loading" || (status === "signed-out" && state.phase !== "spent")) return;
    const settled = status === "signed-in" || status === "signing-in";
    if (state.phase !== "starting") enter(settled ? SPENT : { ...state, phase: "spent" });
  }

  /**
   * Marks an error, unless it comes from the end of the page. Not at once: the requests of a page that is being left can fail
   * before `pagehide`.
   */
  function markError(): void {
    if (!isLeft && client.getSnapshot().status === "error") setLoginMark("asked");
  }

  function onPageHide(): void {
    isLeft = true;
  }

  function onPageShow({ persisted }: PageTransitionEvent): void {
    isLeft = false;
    if (!persisted) return;
    starting = undefined;
    if (state.phase === "starting") enter(SPENT);
    follow();
  }

  function watch(): () => void {
    const stops = [
      client.subscribe(follow),
      subscribeToEvents(client, ({ type }) => {
        if (type === "login.started") setLoginMark("asked");
      }),
    ];
    follow();
    window.addEventListener("pagehide", onPageHide);
    window.addEventListener("pageshow", onPageShow);
    return () => {
      for (const stop of stops) stop();
      window.removeEventListener("pagehide", onPageHide);
      window.removeEventListener("pageshow", onPageShow);
    };
  }

  /** Runs `run`, unless a login is starting: then returns the promise of that. */
  function begin(run: () => Promise<void>): Promise<void> {
    if (starting) return starting;
    enter({ phase: "starting", error: null });
    const current = attempt(run).finally(() => {
      if (starting === current) starting = undefined;
    });
    starting = current;
    return current;
  }

  async function attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
      enter(SPENT);
    } catch (error) {
      if (!isClassLinkError(error)) {
        enter(SPENT);
        throw error;
      }
      enter({ phase: "spent", error });
    }
  }

  async function login(options?: LoginOptions): Promise<void> {
    setLoginMark("asked");
    await (isFramed()
      ? client.startLogin({ ...options, mode: "popup" })
      : client.startLogin(options));
  }

  const start = (options?: LoginOptions): Promise<void> => begin(() => login(options));

  /** Returns whether a login may start by itself now. */
  function isAllowed(): boolean {
    if (client.getSnapshot().status !== "signed-out") return false;
    // A sign-out while it was not known yet who is signed in: what a server rendered has a button by then.
    if (readLoginMark() === ("signed-out" satisfies LoginMark)) {
      enter(SPENT);
      return false;
    }
    if (!isAuthorizationResponse(location.search)) return state.phase === "fresh";
    enter(SPENT);
    if (hasReportedNesting) return false;
    hasReportedNesting = true;
    console.error(
      "classlink-spa: this page's URL has ClassLink's response, but the page requires a sign-in first. Put CallbackPage outside of RequireSignIn.",
    );
    return false;
  }

  /** Waits until the client or the gate changes. */
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const stops = [client.subscribe(done), subscribe(done)];
      function done() {
        for (const stop of stops) stop();
        resolve();
      }
    });

  return {
    start,
    subscribe,
    watch,
    initialMark,
    getState: () => state,
    get spentAt() {
      return spentAt;
    },
    startByItself(options) {
      if (isAllowed()) void start(options);
    },
    retry(failed, options) {
      // The error of a login, or of a session that is over, does not call for another restore.
      const isLogin =
        failed === state.error || "returnTo" in failed || failed.code === "session_expired";
      return begin(async () => {
        if (isLogin || !(await client.restoreSession())) await login(options);
      });
    },
    async requireUser(options) {
      // Never stopped: a router lives for as long as the page.
      if (!isServer && !isWatching) {
        isWatching = true;
        watch();
      }
      for (;;) {
        let failure: unknown;
        const user = await client.getUser().catch((error: unknown) => {
          failure = error;
          return null;
        });
        if (user) return user;
        const isUnknown = failure !== undefined && !isClassLinkError(failure);
        if (isUnknown || (failure && isServer)) throw failure;
        if (!failure && !isServer && isAllowed()) {
          await start(options);
          continue;
        }
        const { status, error } = client.getSnapshot();
        const cause = (failure as ClassLinkError | undefined) ?? state.error ?? error;
        const isLeaving = state.phase === "starting" || status === "redirecting";
        if (cause || !isLeaving) throw localizeFor(client, notSignedIn(cause));
        await change();
      }
    },
  };
}

/** Returns the error for a page with a button. `cause` is the error that kept the user from signing in, if any. */
function notSignedIn(cause: ClassLinkError | null): ClassLinkError {
  const why = cause ? `: ${cause.code}` : ", and no login may start by itself here";
  return new ClassLinkError({
    code: "not_signed_in",
    message: `No user is signed in${why}. Show a page with a button that calls startLogin.`,
    ...(cause && { cause, supportCode: cause.supportCode }),
  });
}
