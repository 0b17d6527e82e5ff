/** Implements `gateway.check()`, which finds what is wrong with a deployment before it serves. */

import type { AssertionSigner } from "./assertions.js";
import type { GatewayCheck, GatewayCheckResult } from "./check-result.js";
import { authenticate } from "./client-auth.js";
import { randomText } from "./encoding.js";
import { GatewayFailure } from "./failure.js";
import { fetchFromProvider, type JsonObject } from "./http.js";
import { ALGORITHMS, findCandidates, readKeySet } from "./jwks.js";
import type { Provider } from "./provider.js";
import type { ClientSettings, Settings } from "./settings.js";

/** The differences between the clocks of server and provider, in seconds, from which there is a warning or a problem. */
const CLOCK_WARNING_SECS = 20;
const CLOCK_PROBLEM_SECS = 60;

/** The parts of a gateway that are checked. */
export interface CheckContext {
  readonly settings: Settings;
  readonly provider: Provider;
  readonly assertions: AssertionSigner | undefined;
}

/** Checks the provider, the clients, the store and the assertion keys. Never rejects. */
export async function check(context: CheckContext): Promise<GatewayCheckResult> {
  const { settings } = context;
  const checks: GatewayCheck[] = [];
  checks.push(await checkMetadata(context));
  if (checks[0]?.status === "ok") {
    checks.push(...(await checkKeys(context)));
    for (const [index, client] of [...settings.clients.values()].entries()) {
      checks.push(await checkClient(`clients[${index}]`, client, context));
    }
  }
  if (settings.store) checks.push(await checkStore(settings.store));
  if (context.assertions) checks.push(await checkAssertions(context.assertions));
  return { ok: checks.every(({ status }) => status !== "problem"), checks };
}

const codeOf = (error: unknown) => (error instanceof GatewayFailure ? error.code : "internal");

async function checkMetadata({ provider }: CheckContext): Promise<GatewayCheck> {
  const id = "metadata";
  try {
    await provider.metadata();
    return { id, status: "ok", summary: "The provider's endpoints are known." };
  } catch (error) {
    return {
      id,
      status: "problem",
      summary: `The provider's metadata cannot be read (${codeOf(error)}).`,
      remedy:
        "Compare `issuer` with the provider's, exactly; check DNS, firewall and proxy of this server; or give `metadata`.",
    };
  }
}

async function checkKeys({ settings, provider }: CheckContext): Promise<GatewayCheck[]> {
  try {
    const metadata = await provider.metadata();
    const sentAt = settings.now();
    const response = await fetchFromProvider(settings, "jwks", metadata.jwks_uri);
    const keys = readKeySet(response.json);
    const { id_token_signing_alg_values_supported: advertised = [] } = metadata;
    const names = advertised.length > 0 ? advertised : ["RS256"];
    const isUsable = hasUsableKey(keys ?? [], names);
    const checks: GatewayCheck[] = [
      response.ok && isUsable
        ? { id: "keys", status: "ok", summary: "The provider's key set has a key for ID tokens." }
        : {
            id: "keys",
            status: "problem",
            summary: `The key set has no key for the advertised algorithms (HTTP ${response.status}).`,
            remedy: "Check `metadata.jwks_uri` and `id_token_signing_alg_values_supported`.",
          },
    ];
    const date = Date.parse(response.date ?? "");
    if (Number.isFinite(date)) checks.push(checkClock((sentAt - date) / 1000));
    return checks;
  } catch (error) {
    return [
      {
        id: "keys",
        status: "problem",
        summary: `The provider's key set cannot be read (${codeOf(error)}).`,
        remedy: "Check DNS, firewall and proxy of this server, and `metadata.jwks_uri`.",
      },
    ];
  }
}

/** Returns whether a token signed by one of the algorithms could be verified, with the `kid` of a key or without. */
function hasUsableKey(keys: readonly JsonObject[], names: readonly string[]): boolean {
  const kids = keys.map(({ kid }) => (typeof kid === "string" ? kid : undefined));
  return names.some((name) => {
    const algorithm = ALGORITHMS.get(name);
    return algorithm && kids.some((kid) => findCandidates(keys, kid, algorithm).length > 0);
  });
}

function checkClock(offsetSecs: number): GatewayCheck {
  const id = "clock";
  const seconds = Math.round(Math.abs(offsetSecs));
  if (seconds < CLOCK_WARNING_SECS) {
    return { id, status: "ok", summary: "This server's clock agrees with the provider's." };
  }
  return {
    id,
    status: seconds < CLOCK_PROBLEM_SECS ? "warning" : "problem",
    summary: `This server's clock is ${seconds} s ${offsetSecs > 0 ? "ahead of" : "behind"} the provider's.`,
    remedy: "Synchronize it (NTP): ID tokens are refused beyond 60 s.",
  };
}

/** Sends a code that was never issued: the error code shows whether the provider accepts client id and secret. */
async function checkClient(
  id: string,
  client: ClientSettings,
  { settings, provider }: CheckContext,
): Promise<GatewayCheck> {
  try {
    const metadata = await provider.metadata();
    const [redirectUri = ""] = client.redirectUris;
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code: randomText(16),
      redirect_uri: redirectUri,
      code_verifier: randomText(32),
    });
    const headers = authenticate(client, metadata, form);
    const { json, status } = await fetchFromProvider(settings, "token", metadata.token_endpoint, {
      method: "POST",
      form,
      headers,
    });
    const error = json?.error;
    if (error === "invalid_grant") {
      return { id, status: "ok", summary: "The provider knows the client id and its secret." };
    }
    if (error === "invalid_client" || error === "unauthorized_client" || status === 401) {
      return {
        id,
        status: "problem",
        summary: "The provider refuses the client id or its secret.",
        remedy: "Copy both again from the provider's portal, for this environment.",
      };
    }
    return {
      id,
      status: "warning",
      summary: `The token endpoint neither confirms nor refuses the client (HTTP ${status}).`,
      remedy: "Sign in once, and look at the log.",
    };
  } catch (error) {
    return {
      id,
      status: "problem",
      summary: `The token endpoint cannot be reached (${codeOf(error)}).`,
      remedy: "Check DNS, firewall and proxy of this server, and `metadata.token_endpoint`.",
    };
  }
}

async function checkStore(store: NonNullable<Settings["store"]>): Promise<GatewayCheck> {
  const id = "store";
  const key = `check:${randomText(16)}`;
  try {
    const isSet = await store.setIfAbsent(key, "1", 10_000);
    const isSetAgain = await store.setIfAbsent(key, "2", 10_000);
    const value = await store.get(key);
    await store.delete(key);
    const count = await store.increment(key, 10_000);
    await store.delete(key);
    if (isSet && !isSetAgain && value === "1" && count === 1) {
      return { id, status: "ok", summary: "The store works." };
    }
    return {
      id,
      status: "problem",
      summary: "The store returns wrong results.",
      remedy: "Use `redisStore`, or compare yours with `GatewayStore`.",
    };
  } catch {
    return {
      id,
      status: "problem",
      summary: "The store cannot be reached.",
      remedy: "Check its address, its password and the firewall.",
    };
  }
}

async function checkAssertions(assertions: AssertionSigner): Promise<GatewayCheck> {
  const id = "assertions";
  try {
    await assertions.keySet();
    return { id, status: "ok", summary: "The keys for assertions can be used." };
  } catch {
    return {
      id,
      status: "problem",
      summary: "A key for assertions cannot be used.",
      remedy: "Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    };
  }
}
