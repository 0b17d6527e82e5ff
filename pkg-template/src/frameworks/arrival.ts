/**
 * How somebody came to this page: what a login that starts by itself must know in order not to go in circles, across
 * pages and with nothing stored.
 *
 * @packageDocumentation
 */

import { replaceUrl } from "../callback-url.js";

/** The callback page's query once its answer has been dealt with. Its next page finds it in the referrer. */
const HANDLED = "?classlink-handled";

/**
 * Makes this page, the callback page, known to the one that comes after it. A page that loses its session when it is
 * loaded (`session.restore: "none"`), or a server that drops the answer's parameters, would otherwise send people round
 * between ClassLink and here for ever.
 */
export function markHandled(): void {
  // Whatever the page's own referrer policy: the next page is of this origin.
  const policy = document.createElement("meta");
  policy.name = "referrer";
  policy.content = "same-origin";
  document.head.append(policy);
  replaceUrl(location.pathname + HANDLED);
}

/** Whether the page before this one was the callback page, and had done its work. */
export function comesFromCallback(): boolean {
  try {
    const { origin, search } = new URL(document.referrer);
    // An answer that the browser refused to take out of the address bar is one that was dealt with.
    return origin === location.origin && (search === HANDLED || bringsAnswer(search));
  } catch {
    // None, or hidden.
    return false;
  }
}

/** Whether this page is inside another: ClassLink's can't be, so a login needs a window of its own. */
export function isFramed(): boolean {
  return window.top !== window.self;
}

/** Whether somebody comes here anew: not by the back button, which would be a trap, and not by reloading. */
export function arrivesAnew(): boolean {
  const [entry] = globalThis.performance?.getEntriesByType?.("navigation") ?? [];
  const type = (entry as PerformanceNavigationTiming | undefined)?.type;
  return type !== "back_forward" && type !== "reload" && !comesFromCallback();
}

/**
 * Whether a URL brings the answer of an authorization request: with a state, or as a LaunchPad tile brings it. An
 * application may have a parameter `code` of its own.
 */
export function bringsAnswer(search: string): boolean {
  const query = new URLSearchParams(search);
  return (
    (query.has("code") || query.has("error")) && (query.has("state") || query.has("response_type"))
  );
}
