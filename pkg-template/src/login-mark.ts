/**
 * The mark in `sessionStorage` that keeps a page from starting a login by itself: across page loads, in this tab alone.
 * It holds nothing personal. A sign-in removes it.
 *
 * @packageDocumentation
 */

const KEY = "classlink-spa.waits";

/**
 * Why logins wait for the user: one was begun or failed; the user has signed out, or the session ended; or the page before
 * this one was the callback page.
 */
export type LoginMark = "asked" | "signed-out" | "callback";

/** Sets the mark, or removes it. Blocked storage keeps no mark. */
export function setLoginMark(mark: LoginMark | null): void {
  try {
    if (mark) sessionStorage.setItem(KEY, mark);
    else sessionStorage.removeItem(KEY);
  } catch {}
}

/** Returns the mark. */
export function readLoginMark(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
