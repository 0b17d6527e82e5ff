/** `POST` and `DELETE {base}/session`: the sealed session of one registration, and its end. */

import { authenticate } from "./client-auth.js";
import {
  type CountUpstream,
  findClient,
  type GatewayContext,
  type GatewayResponse,
} from "./context.js";
import { RequestCookies } from "./cookies.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { askProvider } from "./http.js";
import type { RequestLog } from "./log.js";
import type { ClientSettings } from "./options.js";
import { needsRenewal } from "./renewal.js";
import type { FoundSessions, OpenSession, Session } from "./session.js";
import { toJson } from "./token-response.js";

/** A session that is asked for again within this time is not sealed again, in seconds. */
const RESEAL_SECS = 60;

/**
 * Returns the session's tokens, renewed if they must be, and postpones its idle limit; 204 if there is none, or if the
 * request names another than the one that there is.
 */
export async function readSession(
  request: Request,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, sessions } = gateway;
  const { client, sessionId, found } = await findSession(request, gateway, entry);
  const { newest } = found;
  const isMeant =
    sessionId === undefined ? !newest?.session.isProvisional : newest?.session.id === sessionId;
  if (!newest || !isMeant) {
    entry.session = "none";
    return { status: 204, cookies: sessions.clearStale(found) };
  }
  const current = await refreshIfNeeded(client, newest, found, gateway, entry, countUpstream);
  if (!current) {
    entry.session = "ended";
    return { status: 204, cookies: sessions.end(found, newest.session.id) };
  }
  const now = Math.floor(settings.now() / 1000);
  const isRenewed = current !== newest.session;
  entry.session = isRenewed ? "renewed" : "kept";
  const age = now - newest.session.lastUsedAt;
  const isSealed =
    !isRenewed &&
    !newest.isOutdated &&
    !current.isProvisional &&
    age >= 0 &&
    age < Math.min(RESEAL_SECS, settings.idleTimeout / 10);
  const { isProvisional: _, ...named } = current;
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
    cookies: isSealed
      ? sessions.clearStale(found)
      : await sessions.seal(client, { ...named, lastUsedAt: now }, found),
  };
}

/**
 * Returns the session, renewed where it must be; `null` where the provider says that the grant is over. A renewal that
 * fails for another reason is no sign-out: while the access token lasts, the session stays as it is.
 */
async function refreshIfNeeded(
  client: ClientSettings,
  { session, claims }: OpenSession,
  found: FoundSessions,
  { settings, sessions, renewals }: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<Session | null> {
  const now = settings.now() / 1000;
  const { refreshToken } = session;
  if (!refreshToken || !needsRenewal(session, claims.exp, now)) return session;
  try {
    countUpstream();
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
    if (now >= (session.expiresAt ?? claims.exp)) throw error;
    entry.recoveredError = error;
    return session;
  }
}

/**
 * Ends the session that the request names, or whichever there is, and leaves another's alone: clears its cookies and,
 * where the provider can, revokes its token (RFC 7009). The provider's answer changes nothing: a sign-out holds also while
 * the provider is down.
 */
export async function endSession(
  request: Request,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
): Promise<GatewayResponse> {
  const { settings, sessions, renewals } = gateway;
  const { client, sessionId, found } = await findSession(request, gateway, entry);
  const { newest } = found;
  const ended = sessionId === undefined || newest?.session.id === sessionId ? newest : undefined;
  entry.session = ended ? "ended" : "none";
  if (ended) {
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
  request: Request,
  { settings, sessions }: GatewayContext,
  entry: RequestLog,
) {
  const parameters = new URL(request.url).searchParams;
  const client = findClient(settings, parameters, entry);
  const sessionId = readSessionId(parameters);
  const found = await sessions.find(client, new RequestCookies(request.headers.get("Cookie")));
  return { client, sessionId, found };
}

/**
 * The session that a request names.
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
  countUpstream();
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
