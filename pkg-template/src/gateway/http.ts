/** Bodies of bounded size, and requests to the provider that end in bounded time. */

import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { overloaded } from "./limits.js";
import type { ProviderEndpoint, ProviderOutcome } from "./metrics.js";
import type { Settings } from "./settings.js";

/** A JSON object whose members are not validated. */
export type JsonObject = Record<string, unknown>;

/** The most that is read of a provider's response. */
const RESPONSE_LIMIT_BYTES = 1024 * 1024;

/** ClassLink's firewall refuses some HTTP libraries' defaults. */
const USER_AGENT = "classlink-spa-gateway (+https://www.npmjs.com/package/classlink-spa)";

/** Returns whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns whether a value is a string with at least one character. */
export function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Reads UTF-8 strictly; `undefined` if the bytes are not UTF-8. A byte-order mark is skipped, unless `ignoreBOM` keeps it. */
export function decodeUtf8(bytes: Uint8Array, ignoreBOM = false): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The most levels of arrays and objects in one another. */
const MAX_DEPTH = 127;

/**
 * Reads JSON; `undefined` if the text is not JSON, or contains a lone surrogate, a number out of range, or more
 * levels than {@link MAX_DEPTH}. `src/protocol/json.rs` reads the same.
 */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isExact(value, MAX_DEPTH) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isExact(value: unknown, depth: number): boolean {
  if (typeof value === "string") return !/\p{Cs}/u.test(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(
    ([name, member]) => isExact(name, depth) && isExact(member, depth - 1),
  );
}

/** Reads a body of `limit` bytes at most; `undefined` if it is longer. */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array | undefined> {
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > limit) return undefined;
      chunks.push(value);
    }
  } finally {
    // Releases the connection if the rest is not read; after a full read this does nothing.
    reader.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Runs `work`. After `timeoutMs` it rejects with the error of `onTimeout`, and aborts the signal of `work`. */
export async function withDeadline<T>(
  timeoutMs: number,
  onTimeout: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(onTimeout());
      controller.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** A provider's response. */
export interface ProviderResponse {
  readonly status: number;
  readonly ok: boolean;
  /** The body as it was received, to pass on: it may contain numbers that JavaScript would round. */
  readonly text: string;
  /** The body parsed, if it is a JSON object, whatever its content type is. */
  readonly json: JsonObject | undefined;
  /** The `Date` header. */
  readonly date: string | null;
}

/** A request to the provider. */
export interface ProviderRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: URLSearchParams;
}

/**
 * Sends a request to the provider. Redirects are not followed, and do not count as success: a token, a code or a secret goes to the
 * configured endpoint alone.
 *
 * A response over 1 MiB is read as an empty one.
 *
 * @throws {@link GatewayFailure} `upstream_unreachable`, `upstream_timeout`, `overloaded`.
 */
export async function fetchFromProvider(
  settings: Settings,
  endpoint: ProviderEndpoint,
  url: string,
  request: ProviderRequest = {},
): Promise<ProviderResponse> {
  const startedAt = performance.now();
  let outcome: ProviderOutcome = "unreachable";
  try {
    const response = await send(settings, url, request);
    outcome = outcomeOf(response);
    return response;
  } catch (error) {
    const code = error instanceof GatewayFailure ? error.code : undefined;
    if (code === "upstream_timeout") outcome = "timeout";
    if (code === "overloaded") {
      outcome = "overloaded";
      settings.metrics.countLimited("concurrent");
    }
    throw error;
  } finally {
    settings.metrics.countProvider(endpoint, outcome, performance.now() - startedAt);
  }
}

function outcomeOf({ ok, status }: ProviderResponse): ProviderOutcome {
  if (ok) return "ok";
  return status >= 400 && status < 500 ? "refused" : "error";
}

async function send(
  settings: Settings,
  url: string,
  { method = "GET", headers = {}, form }: ProviderRequest,
): Promise<ProviderResponse> {
  let release: (() => void) | undefined;
  const startedAt = performance.now();
  let wasSentInTime = false;
  try {
    return await withDeadline(
      settings.timeoutMs,
      // A request that waited for most of its time before it was sent does not mean that the provider is slow.
      () => (wasSentInTime ? new GatewayFailure("upstream_timeout") : overloaded()),
      async (signal) => {
        release = await settings.upstream.acquire(signal);
        wasSentInTime = performance.now() - startedAt < settings.timeoutMs / 2;
        try {
          const response = await settings.fetch(url, {
            method,
            // "manual", not "error": not every runtime knows the latter.
            redirect: "manual",
            signal,
            headers: {
              Accept: "application/json",
              "User-Agent": USER_AGENT,
              ...(form && { "Content-Type": "application/x-www-form-urlencoded" }),
              ...headers,
            },
            ...(form && { body: form.toString() }),
          });
          const { status, ok } = response;
          if (typeof status !== "number") throw new TypeError("no response");
          const bytes = await readBytes(response.body, RESPONSE_LIMIT_BYTES);
          const text = (bytes && decodeUtf8(bytes)) ?? "";
          const json = parseJson(text);
          const date = response.headers?.get("Date") ?? null;
          return { status, ok, text, json: isObject(json) ? json : undefined, date };
        } catch {
          // Also for what the application's own `fetch` throws or returns.
          throw new GatewayFailure("upstream_unreachable");
        }
      },
    );
  } finally {
    // At the deadline, too: a `fetch` that ignores its signal may never settle.
    release?.();
  }
}

/**
 * Validates the status of a token response, and returns its body.
 *
 * @throws as {@link requestTokens} does.
 */
export function validateTokenResponse(
  status: number,
  ok: boolean,
  json: JsonObject | undefined,
): JsonObject {
  const error = json?.error;
  if (isNonEmptyString(error)) throw new ProviderRefusal(error, status);
  if (ok && json) return json;
  const code = status >= 500 || status === 429 ? "upstream_error" : "upstream_invalid";
  throw new GatewayFailure(code, { upstreamStatus: status });
}

/**
 * Posts to the token endpoint (RFC 6749, 4.1.3 and 6) and returns the body of a success.
 *
 * @throws {@link ProviderRefusal} for an OAuth error body, at whatever status (RFC 6749, 5.2);
 * {@link GatewayFailure} `upstream_error` for another 5xx or 429, `upstream_invalid` for anything else.
 */
export async function requestTokens(
  settings: Settings,
  endpoint: "token" | "refresh",
  url: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; json: JsonObject }> {
  const { status, ok, json } = await fetchFromProvider(settings, endpoint, url, {
    method: "POST",
    form,
    headers,
  });
  return { status, json: validateTokenResponse(status, ok, json) };
}
