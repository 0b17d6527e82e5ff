/** The issuer's origin: who answers which path. */

import { readFile } from "node:fs/promises";
import { answerCors } from "./cors.js";
import { discovery } from "./discovery.js";
import { readForm, redirect, sendJson, sendText, withForm } from "./http.js";
import { createInteractions, INTERACTION_PATH } from "./interactions.js";
import { createLaunchPad } from "./launchpad.js";
import { pageHeaders } from "./pages.js";
import { isAuthorization, isEndSession, PATHS } from "./paths.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { People } from "./directory.js" */
/** @import { Endpoints } from "./discovery.js" */
/** @import { Settings } from "./options.js" */
/** @import { Consents } from "./consents.js" */

/**
 * @param {any} provider
 * @param {Endpoints} endpoints
 * @param {Settings} settings
 * @param {People} people
 * @param {Consents} consents
 * @returns {Promise<(req: IncomingMessage, res: ServerResponse) => unknown>}
 */
export async function createIssuer(provider, endpoints, settings, people, consents) {
  const { issuer } = provider;
  const oidc = provider.callback();
  const interactions = createInteractions(provider, people, consents);
  const launchPad = createLaunchPad(provider, settings, people);
  const headers = Object.entries(pageHeaders(settings));
  const metadata = discovery(issuer, endpoints, settings);
  const styles = await readFile(new URL("stand-in.css", import.meta.url));
  const forms = [PATHS.token, ...(settings.revocation ? [PATHS.revocation] : [])];
  const crossOrigin = [...forms, PATHS.jwks, PATHS.discovery];

  return async (req, res) => {
    const url = new URL(req.url ?? "/", issuer);
    const path = url.pathname;
    for (const [name, value] of headers) res.setHeader(name, value);
    if (crossOrigin.includes(path) && answerCors(req, res, settings.cors)) return;

    if (path === PATHS.discovery) return sendJson(res, 200, metadata);
    if (forms.includes(path) && req.method === "POST") {
      return oidc(withForm(req, adjusted(await readForm(req), req, settings)), res);
    }
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
 * A client's form as the provider shall see it: without the verifier where PKCE is ignored, and with the client's own
 * secret where a client that has one need not send it.
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
