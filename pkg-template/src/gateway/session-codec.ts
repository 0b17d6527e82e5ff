/** Seals sessions for cookies and for the store, and opens them. */

import { sha256 } from "./encoding.js";
import type { IdTokenClaims } from "./id-token.js";
import { packSession, unpackSession } from "./sealed-form.js";
import type { Sealing } from "./sealing.js";
import type { ClientSettings } from "./settings.js";

/** A user's sign-in, as it is sealed. Times are in seconds since 1970. */
export interface Session {
  /** The session id: base64url, of 32 bytes. */
  readonly id: string;
  /** The order that decides between two sessions of a registration. */
  readonly order: number;
  /** The page has not named the session yet. */
  readonly isProvisional?: boolean;
  readonly idToken: string;
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** The scope granted, if the provider said it (RFC 6749, 5.1). */
  readonly scope?: string;
  /** The nonce of the login, which a renewed ID token may repeat. */
  readonly nonce: string;
  /** When the user signed in. */
  readonly createdAt: number;
  /** When the session was last used. */
  readonly lastUsedAt: number;
  /** When the access token was obtained. */
  readonly obtainedAt: number;
  /** When the access token ends, if the provider said it. */
  readonly expiresAt?: number;
  /** The district, if the ID token does not name it, so that it had to be fetched. */
  readonly tenant?: { readonly id: string; readonly name?: string };
  /** The value of `revoked:user:…` in the store when the user signed in. */
  readonly userMark?: string;
  /** The public key of the device that the session is bound to: both coordinates on P-256, in base64url. */
  readonly deviceKey?: string;
}

/** A session that was opened, with its ID token's claims. */
export interface OpenSession {
  readonly session: Session;
  readonly claims: IdTokenClaims;
  /** Whether the key that sealed it is no longer the first. */
  readonly isOutdated: boolean;
}

/** Derives the session id of a code verifier: base64url(SHA-256("classlink-spa session:" followed by the verifier)). */
export async function deriveSessionId(verifier: string): Promise<string> {
  return sha256(`classlink-spa session:${verifier}`);
}

/** Seals sessions, and opens them. */
export class SessionCodec {
  readonly #sealing: Sealing;

  constructor(sealing: Sealing) {
    this.#sealing = sealing;
  }

  /**
   * Seals a session for its registration.
   *
   * @throws RangeError if a part of it is over 64 KiB.
   */
  async seal({ clientId }: ClientSettings, session: Session): Promise<string> {
    return this.#sealing.seal(clientId, await packSession(session));
  }

  /** Opens a sealed session; `undefined` if it is not one of this registration. */
  async open({ clientId }: ClientSettings, sealed: string): Promise<OpenSession | undefined> {
    const opened = await this.#sealing.open(clientId, sealed);
    if (!opened) return undefined;
    try {
      return { ...(await unpackSession(opened.content)), isOutdated: opened.isOutdated };
    } catch {
      return undefined;
    }
  }
}
