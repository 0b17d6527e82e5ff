/**
 * Guards routes that need a user.
 *
 * @packageDocumentation
 */

import { basePathOf } from "../client-internals.js";
import { isAuthorizationResponse, isFramed } from "../frameworks/arrival.js";
import { requireClient } from "../frameworks/given-client.js";
import { loginGate } from "../frameworks/login-gate.js";
import type { ClassLinkClient, LoginOptions } from "../types.js";
import { type ResolvingRouter, routerOf } from "./plugin.js";

/** The members of vue-router's `RouteLocationNormalized` that the guard reads. */
export interface GuardedRoute {
  readonly fullPath: string;
  readonly matched: readonly unknown[];
}

/** Options of {@link requireSignIn}. */
export interface RequireSignInOptions<Location = never, AppState = unknown> {
  /**
   * Where to go if no user is signed in and no login may start by itself, and on an error: a page with a button that calls
   * `startLogin`, which finds the error in `useClassLink`. Default: the navigation is cancelled, and an error is thrown for
   * `router.onError`.
   */
  readonly signedOut?: Location | ((to: GuardedRoute) => Location);
  /** The options of the login that it starts. Default: the user comes back to the route. */
  readonly loginOptions?: LoginOptions<AppState>;
  /**
   * The router, which knows the address of a route. Default: the one of the application that uses `createClassLink` with
   * this client; without one, `basePath` and the route's path.
   */
  readonly router?: ResolvingRouter;
}

/** Returns a route's URL as in the address bar: with the router's base, and its `#` in hash mode. */
function addressOf(to: GuardedRoute, client: object, router: ResolvingRouter | undefined): string {
  const href = router?.resolve(to.fullPath).href ?? basePathOf(client).slice(0, -1) + to.fullPath;
  const { pathname, search, hash } = new URL(href, location.href);
  return pathname + search + hash;
}

/** The time of the user's last activity on this page, on the clock of `event.timeStamp`. */
let actedAt = 0;
let isWatching = false;

function watchActivity(): void {
  if (isWatching) return;
  isWatching = true;
  for (const type of ["pointerdown", "keydown"]) {
    const onAct = ({ isTrusted, timeStamp }: Event) => {
      if (isTrusted) actedAt = timeStamp;
    };
    window.addEventListener(type, onAct, { capture: true, passive: true });
  }
}

/**
 * Creates a navigation guard for vue-router (`beforeEnter`, `beforeEach`): once it is known whether a user is signed in, it
 * lets a signed-in user through, and starts a login otherwise.
 *
 * **It never loops.** After an error, after a sign-out, and if a login began and the page is still there, it starts another
 * only after a click or a key press on the page: `router.push` after `logout()` must not sign the same student in again. Nor
 * does it start one straight from {@link CallbackPage}, or by itself inside a frame, where it opens a popup and needs a click
 * for that. With `signedOut` it also waits if the page was reloaded or reached by the back button, or a login was given up.
 *
 * A route that brings an authorization response is let through, so that the guard may stand before all routes. So is every
 * route on a server, where no user is known: pages that a server renders must do without a user. It is for the user
 * interface: your server must check who is asking.
 */
export function requireSignIn<
  AppState = unknown,
  Claims = Record<string, unknown>,
  Location = never,
>(
  given: ClassLinkClient<AppState, Claims>,
  options: RequireSignInOptions<Location, AppState> = {},
): (to: GuardedRoute, from: GuardedRoute) => Promise<boolean | Location> {
  requireClient(given, "requireSignIn");
  const { signedOut, loginOptions, router } = options;
  const client = given as unknown as ClassLinkClient;
  let isWatched = false;

  return async (to, from) => {
    if (typeof window === "undefined") return true;
    const getSignedOutPage = (): Location | undefined =>
      typeof signedOut === "function"
        ? (signedOut as (to: GuardedRoute) => Location)(to)
        : signedOut;

    const gate = loginGate(client);
    if (!isWatched) {
      isWatched = true;
      // Never stopped: a router lives for as long as the page.
      gate.watch();
      watchActivity();
    }
    const known = await client.getUser().then(
      (user) => ({ user }),
      (error: unknown) => ({ error }),
    );
    if ("user" in known && known.user) return true;
    if (isAuthorizationResponse(/\?[^#]*/.exec(to.fullPath)?.[0] ?? "")) return true;

    const { status, error } = client.getSnapshot();
    const hasActed = actedAt > gate.spentAt;
    if (status === "redirecting" && !hasActed) return false;
    const { phase, error: startError } = gate.getState();
    const failure = startError ?? error ?? ("error" in known ? known.error : undefined);
    // No route is shown yet: there is no page with a button.
    const hasNoPage = from.matched.length === 0 && signedOut === undefined && !isFramed();
    const isAllowed =
      hasActed ||
      (!failure &&
        (phase === "fresh" ||
          (hasNoPage &&
            phase === "spent" &&
            !/^(signed-out|callback)$/.test(gate.initialMark ?? ""))));
    if (phase !== "starting" && !isAllowed) {
      const page = getSignedOutPage();
      if (page !== undefined) return page;
      if (failure) throw failure;
      console.warn(
        `classlink-spa: ${to.fullPath} wants a sign-in that must not start by itself here. Give requireSignIn a "signedOut" page.`,
      );
      return false;
    }

    const returnTo = addressOf(to, client, router ?? routerOf(client));
    await gate.start({ returnTo, ...loginOptions });
    const { error: refused } = gate.getState();
    // In a frame the user has signed in by now, in a popup; elsewhere this page is being left.
    if (!refused) return isFramed();
    const page = getSignedOutPage();
    if (page !== undefined) return page;
    throw refused;
  };
}
