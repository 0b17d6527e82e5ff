/** A token response (RFC 6749, 5.1; OpenID Connect Core 1.0, 3.1.3.3), its members checked one by one. */

import { GatewayFailure } from "./failure.js";
import type { JsonObject } from "./http.js";

/** What a token endpoint granted. */
export interface TokenResponse {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly idToken?: string;
  readonly refreshToken?: string;
  readonly scope?: string;
  /** Seconds. */
  readonly expiresIn?: number;
  /** ClassLink's extra member. */
  readonly responseType?: string;
}

/**
 * Reads a token response.
 *
 * @throws {@link GatewayFailure} `upstream_invalid` where a member that must be there is not, or one has another type.
 */
export function readTokenResponse({
  status,
  json,
}: {
  status: number;
  json: JsonObject;
}): TokenResponse {
  const invalid = () => new GatewayFailure("upstream_invalid", { upstreamStatus: status });
  const optional = (name: string): string | undefined => {
    const value = json[name] ?? undefined;
    if (value !== undefined && typeof value !== "string") throw invalid();
    return value || undefined;
  };
  const accessToken = optional("access_token");
  const tokenType = optional("token_type");
  if (!accessToken || tokenType?.toLowerCase() !== "bearer") throw invalid();
  // Some providers write the number as a string.
  const seconds = json.expires_in ?? undefined;
  const expiresIn =
    typeof seconds === "string" && /^\d+$/.test(seconds) ? Number(seconds) : seconds;
  if (
    expiresIn !== undefined &&
    !(typeof expiresIn === "number" && expiresIn >= 0 && Number.isFinite(expiresIn))
  ) {
    throw invalid();
  }
  const idToken = optional("id_token");
  const refreshToken = optional("refresh_token");
  const scope = optional("scope");
  const responseType = optional("response_type");
  return {
    accessToken,
    tokenType,
    ...(idToken && { idToken }),
    ...(refreshToken && { refreshToken }),
    ...(scope && { scope }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(responseType && { responseType }),
  };
}

/** Writes a token response for the SDK. There is no refresh token in it: that stays in the sealed session. */
export function toJson(grant: TokenResponse, sessionId: string): string {
  return JSON.stringify({
    session_id: sessionId,
    access_token: grant.accessToken,
    token_type: grant.tokenType,
    id_token: grant.idToken,
    scope: grant.scope,
    expires_in: grant.expiresIn,
    response_type: grant.responseType,
  });
}
