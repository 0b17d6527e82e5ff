/** Handles `POST` and `DELETE {base}/session`, which read and end the session of one registration. */

import { authenticate } from "./client-auth.js";
import {
  type CountUpstream,
  findClient,
  type GatewayContext,
  type GatewayResponse,
} from "./context.js";
import { RequestCookies } from "./cookies.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { fetchFromProvider } from "./http.js";
import type { RequestLog } from "./log-writer.js";
import { needsRenewal, tokensEnd } from "./renewal.js";
import type { GatewayRequest } from "./request.js";
import type { FoundSessions } from "./session.js";
import type { OpenSession, Session } from "./session-codec.js";
import type { ClientSettings } from "./settings.js";
import { toJson } from "./token-response.js";

/**
 * Returns the session's tokens, renewed if they are about to end, and postpones its idle limit; 204 if there is no session,
 * or if the request names another one.
 */
export async function readSession(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, sessions, revocations, devices } = gateway;
  const { client, sessionId, found } = await findSession(request, gateway, entry);
  const { newest } = found;
  if (newest && (await revocations.isRevoked(newest))) {
    entry.session = "ended";
    settings.metrics.countEnded("revoked");
    return { status: 204, cookies: sessions.end(found, newest.session.id) };
  }
  // A provisional session counts only for the page that names it.
  const isNamed =
    sessionId === undefined ? !newest?.session.isProvisional : newest?.session.id === sessionId;
  if (found.unproved && request.header("secure-session-skipped") !== null) {
    throw new GatewayFailure("device_unproved", { headers: { "Retry-After": "5" } });
  }
  if (!newest || !isNamed) {
    entry.session = "none";
    // A browser that has no proof cookie gets a new one before its next request.
    const proofs = found.unproved ? found.cookies.clearProofs() : [];
    return { status: 204, cookies: [...sessions.clearStale(found), ...proofs] };
  }
  const current = await refreshIfNeeded(client, newest, found, gateway, entry, countUpstream);
  if (!current) {
    entry.session = "ended";
    settings.metrics.countEnded("grant-over");
    return { status: 204, cookies: sessions.end(found, newest.session.id) };
  }
  const now = Math.floor(settings.now() / 1000);
  const isRenewed = current !== newest.session;
  entry.session = isRenewed ? "renewed" : "kept";
  const needsSeal = isRenewed || current.isProvisional || sessions.needsSeal(newest, now);
  const { isProvisional: _, ...rest } = current;
  // The renewal may have begun before the session was bound to the device.
  const { deviceKey } = newest.session;
  const used = { ...rest, ...(deviceKey !== undefined && { deviceKey }), lastUsedAt: now };
  return {
    status: 200,
    body: toJson(
      {
        accessToken: current.accessToken,
        tokenType: current.tokenType,
        idToken: current.idToken,
        ...(current.scope && { scope: current.scope }),
        ...(current.expiresAt !== undefined && { expiresIn: Math.max(0, current.expiresAt - now) }),
      },
      current.id,
    ),
    ...(needsSeal
      ? {
          cookies: await sessions.seal(client, used, found),
          headers: await devices.offer(request, client, used, found.cookies.registrationKey),
        }
      : { cookies: sessions.clearStale(found) }),
  };
}

/**
 * Returns the session, renewed if its tokens are about to end; `null` if the provider says that the grant is over. A renewal that
 * fails for another reason does not sign the user out: while the access token lasts, the session stays as it is.
 */
async function refreshIfNeeded(
  client: ClientSettings,
  { session, claims }: OpenSession,
  found: FoundSessions,
  { settings, sessions, renewals }: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<Session | null> {
  const now = () => settings.now() / 1000;
  const { refreshToken } = session;
  if (!refreshToken || !needsRenewal(session, claims.exp, now())) return session;
  try {
    await countUpstream();
    return await renewals.renew(client, session, refreshToken);
  } catch (error) {
    if (error instanceof ProviderRefusal && error.error === "invalid_grant") {
      entry.recoveredError = error;
      return null;
    }
    if (error instanceof GatewayFailure && /^(id_token_invalid|user_mismatch)$/.test(error.code)) {
      throw new GatewayFailure(error.code, {
        ...error.details,
        cookies: sessions.end(found, session.id),
      });
    }
    // They may have expired while the renewal was pending.
    if (now() >= tokensEnd(session, claims.exp)) throw error;
    entry.recoveredError = error;
    return session;
  }
}

/**
 * Ends the session that the request names, or every session if it names none: clears its cookies and, if the provider has a
 * revocation endpoint, revokes its token (RFC 7009). The sign-out holds whether or not the provider responds.
 */
export async function endSession(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, sessions, renewals, revocations } = gateway;
  const { client, sessionId, found } = await findSession(request, gateway, entry);
  const { newest } = found;
  const ended = sessionId === undefined || newest?.session.id === sessionId ? newest : undefined;
  entry.session = ended ? "ended" : "none";
  if (ended) {
    settings.metrics.countEnded("sign-out");
    // Ends copies of the cookie. If the store is unavailable, this browser is signed out all the same.
    await revocations.revokeSession(ended.session.id).catch((error: unknown) => {
      entry.recoveredError = error;
    });
    const status = await renewals
      .latest(client, ended.session)
      .then((session) => revoke(client, session, gateway, countUpstream))
      .catch(() => undefined);
    if (status !== undefined) entry.upstreamStatus = status;
  }
  const cookies =
    sessionId === undefined
      ? sessions.endAll(found, settings.now())
      : sessions.end(found, sessionId);
  return { status: 204, cookies };
}

async function findSession(
  request: GatewayRequest,
  { settings, sessions }: GatewayContext,
  entry: RequestLog,
) {
  const parameters = new URLSearchParams(request.query);
  const client = findClient(settings, parameters, entry);
  const sessionId = readSessionId(parameters);
  const found = await sessions.find(client, new RequestCookies(request.header("cookie")));
  return { client, sessionId, found };
}

/**
 * Reads the session id that a request names.
 *
 * @throws {@link GatewayFailure} `request_invalid`
 */
export function readSessionId(parameters: URLSearchParams): string | undefined {
  const [sessionId, ...more] = parameters.getAll("session_id");
  if (more.length > 0 || (sessionId !== undefined && !/^[\w-]{43}$/.test(sessionId))) {
    throw new GatewayFailure("request_invalid");
  }
  return sessionId;
}

async function revoke(
  client: ClientSettings,
  session: Session,
  { settings, provider }: GatewayContext,
  countUpstream: CountUpstream,
): Promise<number | undefined> {
  const metadata = await provider.metadata();
  if (!metadata.revocation_endpoint) return undefined;
  await countUpstream();
  const form = new URLSearchParams({
    token: session.refreshToken ?? session.accessToken,
    token_type_hint: session.refreshToken ? "refresh_token" : "access_token",
  });
  const headers = authenticate(client, metadata, form);
  const { status } = await fetchFromProvider(settings, "revocation", metadata.revocation_endpoint, {
    method: "POST",
    form,
    headers,
  });
  return status;
}
