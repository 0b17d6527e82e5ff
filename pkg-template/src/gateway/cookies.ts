/**
 * The gateway's cookies (RFC 6265, and its successor for the `__Host-` prefix and `SameSite`). Chromium takes `__Host-`
 * and `Secure` cookies from http on loopback hosts too; a browser that doesn't needs https in development.
 *
 * Responses arrive in any order, and each cookie that one sets replaces the cookie of the same name. So no two responses
 * that disagree write the same name:
 *
 * | name, after `__Host-classlink-<registration>` | value | set by |
 * |---|---|---|
 * | `.<tag>.<index>` | a part of the sealed session with this tag | sign-in, session request, registration of a device |
 * | `.since-<order>` | sessions of a lower order are over. The highest counts, so that a late response undoes nothing | sign-in, sign-out |
 * | `.ended-<tag>` | the session is over, though its cookie has not arrived yet | sign-out of a session that the request has no cookie of |
 * | `.proof-<tag>` | the device of a bound session proved that it has the key | registration of a device, refresh |
 * | `.<index>` | a session in the format before session ids, which is cleared | – |
 *
 * A tag is a part of the session id: another one once the session is bound to a device, so that the late response of a
 * request from before does not replace the bound session by one that is not.
 */

import { sha256 } from "./encoding.js";

/** The bytes of a sealed session in one cookie: browsers and proxies refuse more than 4096 with name and attributes. */
const CHUNK_BYTES = 3800;

/** The size that the `Cookie` header may have: many servers refuse more than 8 KB of request headers. */
export const COOKIE_BUDGET_BYTES = 7 * 1024;

/** How long sign-outs and replacements are remembered, in seconds: longer than any response takes to arrive. */
const SINCE_MAX_AGE_SECS = 86_400;
const ENDED_MAX_AGE_SECS = 3600;

const PREFIX = "__Host-classlink-";
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** Characters of the session id that a cookie's name has: 48 bits. */
const TAG_CHARS = 8;

const NAME =
  /^__Host-classlink-(?<registrationKey>[\w-]{12})\.(?:(?<legacyIndex>\d)|(?<tag>[\w-]{8})\.(?<index>\d)|since-(?<since>[0-9a-z]{1,10})|ended-(?<ended>[\w-]{8})|proof-(?<proof>[\w-]{8}))$/;

/** Returns the part of a registration's cookie names that is its own. */
export async function deriveRegistrationKey(clientId: string): Promise<string> {
  return (await sha256(clientId)).slice(0, 12);
}

/** Returns the part of a session's cookie names that is its own. */
export function sessionTag(sessionId: string, isBound = false): string {
  const start = isBound ? TAG_CHARS : 0;
  return sessionId.slice(start, start + TAG_CHARS);
}

/** Returns name and attributes of the cookie with the proof that a bound session needs. */
export function proofCookie(registrationKey: string, sessionId: string) {
  const name = `${PREFIX}${registrationKey}.proof-${sessionTag(sessionId, true)}`;
  return { name, attributes: ATTRIBUTES };
}

/** The cookies of one registration. */
class RegistrationCookies {
  /** The sealed sessions: their chunks by tag and index. */
  readonly chunks = new Map<string, Map<number, string>>();
  /** Tags of sessions that were ended before their cookie was there. */
  readonly endedTags = new Set<string>();
  /** The proofs of devices, by the tag of the bound session. */
  readonly proofs = new Map<string, string>();
  /** Names of cookies in the format before session ids. */
  readonly #legacyNames: string[] = [];
  /** Names of the cookies `.since-<order>`, by their order. */
  readonly #sinceNames = new Map<number, string>();

  constructor(readonly registrationKey: string) {}

  /** Adds a cookie. `parts` are the groups of {@link NAME}. */
  add(name: string, parts: Readonly<Record<string, string | undefined>>, value: string): void {
    const { legacyIndex, tag, index, since, ended, proof } = parts;
    if (legacyIndex !== undefined) this.#legacyNames.push(name);
    if (since !== undefined) this.#sinceNames.set(Number.parseInt(since, 36), name);
    if (ended !== undefined) this.endedTags.add(ended);
    if (proof !== undefined) this.proofs.set(proof, value);
    if (tag !== undefined) {
      const chunks = this.chunks.get(tag) ?? new Map<number, string>();
      this.chunks.set(tag, chunks.set(Number(index), value));
    }
  }

