/**
 * Handles `{base}/verify`, forward authentication: a proxy requests it before each request to the application (nginx
 * `auth_request`, Traefik and Caddy `forward_auth`, Envoy `ext_authz`), and passes the user on in headers.
 */

import type { GatewayContext, GatewayResponse } from "./context.js";
import { RequestCookies } from "./cookies.js";
import { findCurrent } from "./current-session.js";
import { GatewayFailure } from "./failure.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import { userOf } from "./session.js";

/** Returns the user in headers; the status is 204 at the path itself, and 200 below it, as Envoy requires. */
export function verify(status: 200 | 204) {
  return async (
    request: GatewayRequest,
    gateway: GatewayContext,
    entry: RequestLog,
  ): Promise<GatewayResponse> => {
    const { settings, sessions } = gateway;
    const { clientId, countsAsActivity } =
      status === 204 ? readParameters(request) : { clientId: undefined, countsAsActivity: false };
    if (clientId !== undefined && !settings.clients.has(clientId)) {
      throw new GatewayFailure("unknown_client");
    }
    const cookies = new RequestCookies(request.header("cookie"));
    const current = await findCurrent(cookies, clientId, gateway);
    if (!current) {
      entry.session = "none";
      throw new GatewayFailure("not_signed_in", { headers: { "WWW-Authenticate": "ClassLink" } });
    }
    const { client, open, found } = current;
    entry.session = "kept";
    if (client.district !== undefined) entry.district = client.district;
    const now = settings.now() / 1000;
    const used = { ...open.session, lastUsedAt: Math.floor(now) };
    const lines =
      countsAsActivity && sessions.needsSeal(open, now)
        ? await sessions.seal(client, used, found)
        : [];
    const expiresAt = sessions.expiry(lines.length > 0 ? { ...open, session: used } : open);
    const { id, role, tenant, rosterId } = userOf(open);
    return {
      status,
      headers: {
        "X-ClassLink-User": percentEncode(id),
        ...(role && { "X-ClassLink-Role": role }),
        ...(tenant && { "X-ClassLink-Tenant": percentEncode(tenant.id) }),
        ...(rosterId && { "X-ClassLink-Roster-Id": percentEncode(rosterId) }),
        "X-ClassLink-Session-Expires": String(Math.floor(expiresAt)),
        ...(gateway.assertions && {
          "X-ClassLink-Assertion": await gateway.assertions.sign(open, client, expiresAt, now),
        }),
      },
      cookies: lines,
    };
  };
}

function readParameters({ query }: GatewayRequest): {
  clientId: string | undefined;
  countsAsActivity: boolean;
} {
  if (query === "") return { clientId: undefined, countsAsActivity: false };
  const parameters = new URLSearchParams(query);
  const [clientId, ...moreIds] = parameters.getAll("client_id");
  const [activity, ...more] = parameters.getAll("activity");
  if (moreIds.length > 0 || more.length > 0) throw new GatewayFailure("request_invalid");
  return { clientId, countsAsActivity: activity === "1" };
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
