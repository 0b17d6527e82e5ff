/**
 * Signs assertions: short-lived JWTs (RFC 7519, ES256) that tell a back end in any language the user of a request, without a
 * key shared with the gateway.
 */

import { encodeBase64Url, sha256 } from "./encoding.js";
import { nodeCrypto } from "./platform.js";
import { userOf } from "./session.js";
import type { OpenSession } from "./session-codec.js";
import type { AssertionSettings, ClientSettings, PrivateKey } from "./settings.js";

/** How long an assertion is valid, in seconds. */
const LIFETIME_SECS = 60;

/** The longest text of a user's member; longer ones are left out, since proxies limit the size of headers. */
const MEMBER_LIMIT_CHARS = 512;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface SigningKey {
  readonly kid: string;
  /** The public key. */
  readonly jwk: Readonly<Record<string, string>>;
  sign(input: string): string | Promise<string>;
}

/** Signs assertions, and publishes the keys that verify them. */
export class AssertionSigner {
  readonly #settings: AssertionSettings;
  #keys: Promise<readonly SigningKey[]> | undefined;

  constructor(settings: AssertionSettings) {
    this.#settings = settings;
  }

  /**
   * Signs an assertion of a session's user.
   *
   * @param expiresAt when the session ends, in seconds since 1970
   * @param now in seconds since 1970
   */
  async sign(
    open: OpenSession,
    { clientId }: ClientSettings,
    expiresAt: number,
    now: number,
  ): Promise<string> {
    const [key] = await this.#imported();
    if (!key) throw new TypeError("There is no assertion key.");
    const { claims: _, ...user } = userOf(open);
    const iat = Math.floor(now);
    const claims = {
      iss: this.#settings.issuer,
      aud: this.#settings.audience,
      sub: user.id,
      sid: open.session.id,
      client_id: clientId,
      iat,
      exp: Math.min(iat + LIFETIME_SECS, Math.floor(expiresAt)),
      ...(open.session.scope && { scope: open.session.scope }),
      user: Object.fromEntries(
        Object.entries(user).filter(
          ([, value]) => typeof value !== "string" || value.length <= MEMBER_LIMIT_CHARS,
        ),
      ),
    };
    const input = [{ alg: "ES256", kid: key.kid, typ: "JWT" }, claims]
      .map((part) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(part))))
      .join(".");
    return `${input}.${await key.sign(input)}`;
  }

  /** Returns the JWK Set (RFC 7517, 5) of the public keys. */
  async keySet(): Promise<string> {
    const keys = await this.#imported();
    return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
  }

  #imported(): Promise<readonly SigningKey[]> {
    this.#keys ??= Promise.all(this.#settings.keys.map(importKey));
    return this.#keys;
  }
}

async function importKey(given: PrivateKey): Promise<SigningKey> {
  const key = await importPrivate(given);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", key);
  // RFC 7638, 3.2: the required members in this order.
  const kid = await sha256(JSON.stringify({ crv: "P-256", kty: "EC", x, y }));
  const jwk = { kty: "EC", crv: "P-256", x, y, kid, alg: "ES256", use: "sig" };
  if (nodeCrypto) {
    const { createPrivateKey, sign } = nodeCrypto;
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
    const privateKey = createPrivateKey({
      key: Buffer.from(pkcs8),
      format: "der",
      type: "pkcs8",
    });
    return {
      kid,
      jwk,
      sign: (input) =>
        sign("sha256", Buffer.from(input), {
          key: privateKey,
          dsaEncoding: "ieee-p1363",
        }).toString("base64url"),
    };
  }
  return {
    kid,
    jwk,
    sign: async (input) => {
      const bytes = new TextEncoder().encode(input);
      return encodeBase64Url(new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, bytes)));
    },
  };
}

async function importPrivate(given: PrivateKey): Promise<CryptoKey> {
  if (given instanceof Uint8Array) {
    return crypto.subtle.importKey("pkcs8", given, ALGORITHM, true, ["sign"]);
  }
  const { kty, crv, x, y, d } = given;
  const jwk = { kty, crv, x, y, d } as JsonWebKey;
  return crypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["sign"]);
}
