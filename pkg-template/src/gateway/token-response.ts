/** A token response (RFC 6749, 5.1; OpenID Connect Core 1.0, 3.1.3.3), its members checked one by one. */

import { GatewayFailure } from "./failure.js";
import { isNonEmptyString, type JsonObject } from "./http.js";

/** The response of a token endpoint. */
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
 * @throws {@link GatewayFailure} `upstream_invalid` if a required member is missing or malformed.
 */
export function readTokenResponse({
  status,
  json,
}: {
  status: number;
  json: JsonObject;
}): TokenResponse {
  const invalid = () => new GatewayFailure("upstream_invalid", { upstreamStatus: status });
  const text = (name: string): string | undefined => {
    const value = json[name];
    return isNonEmptyString(value) ? value : undefined;
  };
  const accessToken = text("access_token");
  const tokenType = text("token_type");
  if (!accessToken || tokenType?.toLowerCase() !== "bearer") throw invalid();
  const idToken = text("id_token");
  if ("id_token" in json && idToken === undefined) throw invalid();
  const expiresIn = readSeconds(json.expires_in);
  const refreshToken = text("refresh_token");
  const scope = readScope(json.scope);
  if (scope === undefined) throw invalid();
  const responseType = text("response_type");
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

/** Reads `expires_in`: a number, or a string with a JSON number; `undefined` if it is neither, or negative. */
function readSeconds(value: unknown): number | undefined {
  const isNumeral =
    typeof value === "string" &&
    /^[ \t\r\n]*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?[ \t\r\n]*$/i.test(value);
  const seconds = isNumeral ? Number(value) : value;
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0
    ? seconds
    : undefined;
}

/** Reads `scope`: `""` if it is absent or `null`; an array of strings is joined; `undefined` if it is anything else. */
function readScope(value: unknown): string | undefined {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) {
    return value.every((one) => typeof one === "string") ? value.join(" ") : undefined;
  }
  return typeof value === "string" ? value : undefined;
}

/** Writes a token response for the SDK, without the refresh token: that stays in the sealed session. */
export function toJson(tokens: TokenResponse, sessionId: string): string {
  return JSON.stringify({
    session_id: sessionId,
    access_token: tokens.accessToken,
    token_type: tokens.tokenType,
    id_token: tokens.idToken,
    scope: tokens.scope,
    expires_in: tokens.expiresIn,
    response_type: tokens.responseType,
  });
}
