/**
 * Verifies ID tokens (OpenID Connect Core 1.0, 3.1.3.7; RFC 7515; RFC 8725). The signature is verified always, also that of
 * a token from the token endpoint, for which 3.1.3.7, 6 allows to omit it.
 */

import { base64url, compactVerify, importJWK, type JWK } from "jose";
import type { ClassLinkErrorReason } from "../shared-types.js";
import { sha256 } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import { decodeUtf8, isObject, type JsonObject, parseJson } from "./http.js";
import { ALGORITHMS, type Algorithm, findCandidates } from "./jwks.js";
import type { Provider } from "./provider.js";

/** Seconds by which the provider's clock and this server's may differ. */
export const CLOCK_TOLERANCE_SECS = 60;

/**
 * The largest ID token that is read, in characters: below what the cookies of a session can carry. ClassLink's are below
 * 2 KiB. `src/protocol/jws.rs` has the same.
 */
const TOKEN_LIMIT_CHARS = 6 * 1024;

/** The claims of a verified ID token, with the types of the required ones. */
export interface IdTokenClaims extends JsonObject {
  readonly iss: string;
  readonly sub: string;
  readonly exp: number;
  readonly iat: number;
}

/** The values against which an ID token is verified. */
export interface Expectations {
  readonly issuer: string;
  readonly clientId: string;
  /** The access token that came with it, for `at_hash`. */
  readonly accessToken: string;
  /** The nonce that it must carry; with `previousClaims`, the one that it may carry. */
  readonly nonce: string;
  /** The claims of the token that this one renews (OpenID Connect Core 1.0, 12.2). */
  readonly previousClaims?: IdTokenClaims;
}

/** Derives the nonce of a code verifier: base64url(SHA-256("classlink-spa nonce:" followed by the verifier)). */
export async function deriveNonce(verifier: string): Promise<string> {
  return sha256(`classlink-spa nonce:${verifier}`);
}

/**
 * Verifies an ID token.
 *
 * @throws {@link GatewayFailure} `id_token_invalid` with its reason; `user_mismatch` if a renewed token has another
 * subject; what {@link Provider.keys} throws.
 */
export async function verifyIdToken(
  token: string,
  provider: Provider,
  now: number,
  expected: Expectations,
): Promise<IdTokenClaims> {
  if (token.length > TOKEN_LIMIT_CHARS) {
    throw new GatewayFailure("id_token_invalid", {
      reason: "malformed",
      description: `The ID token has ${token.length} characters, more than the ${TOKEN_LIMIT_CHARS} that are read: ask for fewer scopes or claims.`,
    });
  }
  const { claims, algorithm } = await verifySignature(token, provider);
  checkParties(claims, expected);
  checkNonce(claims, expected);
  if (expected.previousClaims) checkRenewal(claims, expected.previousClaims);
  await checkAccessToken(claims, algorithm, expected.accessToken);
  checkTimes(claims, now);
  return claims as IdTokenClaims;
}

/** The header and the claims of a JWS whose signature was verified; the claims are not validated. */
export interface SignedClaims {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly algorithm: Algorithm;
}

/**
 * Verifies the syntax, the algorithm and the signature of a JWS of the provider.
 *
 * @throws as {@link verifyIdToken} does
 */
export async function verifySignature(token: string, provider: Provider): Promise<SignedClaims> {
  const { header, claims } = parse(token);
  if ("crit" in header) throw invalid("critical_header");
  const algorithm = await checkAlgorithm(header.alg, provider);
  await checkSignature(token, header, algorithm, provider);
  return { header, claims, algorithm };
}

/** Reads the claims of a token that was verified before, such as one in a sealed session. */
export function readClaims(token: string): IdTokenClaims {
  return parse(token).claims as IdTokenClaims;
}

function invalid(reason: ClassLinkErrorReason): GatewayFailure {
  return new GatewayFailure("id_token_invalid", { reason });
}

function parse(token: string): { header: JsonObject; claims: JsonObject } {
  const [first, second, third, ...more] = token.split(".");
  const header = parsePart(first);
  const claims = parsePart(second);
  if (!header || !claims || third === undefined || more.length > 0) throw invalid("malformed");
  // An empty signature is well-formed (RFC 7515, 5.1): it fails at the algorithm, the key or the signature.
  if (third !== "" && !isBase64Url(third)) throw invalid("malformed");
  return { header, claims };
}

/** Returns whether a part is the canonical base64url, without padding, of its bytes (RFC 4648, 3.5). */
function isBase64Url(part: string | undefined): part is string {
  if (part === undefined || !/^[\w-]+$/.test(part) || part.length % 4 === 1) return false;
  return base64url.encode(base64url.decode(part)) === part;
}

function parsePart(part: string | undefined): JsonObject | undefined {
  if (!isBase64Url(part)) return undefined;
  const value = parseJson(decodeUtf8(base64url.decode(part), true) ?? "");
  return isObject(value) ? value : undefined;
}

async function checkAlgorithm(alg: unknown, provider: Provider): Promise<Algorithm> {
  const { id_token_signing_alg_values_supported: advertised = [] } = await provider.metadata();
  // Discovery 1.0, section 3: every provider must support RS256.
  const allowed = advertised.length > 0 ? advertised : ["RS256"];
  const algorithm = typeof alg === "string" ? ALGORITHMS.get(alg) : undefined;
  if (algorithm && allowed.includes(alg as string)) return algorithm;
  throw invalid("algorithm");
}

