/**
 * Seals bytes with AES-256-GCM under a key derived from the first sealing key, and opens what any of them sealed. What is
 * sealed is bound to the issuer and to one registration: it opens at no other.
 */

import { decodeBase64Url, encodeBase64Url } from "./encoding.js";
import { nodeCrypto } from "./platform.js";
import type { Settings } from "./settings.js";

const KEY_ID_BYTES = 6;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The size of sealed text without content. */
const MIN_SEALED_BYTES = KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

/** The use of sealed sessions, in cookies and in the store. */
const SESSION: readonly string[] = ["session 2"];

/** Bytes that were opened, and whether the key that sealed them is no longer the first. */
export interface Opened {
  readonly content: Uint8Array;
  readonly isOutdated: boolean;
}

/** Seals and opens bytes. */
export class Sealing {
  readonly #settings: Settings;
  readonly #contexts = new Map<string, Uint8Array<ArrayBuffer>>();
  #keys: readonly SealingKey[] | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Seals bytes for a registration: base64url of key id, nonce, ciphertext and tag.
   *
   * @param use the purpose, and what else the sealed text is bound to
   */
  async seal(
    clientId: string,
    content: Uint8Array<ArrayBuffer>,
    use: readonly string[] = SESSION,
  ): Promise<string> {
    const [key] = this.#keys ?? (await this.#derive());
    if (!key) throw new TypeError("There is no sealing key.");
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const encrypted = await key.encrypt(iv, this.#context(clientId, use), content);
    const bytes = new Uint8Array(KEY_ID_BYTES + IV_BYTES + encrypted.byteLength);
    bytes.set(key.id);
    bytes.set(iv, KEY_ID_BYTES);
    bytes.set(encrypted, KEY_ID_BYTES + IV_BYTES);
    return encodeBase64Url(bytes);
  }

  /** Opens what was sealed for a registration and a use; `undefined` if it was not, or was changed. */
  async open(
    clientId: string,
    sealed: string,
    use: readonly string[] = SESSION,
  ): Promise<Opened | undefined> {
    const keys = this.#keys ?? (await this.#derive());
    try {
      const bytes = decodeBase64Url(sealed);
      if (bytes.byteLength < MIN_SEALED_BYTES) return undefined;
      const key = keys.find(({ id }) => id.every((byte, index) => byte === bytes[index]));
      if (!key) return undefined;
      const content = await key.decrypt(
        bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + IV_BYTES),
        this.#context(clientId, use),
        bytes.subarray(KEY_ID_BYTES + IV_BYTES),
      );
      return { content, isOutdated: key !== keys[0] };
    } catch {
      return undefined;
    }
  }

  #context(clientId: string, use: readonly string[]): Uint8Array<ArrayBuffer> {
    const known = use === SESSION && this.#contexts.get(clientId);
    if (known) return known;
    const { issuer } = this.#settings;
    const [purpose, ...more] = use;
    const context = JSON.stringify([`classlink-spa ${purpose}`, issuer, clientId, ...more]);
    const bytes = new TextEncoder().encode(context);
    if (use === SESSION) this.#contexts.set(clientId, bytes);
    return bytes;
  }

  async #derive(): Promise<readonly SealingKey[]> {
    this.#keys = await Promise.all(this.#settings.sealingKeys.map(deriveKey));
    return this.#keys;
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A derived key and its id. The ciphertext ends with its tag, as in Web Crypto. */
interface SealingKey {
  readonly id: Uint8Array;
  encrypt(iv: Bytes, context: Bytes, content: Bytes): Uint8Array | Promise<Uint8Array>;
  /** Throws or rejects if the tag does not match. */
  decrypt(iv: Bytes, context: Bytes, encrypted: Bytes): Uint8Array | Promise<Uint8Array>;
}

/** Derives a key and its id from a configured key by HKDF (RFC 5869): neither reveals anything about that. */
async function deriveKey(configured: Bytes): Promise<SealingKey> {
  const source = await crypto.subtle.importKey("raw", configured, "HKDF", false, ["deriveBits"]);
  const derive = async (purpose: string, length: number) => {
    const info = new TextEncoder().encode(`classlink-spa gateway ${purpose}`);
    const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
    return new Uint8Array(await crypto.subtle.deriveBits(hkdf, source, 8 * length));
  };
  const [raw, id] = await Promise.all([derive("session 2", 32), derive("key id", KEY_ID_BYTES)]);
  return { id, ...(nodeCrypto ? nodeCipher(nodeCrypto, raw) : await webCipher(raw)) };
}

type Cipher = Omit<SealingKey, "id">;

function nodeCipher(module: NonNullable<typeof nodeCrypto>, raw: Bytes): Cipher {
  const key = module.createSecretKey(raw);
  const options = { authTagLength: TAG_BYTES };
  return {
    encrypt(iv, context, content) {
      const cipher = module.createCipheriv("aes-256-gcm", key, iv, options).setAAD(context);
      return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(iv, context, encrypted) {
      const end = encrypted.byteLength - TAG_BYTES;
      const decipher = module.createDecipheriv("aes-256-gcm", key, iv, options).setAAD(context);
      decipher.setAuthTag(encrypted.subarray(end));
      return Buffer.concat([decipher.update(encrypted.subarray(0, end)), decipher.final()]);
    },
  };
}

async function webCipher(raw: Bytes): Promise<Cipher> {
  const usages = ["encrypt", "decrypt"] as const;
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, usages);
  const name = "AES-GCM";
  return {
    encrypt: async (iv, additionalData, content) =>
      new Uint8Array(await crypto.subtle.encrypt({ name, iv, additionalData }, key, content)),
    decrypt: async (iv, additionalData, encrypted) =>
      new Uint8Array(await crypto.subtle.decrypt({ name, iv, additionalData }, key, encrypted)),
  };
}
