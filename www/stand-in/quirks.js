/** Changes requests to oidc-provider and its responses to those of ClassLink. */

import { randomBytes } from "node:crypto";
import { LAUNCHPAD_CLIENT_ID } from "./options.js";
import { continuePage } from "./pages.js";
import { isAuthorization, PATHS } from "./paths.js";

/** @import { Faults } from "./faults.js" */
/** @import { Settings } from "./options.js" */

/**
 * Creates the middleware around oidc-provider.
 *
 * @param {string} issuer
 * @param {Settings} settings
 * @param {Faults} faults
 */
export function createQuirks(issuer, settings, faults) {
  const { pkce, cors, expiresIn, issParameter } = settings;
  return async (/** @type {any} */ ctx, /** @type {() => Promise<void>} */ next) => {
    if (ctx.path === PATHS.authorization) ctx.query = dropUnsupported(ctx.query, pkce);

    await next();

    // oidc-provider adds CORS headers of its own to each response that has none.
    if (!cors) {
      for (const name of Object.keys(ctx.response.headers)) {
        if (name.startsWith("access-control-")) ctx.remove(name);
      }
    }
    if (isAuthorization(ctx.path) && ctx.status === 303) {
      const target = refusalLocation(ctx, faults) ?? new URL(ctx.response.get("location"), issuer);
      if (target.origin !== issuer) {
        if (!issParameter) target.searchParams.delete("iss");
        redirectByScript(ctx, target);
      }
    }
    if (ctx.path === PATHS.token && ctx.body?.access_token) {
      const { access_token, token_type, id_token, refresh_token, expires_in } = ctx.body;
      ctx.body = {
        ...{ access_token, token_type, response_type: "code", id_token, refresh_token },
        ...(expiresIn && { expires_in }),
      };
    }
  };
}

/**
 * Drops the parameters that ClassLink is not known to support: `response_mode`, and those of PKCE if it is to be ignored.
 *
 * @param {Record<string, unknown>} query
 * @param {Settings["pkce"]} pkce
 */
function dropUnsupported(query, pkce) {
  const { response_mode: _, ...known } = query;
  if (pkce === "honoured") return known;
  const { code_challenge: __, code_challenge_method: ___, ...rest } = known;
  return rest;
}

/**
 * Returns the redirect URI with the error that a test configured; `undefined` without one. oidc-provider has validated the
 * request.
 *
 * @param {any} ctx
 * @param {Faults} faults
 */
function refusalLocation({ path, oidc }, faults) {
  if (path !== PATHS.authorization || oidc.client.clientId === LAUNCHPAD_CLIENT_ID)
    return undefined;
  const error = faults.refusal();
  if (error === undefined) return undefined;
  const { redirect_uri, state } = oidc.params;
  const target = new URL(redirect_uri);
  const parameters = { error, state, iss: oidc.provider.issuer };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) target.searchParams.set(name, value);
  }
  return target;
}

/**
 * Replaces the redirect to the application by a page whose script navigates there, and adds `response_type`.
 *
 * @param {any} ctx
 * @param {URL} target
 */
function redirectByScript(ctx, target) {
  if (target.searchParams.has("code")) target.searchParams.set("response_type", "code");
  const nonce = randomBytes(16).toString("base64");
  ctx.remove("location");
  ctx.status = 200;
  ctx.type = "html";
  const policy = ctx.response.get("Content-Security-Policy");
  ctx.set("Content-Security-Policy", `${policy}; script-src 'nonce-${nonce}'`);
  ctx.body = continuePage(target.href, nonce);
}
