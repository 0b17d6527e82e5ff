/** The issuer's origin: who answers which path. */

import { readFile } from "node:fs/promises";
import { API_PATHS } from "./api.js";
import { CLAIMS_SUPPORTED, SCOPES } from "./claims.js";
import { answerCors } from "./cors.js";
import { readForm, redirect, sendJson, sendText, withForm } from "./http.js";
import { createInteractions, INTERACTION_PATH } from "./interactions.js";
import { createLaunchPad } from "./launchpad.js";
import { PATHS } from "./provider.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { People } from "./directory.js" */
/** @import { Settings } from "./options.js" */
/** @import { Consents } from "./consents.js" */

/**
 * @param {any} provider
 * @param {string} apiOrigin
 * @param {Settings} settings
 * @param {People} people
 * @param {Consents} consents
 * @returns {Promise<(req: IncomingMessage, res: ServerResponse) => unknown>}
 */
export async function createIssuer(provider, apiOrigin, settings, people, consents) {
  const { issuer } = provider;
  const oidc = provider.callback();
  const interactions = createInteractions(provider, people, consents);
  const launchPad = createLaunchPad(provider, settings, people);
  const styles = await readFile(new URL("stand-in.css", import.meta.url));
  const crossOrigin = [PATHS.token, PATHS.jwks, PATHS.discovery];

  return async (req, res) => {
    const url = new URL(req.url ?? "/", issuer);
    const path = url.pathname;
    if (crossOrigin.includes(path) && answerCors(req, res, settings.cors)) return;

    if (path === PATHS.discovery) return sendJson(res, 200, discovery(issuer, apiOrigin));
    if (path === PATHS.token && req.method === "POST") {
      return oidc(withForm(req, adjusted(await readForm(req), req, settings)), res);
    }
    if (path === PATHS.jwks || isAuthorization(path)) return oidc(req, res);
    if (INTERACTION_PATH.test(path)) return interactions(req, res, url);
    if (path === "/launchpad" || path.startsWith("/launchpad/")) return launchPad(req, res, url);
    if (path === "/") return redirect(res, "/launchpad");
    if (path === "/stand-in.css") {
      res.writeHead(200, { "Content-Type": "text/css; charset=utf-8" });
      return res.end(styles);
    }
    return sendText(res, 404, "Not found");
  };
}

/** @param {string} path */
function isAuthorization(path) {
  return path === PATHS.authorization || path.startsWith(`${PATHS.authorization}/`);
}

/**
 * The token request as the provider shall see it: without the verifier where PKCE is ignored, and with the client's
 * own secret where a client that has one need not send it.
 *
 * @param {URLSearchParams} form
 * @param {IncomingMessage} req
 * @param {Settings} settings
 */
function adjusted(form, req, { pkce, publicClients, clients }) {
  if (pkce === "ignored") form.delete("code_verifier");
  if (publicClients && !req.headers.authorization && !form.has("client_secret")) {
    const client = clients.find(({ clientId }) => clientId === form.get("client_id"));
    if (client?.clientSecret !== undefined) form.set("client_secret", client.clientSecret);
  }
  return form;
}

/**
 * The discovery document: no PKCE methods, no end of session, no revocation, and `iss` in callbacks not promised.
 *
 * @param {string} issuer
 * @param {string} apiOrigin
 */
function discovery(issuer, apiOrigin) {
  return {
    issuer,
    authorization_endpoint: issuer + PATHS.authorization,
    token_endpoint: issuer + PATHS.token,
    userinfo_endpoint: apiOrigin + API_PATHS.userInfo,
    jwks_uri: issuer + PATHS.jwks,
    scopes_supported: SCOPES,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
    claims_supported: CLAIMS_SUPPORTED,
  };
}
