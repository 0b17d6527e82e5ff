/**
 * Binds sessions to devices (W3C, Device Bound Session Credentials): the browser creates a key that does not leave the device,
 * and proves every few minutes that it has it. A copied cookie is useless once the last proof has expired.
 *
 * The sealed session holds the public key. Beside it the browser has a proof cookie for {@link PROOF_SECS}: a session with
 * a key counts only with it, and only a proof by the key renews it. The gateway stores nothing: challenges and proof cookies
 * are sealed with the session id and the time at which they expire.
 */

import { compactVerify, importJWK, type JWK } from "jose";
import { type RegistrationCookies, sessionTag } from "./cookies.js";
import { decodeBase64Url, encodeBase64Url } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import { decodeUtf8, isObject, parseJson } from "./http.js";
import type { GatewayRequest } from "./request.js";
import type { Sealing } from "./sealing.js";
import type { Session } from "./session-codec.js";
import type { ClientSettings, Settings } from "./settings.js";

/** How long a proof is valid, in seconds. Chromium refuses to sign more often than about every 90. */
const PROOF_SECS = 300;

/** How much longer the server accepts a proof than the browser keeps it, in seconds: a request may be on its way. */
const GRACE_SECS = 30;

/** How long a challenge is valid, in seconds: some security modules need long to create a key. */
const CHALLENGE_SECS = 120;

const utf8 = new TextEncoder();

/** Offers the binding, and verifies proofs. */
export class DeviceBinding {
  readonly #settings: Settings;
  readonly #sealing: Sealing;

  constructor(settings: Settings, sealing: Sealing) {
    this.#settings = settings;
    this.#sealing = sealing;
  }

  /**
   * Returns the header that offers the browser to bind a session. Only pages of the gateway's own origin get it, in browsers
   * with Fetch Metadata: others could not bind it.
   */
  async offer(
    request: GatewayRequest,
    client: ClientSettings,
    session: Session,
    registrationKey: string,
  ): Promise<Record<string, string>> {
    const isOffered =
      this.#settings.isDeviceBound &&
      session.deviceKey === undefined &&
      !session.isProvisional &&
      request.header("sec-fetch-site") === "same-origin";
    if (!isOffered) return {};
    const challenge = await this.newChallenge(client, session.id);
    // The path is relative to this request's, so that a proxy may change what comes before it.
    return {
      "Secure-Session-Registration": `(ES256);path="device?registration=${registrationKey}";challenge="${challenge}"`,
    };
  }

  /** Returns whether a session may be used: it is not bound to a device, or the browser has a valid proof. */
  async isProved(
    client: ClientSettings,
    { id, deviceKey }: Session,
    cookies: RegistrationCookies,
  ): Promise<boolean> {
    if (deviceKey === undefined || !this.#settings.isDeviceBound) return true;
    const proof = cookies.proofs.get(sessionTag(id, true));
    return proof !== undefined && (await this.#isOpen("device proof", client, id, proof));
  }

  /** Writes the `Set-Cookie` value of a new proof. */
  async writeProof(
    client: ClientSettings,
    sessionId: string,
    cookies: RegistrationCookies,
  ): Promise<string> {
    const proof = await this.#seal("device proof", client, sessionId, PROOF_SECS + GRACE_SECS);
    return cookies.writeProof(sessionTag(sessionId, true), proof, PROOF_SECS);
  }

  /** Creates a challenge for a session. */
  newChallenge(client: ClientSettings, sessionId: string): Promise<string> {
    return this.#seal("device challenge", client, sessionId, CHALLENGE_SECS);
  }

  /**
   * Verifies a proof: a JWT, signed by the device's key, whose `jti` is a challenge of this session.
   *
   * @param deviceKey the session's key; absent at the registration, which has it in the JWT's header
   * @returns the key, or `undefined` if the challenge has expired or is another session's.
   * @throws {@link GatewayFailure} `device_proof_invalid`
   */
  async verify(
    client: ClientSettings,
    sessionId: string,
    proof: string,
    deviceKey: string | undefined,
  ): Promise<string | undefined> {
    const invalid = () => new GatewayFailure("device_proof_invalid");
    const [header, claims] = proof.split(".").slice(0, 2).map(readPart);
    if (header?.alg !== "ES256" || header.typ !== "dbsc+jwt" || typeof claims?.jti !== "string") {
      throw invalid();
    }
    const key = deviceKey ?? readKey(header.jwk);
    if (key === undefined) throw invalid();
    await importJWK(toJwk(key), "ES256")
      .then((imported) => compactVerify(proof, imported, { algorithms: ["ES256"] }))
      .catch(() => {
        throw invalid();
      });
    const isOpen = await this.#isOpen("device challenge", client, sessionId, claims.jti);
    return isOpen ? key : undefined;
  }

  #seal(purpose: string, { clientId }: ClientSettings, sessionId: string, seconds: number) {
    const end = Math.floor(this.#settings.now() / 1000) + seconds;
    return this.#sealing.seal(clientId, utf8.encode(String(end)), [purpose, sessionId]);
  }

  async #isOpen(
    purpose: string,
    { clientId }: ClientSettings,
    sessionId: string,
    sealed: string,
  ): Promise<boolean> {
    const opened = await this.#sealing.open(clientId, sealed, [purpose, sessionId]);
    return opened !== undefined && Number(decodeUtf8(opened.content)) > this.#settings.now() / 1000;
  }
}

function readPart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseJson(decodeUtf8(decodeBase64Url(part)) ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the coordinates of a P-256 key, as base64url of 64 bytes; `undefined` if it is another key. */
function readKey(jwk: unknown): string | undefined {
  if (!isObject(jwk) || jwk.kty !== "EC" || jwk.crv !== "P-256") return undefined;
  const { x, y } = jwk;
  if (typeof x !== "string" || typeof y !== "string") return undefined;
  if (!/^[\w-]{43}$/.test(x) || !/^[\w-]{43}$/.test(y)) return undefined;
  const point = new Uint8Array(64);
  point.set(decodeBase64Url(x));
  point.set(decodeBase64Url(y), 32);
  return encodeBase64Url(point);
}

function toJwk(key: string): JWK {
  const point = decodeBase64Url(key);
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map(encodeBase64Url);
  return { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" };
}
