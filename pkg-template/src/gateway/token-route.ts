/**
 * Handles `POST {base}/token`, which exchanges the authorization code for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5). The ID
 * token, its nonce and its tenant are verified before the session is sealed: the nonce is derived from the posted verifier, so
 * a code that another browser requested is refused even if the provider ignores PKCE.
 */

import { authenticate } from "./client-auth.js";
import {
  type CountUpstream,
  findClient,
  type GatewayContext,
  type GatewayResponse,
} from "./context.js";
import { RequestCookies } from "./cookies.js";
import { GatewayFailure } from "./failure.js";
import { readForm } from "./form.js";
import { fetchFromProvider, type JsonObject, requestTokens } from "./http.js";
import { deriveNonce, type IdTokenClaims, verifyIdToken } from "./id-token.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import { deriveSessionId, type Session } from "./session-codec.js";
import { readSessionId } from "./session-routes.js";
import type { ClientSettings, Settings } from "./settings.js";
import { readTokenResponse, toJson } from "./token-response.js";
import { toUser } from "./user.js";

const PARAMETERS = ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"];

/** Exchanges a code, verifies the tokens, seals the session and returns the tokens. */
export async function exchange(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, provider, sessions, revocations } = gateway;
  const receivedAt = settings.now();
  const namedId = readSessionId(new URLSearchParams(request.query));
  const form = await readForm(request, settings);
  const client = findClient(settings, form, entry);
  const { code, verifier, redirectUri } = validateForm(form, client);
  const id = await deriveSessionId(verifier);
  if (namedId !== undefined && namedId !== id) throw new GatewayFailure("request_invalid");
  await revocations.assertAvailable();
  await countUpstream();
  const metadata = await provider.metadata();
  // The key set is fetched during the exchange. If that fails, the verification does.
  provider.keys().catch(() => undefined);

  const grant = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const headers = authenticate(client, metadata, grant);
  const response = await requestTokens(settings, "token", metadata.token_endpoint, grant, headers);
  entry.upstreamStatus = response.status;
  const tokens = readTokenResponse(response);
  if (!tokens.idToken) {
    throw new GatewayFailure("upstream_invalid", { upstreamStatus: response.status });
  }

  const now = Math.floor(settings.now() / 1000);
  const nonce = await deriveNonce(verifier);
  const claims = await verifyIdToken(tokens.idToken, provider, now, {
    issuer: settings.issuer,
    clientId: client.clientId,
    accessToken: tokens.accessToken,
    nonce,
  });
  const tenant = await checkTenant(client, claims, tokens.accessToken, gateway);
  const mark = await revocations.markOf(claims.iss, claims.sub);

  const cookies = new RequestCookies(request.header("cookie"));
  const found = await sessions.find(client, cookies);
  const session: Session = {
    id,
    order: sessions.nextOrder(found, receivedAt),
    ...(namedId !== undefined && { isProvisional: true }),
    idToken: tokens.idToken,
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    ...(tokens.refreshToken && { refreshToken: tokens.refreshToken }),
    ...(tokens.scope && { scope: tokens.scope }),
    ...(tokens.expiresIn !== undefined && { expiresAt: now + Math.floor(tokens.expiresIn) }),
    ...(tenant && { tenant }),
    ...mark,
    nonce,
    createdAt: now,
    lastUsedAt: now,
    obtainedAt: now,
  };
  const lines = await sessions.sealNew(client, session, found, cookies);
  entry.session = "sealed";
  settings.metrics.countBegun();
  return {
    status: 200,
    body: toJson(tokens, id),
    headers: await gateway.devices.offer(request, client, session, found.cookies.registrationKey),
    cookies: lines,
  };
}

/**
 * Validates the token request: each parameter once and no other (RFC 6749, 3.2), and the redirect URI exactly (RFC 9700, 2.1).
 *
 * @throws {@link GatewayFailure} `request_invalid`, `unsupported_grant_type`, `unknown_redirect_uri`
 */
function validateForm(
  form: URLSearchParams,
  client: ClientSettings,
): { code: string; verifier: string; redirectUri: string } {
  const names = [...form.keys()];
  const value = (name: string) => form.get(name) ?? "";
  const isComplete =
    names.length === PARAMETERS.length && PARAMETERS.every((name) => value(name) !== "");
  const verifier = value("code_verifier");
  // RFC 7636, 4.1.
  if (!isComplete || !/^[\w.~-]{43,128}$/.test(verifier)) {
    throw new GatewayFailure("request_invalid");
  }
  if (value("grant_type") !== "authorization_code") {
    throw new GatewayFailure("unsupported_grant_type");
  }
  const redirectUri = value("redirect_uri");
  if (!client.redirectUris.has(redirectUri)) throw new GatewayFailure("unknown_redirect_uri");
  return { code: value("code"), verifier, redirectUri };
}

/**
 * Refuses users of tenants that this registration does not serve. If the ID token does not name the tenant, it is fetched:
 * from UserInfo, then from my-info, with the access token of the same token response.
 *
 * @returns the tenant if it had to be fetched.
 * @throws {@link GatewayFailure} `tenant_not_allowed`, `user_mismatch`, `upstream_invalid`
 */
async function checkTenant(
  { allowedTenants }: ClientSettings,
  claims: IdTokenClaims,
  accessToken: string,
  gateway: GatewayContext,
): Promise<Session["tenant"]> {
  if (!allowedTenants) return undefined;
  const claimed = toUser({ claims }).tenant;
  const fetched = claimed ? undefined : await fetchTenant(claims, accessToken, gateway);
  const tenant = claimed ?? fetched;
  if (!tenant) throw new GatewayFailure("tenant_not_allowed", { reason: "tenant_unknown" });
  if (!allowedTenants.has(tenant.id)) {
    throw new GatewayFailure("tenant_not_allowed", { reason: "tenant_other" });
  }
  return fetched;
}

async function fetchTenant(
  claims: IdTokenClaims,
  accessToken: string,
  { settings, provider }: GatewayContext,
): Promise<Session["tenant"]> {
  const { userinfo_endpoint, my_info_endpoint } = await provider.metadata();
  if (userinfo_endpoint) {
    const userInfo = await fetchProfile("userinfo", userinfo_endpoint, accessToken, settings);
    // OpenID Connect Core 1.0, 5.3.2.
    if (userInfo.sub !== claims.sub) throw new GatewayFailure("user_mismatch");
    const { tenant } = toUser({ claims, userInfo });
    if (tenant) return tenant;
  }
  if (!my_info_endpoint) return undefined;
  const myInfo = await fetchProfile("my-info", my_info_endpoint, accessToken, settings);
  const { userId, tenant } = toUser({ claims, myInfo });
  // my-info has no `sub`. If `sub` and UserId are both ClassLink's numbers, they are the same one.
  const areNumbers = /^\d+$/.test(claims.sub) && /^\d+$/.test(userId ?? "");
  if (areNumbers && userId !== claims.sub) throw new GatewayFailure("user_mismatch");
  return tenant;
}

async function fetchProfile(
  endpoint: "userinfo" | "my-info",
  url: string,
  accessToken: string,
  settings: Settings,
): Promise<JsonObject> {
  const headers = { Authorization: `Bearer ${accessToken}` };
  const { ok, status, json } = await fetchFromProvider(settings, endpoint, url, { headers });
  // ClassLink may report an error as HTTP 200 with a numeric `status` in the body.
  if (!ok || !json || typeof json.status === "number") {
    throw new GatewayFailure("upstream_invalid", { upstreamStatus: status });
  }
  return json;
}
