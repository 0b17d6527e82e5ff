/** Handles `GET {base}/jwks`, `/userinfo` and `/my-info`: the provider's responses, without its error descriptions. */

import type { CountUpstream, GatewayContext, GatewayResponse } from "./context.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { fetchFromProvider } from "./http.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";

/** Returns the provider's key set (RFC 7517, 5); fetched again, once a minute at most, if the request bypasses caches. */
export async function proxyJwks(
  request: GatewayRequest,
  { provider }: GatewayContext,
  _entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const isRefresh = /no-cache|no-store|max-age=0/i.test(request.header("cache-control") ?? "");
  if (isRefresh) await countUpstream();
  const keys = await (isRefresh ? provider.freshKeys() : provider.keys());
  return { status: 200, body: JSON.stringify({ keys }) };
}

/**
 * Returns UserInfo (OpenID Connect Core 1.0, 5.3) or ClassLink's my-info, by the request's bearer token. An HTTP 200 with a
 * numeric `status` in its body, as ClassLink may send it, is passed on as it is.
 */
export function proxyProfile(endpoint: "userinfo_endpoint" | "my_info_endpoint") {
  const name = endpoint === "userinfo_endpoint" ? "userinfo" : "my-info";
  return async (
    request: GatewayRequest,
    gateway: GatewayContext,
    entry: RequestLog,
    countUpstream: CountUpstream,
  ): Promise<GatewayResponse> => {
    const authorization = request.header("authorization") ?? "";
    // RFC 6750, 2.1.
    if (!/^Bearer +[\w.~+/-]+=*$/i.test(authorization)) {
      throw new GatewayFailure("missing_token", { headers: { "WWW-Authenticate": "Bearer" } });
    }
    await countUpstream();
    const url = (await gateway.provider.metadata())[endpoint];
    if (!url) throw new GatewayFailure("endpoint_unknown");
    const { ok, status, text, json } = await fetchFromProvider(gateway.settings, name, url, {
      headers: { Authorization: authorization },
    });
    entry.upstreamStatus = status;
    if (ok && json) return { status: 200, body: text };
    if (status === 401) throw new ProviderRefusal("invalid_token", status, status);
    if (status === 403) throw new ProviderRefusal("insufficient_scope", status, status);
    const code = status >= 500 || status === 429 ? "upstream_error" : "upstream_invalid";
    throw new GatewayFailure(code, { upstreamStatus: status });
  };
}
