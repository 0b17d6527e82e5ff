/**
 * The session: sealed into cookies (AES-256-GCM), so that any instance can read it and none has to remember it. Whoever
 * changes, cuts, mixes or copies cookies between registrations has no session.
 *
 * ## Sign-outs and replacements, whatever the order of answers
 *
 * A browser sends the cookies that it has when a request leaves, and takes an answer's cookies when that arrives: late, or
 * after another's. So each session has a session id, cookies of its own, and an order (milliseconds since 1970, and later
 * than every session that its sign-in saw). Of a registration's sessions the one of the highest order is the session.
 *
 * - A sign-in and a sign-out say since which order sessions count. What they end stays ended when a late answer brings its
 *   cookie back, and what a late sign-in brings does not replace a newer one.
 * - A sign-out that names a session whose cookie has not arrived yet marks that one as ended.
 * - A page that names the session id in the token request (`POST token?session_id=…`) gets a provisional session: it
 *   counts once the page has named it in a session request, which it can when the answer has arrived whole. Until then
 *   no page load finds it, and after {@link PROVISIONAL_SECS} it is over: a sign-in whose answer was cut off leaves
 *   nothing. For `getSession` it counts at once, so that the page's first requests are served.
 */

import { base64url } from "jose";
import type { User } from "../shared-types.js";
import {
  COOKIE_BUDGET,
  clear,
  type RegistrationCookies,
  type RequestCookies,
  registrationKey,
  sessionTag,
} from "./cookies.js";
import { GatewayFailure } from "./failure.js";
import { type IdTokenClaims, readClaims } from "./id-token.js";
import type { ClientSettings, Settings } from "./options.js";
import { packSession, unpackSession } from "./sealed-form.js";
import { toUser } from "./user.js";

/** The most that a sealed session may take in cookies, in bytes. With the largest ID token 250 bytes are left for the rest. */
const SESSION_LIMIT = 6.5 * 1024;

/** How long a session may be provisional, in seconds. */
const PROVISIONAL_SECS = 60;

const KEY_ID_LENGTH = 6;
const IV_LENGTH = 12;

/** A user's sign-in, as it is sealed. Times are in seconds since 1970. */
export interface Session {
  /** The session id: base64url, of 32 bytes. */
  readonly id: string;
  /** What decides between two sessions of a registration. */
  readonly order: number;
  /** The page has not named the session yet. */
  readonly isProvisional?: boolean;
  readonly idToken: string;
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** The scope granted, where the provider said it (RFC 6749, 5.1). */
  readonly scope?: string;
  /** The nonce of the login, which a renewed ID token may repeat. */
  readonly nonce: string;
  /** When the user signed in. */
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
  /** Whether the key that sealed it is no longer the first. */
  readonly isOutdated: boolean;
}

/** A registration's sessions in one request. */
export interface FoundSessions {
  readonly cookies: RegistrationCookies;
  /** Every session that could be opened, over or not. */
  readonly opened: readonly OpenSession[];
  /** The session that there is; it may be provisional. */
  readonly newest: OpenSession | undefined;
}

