/**
 * Guards routes that need to know who is there.
 *
 * @packageDocumentation
 */

import { bringsAnswer, comesFromCallback, isFramed } from "../frameworks/arrival.js";
import { loginGate } from "../frameworks/login-gate.js";
import type { ClassLinkClient, LoginOptions } from "../types.js";

/** What the guard reads of vue-router's `RouteLocationNormalized`. */
export interface GuardedRoute {
  readonly fullPath: string;
  readonly matched: readonly unknown[];
}

/** What {@link requireSignIn} may be told. */
export interface RequireSignInOptions<Location = never, AppState = unknown> {
  /**
   * Where to go when nobody is signed in and no login may start by itself, and on an error: a page with a button that calls
   * `startLogin`, which finds the error in `useClassLink`. Default: the navigation is cancelled, and an error is thrown for
   * `router.onError`.
   */
  readonly signedOut?: Location | ((to: GuardedRoute) => Location);
  /** Of the login it starts. Default: the person comes back to the route they wanted. */
  readonly loginOptions?: LoginOptions<AppState>;
}

/** When somebody last did something on this page, on the clock of `event.timeStamp`. */
let actedAt = 0;
let watching = false;

function watchPerson(): void {
  if (watching) return;
  watching = true;
  for (const type of ["pointerdown", "keydown"]) {
    const onAct = ({ isTrusted, timeStamp }: Event) => {
      if (isTrusted) actedAt = timeStamp;
    };
    window.addEventListener(type, onAct, { capture: true, passive: true });
  }
}

/**
 * A navigation guard for vue-router (`beforeEnter`, `beforeEach`): lets people through who are signed in, once that is
 * known, and starts a login for others.
 *
 * **It never goes in circles.** After an error, after a sign-out, and where a login began and the page is still there, it
 * starts another only once somebody has done something on the page: `router.push` after `logout()` must not sign the same
 * pupil in again. Nor does it start one straight from {@link CallbackPage}, or by itself inside a frame, where it opens a
 * window and needs a click for that. With `signedOut` it also waits where the page was
 * reloaded or reached by the back button.
 *
 * A route that brings ClassLink's answer is let through, so that the guard may stand before all routes. So is every route on a
 * server, where nobody is known: pages that a server renders must do without a user. It is for the user interface: your
 * server must check who is asking.
 */
export function requireSignIn<
  AppState = unknown,
  Claims = Record<string, unknown>,
  Location = never,
>(
  given: ClassLinkClient<AppState, Claims>,
  options: RequireSignInOptions<Location, AppState> = {},
): (to: GuardedRoute, from: GuardedRoute) => Promise<boolean | Location> {
  const { signedOut, loginOptions } = options;
  const client = given as unknown as ClassLinkClient;
  let watched = false;

  return async (to, from) => {
    if (typeof window === "undefined") return true;
    const elsewhere = (): Location | undefined =>
      typeof signedOut === "function"
        ? (signedOut as (to: GuardedRoute) => Location)(to)
        : signedOut;

    const gate = loginGate(client);
    if (!watched) {
      watched = true;
      // For as long as the page lives, as a router does.
      gate.watch();
      watchPerson();
    }
    const known = await client.getUser().then(
      (user) => ({ user }),
      (error: unknown) => ({ error }),
    );
    if ("user" in known && known.user) return true;
    if (bringsAnswer(/\?[^#]*/.exec(to.fullPath)?.[0] ?? "")) return true;

    const { status, error } = client.getSnapshot();
    const acted = actedAt > gate.spentAt;
    if (status === "redirecting" && !acted) return false;
    const { phase, error: startError } = gate.getState();
    const failure = startError ?? error ?? ("error" in known ? known.error : undefined);
    // There is no page yet that could ask the person.
    const first = from.matched.length === 0 && signedOut === undefined && !isFramed();
    const allowed =
      acted ||
      (!failure && (phase === "fresh" || (first && phase === "spent" && !comesFromCallback())));
    if (phase !== "starting" && !allowed) {
      const page = elsewhere();
      if (page !== undefined) return page;
      if (failure) throw failure;
      console.warn(
        `classlink-spa: ${to.fullPath} wants a sign-in that must not start by itself here. Give requireSignIn a "signedOut" page.`,
      );
      return false;
    }

    await gate.start({ returnTo: to.fullPath, ...loginOptions });
    const { error: refused } = gate.getState();
    // In a frame somebody has signed in by now, in a window of its own; elsewhere this page is being left.
    if (!refused) return isFramed();
    const page = elsewhere();
    if (page !== undefined) return page;
    throw refused;
  };
}
