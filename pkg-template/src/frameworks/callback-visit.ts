/**
 * Runs one visit to the callback page, in every framework: handles the authorization response once, acts on it once, and
 * tries again if the user asks.
 *
 * @packageDocumentation
 */

import { basePathOf } from "../client-internals.js";
import type { ClassLinkError } from "../errors.js";
import { isClassLinkError } from "../errors.js";
import type { ClassLinkClient, LoginOptions, SignedIn } from "../types.js";
import { markCallbackLeft } from "./arrival.js";
import { createListeners } from "./listeners.js";
import { loginGate } from "./login-gate.js";

/** The application's part of a visit. */
export interface VisitActions {
  /** Called after a sign-in. Default: `location.replace(result.returnTo)`. */
  readonly onSignedIn?: ((result: SignedIn) => unknown) | undefined;
  /** Where a visit without a response goes, and the way out of an error. Default: `basePath`. */
  readonly home?: string | undefined;
  /** The options of a login that is tried again. */
  readonly loginOptions?: LoginOptions | undefined;
}

/** A visit to the callback page. */
export interface CallbackVisit {
  /** Returns the error of the visit, until the user tries again. */
  getError(): ClassLinkError | null;
  /** Calls `listener` after each change; returns the function that removes it. */
  subscribe(listener: () => void): () => void;
  /** Begins the visit. `actions` is called when there is something to do. Returns the function that ends it. */
  open(actions: () => VisitActions): () => void;
  /**
   * Tries again because the user asked: the same response if that may help, once; otherwise a new login, to where the
   * failed one was to lead.
   */
  retry(): void;
  /** Goes on as the user who is still signed in, to where the failed login was to lead. */
  goOn(): void;
}

/** Returns the options of a login that replaces one that failed. */
export function retryOptions(failed: ClassLinkError, options?: LoginOptions): LoginOptions {
  const { returnTo, appState } = failed;
  return {
    ...(returnTo !== undefined && { returnTo }),
    ...(appState !== undefined && { appState }),
    ...options,
  };
}

/** Creates a visit that has not begun. */
export function createCallbackVisit(client: ClassLinkClient): CallbackVisit {
  let error: ClassLinkError | null = null;
  let handling: ReturnType<ClassLinkClient["handleCallback"]> | undefined;
  /** The page's actions; none while it is not shown. */
  let actions: (() => VisitActions) | undefined;
  let hasLeft = false;
  let hasRetried = false;
  const { subscribe, notify } = createListeners();

  function setError(next: ClassLinkError | null): void {
    error = next;
    notify();
  }

  const home = (): string => actions?.().home ?? basePathOf(client);

  function leave(result: SignedIn): void {
    // React's StrictMode shows a page twice; both get the one result.
    if (hasLeft) return;
    hasLeft = true;
    const onSignedIn = actions?.().onSignedIn;
    markCallbackLeft(!onSignedIn);
    if (onSignedIn) onSignedIn(result);
    else location.replace(result.returnTo);
  }

  /** Goes home if that is another page: returns whether it is. */
  function goHome(): boolean {
    const target = new URL(home(), location.href);
    if (target.pathname === location.pathname && target.search === location.search) return false;
    if (!hasLeft) location.replace(target);
    hasLeft = true;
    return true;
  }

  async function handle(failed?: ClassLinkError): Promise<void> {
    handling ??= client.handleCallback();
    try {
      const result = await handling;
      if (actions && result.status === "signed-in") leave(result);
    } catch (cause) {
      if (!isClassLinkError(cause)) throw cause;
      if (!actions) return;
      // A bookmark, a reload, the way back out of LaunchPad: nothing went wrong.
      if (cause.code === "not_a_callback" && goHome()) return;
      setError(cause);
      // The rejection of the first try: the client does not handle this URL again, and only a new login can help.
      if (cause === failed) startLogin(cause);
    }
  }

  function startLogin(failed: ClassLinkError | null): void {
    const options = failed ? retryOptions(failed, actions?.().loginOptions) : {};
    void loginGate(client).start({ returnTo: home(), ...options });
  }

  return {
    getError: () => error,
    subscribe,
    open(given) {
      actions = given;
      void handle();
      return () => {
        actions = undefined;
      };
    },
    retry() {
      if (!error?.retryable || hasRetried) return startLogin(error);
      hasRetried = true;
      handling = undefined;
      const failed = error;
      setError(null);
      void handle(failed);
    },
    goOn() {
      const { user } = client.getSnapshot();
      if (!user) return;
      const { returnTo = home(), appState } = error ?? {};
      leave({ status: "signed-in", user, returnTo, ...(appState !== undefined && { appState }) });
    },
  };
}
