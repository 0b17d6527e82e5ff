/**
 * Packs a session into bytes: each token as the bytes that its base64url encodes, the ID token's JSON deflated (RFC 1951) if
 * that is shorter. A ClassLink session becomes about half as long as JSON in JWE, so that the response's header fits into a
 * proxy's 4 KB.
 *
 * Nothing secret is compressed together with anything that a caller chooses: only the ID token's header and claims are.
 */

import { decodeBase64Url, encodeBase64Url } from "./encoding.js";
import { decodeUtf8, isObject, parseJson } from "./http.js";
import { type IdTokenClaims, readClaims } from "./id-token.js";
import { nodeZlib } from "./platform.js";
import type { Session } from "./session-codec.js";

/** The first byte: the version of the format. */
const FORM = 2;

/** The first byte of a token: its encoding. */
const TEXT = 0;
const BYTES = 1;
const DEFLATED = 2;

/** The most that a token is inflated to: more than any ID token that is accepted. */
const INFLATED_LIMIT_BYTES = 64 * 1024;

const utf8 = new TextEncoder();

/** Packs a session. */
export async function packSession(session: Session): Promise<Uint8Array<ArrayBuffer>> {
  const { id, nonce, accessToken, refreshToken, idToken } = session;
  const rest = [
    session.order,
    session.createdAt,
    session.lastUsedAt,
    session.obtainedAt,
    session.expiresAt ?? null,
    session.tokenType,
    session.scope ?? null,
    session.tenant ?? null,
    session.isProvisional ? 1 : 0,
    ...(session.userMark === undefined && session.deviceKey === undefined
      ? []
      : [session.userMark ?? null]),
    ...(session.deviceKey === undefined ? [] : [session.deviceKey]),
  ];
  return join([
    Uint8Array.of(FORM),
    ...[
      decodeBase64Url(id),
      decodeBase64Url(nonce),
      utf8.encode(JSON.stringify(rest)),
      packToken(accessToken),
      refreshToken === undefined ? new Uint8Array() : packToken(refreshToken),
      await deflateToken(packToken(idToken)),
    ].flatMap(withLength),
  ]);
}

/** A session, and the claims of its ID token. */
export interface Unpacked {
  readonly session: Session;
  readonly claims: IdTokenClaims;
}

/**
 * Unpacks a session.
 *
 * @throws TypeError or RangeError if the bytes are not one.
 */
export async function unpackSession(bytes: Uint8Array): Promise<Unpacked> {
  if (bytes[0] !== FORM) throw new TypeError("another form");
  const [id, nonce, rest, accessToken, refreshToken, idToken] = split(bytes.subarray(1), 6);
  if (!id || !nonce || !rest || !accessToken || !refreshToken || !idToken) {
    throw new TypeError("a part is missing");
  }
  const [
    order,
    createdAt,
    lastUsedAt,
    obtainedAt,
    expiresAt,
    tokenType,
    scope,
    tenant,
    provisional,
    userMark,
    deviceKey,
  ] = parseJson(decodeUtf8(rest) ?? "") as [
    ...[number, number, number, number, number | null],
    ...[
      string,
      string | null,
      Session["tenant"] | null,
      0 | 1,
      string | null | undefined,
      string | null | undefined,
    ],
  ];
  const token = await inflateToken(idToken);
  const text = unpackToken(token);
  const session = {
    id: encodeBase64Url(id),
    nonce: encodeBase64Url(nonce),
    order,
    createdAt,
    lastUsedAt,
    obtainedAt,
    tokenType,
    accessToken: unpackToken(accessToken),
    idToken: text,
    ...(refreshToken.byteLength > 0 && { refreshToken: unpackToken(refreshToken) }),
    ...(expiresAt !== null && { expiresAt }),
    ...(scope !== null && { scope }),
    ...(tenant && { tenant }),
    ...(provisional === 1 && { isProvisional: true }),
    ...(typeof userMark === "string" && { userMark }),
    ...(typeof deviceKey === "string" && { deviceKey }),
  };
  return { session, claims: unpackClaims(token) ?? readClaims(text) };
}

