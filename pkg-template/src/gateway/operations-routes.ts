/** Handles the routes for operations: `{base}/health`, `/ready`, `/metrics` and `/assertion-keys`. */

import type { GatewayContext, GatewayResponse } from "./context.js";
import { ERROR_HEADER } from "./csrf.js";
import { sha256 } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import type { GatewayRequest } from "./request.js";

/** Returns that the process serves, without a request to the provider or the store. */
export async function health(): Promise<GatewayResponse> {
  return { status: 200, body: JSON.stringify({ status: "ok" }) };
}

/** Returns whether sign-ins can be served: metadata and keys are cached or can be fetched, and the store responds. */
export async function ready(
  _request: GatewayRequest,
  { settings, provider }: GatewayContext,
): Promise<GatewayResponse> {
  const check = async (work: Promise<unknown>) =>
    work.then(
      () => "ok",
      () => "failed",
    );
  const { store } = settings;
  const [forProvider, forStore] = await Promise.all([
    check(provider.keys()),
    store && check(store.get("ping")),
  ]);
  const isReady = forProvider === "ok" && forStore !== "failed";
  return {
    status: isReady ? 200 : 503,
    body: JSON.stringify({
      status: isReady ? "ready" : "unavailable",
      checks: { provider: forProvider, ...(forStore && { store: forStore }) },
    }),
    ...(!isReady && { headers: { [ERROR_HEADER]: "not_ready" } }),
  };
}

/** Returns the counts of this instance, for Prometheus. */
export async function metrics(
  request: GatewayRequest,
  { settings }: GatewayContext,
): Promise<GatewayResponse> {
  const { metricsToken } = settings;
  if (metricsToken === undefined) throw new GatewayFailure("not_found");
  if (metricsToken !== "") {
    const [, token = ""] = /^Bearer +(.+)$/i.exec(request.header("authorization") ?? "") ?? [];
    // Hashes are compared, so that the time that it takes reveals nothing about the token.
    if ((await sha256(token)) !== (await sha256(metricsToken))) {
      throw new GatewayFailure("missing_token", { headers: { "WWW-Authenticate": "Bearer" } });
    }
  }
  return {
    status: 200,
    body: settings.metrics.write(settings.upstream),
    headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
  };
}

/** Returns the keys that verify assertions. */
export async function assertionKeys(
  _request: GatewayRequest,
  { assertions }: GatewayContext,
): Promise<GatewayResponse> {
  if (!assertions) throw new GatewayFailure("not_found");
  return {
    status: 200,
    body: await assertions.keySet(),
    headers: { "Cache-Control": "public, max-age=300" },
  };
}