  /** The least order of a session that is not over. */
  get since(): number {
    return Math.max(0, ...this.#sinceNames.keys());
  }

  /** Joins the chunks of a sealed session; `undefined` if one of them is missing. */
  readSealed(tag: string): string | undefined {
    const chunks = this.chunks.get(tag);
    const [, count, first] = /^([1-9])\.(.*)$/.exec(chunks?.get(0) ?? "") ?? [];
    if (count === undefined) return undefined;
    const parts = [first];
    for (let index = 1; index < Number(count); index += 1) parts.push(chunks?.get(index));
    return parts.includes(undefined) ? undefined : parts.join("");
  }

  /** Returns the names of a session's cookies, from an index on. */
  chunkNames(tag: string, from = 0): string[] {
    return [...(this.chunks.get(tag)?.keys() ?? [])]
      .filter((index) => index >= from)
      .map((index) => `${PREFIX}${this.registrationKey}.${tag}.${index}`);
  }

  /**
   * Clears every session but that of a tag, superseded `.since-` cookies, and cookies in the format before session ids.
   *
   * @returns `Set-Cookie` values.
   */
  clearAllBut(tag: string | undefined): string[] {
    const otherTags = [...this.chunks.keys()].filter((other) => other !== tag);
    const { since } = this;
    const supersededNames = [...this.#sinceNames]
      .filter(([order]) => order < since)
      .map(([, name]) => name);
    return [
      ...otherTags.flatMap((other) => this.chunkNames(other)).map(clearCookie),
      ...supersededNames.map(clearCookie),
      ...this.#legacyNames.map(clearCookie),
      ...this.clearProofs(tag),
    ];
  }

  /** Clears the proofs of every session but that of a tag. Returns `Set-Cookie` values. */
  clearProofs(tag?: string): string[] {
    const otherTags = [...this.proofs.keys()].filter((other) => other !== tag);
    return otherTags.map((other) => clearCookie(`${PREFIX}${this.registrationKey}.proof-${other}`));
  }

  /** Writes the `Set-Cookie` value of a device's proof. */
  writeProof(tag: string, proof: string, maxAgeSecs: number): string {
    return `${PREFIX}${this.registrationKey}.proof-${tag}=${proof}; ${ATTRIBUTES}; Max-Age=${maxAgeSecs}`;
  }

  /** Writes the `Set-Cookie` values after which sessions of a lower order are over. */
  writeSince(order: number): string[] {
    if (order <= this.since) return [];
    const name = `${PREFIX}${this.registrationKey}.since-${order.toString(36)}`;
    return [
      `${name}=1; ${ATTRIBUTES}; Max-Age=${SINCE_MAX_AGE_SECS}`,
      ...[...this.#sinceNames.values()].map(clearCookie),
    ];
  }

  /** Writes the `Set-Cookie` value after which the session of a tag is over, whenever its cookie arrives. */
  writeEnded(tag: string): string {
    return `${PREFIX}${this.registrationKey}.ended-${tag}=1; ${ATTRIBUTES}; Max-Age=${ENDED_MAX_AGE_SECS}`;
  }

  /** Writes the `Set-Cookie` values of a sealed session, which last until the browser is closed. */
  writeSealed(tag: string, sealed: string): string[] {
    const count = Math.ceil(sealed.length / CHUNK_BYTES);
    const chunks = Array.from({ length: count }, (_, index) => {
      const chunk = sealed.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      // The first holds the count, so that a cookie left over from a longer session is not read with them.
      const value = index === 0 ? `${count}.${chunk}` : chunk;
      return `${PREFIX}${this.registrationKey}.${tag}.${index}=${value}; ${ATTRIBUTES}`;
    });
    return [...chunks, ...this.chunkNames(tag, count).map(clearCookie)];
  }
}

export type { RegistrationCookies };

/** The `Cookie` header of one request, parsed once. */
export class RequestCookies {
  readonly #registrations = new Map<string, RegistrationCookies>();
  readonly #sizes = new Map<string, number>();

  constructor(header: string | null) {
    for (const pair of (header ?? "").split(";")) {
      const trimmed = pair.trim();
      const equals = trimmed.indexOf("=");
      const name = equals < 0 ? trimmed : trimmed.slice(0, equals);
      // RFC 6265, 5.4: of two cookies with one name, the first has the longer path.
      if (trimmed === "" || this.#sizes.has(name)) continue;
      this.#sizes.set(name, trimmed.length + 2);
      const parts = name.startsWith(PREFIX) ? NAME.exec(name)?.groups : undefined;
      if (parts) this.#add(name, parts, trimmed.slice(equals + 1));
    }
  }

  #add(name: string, parts: Readonly<Record<string, string | undefined>>, value: string): void {
    const cookies = this.registration(parts.registrationKey ?? "");
    this.#registrations.set(cookies.registrationKey, cookies);
    cookies.add(name, parts, value);
  }

  /** The registrations that the request has a cookie of. */
  get registrations(): readonly RegistrationCookies[] {
    return [...this.#registrations.values()];
  }

  /** Returns the cookies of a registration, even if it has none. */
  registration(registrationKey: string): RegistrationCookies {
    return this.#registrations.get(registrationKey) ?? new RegistrationCookies(registrationKey);
  }

  /** Returns the size that the header will have once the browser has stored these `Set-Cookie` values, in bytes. */
  sizeAfter(lines: readonly string[]): number {
    const sizes = new Map(this.#sizes);
    for (const line of lines) {
      const [pair = ""] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      if (line.endsWith("Max-Age=0")) sizes.delete(name);
      else sizes.set(name, pair.length + 2);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }
}

/** Writes the `Set-Cookie` value that clears a cookie. */
export function clearCookie(name: string): string {
  return `${name}=; Path=/; Secure; Max-Age=0`;
}