/**
 * Verifies the signature. If no cached key verifies it, the key set is fetched again, once: the provider may have rotated its
 * keys, with or without a new `kid`.
 */
async function checkSignature(
  token: string,
  { alg, kid }: JsonObject,
  algorithm: Algorithm,
  provider: Provider,
): Promise<void> {
  if (kid !== undefined && typeof kid !== "string") throw invalid("key_not_found");
  const known = await provider.keys();
  const reason = await verify(known);
  if (reason === undefined) return;
  const fresh = await provider.freshKeys();
  const last = fresh === known ? reason : await verify(fresh);
  if (last !== undefined) throw invalid(last);

  /** Verifies by each key in turn; returns `undefined` if one verifies the token, else the reason. */
  async function verify(
    keys: readonly JsonObject[],
  ): Promise<"key_not_found" | "signature" | undefined> {
    let reason: "key_not_found" | "signature" = "key_not_found";
    for (const jwk of findCandidates(keys, kid as string | undefined, algorithm)) {
      const key = await importKey(jwk, alg as string);
      if (!key) continue;
      reason = "signature";
      const options = { algorithms: [alg as string] };
      const isVerified = await compactVerify(token, key, options).then(
        () => true,
        () => false,
      );
      if (isVerified) return undefined;
    }
    return reason;
  }
}

/** Imported keys, by the JWK of the cached key set and by algorithm. */
const importedKeys = new WeakMap<JsonObject, Map<string, Promise<CryptoKey | undefined>>>();

/** Imports a key, once for each algorithm; resolves with `undefined` if it is not a public key. */
function importKey(jwk: JsonObject, alg: string): Promise<CryptoKey | undefined> {
  const byAlgorithm = importedKeys.get(jwk) ?? new Map<string, Promise<CryptoKey | undefined>>();
  importedKeys.set(jwk, byAlgorithm);
  const known = byAlgorithm.get(alg);
  if (known) return known;
  const imported = importJWK(publicPart(jwk), alg).then(
    (key) => (key instanceof Uint8Array ? undefined : key),
    () => undefined,
  );
  byAlgorithm.set(alg, imported);
  return imported;
}

/** Returns the members of a public key alone: others could make its import fail, or make it private. */
function publicPart(jwk: JsonObject): JWK {
  const { kty, crv, x, y, n, e } = jwk;
  return Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => typeof value === "string"),
  ) as JWK;
}

/** Validates `iss`, `aud`, `azp` and `sub` (OpenID Connect Core 1.0, 3.1.3.7, 2 to 5). */
function checkParties(claims: JsonObject, { issuer, clientId }: Expectations): void {
  if (claims.iss !== issuer) throw invalid("issuer");
  const aud = claims.aud;
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((one) => typeof one === "string") || !audiences.includes(clientId)) {
    throw invalid("audience");
  }
  if ("azp" in claims ? claims.azp !== clientId : audiences.length > 1) {
    throw invalid("authorized_party");
  }
  const sub = claims.sub;
  // Core 1.0, section 2.
  if (typeof sub !== "string" || sub === "" || [...sub].length > 255) throw invalid("subject");
}

/** Validates `nonce` (Core 1.0, 3.1.3.7, 11); a renewed ID token may be without it (12.2). */
function checkNonce(claims: JsonObject, { nonce, previousClaims }: Expectations): void {
  if (previousClaims && !("nonce" in claims)) return;
  if (claims.nonce !== nonce) throw invalid("nonce");
}

/** Validates `exp`, `nbf` and `iat` (RFC 7519, 4.1.4 to 4.1.6). `now` is in seconds since 1970. */
function checkTimes(claims: JsonObject, now: number): void {
  const { exp, iat, nbf } = claims;
  if (!Number.isFinite(exp) || (exp as number) + CLOCK_TOLERANCE_SECS <= now)
    throw invalid("expired");
  if (!Number.isFinite(iat) || (iat as number) - CLOCK_TOLERANCE_SECS > now) {
    throw invalid("issued_in_future");
  }
  if ("nbf" in claims && (!Number.isFinite(nbf) || (nbf as number) - CLOCK_TOLERANCE_SECS > now)) {
    throw invalid("not_yet_valid");
  }
}

/** Validates `at_hash`, the left half of the access token's hash (Core 1.0, 3.1.3.8). */
async function checkAccessToken(
  claims: JsonObject,
  { hash: name }: Algorithm,
  accessToken: string,
): Promise<void> {
  if (!("at_hash" in claims)) return;
  const hash = await digest(name, accessToken);
  const half = base64url.encode(hash.subarray(0, hash.byteLength / 2));
  if (claims.at_hash !== half) throw invalid("at_hash");
}

/** Validates that a renewed ID token is for the same user, client and authentication as before (Core 1.0, 12.2). */
function checkRenewal(claims: JsonObject, before: JsonObject): void {
  if (claims.sub !== before.sub) throw new GatewayFailure("user_mismatch");
  const audience = (aud: unknown) => JSON.stringify([...new Set([aud].flat())].sort());
  if (audience(claims.aud) !== audience(before.aud)) throw invalid("audience");
  if (claims.azp !== before.azp) throw invalid("authorized_party");
  if ("auth_time" in claims && claims.auth_time !== before.auth_time) {
    throw invalid("auth_time");
  }
}

async function digest(algorithm: string, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)));
}
