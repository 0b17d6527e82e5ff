/** Routes the requests to the issuer's origin. */

import { readFile } from "node:fs/promises";
import { handleCors } from "./cors.js";
import { discovery } from "./discovery.js";
import { readForm, redirect, sendJson, sendText, withForm } from "./http.js";
import { createInteractions, INTERACTION_PATH } from "./interactions.js";
import { createLaunchPad } from "./launchpad.js";
import { pageHeaders } from "./pages.js";
import { isAuthorization, isEndSession, PATHS } from "./paths.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Parts } from "./index.js" */
/** @import { Settings } from "./options.js" */
/** @import { Endpoints, SeenRequest } from "./types.d.ts" */

/** The grant types that a request's record names. */
const GRANT_TYPES = ["authorization_code", "refresh_token"];

/**
 * Creates the handler of the issuer's origin.
 *
 * @param {any} provider
 * @param {Endpoints} endpoints
 * @param {Parts} parts
 * @returns {Promise<(req: IncomingMessage, res: ServerResponse, seen: SeenRequest) => unknown>}
 */
export async function createIssuer(provider, endpoints, { settings, people, consents, faults }) {
  const { issuer } = provider;
  const oidc = provider.callback();
  const interactions = createInteractions(provider, people, consents);
  const launchPad = createLaunchPad(provider, settings, people);
  const headers = Object.entries(pageHeaders(settings));
  const metadata = discovery(issuer, endpoints, settings);
  const styles = await readFile(new URL("stand-in.css", import.meta.url));
  const forms = [PATHS.token, ...(settings.revocation ? [PATHS.revocation] : [])];
  const crossOrigin = [...forms, PATHS.jwks, PATHS.discovery];

  return async (req, res, seen) => {
    const url = new URL(req.url ?? "/", issuer);
    const path = url.pathname;
    for (const [name, value] of headers) res.setHeader(name, value);
    if (crossOrigin.includes(path) && handleCors(req, res, settings.cors)) return;

    const form = forms.includes(path) && req.method === "POST" ? await readForm(req) : undefined;
    const grantType = form?.get("grant_type");
    if (path === PATHS.token && grantType && GRANT_TYPES.includes(grantType)) {
      seen.grantType = grantType;
    }
    if (await faults.apply(path, res)) return;

    if (path === PATHS.discovery) return sendJson(res, 200, metadata);
    if (form) return oidc(withForm(req, adjustForm(form, req, settings)), res);
    if (path === PATHS.jwks || isAuthorization(path)) return oidc(req, res);
    if (settings.endSession && isEndSession(path)) return oidc(req, res);
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

/**
 * Changes a client's form for oidc-provider: removes the verifier if PKCE is ignored, and adds the client's secret if it need
 * not send it.
 *
 * @param {URLSearchParams} form
 * @param {IncomingMessage} req
 * @param {Settings} settings
 */
function adjustForm(form, req, { pkce, publicClients, clients }) {
  if (pkce === "ignored") form.delete("code_verifier");
  if (publicClients && !req.headers.authorization && !form.has("client_secret")) {
    const client = clients.find(({ clientId }) => clientId === form.get("client_id"));
    if (client?.clientSecret !== undefined) form.set("client_secret", client.clientSecret);
  }
  return form;
}
