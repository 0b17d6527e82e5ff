/**
 * The gateway's cookies (RFC 6265, and its successor for the `__Host-` prefix and `SameSite`). Chromium takes `__Host-`
 * and `Secure` cookies from http on loopback hosts too; a browser that doesn't needs https in development.
 *
 * Answers arrive in any order, and each cookie that one sets replaces the cookie of the same name. So no two answers that
 * disagree write the same name:
 *
 * | name, after `__Host-classlink-<registration>` | value | set by |
 * |---|---|---|
 * | `.<tag>.<index>` | a part of the sealed session with this tag | sign-in, session request, registration of a device |
 * | `.since-<order>` | sessions of an earlier order are over. The largest counts, so a late response takes nothing back | sign-in, sign-out |
 * | `.ended-<tag>` | the session is over, though its cookie has not come yet | sign-out of a session that the request has no cookie of |
 * | `.proof-<tag>` | the device of a bound session proved that it has the key | registration of a device, refresh |
 * | `.<index>` | a session in the format before session ids, which is cleared | – |
 *
 * A tag is a part of the session id: another one once the session is bound to a device, so that the late response of a
 * request from before does not replace the bound session by one that is not.
 */

import { sha256 } from "./encoding.js";

/** How much of a sealed session goes into one cookie: browsers and proxies stop at 4096 bytes with name and attributes. */
const CHUNK_BYTES = 3800;

/** The bytes that the `Cookie` header of a browser may take: many servers stop at 8 KB of request headers. */
export const COOKIE_BUDGET_BYTES = 7 * 1024;

/** How long sign-outs and replacements are remembered, in seconds: longer than any response is under way. */
const SINCE_MAX_AGE_SECS = 86_400;
const ENDED_MAX_AGE_SECS = 3600;

const PREFIX = "__Host-classlink-";
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** Characters of the session id that a cookie's name has: 48 bits. */
const TAG_CHARS = 8;

const NAME =
  /^__Host-classlink-([\w-]{12})\.(?:(\d)|([\w-]{8})\.(\d)|since-([0-9a-z]{1,10})|ended-([\w-]{8})|proof-([\w-]{8}))$/;

/** The part of a registration's cookie names that is its own. */
export async function registrationKey(clientId: string): Promise<string> {
  return (await sha256(clientId)).slice(0, 12);
}

/** The part of a session's cookie names that is its own. */
export function sessionTag(sessionId: string, isBound = false): string {
  const start = isBound ? TAG_CHARS : 0;
  return sessionId.slice(start, start + TAG_CHARS);
}

/** Name and attributes of the cookie by which a bound session counts. */
export function proofCookie(registration: string, sessionId: string) {
  const name = `${PREFIX}${registration}.proof-${sessionTag(sessionId, true)}`;
  return { name, attributes: ATTRIBUTES };
}

/** The cookies of one registration. */
class RegistrationCookies {
  /** The sealed sessions: their chunks by tag and index. */
  readonly chunks = new Map<string, Map<number, string>>();
  /** Tags of sessions that were ended before their cookie was there. */
  readonly ended = new Set<string>();
  /** The proofs of devices, by the tag of the bound session. */
  readonly proofs = new Map<string, string>();
  /** Names of cookies in the format before session ids. */
  readonly outdated: string[] = [];
  readonly #since = new Map<number, string>();

  constructor(readonly key: string) {}

  /** Adds a cookie by its parsed name. */
  add(
    [name, , outdated, tag, index, since, ended, proof]: readonly (string | undefined)[],
    value: string,
  ) {
    if (outdated !== undefined) this.outdated.push(name ?? "");
    if (since !== undefined) this.#since.set(Number.parseInt(since, 36), name ?? "");
    if (ended !== undefined) this.ended.add(ended);
    if (proof !== undefined) this.proofs.set(proof, value);
    if (tag === undefined) return;
    const chunks = this.chunks.get(tag) ?? new Map<number, string>();
    this.chunks.set(tag, chunks.set(Number(index), value));
  }

