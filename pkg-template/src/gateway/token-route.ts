/**
 * `POST {base}/token`: the authorization code for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5). The ID token, its nonce and
 * its tenant are verified before anything is answered or sealed: the nonce is derived from the posted verifier, so a
 * code that this browser did not ask for is worthless here even if the provider ignores PKCE.
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
import { fetchFromProvider, requestTokens } from "./http.js";
import { deriveNonce, type IdTokenClaims, verifyIdToken } from "./id-token.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import { deriveSessionId, type Session } from "./session-codec.js";
import { readSessionId } from "./session-routes.js";
import type { ClientSettings } from "./settings.js";
import { readTokenResponse, toJson } from "./token-response.js";
import { toUser } from "./user.js";

const PARAMETERS = ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"];

/** Exchanges a code, verifies what came of it, seals the session and hands the tokens on. */
export async function exchange(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, provider, sessions, revocations } = gateway;
  const receivedAt = settings.now();
  const named = readSessionId(new URLSearchParams(request.query));
  const form = await readForm(request, settings);
  const client = findClient(settings, form, entry);
  const [code, verifier] = checkForm(form, client);
  const id = await deriveSessionId(verifier);
  if (named !== undefined && named !== id) throw new GatewayFailure("request_invalid");
  await revocations.assertAvailable();
  await countUpstream();
  const metadata = await provider.metadata();
  // The key set is fetched beside the exchange, not after it. Its failure is met when the keys are needed.
  provider.keys().catch(() => undefined);

  const upstream = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: form.get("redirect_uri") ?? "",
    code_verifier: verifier,
  });
  const headers = authenticate(client, metadata, upstream);
  const response = await requestTokens(
    settings,
    "token",
    metadata.token_endpoint,
    upstream,
    headers,
  );
  entry.upstreamStatus = response.status;
  const grant = readTokenResponse(response);
  if (!grant.idToken) {
    throw new GatewayFailure("upstream_invalid", { upstreamStatus: response.status });
  }

  const now = Math.floor(settings.now() / 1000);
  const nonce = await deriveNonce(verifier);
  const claims = await verifyIdToken(grant.idToken, provider, now, {
    issuer: settings.issuer,
    clientId: client.clientId,
    accessToken: grant.accessToken,
    nonce,
  });
  const tenant = await checkTenant(client, claims, grant.accessToken, gateway);
  const mark = await revocations.markOf(claims.iss, claims.sub);

  const cookies = new RequestCookies(request.header("cookie"));
  const found = await sessions.find(client, cookies);
  const session: Session = {
    id,
    order: sessions.nextOrder(found, receivedAt),
    ...(named !== undefined && { isProvisional: true }),
    idToken: grant.idToken,
    accessToken: grant.accessToken,
    tokenType: grant.tokenType,
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...(grant.scope && { scope: grant.scope }),
    ...(grant.expiresIn !== undefined && { expiresAt: now + Math.floor(grant.expiresIn) }),
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
    body: toJson(grant, id),
    headers: await gateway.devices.offer(request, client, session, found.cookies.registrationKey),
    cookies: lines,
  };
}

/** Each parameter once and no other (RFC 6749, 3.2), the redirect URI exactly (RFC 9700, 2.1). */
function checkForm(
  form: URLSearchParams,
  client: ClientSettings,
): readonly [code: string, verifier: string] {
  const names = [...form.keys()];
  const given = (name: string) => form.get(name) ?? "";
  if (
    names.length !== PARAMETERS.length ||
    !PARAMETERS.every((name) => given(name) !== "") ||
    // RFC 7636, 4.1.
    !/^[\w.~-]{43,128}$/.test(given("code_verifier"))
  ) {
    throw new GatewayFailure("request_invalid");
  }
  if (given("grant_type") !== "authorization_code") {
    throw new GatewayFailure("unsupported_grant_type");
  }
  if (!client.redirectUris.has(given("redirect_uri"))) {
    throw new GatewayFailure("unknown_redirect_uri");
  }
  return [given("code"), given("code_verifier")];
}

/**
 * Refuses tenants that this registration does not serve. If the ID token doesn't name the tenant the provider is
 * asked: UserInfo first, then my-info, which came with the very access token that the ID token came with.
 *
 * @returns the tenant if it had to be asked for.
 */
async function checkTenant(
  { allowedTenants }: ClientSettings,
  claims: IdTokenClaims,
  accessToken: string,
  { settings, provider }: GatewayContext,
): Promise<Session["tenant"]> {
  if (!allowedTenants) return undefined;
  let tenant = toUser({ claims }).tenant;
  let asked: Session["tenant"];
  const { userinfo_endpoint, my_info_endpoint } = await provider.metadata();
  const headers = { Authorization: `Bearer ${accessToken}` };
  const ask = async (endpoint: "userinfo" | "my-info", url: string) => {
    const { ok, status, json } = await fetchFromProvider(settings, endpoint, url, { headers });
    // ClassLink may report an error as HTTP 200 with a numeric `status` in the body.
    if (!ok || !json || typeof json.status === "number")
      throw new GatewayFailure("upstream_invalid", { upstreamStatus: status });
    return json;
  };
  if (!tenant && userinfo_endpoint) {
    const userInfo = await ask("userinfo", userinfo_endpoint);
    // OpenID Connect Core 1.0, 5.3.2.
    if (userInfo.sub !== claims.sub) throw new GatewayFailure("user_mismatch");
    asked = tenant = toUser({ claims, userInfo }).tenant;
  }
  if (!tenant && my_info_endpoint) {
    const user = toUser({ claims, myInfo: await ask("my-info", my_info_endpoint) });
    // my-info has no `sub`; if that and its UserId are both ClassLink's numbers, they are the same.
    const numbers = [claims.sub, user.userId ?? ""].every((one) => /^\d+$/.test(one));
    if (numbers && user.userId !== claims.sub) throw new GatewayFailure("user_mismatch");
    asked = tenant = user.tenant;
  }
  if (!tenant) throw new GatewayFailure("tenant_not_allowed", { reason: "tenant_unknown" });
  if (!allowedTenants.has(tenant.id)) {
    throw new GatewayFailure("tenant_not_allowed", { reason: "tenant_other" });
  }
  return asked;
}
