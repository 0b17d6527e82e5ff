/** `POST {base}/backchannel-logout`: the provider ends sessions (OpenID Connect Back-Channel Logout 1.0). */

import type { GatewayContext, GatewayResponse } from "./context.js";
import { GatewayFailure } from "./failure.js";
import { readForm } from "./form.js";
import { isObject } from "./http.js";
import { CLOCK_TOLERANCE_SECS, verifySignature } from "./id-token.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import { userIdOf } from "./user.js";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** How long a logout token without `exp` may be used, in seconds, and the longest that one is remembered. */
const LIFETIME_SECS = 120;
const MAX_REMEMBERED_SECS = 86_400;

/** Ends the sessions that a logout token names. */
export async function backchannelLogout(
  request: GatewayRequest,
  { settings, provider, revocations }: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { store, metrics } = settings;
  if (!store) throw new GatewayFailure("not_found");
  const form = await readForm(request, settings);
  const [token, ...more] = form.getAll("logout_token");
  if (!token || more.length > 0) throw new GatewayFailure("logout_token_invalid");
  const refused = () => new GatewayFailure("logout_token_invalid");
  const { header, claims } = await verifySignature(token, provider).catch((error: unknown) => {
    throw error instanceof GatewayFailure && error.code !== "id_token_invalid" ? error : refused();
  });
  const { iss, aud, iat, exp, jti, sub, sid, events } = claims;
  const now = settings.now() / 1000;
  const audiences = [aud].flat();
  const isNumber = (value: unknown): value is number => Number.isFinite(value);
  if (
    (header.typ !== undefined &&
      !/^(?:application\/)?(?:logout\+)?jwt$/i.test(String(header.typ))) ||
    iss !== settings.issuer ||
    !audiences.some((one) => typeof one === "string" && settings.clients.has(one)) ||
    !isNumber(iat) ||
    iat - CLOCK_TOLERANCE_SECS > now ||
    (exp === undefined ? iat + LIFETIME_SECS : isNumber(exp) ? exp : 0) + CLOCK_TOLERANCE_SECS <=
      now ||
    typeof jti !== "string" ||
    jti === "" ||
    "nonce" in claims ||
    !isObject(events) ||
    !isObject(events[EVENT]) ||
    (sub !== undefined && (typeof sub !== "string" || sub === "")) ||
    (sid !== undefined && (typeof sid !== "string" || sid === "")) ||
    (sub === undefined && sid === undefined)
  ) {
    throw refused();
  }
  const end = (isNumber(exp) ? exp : iat + LIFETIME_SECS) + CLOCK_TOLERANCE_SECS;
  const ttlMs = Math.min(end - now, MAX_REMEMBERED_SECS) * 1000;
  if (await revocations.isLogoutTokenUsed(iss as string, jti)) throw refused();
  if (typeof sid === "string") await revocations.revokeSid(iss as string, sid);
  else await revocations.revokeUser(userIdOf(iss as string, sub as string));
  // Afterwards: a token whose revocation failed counts when the provider sends it again.
  await revocations.markLogoutTokenUsed(iss as string, jti, ttlMs);
  metrics.countEnded("revoked");
  entry.session = "ended";
  return { status: 200 };
}
