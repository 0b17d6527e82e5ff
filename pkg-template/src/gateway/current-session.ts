/** Finds the session of a request, for the application's own routes and for proxies, without changing it. */

import type { GatewayContext } from "./context.js";
import type { RequestCookies } from "./cookies.js";
import type { CurrentSession } from "./session.js";

/**
 * Finds the session of a registration, or the one with the latest sign-in of all. A provisional one counts, so that the page's
 * first requests are served.
 *
 * @throws {@link GatewayFailure} `store_unavailable`
 */
export async function findCurrent(
  cookies: RequestCookies,
  clientId: string | undefined,
  { settings, sessions, revocations }: GatewayContext,
): Promise<CurrentSession | undefined> {
  const all =
    clientId === undefined
      ? await sessions.findAll(cookies)
      : await sessions.findOne(settings.clients.get(clientId), cookies);
  if (all.length > 1) all.sort((a, b) => b.open.session.order - a.open.session.order);
  for (const current of all) {
    if (!(await revocations.isRevoked(current.open))) return current;
  }
  return undefined;
}
