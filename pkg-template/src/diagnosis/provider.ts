/** Checks of what a sign-in needs of the provider. */

import type { CoreConfig } from "../core.js";
import { type Finding, list, type Metadata, ok, problem, text, warning } from "./finding.js";
import { ask, json } from "./request.js";

/** The provider's discovery document, and the finding about it (Discovery 1.0, 4.3). */
export interface Discovery {
  /** Empty if it is unavailable or believed. */
  readonly found: Metadata;
  readonly finding: Finding;
}

/** Asks for the discovery document, though the client itself does so only if it must. */
export async function discover(config: CoreConfig, known: Metadata): Promise<Discovery> {
  const { issuer, timeout } = config;
  const needed = config.gateway
    ? ["authorization_endpoint"]
    : ["authorization_endpoint", "token_endpoint", "jwks_uri"];
  const complete = needed.every((name) => text(known, name));
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await ask(url, timeout);
  const found = response?.ok ? await json(response) : undefined;
  if (!found) {
    return {
      found: {},
      finding: complete
        ? ok("The endpoints are known; the discovery document, which isn't needed, can't be read.")
        : problem(
            "The discovery document can't be read from this page, and the endpoints aren't all known without it.",
            "Give the endpoints as `metadata`; or have the issuer allow this page's origin (CORS), and connect-src of the page's Content Security Policy name the issuer.",
          ),
    };
  }
  if (found.issuer !== issuer) {
    const other = "The discovery document names another issuer than the configured one.";
    const remedy = "Write `issuer` exactly as the discovery document does.";
    // Tokens will name that other one, too.
    return { found: {}, finding: problem(other, remedy) };
  }
  return { found, finding: ok("The discovery document is the configured issuer's.") };
}

/** The keys, from where the client has them. `init` is what the gateway demands of a request. */
export async function checkKeys(
  config: CoreConfig,
  metadata: Metadata,
  init: RequestInit,
): Promise<Finding> {
  const url = config.gateway ? `${config.gateway}/jwks` : text(metadata, "jwks_uri");
  const response = url ? await ask(url, config.timeout, init) : undefined;
  const keySet = response?.ok ? await json(response) : undefined;
  if (!keySet) {
    return problem(
      "The provider's keys can't be fetched or read, so that no ID token can be verified.",
      config.gateway
        ? "Look into the gateway's log."
        : "Use a gateway: ClassLink's endpoints may refuse requests from browsers (CORS).",
    );
  }
  const keys = list(keySet, "keys");
  return keys?.length
    ? ok(`The provider's key set has ${keys.length === 1 ? "one key" : `${keys.length} keys`}.`)
    : problem(
        "The provider's key set has no key.",
        config.gateway
          ? "Check that a gateway answers at `gateway`, and look into its log."
          : "Check `jwks_uri`, and tell the provider.",
      );
}

export function checkScopes({ scope }: CoreConfig, metadata: Metadata): Finding {
  const supported = list(metadata, "scopes_supported");
  if (!supported) return ok("The provider doesn't say which scopes it knows.");
  const missing = scope.filter((name) => !supported.includes(name));
  return missing.length === 0
    ? ok("The provider lists every scope that is asked for.")
    : warning(
        `The provider doesn't list these scopes: ${missing.join(", ")}.`,
        "Ask for what you need and the provider knows; unknown scopes may fail the login.",
      );
}

export function checkPkce(metadata: Metadata, discovered: boolean): Finding {
  const methods = list(metadata, "code_challenge_methods_supported");
  if (methods?.includes("S256")) return ok("The provider supports PKCE with S256.");
  return discovered
    ? warning(
        "The provider doesn't say that it checks PKCE.",
        "Nothing to do: PKCE is always sent, and the nonce, which a gateway checks besides, protects the login without it.",
      )
    : ok("PKCE is always sent; whether the provider checks it is not known.");
}

/** `known` is what the client knows of the issuer without asking: only ClassLink's has a my-info endpoint in it. */
export function checkDeployment({ gateway }: CoreConfig, known: Metadata): Finding {
  if (gateway) return ok("Tokens are exchanged by the gateway.");
  return text(known, "my_info_endpoint")
    ? warning(
        "ClassLink's issuer without a gateway: ClassLink documents its token endpoint only with a client secret, which no browser may hold.",
        "Run classlink-spa/gateway on your server and set `gateway`.",
      )
    : ok("The client talks to the provider itself.");
}
