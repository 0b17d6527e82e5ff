/** By which ids a request is found in the logs of the proxy before the gateway and of other services. */

import { randomHex } from "./encoding.js";
import type { GatewayRequest } from "./request.js";

/** The header that names the request, in both directions. */
export const REQUEST_ID_HEADER = "X-Request-Id";

/** The request's own id as a proxy gives it: hexadecimal digits and hyphens, which name no user; else a new one. */
export function readRequestId(request: GatewayRequest): string {
  const given = request.header("x-request-id") ?? "";
  return /^[\da-f-]{16,64}$/i.test(given) ? given : randomHex();
}

/** The trace id of a valid `traceparent` (W3C Trace Context, 3.2). */
export function readTraceId(request: GatewayRequest): string | undefined {
  const [, version, traceId, parentId] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-.*)?$/.exec(
      request.header("traceparent") ?? "",
    ) ?? [];
  if (version === undefined || version === "ff") return undefined;
  return /^0+$/.test(traceId ?? "") || /^0+$/.test(parentId ?? "") ? undefined : traceId;
}
