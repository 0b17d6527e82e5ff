/**
 * The ID token, verified in full: OpenID Connect Core 1.0, 3.1.3.7, RFC 7515 and RFC 8725. Signed tokens alone; the
 * signature is checked always, also that of a token straight from the token endpoint.
 */

import { base64url, type CryptoKey, compactVerify, importJWK, type JWK } from "jose";
import type { ClassLinkErrorReason } from "../shared-types.js";
import { GatewayFailure } from "./failure.js";
import { decodeUtf8, isObject, type JsonObject, parseJson } from "./http.js";
import type { Provider } from "./provider.js";

/** Seconds by which the provider's clock and this server's may differ. */
export const CLOCK_TOLERANCE = 60;

/** More than any district's ID token; a session holds far less. */
const TOKEN_LIMIT = 64 * 1024;

/** Each signature algorithm that is taken, with the `kty` and, where it has one, the `crv` of its keys. */
const ALGORITHMS: Readonly<Record<string, { kty: string; crv?: string; hash: string }>> = {
  RS256: { kty: "RSA", hash: "SHA-256" },
  RS384: { kty: "RSA", hash: "SHA-384" },
  RS512: { kty: "RSA", hash: "SHA-512" },
  PS256: { kty: "RSA", hash: "SHA-256" },
  PS384: { kty: "RSA", hash: "SHA-384" },
  PS512: { kty: "RSA", hash: "SHA-512" },
  ES256: { kty: "EC", crv: "P-256", hash: "SHA-256" },
  ES384: { kty: "EC", crv: "P-384", hash: "SHA-384" },
  ES512: { kty: "EC", crv: "P-521", hash: "SHA-512" },
  EdDSA: { kty: "OKP", crv: "Ed25519", hash: "SHA-512" },
};

/** The claims of a verified ID token, those that every one has by their types. */
export interface IdTokenClaims extends JsonObject {
  readonly iss: string;
  readonly sub: string;
  readonly exp: number;
  readonly iat: number;
}

/** What an ID token is verified against. */
export interface Expectations {
  readonly issuer: string;
  readonly clientId: string;
  /** The access token that came with it, for `at_hash`. */
  readonly accessToken: string;
  /** The nonce that it must carry; with `previousClaims`, the one that it may carry. */
  readonly nonce: string;
  /** The claims of the token that this one previousClaims (OpenID Connect Core 1.0, 12.2). */
  readonly previousClaims?: IdTokenClaims;
}

/** The nonce that belongs to a code verifier: base64url(SHA-256("classlink-spa nonce:" followed by the verifier)). */
export async function deriveNonce(verifier: string): Promise<string> {
  return base64url.encode(await digest("SHA-256", `classlink-spa nonce:${verifier}`));
}

/**
 * Verifies an ID token.
 *
 * @throws {@link GatewayFailure} `id_token_invalid` with its reason; `user_mismatch` where a renewed token has another
 * subject; what {@link Provider.keys} throws.
 */
export async function verifyIdToken(
  token: string,
  provider: Provider,
  now: number,
  expected: Expectations,
): Promise<IdTokenClaims> {
  const { header, claims, signed } = parse(token);
  if ("crit" in header) throw invalid("critical_header");
  const algorithm = await checkAlgorithm(header.alg, provider);
  if (!signed) throw invalid("signature");
  const key = await findKey(header.kid, algorithm, provider);
  await compactVerify(token, key, { algorithms: [algorithm] }).catch(() => {
    throw invalid("signature");
  });
  checkParties(claims, expected);
  checkNonce(claims, expected);
  checkTimes(claims, now);
  await checkAccessToken(claims, algorithm, expected.accessToken);
  if (expected.previousClaims) checkRenewal(claims, expected.previousClaims);
  return claims as IdTokenClaims;
}

/** Reads the claims of a token that was verified before, as one that comes out of a sealed session. */
export function readClaims(token: string): IdTokenClaims {
  return parse(token).claims as IdTokenClaims;
}

function invalid(reason: ClassLinkErrorReason): GatewayFailure {
  return new GatewayFailure("id_token_invalid", { reason });
}

function parse(token: string): { header: JsonObject; claims: JsonObject; signed: boolean } {
  const parts = token.split(".");
  const [first, second, third] = parts;
  if (token.length > TOKEN_LIMIT || parts.length !== 3) throw invalid("malformed");
  const header = parsePart(first);
  const claims = parsePart(second);
  if (!header || !claims) throw invalid("malformed");
  if (third !== "" && !isBase64Url(third)) throw invalid("malformed");
  return { header, claims, signed: third !== "" };
}

function isBase64Url(part: string | undefined): part is string {
  return part !== undefined && /^[\w-]+$/.test(part) && part.length % 4 !== 1;
}

