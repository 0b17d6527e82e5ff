/** Encodes base64url (RFC 4648, 5) and hashes: by `Buffer` and `node:crypto`, which are faster, if the runtime has them. */

import { base64url } from "jose";
import { nodeCrypto } from "./platform.js";

const utf8 = new TextEncoder();
const hasBuffer = typeof Buffer === "function" && typeof Buffer.from === "function";

/** Encodes bytes as base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  if (!hasBuffer) return base64url.encode(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/**
 * Decodes base64url without padding.
 *
 * @throws TypeError if the text has another character.
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]*$/.test(text)) throw new TypeError("The text is not base64url.");
  if (!hasBuffer) return Uint8Array.from(base64url.decode(text));
  return Buffer.from(text, "base64url");
}

/** Hashes a text with SHA-256; resolves with base64url. */
export async function sha256(text: string): Promise<string> {
  if (nodeCrypto) return nodeCrypto.createHash("sha256").update(text).digest("base64url");
  return encodeBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(text))));
}

/** Returns random bytes in base64url. */
export function randomText(byteCount: number): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(byteCount)));
}

/** Returns 122 random bits in 32 hexadecimal digits. Runtimes generate random UUIDs in advance, so it is cheap. */
export function randomHex(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
