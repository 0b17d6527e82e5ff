/**
 * One visit to the callback page, whatever the framework: handles the answer once, acts on it once, and knows how to try
 * again.
 *
 * @packageDocumentation
 */

import { basePathOf } from "../base-path.js";
import type { ClassLinkError } from "../errors.js";
import { isClassLinkError } from "../errors.js";
import type { ClassLinkClient, LoginOptions, SignedIn } from "../types.js";
import { markHandled } from "./arrival.js";
import { loginGate } from "./login-gate.js";

/** Where the visit goes. */
export interface VisitActions {
  /** Somebody has signed in. Default: `location.replace(result.returnTo)`. */
  readonly onSignedIn?: ((result: SignedIn) => void) | undefined;
  /** Where a visit without a response goes, and a login that was tried again. Default: `basePath`. */
  readonly home?: string | undefined;
  /** Of a login that is tried again. */
  readonly loginOptions?: LoginOptions | undefined;
}

/** A visit to the callback page. */
export interface CallbackVisit {
  /** What went wrong, until it is tried again. */
  getError(): ClassLinkError | null;
  /** Calls `listener` after each change; answers with the function that stops it. */
  subscribe(listener: () => void): () => void;
  /** The page is shown. `actions` is asked when there is something to do. Answers with the function for its end. */
  open(actions: () => VisitActions): () => void;
  /**
   * The person wants to try again: the same answer if that may help, once; otherwise a new login. Where the failed one
   * would have ended isn't known any more.
   */
  retry(): void;
}

/** A visit that has not begun. */
export function createCallbackVisit(client: ClassLinkClient): CallbackVisit {
  let error: ClassLinkError | null = null;
  let handling: ReturnType<ClassLinkClient["handleCallback"]> | undefined;
  /** What to do; none while the page isn't shown. */
  let actions: (() => VisitActions) | undefined;
  let left = false;
  let retried = false;
  const listeners = new Set<() => void>();

  function setError(next: ClassLinkError | null): void {
    error = next;
    for (const listener of [...listeners]) listener();
  }

  function leave(go: () => void): void {
    // React's StrictMode shows a page twice; both hear of the one outcome.
    if (left) return;
    left = true;
    markHandled();
    go();
  }

  async function handle(failed?: ClassLinkError): Promise<void> {
    handling ??= client.handleCallback();
    try {
      const result = await handling;
      if (!actions || result.status !== "signed-in") return;
      const { onSignedIn } = actions();
      leave(() => (onSignedIn ? onSignedIn(result) : location.replace(result.returnTo)));
    } catch (cause) {
      if (!isClassLinkError(cause)) throw cause;
      if (!actions) return;
      const { home = basePathOf(client) } = actions();
      // A bookmark, a reload, the way back out of LaunchPad: nothing went wrong.
      if (cause.code === "not_a_callback") return leave(() => location.replace(home));
      setError(cause);
      // The client stays with its answer.
      if (cause === failed) startLogin();
    }
  }

  function startLogin(): void {
    const { home = basePathOf(client), loginOptions }: VisitActions = actions?.() ?? {};
    void loginGate(client).start({ returnTo: home, ...loginOptions });
  }

  return {
    getError: () => error,
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    open(given) {
      actions = given;
      void handle();
      return () => {
        actions = undefined;
      };
    },
    retry() {
      if (!error?.retryable || retried) return startLogin();
      retried = true;
      handling = undefined;
      const failed = error;
      setError(null);
      void handle(failed);
    },
  };
}
