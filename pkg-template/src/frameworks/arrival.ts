/**
 * Finds out how the user came to this page, which decides whether a login may start by itself here.
 *
 * @packageDocumentation
 */

import { setLoginMark } from "../login-mark.js";

/** Returns whether this page is in a frame: ClassLink's pages cannot be, so a login needs a window of its own. */
export function isFramed(): boolean {
  return window.top !== window.self;
}

/** Returns whether the user navigated here: not by the back button, which a login would make a trap, and not by reloading. */
export function isNewVisit(): boolean {
  const [entry] = globalThis.performance?.getEntriesByType?.("navigation") ?? [];
  const type = (entry as PerformanceNavigationTiming | undefined)?.type;
  return type !== "back_forward" && type !== "reload";
}

/**
 * Marks that this page, the callback page, is left for another one. If that loses the session when it is loaded
 * (`session.restore: "none"`), a login that it starts by itself would send the user back and forth without end.
 *
 * @param isCertain whether the next page is loaded in any case; otherwise the application may go on in this one
 */
export function markCallbackLeft(isCertain: boolean): void {
  const mark = () => setLoginMark("callback");
  if (isCertain) {
    mark();
    return;
  }
  const { href } = location;
  window.addEventListener("pagehide", () => location.href === href && mark(), { once: true });
}

/**
 * Returns whether a URL's query is an authorization response: with a state, or as a LaunchPad tile brings it. An application may
 * have a parameter `code` of its own.
 */
export function isAuthorizationResponse(search: string): boolean {
  const query = new URLSearchParams(search);
  return (
    (query.has("code") || query.has("error")) && (query.has("state") || query.has("response_type"))
  );
}
