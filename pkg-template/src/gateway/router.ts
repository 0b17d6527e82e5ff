/** Routes a request to its handler, and writes the log entry. */

import { backchannelLogout } from "./backchannel-logout.js";
import type { GatewayContext, GatewayResponse, Handler } from "./context.js";
import {
  checkCsrf,
  corsHeaders,
  ERROR_HEADER,
  preflightHeaders,
  readSupportCode,
  SDK_HEADER,
} from "./csrf.js";
import { bindDevice } from "./device-route.js";
import { GatewayFailure, ProviderRefusal } from "./failure.js";
import { withDeadline } from "./http.js";
import type { GatewayRoute, LogEntry } from "./log.js";
import type { RequestLog } from "./log-writer.js";
import { assertionKeys, health, metrics, ready } from "./operations-routes.js";
import { proxyJwks, proxyProfile } from "./proxy-routes.js";
import type { GatewayRequest, PlainResponse } from "./request.js";
import { endSession, readSession } from "./session-routes.js";
import { exchange } from "./token-route.js";
import { REQUEST_ID_HEADER, readRequestId, readTraceId } from "./tracing.js";
import { verify } from "./verify-route.js";

type Methods = Readonly<Record<string, readonly [GatewayRoute, Handler]>>;

/** The routes that the SDK requests from the application's pages. */
const PAGE_ROUTES: ReadonlyMap<string, Methods> = new Map<string, Methods>([
  ["/token", { POST: ["token", exchange] }],
  ["/jwks", { GET: ["jwks", proxyJwks] }],
  ["/userinfo", { GET: ["userinfo", proxyProfile("userinfo_endpoint")] }],
  ["/my-info", { GET: ["my-info", proxyProfile("my_info_endpoint")] }],
  ["/session", { POST: ["session.read", readSession], DELETE: ["session.end", endSession] }],
]);

/** A route for proxies, other servers or the browser itself: no page requests it, and it takes no header of the SDK. */
interface OpenRoute {
  readonly event: GatewayRoute;
  /** Absent if it takes any method but {@link REFUSED_METHODS}. */
  readonly methods?: readonly string[];
  readonly handler: (
    request: GatewayRequest,
    gateway: GatewayContext,
    entry: RequestLog,
  ) => Promise<GatewayResponse>;
}

const READ = ["GET", "HEAD"];

const OPEN_ROUTES: ReadonlyMap<string, OpenRoute> = new Map<string, OpenRoute>([
  ["/verify", { event: "verify", handler: verify(204) }],
  ["/device", { event: "device", methods: ["POST"], handler: bindDevice }],
  ["/ready", { event: "ready", methods: READ, handler: ready }],
  ["/metrics", { event: "metrics", methods: READ, handler: metrics }],
  ["/assertion-keys", { event: "assertion-keys", methods: READ, handler: assertionKeys }],
  [
    "/backchannel-logout",
    { event: "backchannel-logout", methods: ["POST"], handler: backchannelLogout },
  ],
]);

/** The paths below `/verify`, to which Envoy's `ext_authz` appends the request's own path. */
const VERIFY_BELOW: OpenRoute = { event: "verify", handler: verify(200) };
const HEALTH: OpenRoute = { event: "health", methods: READ, handler: health };

/** Methods that no route takes (RFC 9110, 9.3.6 and 9.3.8). */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Handles a request, and writes its log entry. Never rejects. */
export async function handleRequest(
  request: GatewayRequest,
  gateway: GatewayContext,
): Promise<PlainResponse> {
  const { settings } = gateway;
  const started = settings.now();
  const supportCode = readSupportCode(request);
  const traceId = readTraceId(request);
  const entry: RequestLog = {
    event: "unknown",
    requestId: readRequestId(request),
    ...(traceId !== undefined && { traceId }),
    ...(supportCode !== undefined && { supportCode }),
  };
  let routed: GatewayResponse;
  let failure: unknown;
  try {
    routed = await route(request, gateway, entry);
  } catch (error) {
    failure = error;
    routed = toErrorResponse(error);
  }
  const response = completeResponse(request, routed, gateway, entry);
  // The clock may be set back.
  const durationMs = Math.max(0, settings.now() - started);
  const logEntry = toLogEntry(entry, failure ?? entry.recoveredError, response.status, durationMs);
  const outcome = logEntry.code ?? (entry.session === "none" ? "none" : "ok");
  settings.metrics.countRequest(entry.event, outcome, durationMs);
  await gateway.logWriter.write(logEntry);
  return response;
}

