/**
 * The page that ClassLink sends people back to.
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
import { createCallbackVisit } from "../frameworks/callback-visit.js";
import { loginGate } from "../frameworks/login-gate.js";
import type { LoginOptions, SignedIn } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";
import { useGateState } from "./require-sign-in.js";
import { type ErrorView, Problem, Progress } from "./views.js";

/** Props of {@link CallbackPage}. */
export interface CallbackPageProps<AppState = unknown, Claims = Record<string, unknown>> {
  /**
   * Goes on after a sign-in, in place of `location.replace(result.returnTo)`. With a router, replace this page's entry in
   * the history: `navigate(result.returnTo, { replace: true })`. That also keeps a session which can't be found again
   * after a page load (`session.restore: "none"`).
   */
  readonly onSignedIn?: (result: SignedIn<AppState, Claims>) => void;
  /** Shown until the page is left. Default: a line that says what is happening. */
  readonly fallback?: ReactNode;
  /** Shown on an error. Default: the error's `userMessage`, its support code and a button. */
  readonly error?: ErrorView;
  /** Where a visit without an answer goes, and a login that is tried again. Default: `basePath`. */
  readonly home?: string;
  /** Of a login that is tried again. */
  readonly loginOptions?: LoginOptions<AppState>;
}

/**
 * Completes the login and goes to where the person wanted to be. A visit without an answer (a bookmark, a reload) goes
 * home. On an error it waits for the person. While a LaunchPad launch is being restarted, and in a popup that is about to
 * be closed, it shows the fallback.
 */
export function CallbackPage<AppState = unknown, Claims = Record<string, unknown>>({
  onSignedIn,
  fallback,
  error: errorView,
  home,
  loginOptions,
}: CallbackPageProps<AppState, Claims>): ReactElement {
  const { client } = useProvided();
  const { status } = useSnapshot(client);
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
        return { ...rest, onSignedIn: onSignedIn as ((result: SignedIn) => void) | undefined };
      }),
    [visit],
  );

  if (failure && phase !== "starting" && status !== "redirecting") {
    return <Problem error={startError ?? failure} retry={visit.retry} view={errorView} />;
  }
  return <>{fallback === undefined ? <Progress status={status} /> : fallback}</>;
}
