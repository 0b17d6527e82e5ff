/** Implements OpenID Connect RP-Initiated Logout 1.0. */

import { Html } from "./html.js";
import { endSessionPage, signedOutPage } from "./pages.js";
import { PATHS } from "./paths.js";

/** @import { People } from "./directory.js" */

/**
 * Configures oidc-provider's feature, with the stand-in's pages.
 *
 * @param {boolean} enabled
 * @param {People} people
 */
export function endSessionFeature(enabled, people) {
  return {
    enabled,
    logoutSource: (/** @type {any} */ ctx, /** @type {string} */ form) => {
      const { session, client } = ctx.oidc;
      const person = people.find(session.accountId);
      const clientName = client?.clientName;
      ctx.type = "html";
      ctx.body = endSessionPage({ clientName, person, form: new Html(form) });
    },
    postLogoutSuccessSource: (/** @type {any} */ ctx) => {
      ctx.type = "html";
      ctx.body = signedOutPage();
    },
  };
}

/**
 * Skips the confirmation page, as middleware around oidc-provider, if the request has an ID token of the session's user
 * (RP-Initiated Logout 1.0, 2).
 *
 * @param {any} ctx
 * @param {() => Promise<void>} next
 */
export async function skipLogoutConfirmation(ctx, next) {
  await next();
  if (ctx.path !== PATHS.endSession || ctx.status !== 200) return;
  const { session, params, entities } = ctx.oidc;
  if (session.accountId && session.accountId !== entities.IdTokenHint?.payload.sub) return;
  await session.destroy();
  ctx.redirect(postLogoutLocation(params));
  ctx.status = 303;
}

/**
 * Returns the URL after the logout. oidc-provider has validated it, and removed it if the client is not known.
 *
 * @param {{ post_logout_redirect_uri?: string, state?: string }} params
 */
function postLogoutLocation({ post_logout_redirect_uri, state }) {
  if (post_logout_redirect_uri === undefined) return `${PATHS.endSession}/success`;
  const url = new URL(post_logout_redirect_uri);
  if (state !== undefined) url.searchParams.set("state", state);
  return url.href;
}
