/**
 * Shows its children to signed-in users only.
 *
 * @packageDocumentation
 */

import {
  Fragment,
  type ReactElement,
  type ReactNode,
  useEffect,
  useRef,
  useSyncExternalStore,
} from "react";
import { basePathOf } from "../client-internals.js";
import type { ClassLinkError } from "../errors.js";
import { retryOptions } from "../frameworks/callback-visit.js";
import { FRESH, type GateState, type LoginGate, loginGate } from "../frameworks/login-gate.js";
import { type Fixed, isLoading } from "../frameworks/state.js";
import type { LoginOptions, RegisteredAppState } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";
import { type ErrorView, Problem, Progress, SignInPrompt } from "./views.js";

/** Props of {@link RequireSignIn}. */
export interface RequireSignInProps<AppState = RegisteredAppState> {
  /** Shown only to a user who is signed in. */
  readonly children?: ReactNode;
  /** Shown until it is known who is signed in, and while the page is being left. Default: a line that says so. */
  readonly fallback?: ReactNode;
  /** Shown on an error, until the user tries again. Default: a heading, the error's `userMessage`, its support code and a button. */
  readonly error?: ErrorView;
  /**
   * Shown if no user is signed in and no login starts by itself. Call `signIn` if the user asks for it. Default: a
   * sentence and a button.
   */
  readonly signedOut?: ReactNode | ((signIn: () => void) => ReactNode);
  /** The options of the login that it starts. Default: the user comes back to the current path. */
  readonly loginOptions?: LoginOptions<Fixed<AppState>>;
}

/** Returns a gate's state: fresh on a server and while hydrating. */
export function useGateState(gate: LoginGate): GateState {
  return useSyncExternalStore(gate.subscribe, gate.getState, () => FRESH);
}

/**
 * Shows its children to a user who is signed in, and starts a login for one who navigates here signed out. If another user
 * signs in, the children are mounted again.
 *
 * **It never loops.** A page starts one login by itself at most, however many of these it holds. After an error it shows
 * that and waits for a click. It also waits, with a button, after a login that was begun and given up; if the page was
 * reloaded, reached by the back button or straight from {@link CallbackPage}; and after a sign-out or a session that ended:
 * ClassLink would sign the same student in again. This holds across page loads in the tab, until the next sign-in. Inside a
 * frame, where ClassLink's pages cannot be shown, it waits as well, and its button opens a popup.
 *
 * Keep {@link CallbackPage} outside of it. It is for the user interface: your server must check who is asking.
 */
export function RequireSignIn<AppState = RegisteredAppState>({
  children,
  fallback,
  error: errorView,
  signedOut,
  loginOptions,
}: RequireSignInProps<AppState>): ReactElement {
  const { client } = useProvided();
  const { status, user, error } = useSnapshot(client);
  const gate = loginGate(client);
  const { phase, error: startError } = useGateState(gate);

  const options = useRef(loginOptions);
  useEffect(() => {
    options.current = loginOptions;
  });
  useEffect(() => {
    if (status === "signed-out") gate.startByItself(options.current);
  }, [gate, status]);

  const start = () => void gate.start(options.current);
  const retry = (failed: ClassLinkError) => () =>
    void gate.retry(failed, retryOptions(failed, options.current));
  // For another user the children are mounted again: what they hold is the first user's.
  if (user) return <Fragment key={user.id}>{children}</Fragment>;
  const problem = startError ?? error;
  const waiting =
    phase === "starting" || isLoading(status) || (phase === "fresh" && status === "signed-out");
  if (waiting) {
    return <>{fallback === undefined ? <Progress status={status} /> : fallback}</>;
  }
  if (problem) {
    const home = basePathOf(client);
    return (
      <Problem
        error={problem}
        retry={retry(problem)}
        home={home === location.pathname ? undefined : home}
        heading="h2"
        view={errorView}
      />
    );
  }
  return <SignInPrompt signIn={start} view={signedOut} />;
}
