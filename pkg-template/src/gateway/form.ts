/** Reads the form in a request's body. */

import { GatewayFailure } from "./failure.js";
import { decodeUtf8, withDeadline } from "./http.js";
import type { GatewayRequest } from "./request.js";
import type { Settings } from "./settings.js";

/** The largest form that is read. A token request takes far less. */
const BODY_LIMIT_BYTES = 8 * 1024;

/**
 * Reads a form of 8 KiB at most.
 *
 * @throws {@link GatewayFailure} `unsupported_media_type`, `body_too_large`, `request_invalid` if it does not arrive in time
 */
export async function readForm(
  request: GatewayRequest,
  settings: Settings,
): Promise<URLSearchParams> {
  const type = request.header("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new GatewayFailure("unsupported_media_type");
  }
  const unreadable = () => new GatewayFailure("request_invalid");
  const bytes = await withDeadline(settings.timeoutMs, unreadable, () =>
    request.readBody(BODY_LIMIT_BYTES).catch(() => {
      throw unreadable();
    }),
  );
  if (!bytes) throw new GatewayFailure("body_too_large");
  return new URLSearchParams(decodeUtf8(bytes));
}
