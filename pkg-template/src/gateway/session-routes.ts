/** `POST` and `DELETE {base}/session?client_id=…`: the session in the sealed cookie, and its end. */

import { authenticate } from "./client-auth.js";
import { findClient, type GatewayContext, type GatewayResponse } from "./context.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { askProvider } from "./http.js";
import type { RequestLog } from "./log.js";
import type { ClientSettings } from "./options.js";
import { needsRenewal } from "./renewal.js";
import type { OpenSession, Session } from "./session.js";
import { toJson } from "./token-response.js";

/** Answers with the session's tokens, renewed if they must be, and puts its idle limit off; 204 when there is none. */
export async function readSession(
  request: Request,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings, sessions } = gateway;
  const client = findClient(settings, new URL(request.url).searchParams, entry);
  const cookies = request.headers.get("Cookie");
  const open = await sessions.open(client, cookies);
  if (!open) {
    entry.session = "none";
    return { status: 204, cookies: await sessions.clear(client, cookies) };
  }
  const current = await refreshIfNeeded(client, open, gateway, cookies, entry);
  if (!current) {
    entry.session = "ended";
    return { status: 204, cookies: await sessions.clear(client, cookies) };
  }
  const now = Math.floor(settings.now() / 1000);
  entry.session = current === open.session ? "kept" : "renewed";
  return {
    status: 200,
    body: toJson({
      accessToken: current.accessToken,
      tokenType: current.tokenType,
      idToken: current.idToken,
      ...(current.scope && { scope: current.scope }),
      ...(current.expiresAt !== undefined && { expiresIn: Math.max(0, current.expiresAt - now) }),
    }),
    cookies: await sessions.seal(client, { ...current, lastUsedAt: now }, cookies),
  };
}

/**
 * The session, renewed where it must be; `null` where the provider says that the grant is over. A renewal that fails
 * for another reason is no sign-out: while the access token lasts, the session stays as it is.
 */
async function refreshIfNeeded(
  client: ClientSettings,
  { session, claims }: OpenSession,
  { settings, sessions, renewals }: GatewayContext,
  cookies: string | null,
  entry: RequestLog,
): Promise<Session | null> {
  const now = settings.now() / 1000;
  const { refreshToken } = session;
  if (!refreshToken || !needsRenewal(session, claims.exp, now)) return session;
  try {
    return await renewals.renew(client, session, refreshToken);
  } catch (error) {
    if (error instanceof ProviderRefusal && error.error === "invalid_grant") {
      entry.recoveredError = error;
      return null;
    }
    if (error instanceof GatewayFailure && /^(id_token_invalid|user_mismatch)$/.test(error.code)) {
      throw new GatewayFailure(error.code, {
        ...error.details,
        cookies: await sessions.clear(client, cookies),
      });
    }
    if (now >= (session.expiresAt ?? claims.exp)) throw error;
    entry.recoveredError = error;
    return session;
  }
}

/**
 * Ends the session: clears its cookies and, where the provider can, revokes its token (RFC 7009). The provider's answer
 * changes nothing: a sign-out holds also while the provider is down.
 */
export async function endSession(
  request: Request,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings, sessions } = gateway;
  const client = findClient(settings, new URL(request.url).searchParams, entry);
  const cookies = request.headers.get("Cookie");
  const open = await sessions.open(client, cookies);
  entry.session = open ? "ended" : "none";
  if (open) {
    const status = await revoke(client, open.session, gateway).catch(() => undefined);
    if (status !== undefined) entry.upstreamStatus = status;
  }
  return { status: 204, cookies: await sessions.clear(client, cookies) };
}

async function revoke(
  client: ClientSettings,
  session: Session,
  { settings, provider }: GatewayContext,
): Promise<number | undefined> {
  const metadata = await provider.metadata();
  if (!metadata.revocation_endpoint) return undefined;
  const form = new URLSearchParams({
    token: session.refreshToken ?? session.accessToken,
    token_type_hint: session.refreshToken ? "refresh_token" : "access_token",
  });
  const headers = authenticate(client, metadata, form);
  const { status } = await askProvider(settings, metadata.revocation_endpoint, {
    method: "POST",
    form,
    headers,
  });
  return status;
}
