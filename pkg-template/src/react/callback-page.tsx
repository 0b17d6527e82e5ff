/**
 * Completes logins on the page that ClassLink sends users back to.
 *
 * @packageDocumentation
 */

import {
  type ReactElement,
  type ReactNode,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { basePathOf } from "../client-internals.js";
import { createCallbackVisit } from "../frameworks/callback-visit.js";
import { loginGate } from "../frameworks/login-gate.js";
import type { Fixed } from "../frameworks/state.js";
import type { LoginOptions, RegisteredAppState, RegisteredClaims, SignedIn } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";
import { useGateState } from "./require-sign-in.js";
import { type ErrorView, Problem, Progress } from "./views.js";

/** Props of {@link CallbackPage}. */
export interface CallbackPageProps<AppState = RegisteredAppState, Claims = RegisteredClaims> {
  /**
   * Goes on after a sign-in, in place of `location.replace(result.returnTo)`. With a router, replace this page's entry in
   * the history: `navigate(result.returnTo, { replace: true })`, and if the router has a base
   * `navigate(toRouterPath(result.returnTo, base), { replace: true })` (`classlink-spa/router`). That also keeps a session
   * that cannot be restored after a page load (`session.restore: "none"`).
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: it may be asynchronous.
  readonly onSignedIn?: (result: SignedIn<AppState, Claims>) => void | Promise<unknown>;
  /** Shown until the page is left. Default: a line that says what is happening. */
  readonly fallback?: ReactNode;
  /** Shown on an error. Default: a heading, the error's `userMessage`, its support code, buttons and a link home. */
  readonly error?: ErrorView;
  /** Where a visit without a response goes, and the way out of an error. Default: `basePath`. */
  readonly home?: string;
  /** The options of a login that is tried again. Default: `returnTo` and `appState` of the one that failed. */
  readonly loginOptions?: LoginOptions<Fixed<AppState>>;
}

/**
 * Completes the login and goes to where the user wanted to be. A visit without a response (a bookmark, a reload) goes
 * home. On an error it waits: "Sign in again" leads to where the failed login was to lead. While a LaunchPad launch is
 * being restarted, and in a popup that is about to be closed, it shows the fallback.
 */
export function CallbackPage<AppState = RegisteredAppState, Claims = RegisteredClaims>({
  onSignedIn,
  fallback,
  error: errorView,
  home,
  loginOptions,
}: CallbackPageProps<AppState, Claims>): ReactElement {
  const { client } = useProvided();
  const { status, user } = useSnapshot(client);
  const { phase, error: startError } = useGateState(loginGate(client));
  const visit = useMemo(() => createCallbackVisit(client), [client]);
  const failure = useSyncExternalStore(visit.subscribe, visit.getError, () => null);

  const actions = useRef({ home, loginOptions, onSignedIn });
  useEffect(() => {
    actions.current = { home, loginOptions, onSignedIn };
  });
  useEffect(
    () =>
      visit.open(() => {
        const { onSignedIn, ...rest } = actions.current;
        return { ...rest, onSignedIn: onSignedIn as ((result: SignedIn) => unknown) | undefined };
      }),
    [visit],
  );

  if (failure && phase !== "starting" && status !== "redirecting") {
    return (
      <Problem
        error={startError ?? failure}
        retry={visit.retry}
        goOn={user ? visit.goOn : undefined}
        home={home ?? basePathOf(client)}
        heading="h1"
        view={errorView}
      />
    );
  }
  return <>{fallback === undefined ? <Progress status={status} /> : fallback}</>;
}
