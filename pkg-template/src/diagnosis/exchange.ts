/**
 * Whether codes will be exchanged for tokens here: the token endpoint, directly or at the gateway, is asked with a code that
 * can't be one. A response of `invalid_grant` (RFC 6749, 5.2) means that the client was accepted.
 */

import type { CoreConfig } from "../core.js";
import { type Finding, type Metadata, ok, problem, text, warning } from "./finding.js";
import { ask, json } from "./request.js";

/** Says in the provider's log what it is; as a verifier it is of the right length (RFC 7636, 4.1). */
const NO_CODE = "classlink-spa-diagnosis";
const NO_VERIFIER = NO_CODE.padEnd(43, "-");

function tokenRequest({ clientId, redirectUri }: CoreConfig): RequestInit {
  return {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: NO_CODE,
      redirect_uri: redirectUri,
      client_id: clientId,
      code_verifier: NO_VERIFIER,
    }),
  };
}

/** Without a gateway: whether the endpoints answer this page, and the token endpoint this client. */
export async function checkDirect(
  config: CoreConfig,
  metadata: Metadata,
): Promise<[string, Finding][]> {
  const profile = {
    "id-token": "",
    userinfo: "userinfo_endpoint",
    "my-info": "my_info_endpoint",
  };
  const token = text(metadata, "token_endpoint");
  const profileEndpoint = text(metadata, profile[config.profile]);
  const [exchanged, informed] = await Promise.all([
    token ? ask(token, config.timeout, tokenRequest(config)) : undefined,
    // With the header that makes the browser ask first, as it will.
    profileEndpoint
      ? ask(profileEndpoint, config.timeout, { headers: { Authorization: "Bearer none" } })
      : undefined,
  ]);
  const silent = [
    ...(token && !exchanged ? [token] : []),
    ...(profileEndpoint && !informed ? [profileEndpoint] : []),
  ].map((url) => new URL(url).host);
  const cors =
    silent.length === 0
      ? ok("The endpoints answer requests from this page.")
      : problem(
          `These don't answer requests from this page: ${[...new Set(silent)].join(", ")}.`,
          "Use a gateway (classlink-spa/gateway), have them allow this page's origin (CORS), or add them to connect-src of the page's Content Security Policy.",
        );
  if (!exchanged) return [["cors", cors]];
  const error = text((await json(exchanged)) ?? {}, "error");
  return [
    ["cors", cors],
    ["registration", judgeDirect(error)],
  ];
}

function judgeDirect(error: string | undefined): Finding {
  if (error === "invalid_grant")
    return ok("The token endpoint takes this client without a secret.");
  if (error === "invalid_client" || error === "unauthorized_client") {
    return problem(
      "The token endpoint refuses this client: it doesn't know the client id, or demands the client secret.",
      "Compare `clientId` with ClassLink's developer portal. If a secret is demanded, run classlink-spa/gateway on your server.",
    );
  }
  return warning(
    "The token endpoint's answer doesn't say whether it takes this client.",
    "Try a sign-in, and look at the error's code.",
  );
}

/** With a gateway: whether it is there, and whether it and the provider know this app. */
export async function checkGateway(
  config: CoreConfig,
  supportCode: string,
): Promise<[string, Finding][]> {
  const { gateway, timeout } = config;
  const [health, exchanged] = await Promise.all([
    ask(`${gateway}/health`, timeout),
    ask(`${gateway}/token`, timeout, {
      ...tokenRequest(config),
      headers: { "X-ClassLink-SPA": supportCode },
    }),
  ]);
  if (!health || health.status >= 500) {
    const how = health ? `answers with ${health.status}` : "can't be reached from this page";
    const down = problem(
      `The gateway ${how}.`,
      "Check that it runs, and that it allows this page's origin (`allowedOrigins`) if it has another one.",
    );
    return [["gateway", down]];
  }
  const healthy = health.ok && text((await json(health)) ?? {}, "status") === "ok";
  const here = healthy
    ? ok("The gateway answers.")
    : warning(
        `The server at \`gateway\` doesn't respond like classlink-spa/gateway (${health.status}).`,
        "Check that `gateway` is the gateway's own base path. A reverse proxy in its place has no health check.",
      );
  return [
    ["gateway", here],
    ["registration", await judgeGateway(exchanged, supportCode)],
  ];
}

async function judgeGateway(exchanged: Response | undefined, code: string): Promise<Finding> {
  const own = exchanged?.headers.get("X-ClassLink-Gateway-Error");
  const error = own ?? text((await json(exchanged)) ?? {}, "error");
  const log = `Look into the gateway's log, under support code ${code}.`;
  switch (error) {
    case "invalid_grant":
      return ok("The gateway knows this app, and the provider takes the gateway's secret.");
    case "invalid_client":
    case "unauthorized_client":
      return problem(
        "The provider refuses the gateway: its client id or secret is wrong.",
        "Compare both with ClassLink's developer portal, and restart the gateway with the right ones.",
      );
    case "unknown_client":
      return problem(
        "The gateway doesn't know this client id.",
        "Name it among the gateway's `clients`, spelled as in `clientId`.",
      );
    case "unknown_redirect_uri":
      return problem(
        "The gateway doesn't know exactly this redirect URI.",
        "Name it among the gateway's `redirectUris`, spelled as in `redirectUri`.",
      );
    case "forbidden_origin":
      return problem(
        "The gateway refuses requests from this page's origin.",
        "Name the origin in the gateway's `allowedOrigins`: it has another one than the page, or a proxy hides its own.",
      );
    case "rate_limited":
      return warning("The gateway's rate limit is reached.", "Wait a moment and check again.");
    case "upstream_unreachable":
    case "upstream_timeout":
    case "upstream_error":
      return problem("The gateway can't get an answer from the provider.", log);
    default:
      return problem("A code can't be exchanged at the gateway.", log);
  }
}
