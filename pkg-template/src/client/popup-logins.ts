/**
 * Runs one login in a popup at a time, however often the button is pressed.
 *
 * @packageDocumentation
 */

import type { SignedIn } from "../types.js";
import { openPopup } from "./child-window.js";

/** The logins in popups of one client. */
export interface PopupLogins {
  /**
   * Focuses the popup of an equal login that is under way, and returns its promise. Otherwise `login` begins in the
   * window given or a new one; an earlier popup is closed, and its call settles as this one does.
   */
  start(
    options: string,
    given: Window | null | undefined,
    login: (popup: Window) => Promise<SignedIn>,
  ): Promise<SignedIn>;
}

/** A login in a popup that is under way. */
interface PopupLogin {
  readonly options: string;
  readonly popup: Window;
  readonly promise: Promise<SignedIn>;
  /** Settles the promise as another one does. */
  settleAs(later: Promise<SignedIn>): void;
}

/** Creates the popup logins of one client. */
export function createPopupLogins(): PopupLogins {
  let current: PopupLogin | undefined;
  return {
    start(options, given, login) {
      const earlier = current;
      if (earlier?.options === options && given === undefined && !earlier.popup.closed) {
        earlier.popup.focus();
        return earlier.promise;
      }
      const popup = openPopup(given);
      let settleAs: PopupLogin["settleAs"] = () => {};
      const promise = new Promise<SignedIn>((resolve, reject) => {
        settleAs = resolve;
        login(popup).then(resolve, (error) => {
          // A later call may have been given the same window.
          if (current === own || current?.popup !== popup) popup.close();
          reject(error);
        });
      }).finally(() => {
        if (current === own) current = undefined;
      });
      const own = { options, popup, promise, settleAs };
      current = own;
      if (earlier) {
        if (earlier.popup !== popup) earlier.popup.close();
        earlier.settleAs(promise);
      }
      return promise;
    },
  };
}
