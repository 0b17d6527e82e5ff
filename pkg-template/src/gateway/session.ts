/**
 * The session: sealed into cookies (JWE, RFC 7516, `dir` with A256GCM), so that any instance can read it and none has
 * to remember it. Whoever changes, cuts, mixes or copies cookies between registrations has no session.
 */

import { base64url, CompactEncrypt, compactDecrypt } from "jose";
import type { User } from "../shared-types.js";
import { CHUNK_SIZE, clearCookies, cookieName, readChunks, writeChunks } from "./cookies.js";
import { GatewayFailure } from "./failure.js";
import { decodeUtf8, isObject, type JsonObject, parseJson } from "./http.js";
import { type IdTokenClaims, readClaims } from "./id-token.js";
import type { ClientSettings, Settings } from "./options.js";
import { toUser } from "./user.js";

/** The most that a sealed session may take in cookies, in bytes; many servers stop at 8 KB of request headers. */
const SESSION_LIMIT = 6 * 1024;

/** Somebody's sign-in, as it is sealed. Times are in seconds since 1970. */
export interface Session {
  readonly idToken: string;
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** The scope granted, where the provider said it (RFC 6749, 5.1). */
  readonly scope?: string;
  /** The nonce of the login, which a renewed ID token may repeat. */
  readonly nonce: string;
  /** When the person signed in. */
  readonly createdAt: number;
  /** When the session was last asked for. */
  readonly lastUsedAt: number;
  /** When the access token was obtained. */
  readonly obtainedAt: number;
  /** When the access token ends, where the provider said it. */
  readonly expiresAt?: number;
  /** The district, where it had to be asked for because the ID token doesn't name it. */
  readonly tenant?: { readonly id: string; readonly name?: string };
}

/** A session that was opened, with its ID token's claims. */
export interface OpenSession {
  readonly session: Session;
  readonly claims: IdTokenClaims;
}

/** Seals and opens sessions. */
export class Sessions {
  readonly #settings: Settings;
  #keys: readonly SealingKey[] | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Seals a session.
   *
   * @param cookies the request's `Cookie` header, so that chunks of an earlier, longer session are cleared.
   * @returns `Set-Cookie` values.
   * @throws {@link GatewayFailure} `session_too_large`, whose description says what to ask for less of.
   */
  async seal(client: ClientSettings, session: Session, cookies: string | null): Promise<string[]> {
    const [key] = await this.#derived();
    if (!key) throw new GatewayFailure("internal");
    const content = { v: 1, issuer: this.#settings.issuer, client: client.clientId, ...session };
    const sealed = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: key.id })
      .encrypt(key.key);
    if (sealed.length > SESSION_LIMIT) throw tooLarge(sealed.length, session);
    return writeChunks(await cookieName(client.clientId), sealed, cookies);
  }

  /** Opens the session of a registration: `null` where there is none that holds, for whatever reason. */
  async open(client: ClientSettings, cookies: string | null): Promise<OpenSession | null> {
    const sealed = readChunks(await cookieName(client.clientId), cookies);
    if (sealed === undefined || sealed.length > 2 * CHUNK_SIZE) return null;
    const content = await this.#decrypt(sealed);
    if (
      content?.v !== 1 ||
      content.issuer !== this.#settings.issuer ||
      content.client !== client.clientId
    ) {
      return null;
    }
    const session = content as unknown as Session;
    const claims = readClaims(session.idToken);
    const { tenant } = userOf({ session, claims });
    const holds =
      this.expiry({ session, claims }) > this.#settings.now() / 1000 &&
      (!client.allowedTenants || (tenant !== undefined && client.allowedTenants.has(tenant.id)));
    return holds ? { session, claims } : null;
  }

  /** When a session ends unless it is used: the idle limit, the absolute one or the ID token, whichever is first. */
  expiry({ session, claims }: OpenSession): number {
    const { idleTimeout, maxAge } = this.#settings;
    return Math.min(session.lastUsedAt + idleTimeout, session.createdAt + maxAge, claims.exp);
  }

  /** `Set-Cookie` values that end a session. */
  async clear(client: ClientSettings, cookies: string | null): Promise<string[]> {
    return clearCookies(await cookieName(client.clientId), cookies);
  }

  async #decrypt(sealed: string): Promise<JsonObject | undefined> {
    const keys = await this.#derived();
    try {
      const { plaintext } = await compactDecrypt(
        sealed,
        ({ kid }) => {
          const key = keys.find((one) => one.id === kid);
          if (!key) throw new Error("unknown sealing key");
          return key.key;
        },
        { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] },
      );
      const content = parseJson(decodeUtf8(plaintext) ?? "");
      return isObject(content) ? content : undefined;
    } catch {
      return undefined;
    }
  }

  async #derived(): Promise<readonly SealingKey[]> {
    this.#keys ??= await Promise.all(this.#settings.sealingKeys.map(deriveKey));
    return this.#keys;
  }
}

/** The person whose session it is. */
export function userOf({ session, claims }: OpenSession): User {
  const { tenant } = session;
  return toUser({
    claims,
    ...(tenant && { myInfo: { TenantId: tenant.id, Tenant: tenant.name } }),
  });
}

interface SealingKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** HKDF (RFC 5869): the key for cookies and its public name, neither of which tells anything of the key given. */
async function deriveKey(bytes: Uint8Array<ArrayBuffer>): Promise<SealingKey> {
  const source = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
  const hkdf = (purpose: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: new TextEncoder().encode(`classlink-spa gateway ${purpose}`),
  });
  const [key, id] = await Promise.all([
    crypto.subtle.deriveKey(hkdf("session 1"), source, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]),
    crypto.subtle.deriveBits(hkdf("key id"), source, 48),
  ]);
  return { id: base64url.encode(new Uint8Array(id)), key };
}

function tooLarge(size: number, { idToken, accessToken, refreshToken }: Session): GatewayFailure {
  const parts = [
    { part: "ID token", length: idToken.length, remedy: "ask for fewer scopes or claims" },
    {
      part: "access token",
      length: accessToken.length,
      remedy: "ask for fewer scopes, or have the provider issue opaque access tokens",
    },
    {
      part: "refresh token",
      length: refreshToken?.length ?? 0,
      remedy: "do not ask for offline access",
    },
  ].sort((a, b) => b.length - a.length);
  const [largest] = parts;
  return new GatewayFailure("session_too_large", {
    description: `The sealed session takes ${size} bytes, more than the ${SESSION_LIMIT} that fit into cookies. The largest part is the ${largest?.part} with ${largest?.length} bytes: ${largest?.remedy}.`,
  });
}
