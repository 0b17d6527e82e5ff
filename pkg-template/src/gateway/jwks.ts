/**
 * Reads the provider's key set (RFC 7517), and selects the keys for a token as `src/protocol/jwks.rs` does: `tests/vectors`
 * hold both to it.
 */

import { base64url } from "jose";
import { isNonEmptyString, isObject, type JsonObject } from "./http.js";

/** A signature algorithm that is taken: the kind of its keys, and its hash. */
export interface Algorithm {
  readonly kty: "RSA" | "EC" | "OKP";
  readonly crv?: string;
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  /** Names of the same algorithm: RFC 9864 gave `EdDSA` with Ed25519 a name of its own. */
  readonly names: readonly string[];
}

const algorithm = (
  name: string,
  kty: Algorithm["kty"],
  hash: Algorithm["hash"],
  crv?: string,
): [string, Algorithm] => [name, { kty, hash, names: [name], ...(crv && { crv }) }];

const ED25519: Algorithm = {
  kty: "OKP",
  crv: "Ed25519",
  hash: "SHA-512",
  names: ["EdDSA", "Ed25519"],
};

/** Each signature algorithm that is taken (RFC 7518, 3.1; RFC 8037; RFC 9864). */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  algorithm("RS256", "RSA", "SHA-256"),
  algorithm("RS384", "RSA", "SHA-384"),
  algorithm("RS512", "RSA", "SHA-512"),
  algorithm("PS256", "RSA", "SHA-256"),
  algorithm("PS384", "RSA", "SHA-384"),
  algorithm("PS512", "RSA", "SHA-512"),
  algorithm("ES256", "EC", "SHA-256", "P-256"),
  algorithm("ES384", "EC", "SHA-384", "P-384"),
  algorithm("ES512", "EC", "SHA-512", "P-521"),
  ["EdDSA", ED25519],
  ["Ed25519", ED25519],
]);

/** RFC 7518, 3.3 and 3.5: RSA keys of 2048 bits or more. */
const MIN_RSA_BYTES = 256;

/** The most keys under one `kid` that are tried. */
const MAX_CANDIDATES = 4;

/** Reads a JWK Set (RFC 7517, 5); `undefined` if the JSON is not one. Keys that cannot be used are skipped. */
export function readKeySet(json: JsonObject | undefined): readonly JsonObject[] | undefined {
  return Array.isArray(json?.keys) ? json.keys.filter(isObject) : undefined;
}

/** Selects the keys that may verify a token: those with its `kid` that are usable, or without `kid` the only usable key. */
export function findCandidates(
  keys: readonly JsonObject[],
  kid: string | undefined,
  wanted: Algorithm,
): readonly JsonObject[] {
  const candidates = keys.filter(
    (key) => (kid === undefined || key.kid === kid) && isUsableFor(key, wanted),
  );
  if (kid === undefined && candidates.length > 1) return [];
  return candidates.slice(0, MAX_CANDIDATES);
}

/** Returns whether a key may verify by this algorithm (RFC 7517, 4.1 to 4.4). */
function isUsableFor(key: JsonObject, { kty, crv, names }: Algorithm): boolean {
  const { alg, use, key_ops } = key;
  return (
    key.kty === kty &&
    (crv === undefined || key.crv === crv) &&
    hasPublicMembers(key, kty) &&
    (isAbsent(alg) || (typeof alg === "string" && names.includes(alg))) &&
    (isAbsent(use) || use === "sig") &&
    (isAbsent(key_ops) || (Array.isArray(key_ops) && key_ops.includes("verify")))
  );
}

/** Returns whether a member counts as absent. */
function isAbsent(member: unknown): boolean {
  return member === undefined || member === null || (Array.isArray(member) && member.length === 0);
}

/** Returns whether a key has the public members of its type (RFC 7518, 6.2.1 and 6.3.1; RFC 8037, section 2). */
function hasPublicMembers({ n, e, x, y }: JsonObject, kty: Algorithm["kty"]): boolean {
  if (kty === "RSA") return modulusLength(n) >= MIN_RSA_BYTES && isNonEmptyString(e);
  return isNonEmptyString(x) && (kty === "OKP" || isNonEmptyString(y));
}

function modulusLength(n: unknown): number {
  if (!isNonEmptyString(n) || !/^[\w-]+$/.test(n)) return 0;
  try {
    return base64url.decode(n).byteLength;
  } catch {
    return 0;
  }
}
