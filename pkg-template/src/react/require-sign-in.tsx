/**
 * Guards what needs to know who is there.
 *
 * @packageDocumentation
 */

import { type ReactElement, type ReactNode, useEffect, useRef, useSyncExternalStore } from "react";
import { FRESH, type GateState, type LoginGate, loginGate } from "../frameworks/login-gate.js";
import { isLoading } from "../frameworks/state.js";
import type { LoginOptions } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";
import { type ErrorView, Problem, Progress, SignInPrompt } from "./views.js";

/** Props of {@link RequireSignIn}. */
export interface RequireSignInProps<AppState = unknown> {
  /** What only people who are signed in see. */
  readonly children?: ReactNode;
  /** Shown while it isn't known who is there, and while the page is being left. Default: a line that says so. */
  readonly fallback?: ReactNode;
  /** Shown on an error, until the person tries again. Default: the error's `userMessage`, its support code and a button. */
  readonly error?: ErrorView;
  /**
   * Shown when nobody is signed in and no login starts by itself. Call `signIn` when the person asks for it. Default: a
   * sentence and a button.
   */
  readonly signedOut?: ReactNode | ((signIn: () => void) => ReactNode);
  /** Of the login it starts. Default: the person comes back to the current path. */
  readonly loginOptions?: LoginOptions<AppState>;
}

/** A gate's state: fresh on a server and while hydrating. */
export function useGateState(gate: LoginGate): GateState {
  return useSyncExternalStore(gate.subscribe, gate.getState, () => FRESH);
}

/**
 * Shows its children to people who are signed in, and starts a login for others who have just arrived.
 *
 * **It never goes in circles.** A page starts one login by itself at most, however many of these it holds. After an error it
 * shows that and waits for the person. It also waits, with a button, where a login began and the page is still there; where
 * the page was reloaded, reached by the back button or straight from {@link CallbackPage}; and once somebody has been signed
 * in on this page: after `logout()`, or after a session that ended, ClassLink would sign the same pupil in again without a
 * word. Send people to a page without it when you load a new page after `logout()`. Inside a frame, where ClassLink's pages
 * can't be shown, it waits as well, and its button opens a window.
 *
 * Keep {@link CallbackPage} outside of it. It is for the user interface: your server must check who is asking.
 */
export function RequireSignIn<AppState = unknown>({
  children,
  fallback,
  error: errorView,
  signedOut,
  loginOptions,
}: RequireSignInProps<AppState>): ReactElement {
  const { client } = useProvided();
  const { status, error } = useSnapshot(client);
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
  if (status === "signed-in") return <>{children}</>;
  const problem = startError ?? error;
  const waiting =
    phase === "starting" || isLoading(status) || (phase === "fresh" && status === "signed-out");
  if (waiting) {
    return <>{fallback === undefined ? <Progress status={status} /> : fallback}</>;
  }
  if (problem) return <Problem error={problem} retry={start} view={errorView} />;
  return <SignInPrompt signIn={start} view={signedOut} />;
}