function parsePart(part: string | undefined): JsonObject | undefined {
  if (!isBase64Url(part)) return undefined;
  const value = parseJson(decodeUtf8(base64url.decode(part)) ?? "");
  return isObject(value) ? value : undefined;
}

async function checkAlgorithm(alg: unknown, provider: Provider): Promise<string> {
  const { id_token_signing_alg_values_supported: advertised = [] } = await provider.metadata();
  // Discovery 1.0, section 3: RS256 is what every provider must have.
  const allowed = advertised.length > 0 ? advertised : ["RS256"];
  if (typeof alg === "string" && Object.hasOwn(ALGORITHMS, alg) && allowed.includes(alg))
    return alg;
  throw invalid("algorithm");
}

/** The key for a token: by its `kid`; without one, the only key that fits. An unknown `kid` fetches the set afresh, once. */
async function findKey(kid: unknown, alg: string, provider: Provider): Promise<CryptoKey> {
  if (kid !== undefined && typeof kid !== "string") throw invalid("key_not_found");
  const named = (keys: readonly JsonObject[]) =>
    kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  let candidates = named(await provider.keys());
  if (candidates.length === 0) candidates = named(await provider.freshKeys());
  const [jwk, ...others] = candidates.filter((key) => isUsableFor(key, alg));
  if (!jwk || others.length > 0) throw invalid("key_not_found");
  const key = await importJWK(publicPart(jwk), alg).catch(() => undefined);
  if (!key || key instanceof Uint8Array) throw invalid("key_not_found");
  const { modulusLength } = key.algorithm as { modulusLength?: number };
  // RFC 7518, 3.3 and 3.5: RSA keys have 2048 bits or more.
  if (modulusLength !== undefined && modulusLength < 2048) throw invalid("key_not_found");
  return key;
}

/** Whether a key may verify by this algorithm (RFC 7517, 4.1 to 4.4). */
function isUsableFor(key: JsonObject, alg: string): boolean {
  const needed = ALGORITHMS[alg];
  return (
    key.kty === needed?.kty &&
    (needed?.crv === undefined || key.crv === needed.crv) &&
    (key.alg === undefined || key.alg === alg) &&
    (key.use === undefined || key.use === "sig") &&
    (key.key_ops === undefined || (Array.isArray(key.key_ops) && key.key_ops.includes("verify")))
  );
}

/** The members that make a public key, without those that could make its import fail or make it private. */
function publicPart(jwk: JsonObject): JWK {
  const { kty, crv, x, y, n, e } = jwk;
  return Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => typeof value === "string"),
  ) as JWK;
}

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
  // Core 1.0, section 2. A lone surrogate has no UTF-8 form: it could pass for somebody else once written out.
  if (typeof sub !== "string" || sub === "" || [...sub].length > 255 || /\p{Cs}/u.test(sub)) {
    throw invalid("subject");
  }
}

function checkNonce(claims: JsonObject, { nonce, previousClaims }: Expectations): void {
  if (previousClaims && !("nonce" in claims)) return;
  if (claims.nonce !== nonce) throw invalid("nonce");
}

/** RFC 7519, 4.1.4 to 4.1.6, in seconds. */
function checkTimes(claims: JsonObject, now: number): void {
  const { exp, iat, nbf } = claims;
  if (!Number.isFinite(exp) || (exp as number) + CLOCK_TOLERANCE <= now) throw invalid("expired");
  if (!Number.isFinite(iat) || (iat as number) - CLOCK_TOLERANCE > now) {
    throw invalid("issued_in_future");
  }
  if ("nbf" in claims && (!Number.isFinite(nbf) || (nbf as number) - CLOCK_TOLERANCE > now)) {
    throw invalid("not_yet_valid");
  }
}

/** Core 1.0, 3.1.3.8: the left half of the access token's hash. */
async function checkAccessToken(
  claims: JsonObject,
  alg: string,
  accessToken: string,
): Promise<void> {
  if (!("at_hash" in claims)) return;
  const hash = await digest(ALGORITHMS[alg]?.hash ?? "SHA-256", accessToken);
  const half = base64url.encode(hash.subarray(0, hash.byteLength / 2));
  if (claims.at_hash !== half) throw invalid("at_hash");
}

/** Core 1.0, 12.2: the same person, application and authentication as before. */
function checkRenewal(claims: JsonObject, before: JsonObject): void {
  if (claims.sub !== before.sub) throw new GatewayFailure("user_mismatch");
  const audience = (aud: unknown) => JSON.stringify([aud].flat().sort());
  if (audience(claims.aud) !== audience(before.aud)) throw invalid("audience");
  if (claims.azp !== before.azp) throw invalid("authorized_party");
  if ("auth_time" in claims && claims.auth_time !== before.auth_time) {
    throw invalid("auth_time");
  }
}

async function digest(algorithm: string, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)));
}