async function route(
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings } = gateway;
  const { basePath } = settings;
  const path = request.path.startsWith(basePath) ? request.path.slice(basePath.length) : "";
  const methods = PAGE_ROUTES.get(path);
  if (methods) return routePage(request, methods, gateway, entry);
  const open = findOpenRoute(path, request.method);
  if (!open) throw new GatewayFailure("not_found");
  if (request.refusal) throw new GatewayFailure(request.refusal);
  entry.event = open.event;
  if (!takesMethod(open, request.method)) {
    entry.event = "unknown";
    throw notAllowed(open.methods ?? READ);
  }
  return open.handler(request, gateway, entry);
}

function takesMethod({ methods }: OpenRoute, method: string): boolean {
  return methods ? methods.includes(method) : !REFUSED_METHODS.has(method);
}

function findOpenRoute(path: string, method: string): OpenRoute | undefined {
  if (path === "/health") return READ.includes(method) ? HEALTH : undefined;
  return OPEN_ROUTES.get(path) ?? (path.startsWith("/verify/") ? VERIFY_BELOW : undefined);
}

function notAllowed(methods: readonly string[]): GatewayFailure {
  return new GatewayFailure("method_not_allowed", { headers: { Allow: methods.join(", ") } });
}

async function routePage(
  request: GatewayRequest,
  methods: Methods,
  gateway: GatewayContext,
  entry: RequestLog,
): Promise<GatewayResponse> {
  const { settings } = gateway;
  const { method, remoteAddress } = request;
  if (request.refusal) throw new GatewayFailure(request.refusal);
  if (method === "OPTIONS" && request.header("access-control-request-method") !== null) {
    entry.event = "preflight";
    return { status: 204, headers: preflightHeaders(request, settings, Object.keys(methods)) };
  }
  const found = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!found) throw notAllowed(Object.keys(methods));
  const [event, handler] = found;
  entry.event = event;
  checkCsrf(request, settings);
  if (entry.supportCode === undefined) throw new GatewayFailure("missing_header");
  await applyRateLimitHook(request, gateway, entry);
  return handler(request, gateway, entry, async () => {
    try {
      settings.addressLimit.count(event, remoteAddress);
    } catch (error) {
      settings.metrics.countLimited("address");
      throw error;
    }
    await settings.sharedLimit?.count(event, remoteAddress).catch((error: unknown) => {
      settings.metrics.countLimited("shared");
      throw error;
    });
  });
}

/**
 * Calls the application's `rateLimit`.
 *
 * @throws {@link GatewayFailure} `rate_limited`, `rate_limit_failed`
 */
async function applyRateLimitHook(
  request: GatewayRequest,
  { settings }: GatewayContext,
  { event, supportCode }: RequestLog,
): Promise<void> {
  const { rateLimit, hookTimeoutMs } = settings;
  if (!rateLimit) return;
  const { remoteAddress } = request;
  const failure = () => new GatewayFailure("rate_limit_failed");
  const isAllowed = await withDeadline(hookTimeoutMs, failure, async () =>
    rateLimit({
      route: event,
      request: request.toRequest(),
      ...(remoteAddress !== undefined && { remoteAddress }),
      ...(supportCode && { supportCode }),
    }),
  ).catch(() => {
    throw failure();
  });
  if (isAllowed !== true) {
    settings.metrics.countLimited("hook");
    throw new GatewayFailure("rate_limited", { headers: { "Retry-After": "10" } });
  }
}

