/**
 * Runs the action of a button: one call at a time, whose error the button shows.
 *
 * @packageDocumentation
 */

import { type ClassLinkError, isClassLinkError } from "../errors.js";
import type { ClassLinkClient, LoginOptions } from "../types.js";
import { isFramed } from "./arrival.js";

/** The state of a button; the same object while nothing changes. */
export interface ButtonState {
  readonly isBusy: boolean;
  readonly error: ClassLinkError | null;
}

/** The state of a button that was not pressed. */
export const IDLE: ButtonState = Object.freeze({ isBusy: false, error: null });

/** Creates the function that a button calls; `setState` gets the button's state. */
export function buttonAction<T extends unknown[]>(
  setState: (state: ButtonState) => void,
  run: (...args: T) => Promise<unknown>,
): (...args: T) => Promise<void> {
  let isBusy = false;
  return async (...args) => {
    if (isBusy) return;
    isBusy = true;
    setState({ isBusy, error: null });
    let error: ClassLinkError | null = null;
    try {
      await run(...args);
    } catch (cause) {
      if (!isClassLinkError(cause)) throw cause;
      error = cause;
    } finally {
      isBusy = false;
      setState({ isBusy, error });
    }
  };
}

/** Starts a login from a click: in a popup if the page is in a frame, where ClassLink's pages cannot be shown. */
export function signIn(client: ClassLinkClient, options?: LoginOptions): Promise<unknown> {
  return isFramed() ? client.startLogin({ ...options, mode: "popup" }) : client.startLogin(options);
}
