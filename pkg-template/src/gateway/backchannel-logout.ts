/** Handles `POST {base}/backchannel-logout`, by which the provider ends sessions (OpenID Connect Back-Channel Logout 1.0). */

import type { GatewayContext, GatewayResponse } from "./context.js";
import { GatewayFailure } from "./failure.js";
import { readForm } from "./form.js";
import { isNonEmptyString, isObject } from "./http.js";
import { CLOCK_TOLERANCE_SECS, type SignedClaims, verifySignature } from "./id-token.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import type { Settings } from "./settings.js";
import { userIdOf } from "./user.js";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** How long a logout token without `exp` is valid, in seconds. */
const LIFETIME_SECS = 120;

/**
 * The longest time until a logout token's end, in seconds. It is remembered as used until then, and as long as a revocation
 * at most.
 */
const MAX_REMAINING_SECS = 366 * 86_400;

/** The validated claims of a logout token: it names a session of the provider, a user, or both. */
interface LogoutToken {
  readonly jti: string;
  readonly sub: string | undefined;
  readonly sid: string | undefined;
  /** When it is over, the tolerance included, in seconds since 1970. */
  readonly expiresAt: number;
}

/** Ends the sessions that a logout token names. */
export async function backchannelLogout(
  request: GatewayRequest,
  { settings, provider, revocations }: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { issuer, store, metrics } = settings;
  if (!store) throw new GatewayFailure("not_found");
  const form = await readForm(request, settings);
  const [token, ...more] = form.getAll("logout_token");
  if (!token || more.length > 0) throw invalid();
  const signed = await verifySignature(token, provider).catch((error: unknown) => {
    const isUnavailable = error instanceof GatewayFailure && error.code !== "id_token_invalid";
    throw isUnavailable ? error : invalid();
  });
  const now = settings.now() / 1000;
  const { jti, sub, sid, expiresAt } = validateLogoutToken(signed, settings, now);
  if (await revocations.isLogoutTokenUsed(issuer, jti)) throw invalid();
  if (sid !== undefined) await revocations.revokeSid(issuer, sid);
  else if (sub !== undefined) await revocations.revokeUser(userIdOf(issuer, sub));
  // Afterwards: a token whose revocation failed counts when the provider sends it again.
  await revocations.markLogoutTokenUsed(issuer, jti, (expiresAt - now) * 1000);
  metrics.countEnded("revoked");
  entry.session = "ended";
  return { status: 200 };
}

/**
 * Validates the type and the claims of a signed logout token (Back-Channel Logout 1.0, 2.4 and 2.6).
 *
 * @throws {@link GatewayFailure} `logout_token_invalid`
 */
function validateLogoutToken(
  { header, claims }: SignedClaims,
  { issuer, clients }: Settings,
  now: number,
): LogoutToken {
  const { iss, aud, iat, exp, jti, sub, sid, events } = claims;
  if (header.typ !== undefined && !isLogoutTokenType(header.typ)) throw invalid();
  if (iss !== issuer) throw invalid();
  const isForClient = (audience: unknown) => typeof audience === "string" && clients.has(audience);
  if (![aud].flat().some(isForClient)) throw invalid();
  if (!isFiniteNumber(iat) || iat - CLOCK_TOLERANCE_SECS > now) throw invalid();
  const end = exp === undefined ? iat + LIFETIME_SECS : exp;
  if (!isFiniteNumber(end)) throw invalid();
  const expiresAt = end + CLOCK_TOLERANCE_SECS;
  if (expiresAt <= now || expiresAt - now > MAX_REMAINING_SECS) throw invalid();
  if (!isObject(events) || !isObject(events[EVENT])) throw invalid();
  if ("nonce" in claims) throw invalid();
  if (!isNonEmptyString(jti)) throw invalid();
  if (sub !== undefined && !isNonEmptyString(sub)) throw invalid();
  if (sid !== undefined && !isNonEmptyString(sid)) throw invalid();
  if (sub === undefined && sid === undefined) throw invalid();
  return { jti, sub, sid, expiresAt };
}

function isLogoutTokenType(typ: unknown): boolean {
  return /^(?:application\/)?(?:logout\+)?jwt$/i.test(String(typ));
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function invalid(): GatewayFailure {
  return new GatewayFailure("logout_token_invalid");
}