/** The session id that belongs to a code verifier; the nonce is derived likewise. */
export async function deriveSessionId(verifier: string): Promise<string> {
  const bytes = new TextEncoder().encode(`classlink-spa session:${verifier}`);
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Seals and opens sessions. */
export class Sessions {
  readonly #settings: Settings;
  #keys: Promise<readonly SealingKey[]> | undefined;
  #registrations: Promise<Registrations> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Opens a registration's sessions. */
  async find(client: ClientSettings, request: RequestCookies): Promise<FoundSessions> {
    const { keys } = await this.#named();
    return this.#findIn(client, request.registration(keys.get(client) ?? ""));
  }

  /** The session that there is at each registration that the request has cookies of. */
  async findAll(request: RequestCookies): Promise<OpenSession[]> {
    const { clients } = await this.#named();
    const found = await Promise.all(
      request.registrations.map(async (cookies) => {
        const client = clients.get(cookies.key);
        return client && (await this.#findIn(client, cookies)).newest;
      }),
    );
    return found.filter((open) => open !== undefined);
  }

  /** The order of a new session: later than all that the request shows. `now` is in milliseconds. */
  nextOrder({ cookies, opened }: FoundSessions, now: number): number {
    return Math.max(now, cookies.since, ...opened.map(({ session }) => session.order + 1));
  }

  /**
   * Seals the session of a sign-in: it replaces every earlier one of its registration, and clears the oldest of the others
   * where all together are over the budget.
   *
   * @returns `Set-Cookie` values.
   * @throws {@link GatewayFailure} `session_too_large`, whose description says what to ask for less of.
   */
  async sealNew(
    client: ClientSettings,
    session: Session,
    found: FoundSessions,
    request: RequestCookies,
  ): Promise<string[]> {
    const lines = [
      ...(await this.seal(client, session, found)),
      ...found.cookies.writeSince(session.order),
    ];
    if (request.sizeAfter(lines) <= COOKIE_BUDGET) return lines;
    const { clients } = await this.#named();
    const others = request.registrations.filter(({ key }) => key !== found.cookies.key);
    const ages = await Promise.all(
      others.map(async (cookies) => {
        const other = clients.get(cookies.key);
        const newest = other && (await this.#findIn(other, cookies)).newest;
        return { cookies, order: newest?.session.order ?? 0 };
      }),
    );
    for (const { cookies } of ages.sort((a, b) => a.order - b.order)) {
      if (request.sizeAfter(lines) <= COOKIE_BUDGET) break;
      lines.push(...cookies.clearAllBut(undefined));
    }
    return lines;
  }

  /**
   * Seals a session, and clears what else the request has of its registration.
   *
   * @returns `Set-Cookie` values.
   * @throws {@link GatewayFailure} `session_too_large`.
   */
  async seal(
    client: ClientSettings,
    session: Session,
    { cookies }: FoundSessions,
  ): Promise<string[]> {
    const [key] = await this.#derived();
    if (!key) throw new GatewayFailure("internal");
    const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
    const content = await packSession(session).catch(() => {
      throw tooLarge(undefined, session);
    });
    const encrypted = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: this.#context(client) },
      key.key,
      content,
    );
    const bytes = new Uint8Array(KEY_ID_LENGTH + IV_LENGTH + encrypted.byteLength);
    bytes.set(key.id);
    bytes.set(iv, KEY_ID_LENGTH);
    bytes.set(new Uint8Array(encrypted), KEY_ID_LENGTH + IV_LENGTH);
    const sealed = base64url.encode(bytes);
    if (sealed.length > SESSION_LIMIT) throw tooLarge(sealed.length, session);
    const tag = sessionTag(session.id);
    return [...cookies.writeSealed(tag, sealed), ...cookies.clearAllBut(tag)];
  }

  /** `Set-Cookie` values that clear what is over, and leave the session that there is. */
  clearStale({ cookies, newest }: FoundSessions): string[] {
    return cookies.clearAllBut(newest && sessionTag(newest.session.id));
  }

  /** `Set-Cookie` values that end a session, and leave a later one. */
  end({ cookies, opened }: FoundSessions, sessionId: string): string[] {
    const tag = sessionTag(sessionId);
    const open = opened.find(({ session }) => session.id === sessionId);
    return [
      ...(open ? cookies.writeSince(open.session.order + 1) : [cookies.writeEnded(tag)]),
      ...cookies.names(tag).map(clear),
    ];
  }

  /** `Set-Cookie` values that end whichever session there is, and one whose sign-in is under way. */
  endAll(found: FoundSessions, now: number): string[] {
    return [
      ...found.cookies.writeSince(this.nextOrder(found, now)),
      ...found.cookies.clearAllBut(undefined),
    ];
  }

  /** When a session ends unless it is used: the idle limit, the absolute one or the ID token, whichever is first. */
  expiry({ session, claims }: Pick<OpenSession, "session" | "claims">): number {
    const { idleTimeout, maxAge } = this.#settings;
    return Math.min(
      session.lastUsedAt + idleTimeout,
      session.createdAt + maxAge,
      claims.exp,
      session.isProvisional ? session.createdAt + PROVISIONAL_SECS : Number.POSITIVE_INFINITY,
    );
  }

  async #findIn(client: ClientSettings, cookies: RegistrationCookies): Promise<FoundSessions> {
    const all = await Promise.all(
      [...cookies.chunks.keys()].map((tag) => this.#open(client, tag, cookies.sealed(tag))),
    );
    const opened = all.filter((open) => open !== undefined);
    const [newest] = opened
      .filter((open) => this.#holds(client, open, cookies))
      .sort((a, b) => b.session.order - a.session.order);
    return { cookies, opened, newest };
  }

  async #open(
    client: ClientSettings,
    tag: string,
    sealed: string | undefined,
  ): Promise<OpenSession | undefined> {
    if (sealed === undefined || sealed.length > SESSION_LIMIT) return undefined;
    const keys = await this.#derived();
    try {
      const bytes = Uint8Array.from(base64url.decode(sealed));
      const keyId = bytes.subarray(0, KEY_ID_LENGTH);
      const key = keys.find(({ id }) => id.every((byte, index) => byte === keyId[index]));
      if (!key) return undefined;
      const iv = bytes.subarray(KEY_ID_LENGTH, KEY_ID_LENGTH + IV_LENGTH);
      const content = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv, additionalData: this.#context(client) },
        key.key,
        bytes.subarray(KEY_ID_LENGTH + IV_LENGTH),
      );
      const session = await unpackSession(new Uint8Array(content));
      if (sessionTag(session.id) !== tag) return undefined;
      return { session, claims: readClaims(session.idToken), isOutdated: key !== keys[0] };
    } catch {
      return undefined;
    }
  }

  #holds(client: ClientSettings, open: OpenSession, cookies: RegistrationCookies): boolean {
    const { session } = open;
    if (session.order < cookies.since || cookies.ended.has(sessionTag(session.id))) return false;
    if (this.expiry(open) <= this.#settings.now() / 1000) return false;
    if (!client.allowedTenants) return true;
    const { tenant } = userOf(open);
    return tenant !== undefined && client.allowedTenants.has(tenant.id);
  }

  /** What a sealed session is bound to: it opens under no other issuer and at no other registration. */
  #context({ clientId }: ClientSettings): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(
      JSON.stringify(["classlink-spa session 2", this.#settings.issuer, clientId]),
    );
  }

  #derived(): Promise<readonly SealingKey[]> {
    this.#keys ??= Promise.all(this.#settings.sealingKeys.map(deriveKey));
    return this.#keys;
  }

  #named(): Promise<Registrations> {
    this.#registrations ??= nameRegistrations([...this.#settings.clients.values()]);
    return this.#registrations;
  }
}

