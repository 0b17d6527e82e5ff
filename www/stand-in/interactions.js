/** Serves the sign-in and the consent page, between the authorization request and its response. */

import { readForm, redirect, sendPage } from "./http.js";
import { consentPage, districtPage, errorPage, personPage } from "./pages.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { People } from "./directory.js" */
/** @import { Consents } from "./consents.js" */

/** The paths that {@link createInteractions} serves. */
export const INTERACTION_PATH = /^\/(sign-in|consent)\/[\w-]+$/;

/**
 * Creates the handler of the interaction pages.
 *
 * @param {any} provider
 * @param {People} people
 * @param {Consents} consents
 * @returns {(req: IncomingMessage, res: ServerResponse, url: URL) => Promise<void>}
 */
export function createInteractions(provider, people, consents) {
  return async (req, res, url) => {
    /** @type {any} */
    let interaction;
    try {
      interaction = await provider.interactionDetails(req, res);
    } catch {
      const text = "this sign-in has expired, or was started in another browser";
      return sendPage(res, 400, errorPage("sign_in_expired", text));
    }
    const isConsent = interaction.prompt.name === "consent";
    if (req.method !== "POST") {
      const page = isConsent ? await showConsent(interaction) : await showSignIn(interaction, url);
      return sendPage(res, 200, page);
    }
    const form = await readForm(req);
    if (isConsent) {
      return provider.interactionFinished(req, res, await consentResult(interaction, form));
    }
    const sub = people.find(form.get("account") ?? undefined)?.account.sub;
    if (sub === undefined) return sendPage(res, 400, errorPage("unknown_person"));
    const returnTo = await provider.interactionResult(req, res, { login: { accountId: sub } });
    await switchUser(req, res, sub);
    return redirect(res, returnTo);
  };

  /** @param {string} clientId @returns {Promise<string>} */
  async function findClientName(clientId) {
    return (await provider.Client.find(clientId))?.clientName ?? clientId;
  }

  /** @param {any} interaction @param {URL} url */
  async function showSignIn({ params }, url) {
    const clientName = await findClientName(params.client_id);
    const hinted = people.hinted(params.login_hint);
    const query = url.searchParams.get("q");
    const chosen = people.district(url.searchParams.get("district") ?? "");
    const district = chosen ?? (query === null ? hinted?.district : undefined);
    if (!district) {
      const districts = people.search(query ?? "");
      return districtPage({ clientName, query: query ?? "", districts });
    }
    return personPage({
      clientName,
      district,
      people: people.of(district),
      hinted: hinted?.account.sub,
    });
  }

  /** @param {any} interaction */
  async function showConsent({ params, session }) {
    const person = people.find(session.accountId);
    if (!person) throw new Error("The session of the consent page has no user");
    const clientName = await findClientName(params.client_id);
    return consentPage({ clientName, person, scopes: scopesOf(params) });
  }

  /** @param {any} interaction @param {URLSearchParams} form */
  async function consentResult({ params, session }, form) {
    if (form.get("answer") !== "allow") {
      return { error: "access_denied", error_description: "The user refused" };
    }
    const { accountId } = session;
    const clientId = params.client_id;
    const grant = new provider.Grant({ accountId, clientId });
    grant.addOIDCScope(params.scope);
    consents.remember(accountId, clientId, scopesOf(params));
    return { consent: { grantId: await grant.save() } };
  }

  /**
   * Changes the user of the browser's session. Without it, oidc-provider would first sign the old user out by a page of its own
   * that submits itself.
   *
   * @param {IncomingMessage} req
   * @param {ServerResponse} res
   * @param {string} sub
   */
  async function switchUser(req, res, sub) {
    const session = await provider.Session.get(provider.createContext(req, res));
    if (!session.accountId || session.accountId === sub) return;
    session.authorizations = {};
    session.loginAccount({ accountId: sub });
    await session.persist();
  }
}

/** @param {{ scope?: string }} params @returns {string[]} */
function scopesOf({ scope = "" }) {
  return scope.split(" ").filter(Boolean);
}
