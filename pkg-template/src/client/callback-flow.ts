/**
 * Handles authorization responses: each URL once, and again after a failure that consumed nothing.
 *
 * @packageDocumentation
 */

import { captureCallback, stripCallback } from "../callback-url.js";
import { invalid } from "../config.js";
import { CallKind, type Core } from "../core.js";
import { ClassLinkError } from "../errors.js";
import type { Snapshot } from "../types.js";
import type { CallTracker } from "./call-tracker.js";
import type { ConfigSource } from "./config-source.js";
import type { CoreLoader } from "./core-loader.js";
import { hasPage } from "./environment.js";
import type { Result, SnapshotStore } from "./snapshot-store.js";

/** Handles the authorization responses of one client. */
export interface CallbackFlow {
  handleCallback(url?: string | URL): Promise<Result>;
  /** Forgets the last response, since another login begins or the client is closed. */
  forget(): void;
  /** Forgets the sign-in of a user who is no longer signed in: the next one must not get its result. */
  onSnapshot(next: Snapshot): void;
}

/** The handling of one response. */
interface CallbackHandling {
  readonly url: string;
  promise: Promise<Result>;
  /** Whether it failed in a way that lets the same URL be tried again. */
  retryable: boolean;
  /** Whether it resolved with a sign-in. */
  isSignedIn?: boolean;
}

/** Creates the handling of authorization responses for one client. */
export function createCallbackFlow(
  config: ConfigSource,
  store: SnapshotStore,
  loader: CoreLoader,
  { call, request, isClosed, isRetryable }: CallTracker,
): CallbackFlow {
  let callbackHandling: CallbackHandling | undefined;

  /** Returns the response in `url`, or in the page's own URL, which is stripped at once. */
  function findResponse(url: string | URL | undefined): string | undefined {
    const page = location.href;
    const given = url === undefined ? page : new URL(url, page).href;
    // The page's own URL, given after it was stripped, means the response that was there.
    if (given === page) return captureCallback() ?? callbackHandling?.url;
    return stripCallback(given) === null ? undefined : given;
  }

  return {
    handleCallback(url) {
      // `call` itself rejects, with `client_closed` or `environment_unsupported`: its function does not run.
      if (isClosed() || !hasPage()) return call(() => Promise.reject(), { isLogin: true });
      let response: string | undefined;
      try {
        response = findResponse(url);
      } catch (cause) {
        return config.rejectLocalized(
          invalid("handleCallback", "was given what isn't a URL.", cause),
        );
      }
      if (response === undefined) {
        return config.rejectLocalized(
          new ClassLinkError({
            code: "not_a_callback",
            message:
              "The URL's query has neither code nor error. Call it on the page of redirectUri alone.",
          }),
        );
      }
      if (callbackHandling?.url === response && !callbackHandling.retryable) {
        return callbackHandling.promise;
      }
      const current = { url: response, retryable: false } as CallbackHandling;
      callbackHandling = current;
      let handledBy: Core | undefined;
      current.promise = request<Result>(
        { kind: CallKind.Callback, argument: response },
        {
          isLogin: true,
          onStart: (core) => {
            handledBy = core;
          },
        },
      ).then(
        (result) => {
          current.isSignedIn = result.status === "signed-in";
          return store.freezeResult(result);
        },
        (error) => {
          // Also if the call did not start, or its core was replaced after a panic: a new core tries the URL, and rejects
          // with `state_unknown` if the code was sent, since the pending login is removed before that.
          current.retryable = !handledBy || handledBy !== loader.current() || isRetryable(error);
          throw error;
        },
      );
      return current.promise;
    },
    forget() {
      callbackHandling = undefined;
    },
    onSnapshot({ user, status }) {
      if (!user && status !== "signing-in" && callbackHandling?.isSignedIn) {
        callbackHandling = undefined;
      }
    },
  };
}
