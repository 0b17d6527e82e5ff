/** Asks whether the user is still there, before the session ends. */

import { useEffect, useRef } from "react";
import { useExpiry } from "../session/useExpiry";
import { useSignOut } from "../session/useSignOut";

/** A modal dialog: the browser keeps the focus inside, closes it with Escape, and gives the focus back. */
export function StillThere() {
  const { remaining, stay } = useExpiry();
  const signOut = useSignOut();
  const dialog = useRef<HTMLDialogElement>(null);
  const asking = remaining !== null;

  useEffect(() => {
    if (asking) dialog.current?.showModal();
    else dialog.current?.close();
  }, [asking]);

  return (
    <dialog
      ref={dialog}
      className="still-there"
      // A dialog that demands an answer: screen readers read title and text at once.
      role="alertdialog"
      aria-labelledby="still-there-title"
      aria-describedby="still-there-text"
      onCancel={stay}
    >
      <h2 id="still-there-title">Still there?</h2>
      <p id="still-there-text">
        You will be signed out soon, so that nobody else can use your account on this device.
      </p>
      {/* Seen, and not read out every second. */}
      <p role="timer" aria-live="off" className="countdown">
        {remaining === 1 ? "1 second left" : `${remaining ?? 0} seconds left`}
      </p>
      <div className="actions">
        <button type="button" className="button" onClick={stay}>
          I’m still here
        </button>
        <button type="button" className="button secondary" onClick={signOut}>
          Sign out
        </button>
      </div>
    </dialog>
  );
}
