/**
 * The action of the buttons: a call at a time, whose error they keep.
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

/** A button before it is pressed. */
export const IDLE: ButtonState = Object.freeze({ isBusy: false, error: null });

/** Makes the function of a button; `setState` gets the button's state. */
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