  /** Sessions of a lower order are over. */
  get since(): number {
    return Math.max(0, ...this.#since.keys());
  }

  /** A sealed session; `undefined` if a part of it is missing. */
  sealed(tag: string): string | undefined {
    const chunks = this.chunks.get(tag);
    const [, count, first] = /^([1-9])\.(.*)$/.exec(chunks?.get(0) ?? "") ?? [];
    if (count === undefined) return undefined;
    const parts = [first];
    for (let index = 1; index < Number(count); index += 1) parts.push(chunks?.get(index));
    return parts.includes(undefined) ? undefined : parts.join("");
  }

  /** The names of a session's cookies, from an index on. */
  names(tag: string, from = 0): string[] {
    return [...(this.chunks.get(tag)?.keys() ?? [])]
      .filter((index) => index >= from)
      .map((index) => `${PREFIX}${this.key}.${tag}.${index}`);
  }

  /** `Set-Cookie` values that clear every session but one, and what else serves no more. */
  clearAllBut(tag: string | undefined): string[] {
    const others = [...this.chunks.keys()].filter((one) => one !== tag);
    const { since } = this;
    const superseded = [...this.#since].filter(([order]) => order < since).map(([, name]) => name);
    return [
      ...[...others.flatMap((one) => this.names(one)), ...superseded, ...this.outdated].map(clear),
      ...this.clearProofs(tag),
    ];
  }

  /** `Set-Cookie` values that clear the proofs of every session but one. */
  clearProofs(tag?: string): string[] {
    const others = [...this.proofs.keys()].filter((one) => one !== tag);
    return others.map((one) => clear(`${PREFIX}${this.key}.proof-${one}`));
  }

  /** The `Set-Cookie` value of a device's proof, which lasts for so many seconds. */
  writeProof(tag: string, proof: string, seconds: number): string {
    return `${PREFIX}${this.key}.proof-${tag}=${proof}; ${ATTRIBUTES}; Max-Age=${seconds}`;
  }

  /** `Set-Cookie` values after which sessions of a lower order are over. */
  writeSince(order: number): string[] {
    if (order <= this.since) return [];
    const name = `${PREFIX}${this.key}.since-${order.toString(36)}`;
    return [
      `${name}=1; ${ATTRIBUTES}; Max-Age=${SINCE_MAX_AGE_SECS}`,
      ...[...this.#since.values()].map(clear),
    ];
  }

  /** The `Set-Cookie` value after which this session is over, whenever its cookie comes. */
  writeEnded(tag: string): string {
    return `${PREFIX}${this.key}.ended-${tag}=1; ${ATTRIBUTES}; Max-Age=${ENDED_MAX_AGE_SECS}`;
  }

  /** `Set-Cookie` values of a sealed session, which lasts as long as the browser's own session. */
  writeSealed(tag: string, sealed: string): string[] {
    const count = Math.ceil(sealed.length / CHUNK_BYTES);
    const chunks = Array.from({ length: count }, (_, index) => {
      const part = sealed.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      // The first says how many there are, so that a cookie left behind is never read along.
      const value = index === 0 ? `${count}.${part}` : part;
      return `${PREFIX}${this.key}.${tag}.${index}=${value}; ${ATTRIBUTES}`;
    });
    return [...chunks, ...this.names(tag, count).map(clear)];
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
      // The first of a name is the one whose path is longest; a `__Host-` cookie has one path only.
      if (trimmed === "" || this.#sizes.has(name)) continue;
      this.#sizes.set(name, trimmed.length + 2);
      const parsed = name.startsWith(PREFIX) ? NAME.exec(name) : null;
      if (!parsed) continue;
      const registration = this.registration(parsed[1] ?? "");
      this.#registrations.set(registration.key, registration);
      registration.add(parsed, trimmed.slice(equals + 1));
    }
  }

  /** The registrations that have a cookie here. */
  get registrations(): readonly RegistrationCookies[] {
    return [...this.#registrations.values()];
  }

  /** The cookies of a registration, if only none. */
  registration(key: string): RegistrationCookies {
    return this.#registrations.get(key) ?? new RegistrationCookies(key);
  }

  /** The size that the header will have once the browser has taken these `Set-Cookie` values, in bytes. */
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

/** The `Set-Cookie` value that clears a cookie. */
export function clear(name: string): string {
  return `${name}=; Path=/; Secure; Max-Age=0`;
}
