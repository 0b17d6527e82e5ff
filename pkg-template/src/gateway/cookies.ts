/**
 * Cookies (RFC 6265, and its successor for the `__Host-` prefix and `SameSite`): one value over several of them.
 * Chromium takes `__Host-` and `Secure` cookies from http on loopback hosts too; a browser that doesn't needs https
 * in development.
 */

import { base64url } from "jose";

/** How much of the value goes into one cookie: browsers stop at 4096 bytes with the name and attributes. */
export const CHUNK_SIZE = 3800;

const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** The name of a registration's session cookie; each has its own, so that several live side by side. */
export async function cookieName(clientId: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(clientId));
  return `__Host-classlink-${base64url.encode(new Uint8Array(hash)).slice(0, 12)}`;
}

/** Cuts a value into cookies that last as long as the browser's session, and clears what an earlier value left. */
export function writeChunks(name: string, value: string, cookies: string | null): string[] {
  const count = Math.ceil(value.length / CHUNK_SIZE);
  const chunks = Array.from({ length: count }, (_, index) => {
    const part = value.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE);
    // The first says how many there are, so that a cookie left behind is never read along.
    return `${name}.${index}=${index === 0 ? `${count}.` : ""}${part}; ${ATTRIBUTES}`;
  });
  return [...chunks, ...clearCookies(name, cookies, count)];
}

/** Puts a value together again; `undefined` where there is none or a part is missing. */
export function readChunks(name: string, cookies: string | null): string | undefined {
  const found = parseCookies(cookies);
  const match = /^([1-9])\.(.*)$/.exec(found.get(`${name}.0`) ?? "");
  if (!match) return undefined;
  const parts = [match[2]];
  for (let index = 1; index < Number(match[1]); index += 1) {
    parts.push(found.get(`${name}.${index}`));
  }
  return parts.includes(undefined) ? undefined : parts.join("");
}

/** `Set-Cookie` values that clear those chunks of a value, from the index `from`, that the request carries. */
export function clearCookies(name: string, cookies: string | null, from = 0): string[] {
  return [...parseCookies(cookies).keys()]
    .filter((one) => one.startsWith(`${name}.`) && /^\d$/.test(one.slice(name.length + 1)))
    .filter((one) => Number(one.slice(name.length + 1)) >= from)
    .map((one) => `${one}=; ${ATTRIBUTES}; Max-Age=0`);
}

function parseCookies(header: string | null): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const [name = "", ...value] = pair.split("=");
    // The first of a name is the one whose path is longest; a `__Host-` cookie has one path only.
    if (!cookies.has(name.trim())) cookies.set(name.trim(), value.join("=").trim());
  }
  return cookies;
}
