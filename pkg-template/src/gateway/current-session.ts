/** The session of a request, for the application's own routes and for proxies: it is read, and does not change. */

import type { GatewayContext } from "./context.js";
import type { RequestCookies } from "./cookies.js";
import type { CurrentSession } from "./session.js";

/**
 * The session of a registration, or of the one that signed in last. A provisional one counts: the page's first requests are
 * served.
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
