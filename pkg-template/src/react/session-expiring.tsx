/**
 * Warns the user before a session ends.
 *
 * @packageDocumentation
 */

import {
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useSyncExternalStore,
} from "react";
import { type SessionExpiringState, sessionExpiry } from "../frameworks/session-expiry.js";
import { SignOutButton } from "./buttons.js";
import { useProvided } from "./provider.js";

/**
 * Returns the countdown to the end of the session, from the event `session.expiring` on (a minute before by default), and
 * `null` at all other times. The component renders again each second.
 */
export function useSessionExpiring(): SessionExpiringState | null {
  const { client } = useProvided();
  const expiry = sessionExpiry(client);
  useEffect(() => expiry.watch(), [expiry]);
  return useSyncExternalStore(expiry.subscribe, expiry.getState, () => null);
}

/** Props of {@link SessionExpiring}. */
export interface SessionExpiringProps {
  /** Shown in place of the default dialog: a function of the countdown. */
  readonly children?: (state: SessionExpiringState) => ReactNode;
}

/**
 * Renders a modal dialog that asks whether the user is still there before the session ends: "I'm still here", and Escape, keep the
 * session; "Sign out" ends it. Put one beside the application's routes.
 */
export function SessionExpiring({ children }: SessionExpiringProps): ReactElement | null {
  const state = useSessionExpiring();
  if (!state) return null;
  // biome-ignore lint/complexity/noUselessFragments: a component of React 18 returns an element
  return children ? <>{children(state)}</> : <ExpiringDialog {...state} />;
}

function ExpiringDialog({ remainingSeconds, stayActive }: SessionExpiringState): ReactElement {
  const { texts } = useProvided();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    // Test environments have no modal dialogs.
    if (element?.showModal) element.showModal();
    else element?.setAttribute("open", "");
    // Gives the focus back.
    return () => element?.close?.();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="classlink-expiring"
      // Screen readers read its title and text at once.
      role="alertdialog"
      aria-labelledby={`${id}title`}
      aria-describedby={`${id}text`}
      onCancel={stayActive}
    >
      <h2 id={`${id}title`} className="classlink-title">
        {texts.expiringTitle}
      </h2>
      <p id={`${id}text`}>{texts.expiringText}</p>
      {/* Not read out every second. */}
      <p className="classlink-countdown" role="timer" aria-live="off">
        {texts.secondsLeft(remainingSeconds)}
      </p>
      <p className="classlink-actions">
        <button type="button" className="classlink-button" onClick={stayActive}>
          {texts.stayActive}
        </button>
        <SignOutButton className="classlink-secondary" />
      </p>
    </dialog>
  );
}
