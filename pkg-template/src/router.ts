/**
 * Requires a user in the loaders and guards of any router.
 *
 * ```ts
 * // React Router
 * { path: "/classes", loader: async ({ request }) => {
 *   const user = await requireUser(client, { request });
 *   return loadClasses(user.id);
 * } }
 * ```
 *
 * @packageDocumentation
 */

import { abortable } from "./abort.js";
import { requireClient } from "./frameworks/given-client.js";
import { loginGate } from "./frameworks/login-gate.js";
import type { ClassLinkClient, User } from "./types.js";

/** Options of {@link requireUser}. */
export interface RequireUserOptions {
  /** The page to return to after the login: a path of the origin, as in the address bar. Default: the URL of `request`. */
  readonly returnTo?: string;
  /** The loader's request: the login returns to its URL, and its signal ends the wait. Default: the page's URL. */
  readonly request?: Request;
}

/**
 * Returns the user, or starts one login and waits for the page to be left: for a loader or a guard.
 *
 * It starts one under the rule of `RequireSignIn`: not after a sign-out in this tab, a login that was given up (the back
 * button at ClassLink) or an error, across page loads too, and not inside a frame.
 *
 * @throws `ClassLinkError` `not_signed_in` if none may start: show a page with a button that calls `startLogin`. If an
 * error is the reason, it is the `cause`. On a server, where no user is known: `environment_unsupported`.
 */
export async function requireUser<AppState = unknown, Claims = Record<string, unknown>>(
  client: ClassLinkClient<AppState, Claims>,
  { returnTo, request }: RequireUserOptions = {},
): Promise<User<Claims>> {
  requireClient(client, "requireUser");
  const target = returnTo ?? (request && addressOf(request.url));
  const user = loginGate(client as unknown as ClassLinkClient).requireUser(
    target === undefined ? undefined : { returnTo: target },
  );
  return (await (request ? abortable(user, request.signal) : user)) as User<Claims>;
}

/** Returns a router's URL as in the address bar: hash routers make theirs without the page's path. */
function addressOf(url: string): string {
  const { pathname, search, hash } = new URL(url);
  const path = pathname + search + hash;
  if (typeof location === "undefined" || !location.hash.startsWith("#/")) return path;
  return `${location.pathname}${location.search}#${path}`;
}

/**
 * Converts a path of the origin into the path of a router with a base: `toRouterPath("/app/classes?x=1", "/app/")` is
 * `"/classes?x=1"`. For a hash router the base ends with `#`: `toRouterPath("/app/#/classes", "/app/#")` is `"/classes"`.
 * A path outside of the base is `"/"`.
 *
 * @param returnTo as `handleCallback` resolves with it
 * @param basePath the router's base, with or without a slash at its end
 */
export function toRouterPath(returnTo: string, basePath = "/"): string {
  const base = basePath.replace(/\/$/, "");
  const isInside = returnTo.startsWith(base) && /^([/?#]|$)/.test(returnTo.slice(base.length));
  const rest = isInside ? returnTo.slice(base.length) : "";
  return rest.startsWith("/") ? rest : `/${rest}`;
}
