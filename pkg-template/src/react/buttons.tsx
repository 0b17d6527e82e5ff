/**
 * Renders buttons that sign in and out, and show their own errors.
 *
 * @packageDocumentation
 */

import {
  type ButtonHTMLAttributes,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { localizeFor } from "../client-internals.js";
import { type ButtonState, buttonAction, IDLE, signIn } from "../frameworks/button-action.js";
import type { Fixed } from "../frameworks/state.js";
import type { LoginOptions, LogoutOptions, LogoutResult, RegisteredAppState } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";

type ButtonAttributes = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type">;

interface ActionButtonProps extends ButtonAttributes {
  readonly name: string;
  readonly isBusy: boolean;
  readonly run: () => Promise<unknown>;
}

/** Renders a button that calls `run`, one call at a time, with the error of the last call beside it. */
function ActionButton({
  name,
  isBusy,
  run,
  className,
  onClick,
  children,
  ...attributes
}: ActionButtonProps): ReactElement {
  const { client } = useProvided();
  const [state, setState] = useState<ButtonState>(IDLE);
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const [press] = useState(() => buttonAction(setState, () => latest.current()));
  const errorId = useId();

  const click = (event: MouseEvent<HTMLButtonElement>) => {
    onClick?.(event);
    if (!event.defaultPrevented) void press();
  };
  const names = ["classlink-button", `classlink-${name}`, className].filter(Boolean).join(" ");
  const { error } = state;
  return (
    <>
      <button
        aria-busy={isBusy || state.isBusy || undefined}
        aria-describedby={error ? errorId : undefined}
        {...attributes}
        type="button"
        className={names}
        onClick={click}
      >
        {children}
      </button>
      {error && (
        <span id={errorId} className="classlink-button-error" role="alert">
          {localizeFor(client, error).userMessage}
        </span>
      )}
    </>
  );
}

/** Props of {@link SignInButton}: those of a `button`, and these. */
export interface SignInButtonProps<AppState = RegisteredAppState> extends ButtonAttributes {
  /** The options of the login. Default: the user comes back to the current path. */
  readonly loginOptions?: LoginOptions<Fixed<AppState>>;
  /** Default: "Sign in". */
  readonly children?: ReactNode;
}

/**
 * Renders a button that starts a login, in a popup if the page is in a frame. If that fails, the error's `userMessage` is
 * shown beside it. An `onClick` that calls `event.preventDefault()` prevents the login.
 */
export function SignInButton<AppState = RegisteredAppState>({
  loginOptions,
  children,
  ...attributes
}: SignInButtonProps<AppState>): ReactElement {
  const { client, texts } = useProvided();
  const { status } = useSnapshot(client);
  return (
    <ActionButton
      {...attributes}
      name="sign-in"
      isBusy={status === "redirecting" || status === "signing-in"}
      run={() => signIn(client, loginOptions)}
    >
      {children ?? texts.signIn}
    </ActionButton>
  );
}

/** Props of {@link SignOutButton}: those of a `button`, and these. */
export interface SignOutButtonProps extends ButtonAttributes {
  /** The options of the sign-out. */
  readonly logoutOptions?: LogoutOptions;
  /** Called after the sign-out, for example to say that the ClassLink session may remain. */
  // biome-ignore lint/suspicious/noConfusingVoidType: it may be asynchronous.
  readonly onSignedOut?: (result: LogoutResult) => void | Promise<unknown>;
  /** Default: "Sign out". */
  readonly children?: ReactNode;
}

/** Renders a button that signs out. If that fails, the error's `userMessage` is shown beside it. */
export function SignOutButton({
  logoutOptions,
  onSignedOut,
  children,
  ...attributes
}: SignOutButtonProps): ReactElement {
  const { client, texts } = useProvided();
  return (
    <ActionButton
      {...attributes}
      name="sign-out"
      isBusy={false}
      run={async () => {
        const result = await client.logout(logoutOptions);
        await onSignedOut?.(result);
      }}
    >
      {children ?? texts.signOut}
    </ActionButton>
  );
}