/** The user whose session it is. */
export function userOf({ session, claims }: Pick<OpenSession, "session" | "claims">): User {
  const { tenant } = session;
  return toUser({
    claims,
    ...(tenant && { myInfo: { TenantId: tenant.id, Tenant: tenant.name } }),
  });
}

/** The registrations' parts of cookie names, computed once. */
interface Registrations {
  readonly keys: ReadonlyMap<ClientSettings, string>;
  readonly clients: ReadonlyMap<string, ClientSettings>;
}

async function nameRegistrations(clients: readonly ClientSettings[]): Promise<Registrations> {
  const keys = new Map<ClientSettings, string>();
  const byKey = new Map<string, ClientSettings>();
  for (const client of clients) {
    const key = await registrationKey(client.clientId);
    keys.set(client, key);
    byKey.set(key, client);
  }
  return { keys, clients: byKey };
}

interface SealingKey {
  readonly id: Uint8Array;
  readonly key: CryptoKey;
}

/** HKDF (RFC 5869): the key for cookies and its public name, neither of which reveals anything of the key given. */
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
    crypto.subtle.deriveKey(hkdf("session 2"), source, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]),
    crypto.subtle.deriveBits(hkdf("key id"), source, 8 * KEY_ID_LENGTH),
  ]);
  return { id: new Uint8Array(id), key };
}

function tooLarge(
  size: number | undefined,
  { idToken, accessToken, refreshToken }: Session,
): GatewayFailure {
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
    description:
      `The sealed session takes ${size ?? "far"} bytes, more than the ${SESSION_LIMIT} that fit into cookies. The largest part is the ${largest?.part} with ${largest?.length} bytes: ${largest?.remedy}.`.replace(
        "takes far bytes,",
        "takes far",
      ),
  });
}