/** Packs a token: as the decoded parts of a JWS, or as text if it is not a JWS in canonical base64url. */
function packToken(token: string): Uint8Array {
  const parts = token.split(".");
  const decoded = parts.length === 3 ? parts.map(decodeExactly) : [];
  const [header, claims, signature] = decoded;
  if (!header || !claims || !signature) return join([Uint8Array.of(TEXT), utf8.encode(token)]);
  const body = join([...withLength(header), claims]);
  return join([Uint8Array.of(BYTES), ...withLength(body), signature]);
}

function unpackToken(bytes: Uint8Array): string {
  const content = bytes.subarray(1);
  if (bytes[0] === TEXT) return decodeUtf8(content) ?? "";
  const [body = content] = split(content, 1);
  const [header = body] = split(body, 1);
  const claims = body.subarray(2 + header.byteLength);
  const signature = content.subarray(2 + body.byteLength);
  return [header, claims, signature].map((part) => encodeBase64Url(part)).join(".");
}

/** Reads the claims of a packed JWS, which was verified before it was sealed; `undefined` if the token is text. */
function unpackClaims(bytes: Uint8Array): IdTokenClaims | undefined {
  if (bytes[0] !== BYTES) return undefined;
  const [body = bytes] = split(bytes.subarray(1), 1);
  const [header = body] = split(body, 1);
  const claims: unknown = JSON.parse(decodeUtf8(body.subarray(2 + header.byteLength)) ?? "");
  return isObject(claims) ? (claims as IdTokenClaims) : undefined;
}

async function deflateToken(token: Uint8Array): Promise<Uint8Array> {
  if (token[0] !== BYTES || !(nodeZlib || "CompressionStream" in globalThis)) return token;
  const [body = token] = split(token.subarray(1), 1);
  const deflated = nodeZlib
    ? nodeZlib.deflateRawSync(body)
    : await transform(body, new CompressionStream("deflate-raw"));
  if (deflated.byteLength >= body.byteLength) return token;
  const signature = token.subarray(3 + body.byteLength);
  return join([Uint8Array.of(DEFLATED), ...withLength(deflated), signature]);
}

async function inflateToken(token: Uint8Array): Promise<Uint8Array> {
  if (token[0] !== DEFLATED) return token;
  const [deflated = token] = split(token.subarray(1), 1);
  const body = nodeZlib
    ? nodeZlib.inflateRawSync(deflated, { maxOutputLength: INFLATED_LIMIT_BYTES })
    : await transform(deflated, new DecompressionStream("deflate-raw"));
  const signature = token.subarray(3 + deflated.byteLength);
  return join([Uint8Array.of(BYTES), ...withLength(body), signature]);
}

/** Decodes base64url; `undefined` if encoding the bytes would not give the same text. */
function decodeExactly(text: string): Uint8Array | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined;
  const bytes = decodeBase64Url(text);
  return encodeBase64Url(bytes) === text ? bytes : undefined;
}

async function transform(
  bytes: Uint8Array,
  { readable, writable }: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const writer = writable.getWriter();
  // A failure rejects the reads, too.
  writer.write(Uint8Array.from(bytes)).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return join(chunks);
    size += value.byteLength;
    if (size > INFLATED_LIMIT_BYTES) throw new RangeError("too large");
    chunks.push(value);
  }
}

/** Returns a part after its length in two bytes. */
function withLength(part: Uint8Array): [Uint8Array, Uint8Array] {
  if (part.byteLength > 0xffff) throw new RangeError("too large");
  return [Uint8Array.of(part.byteLength >> 8, part.byteLength & 0xff), part];
}

/** Reads `count` parts, each after its length. */
function split(bytes: Uint8Array, count: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let offset = 0;
  while (parts.length < count) {
    const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
    if (offset + 2 + length > bytes.byteLength) throw new RangeError("cut off");
    parts.push(bytes.subarray(offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  return parts;
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