/** Returns the response for an error: the provider's refusal as its code alone, everything else under the gateway's code. */
function toErrorResponse(error: unknown): GatewayResponse {
  if (error instanceof ProviderRefusal) {
    return { status: error.status, body: JSON.stringify({ error: error.error }) };
  }
  const failure = error instanceof GatewayFailure ? error : new GatewayFailure("internal");
  return {
    status: failure.status,
    body: JSON.stringify(failure.body),
    headers: { ...failure.details.headers, [ERROR_HEADER]: failure.code },
    ...(failure.details.cookies && { cookies: failure.details.cookies }),
  };
}

/** Adds the headers that every response has. */
function completeResponse(
  request: GatewayRequest,
  { status, headers, cookies = [], body }: GatewayResponse,
  { settings }: GatewayContext,
  entry: RequestLog,
): PlainResponse {
  const allHeaders: Record<string, string> = {
    "Cache-Control": "no-store",
    // Not every runtime adds it, and the SDK sets its clock by it.
    Date: new Date(settings.now()).toUTCString(),
    "X-Content-Type-Options": "nosniff",
    [REQUEST_ID_HEADER]: entry.requestId,
    ...(body !== undefined && { "Content-Type": "application/json" }),
    ...(entry.supportCode && { [SDK_HEADER]: entry.supportCode }),
    ...(isOpen(entry.event) ? undefined : corsHeaders(request, settings)),
    ...headers,
  };
  return {
    status,
    headers: allHeaders,
    cookies,
    body: request.method === "HEAD" ? undefined : body,
  };
}

/** Returns whether a route is for proxies and other servers, so that no page of another origin reads its response. */
function isOpen(event: GatewayRoute): boolean {
  return (
    event === "verify" ||
    event === "device" ||
    event === "ready" ||
    event === "metrics" ||
    event === "assertion-keys" ||
    event === "backchannel-logout"
  );
}

/** Returns the code of an error for the log; `undefined` without an error, or if it is what `verify` is for. */
function codeOf(failure: unknown): LogEntry["code"] {
  if (failure === undefined) return undefined;
  if (failure instanceof ProviderRefusal) return "provider_refused";
  if (!(failure instanceof GatewayFailure)) return "internal";
  return failure.code === "not_signed_in" ? undefined : failure.code;
}

function levelOf(
  status: number,
  code: LogEntry["code"],
  refusal: ProviderRefusal | undefined,
): LogEntry["level"] {
  // Whatever the status, these two mean that the registration or the secret is wrong.
  const isMisconfigured =
    refusal?.error === "invalid_client" || refusal?.error === "unauthorized_client";
  if (status >= 500 || isMisconfigured) return "error";
  return code ? "warn" : "info";
}

function toLogEntry(
  entry: RequestLog,
  failure: unknown,
  status: number,
  durationMs: number,
): LogEntry {
  const refusal = failure instanceof ProviderRefusal ? failure : undefined;
  const own = failure instanceof GatewayFailure ? failure : undefined;
  const code = codeOf(failure);
  const upstreamStatus =
    refusal?.upstreamStatus ?? own?.details.upstreamStatus ?? entry.upstreamStatus;
  return {
    event: entry.event,
    level: levelOf(status, code, refusal),
    status,
    durationMs,
    requestId: entry.requestId,
    ...(entry.traceId !== undefined && { traceId: entry.traceId }),
    ...(entry.supportCode && { supportCode: entry.supportCode }),
    ...(code && { code }),
    ...(own?.details.reason && { reason: own.details.reason }),
    ...(refusal && { providerError: refusal.error }),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(entry.session && { session: entry.session }),
    ...(entry.district !== undefined && { district: entry.district }),
  };
}
