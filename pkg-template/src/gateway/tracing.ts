/** Reads the ids by which a request is found in the logs of other services. */

import { randomHex } from "./encoding.js";
import type { GatewayRequest } from "./request.js";

/** The header that names the request, in both directions. */
export const REQUEST_ID_HEADER = "X-Request-Id";

/** Returns the request id of a proxy, if it is hexadecimal digits and hyphens, which name no user; else a new one. */
export function readRequestId(request: GatewayRequest): string {
  const given = request.header("x-request-id") ?? "";
  return /^[\da-f-]{16,64}$/i.test(given) ? given : randomHex();
}

/** Reads the trace id of a valid `traceparent` (W3C Trace Context, 3.2). */
export function readTraceId(request: GatewayRequest): string | undefined {
  const [, version, traceId, parentId] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-.*)?$/.exec(
      request.header("traceparent") ?? "",
    ) ?? [];
  if (version === undefined || version === "ff") return undefined;
  return /^0+$/.test(traceId ?? "") || /^0+$/.test(parentId ?? "") ? undefined : traceId;
}
