/**
 * Handles `POST {base}/device`, which the browser itself requests for a device-bound session: first to register a key, and then
 * to prove that it has it (W3C, Device Bound Session Credentials, "Server considerations").
 */

import type { GatewayContext, GatewayResponse } from "./context.js";
import { proofCookie, RequestCookies } from "./cookies.js";
import { checkCsrf } from "./csrf.js";
import { GatewayFailure } from "./failure.js";
import type { RequestLog } from "./log-writer.js";
import type { GatewayRequest } from "./request.js";
import type { FoundSessions } from "./session.js";
import type { ClientSettings } from "./settings.js";

/** Registers a device's key, or refreshes its proof. */
export async function bindDevice(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings, sessions } = gateway;
  if (!settings.isDeviceBound) throw new GatewayFailure("not_found");
  checkCsrf(request, settings);
  const [registrationKey = "", ...more] = new URLSearchParams(request.query).getAll("registration");
  const client = more.length === 0 ? await sessions.findClient(registrationKey) : undefined;
  if (!client) throw new GatewayFailure("request_invalid");
  if (client.district !== undefined) entry.district = client.district;
  const found = await sessions.find(client, new RequestCookies(request.header("cookie")));
  const proof = readString(request.header("secure-session-response"));
  const sessionId = readString(request.header("sec-secure-session-id"));
  return sessionId === null
    ? register(proof, client, found, gateway, entry)
    : refresh(proof, sessionId, client, found, gateway, entry);
}

async function register(
  proof: string | null,
  client: ClientSettings,
  found: FoundSessions,
  { sessions, revocations, devices }: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { newest } = found;
  const isUnbound = newest && !newest.session.isProvisional && !newest.session.deviceKey;
  if (proof === null || !isUnbound || (await revocations.isRevoked(newest))) {
    throw new GatewayFailure("request_invalid");
  }
  const { session } = newest;
  const deviceKey = await devices.verify(client, session.id, proof, undefined);
  if (deviceKey === undefined) throw new GatewayFailure("device_proof_invalid");
  entry.session = "sealed";
  return {
    status: 200,
    body: instructions(session.id, found),
    cookies: [
      ...(await sessions.seal(client, { ...session, deviceKey }, found)),
      await devices.writeProof(client, session.id, found.cookies),
    ],
  };
}

async function refresh(
  proof: string | null,
  sessionId: string,
  client: ClientSettings,
  found: FoundSessions,
  { revocations, devices }: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const open = found.newest ?? found.unproved;
  const { id, deviceKey } = open?.session ?? {};
  const isOver = id !== sessionId || !deviceKey || !open || (await revocations.isRevoked(open));
  if (isOver) {
    entry.session = "none";
    return {
      status: 200,
      body: JSON.stringify({ session_identifier: sessionId, continue: false }),
      cookies: found.cookies.clearProofs(),
    };
  }
  const proved = proof === null ? undefined : await devices.verify(client, id, proof, deviceKey);
  if (proved === undefined) {
    const challenge = await devices.newChallenge(client, id);
    throw new GatewayFailure("device_proof_required", {
      headers: { "Secure-Session-Challenge": `"${challenge}";id="${id}"` },
    });
  }
  // The browser has the bound cookie now, so copies from before the registration may end.
  await revocations.requireDevice(id);
  entry.session = "kept";
  return {
    status: 200,
    body: instructions(id, found),
    cookies: [await devices.writeProof(client, id, found.cookies)],
  };
}

/** Writes the session instructions: every request to this origin needs the proof cookie, and this URL refreshes it. */
function instructions(sessionId: string, { cookies }: FoundSessions): string {
  return JSON.stringify({
    session_identifier: sessionId,
    scope: { include_site: false, scope_specification: [] },
    credentials: [{ type: "cookie", ...proofCookie(cookies.registrationKey, sessionId) }],
  });
}

/** Reads a string (RFC 9651, 3.3.3), or the bare text that Chromium sends. Session ids and JWTs have no escapes. */
function readString(header: string | null): string | null {
  return header === null ? null : header.replace(/^"(.*)"$/, "$1");
}
