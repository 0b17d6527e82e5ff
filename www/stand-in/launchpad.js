/** Serves LaunchPad: the signed-in user, and tiles of both kinds. */

import { redirect, sendPage, sendText } from "./http.js";
import { LAUNCHPAD_CLIENT_ID } from "./options.js";
import { launchPadPage } from "./pages.js";
import { PATHS } from "./paths.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { People } from "./directory.js" */
/** @import { Settings } from "./options.js" */

/** The scope that a tile requests. That of ClassLink's own tiles is not published. */
const TILE_SCOPE = "openid profile email";

/**
 * Creates the handler of LaunchPad's pages.
 *
 * @param {any} provider
 * @param {Settings} settings
 * @param {People} people
 * @returns {(req: IncomingMessage, res: ServerResponse, url: URL) => Promise<void>}
 */
export function createLaunchPad(provider, { clients }, people) {
  const { issuer } = provider;
  const signInUrl = authorizationUrl({
    client_id: LAUNCHPAD_CLIENT_ID,
    redirect_uri: `${issuer}/launchpad/signed-in`,
    scope: "openid",
    prompt: "login",
  });
  const tiles = clients.map((client) => ({
    client,
    // The tile's code is valid, but the application did not request it: it has no state, no nonce and no code challenge.
    codeUrl: authorizationUrl({
      client_id: client.clientId,
      redirect_uri: client.redirectUris[0] ?? "",
      scope: TILE_SCOPE,
    }),
  }));

  return async (req, res, url) => {
    const route = `${req.method} ${url.pathname}`;
    if (route === "GET /launchpad") {
      const session = await provider.Session.get(provider.createContext(req, res));
      const person = people.find(session.accountId);
      return sendPage(res, 200, launchPadPage({ person, signInUrl, tiles }));
    }
    // LaunchPad's own sign-in needs only the session: its code is not exchanged.
    if (route === "GET /launchpad/signed-in") return redirect(res, "/launchpad");
    if (route === "POST /launchpad/sign-out") {
      const session = await provider.Session.get(provider.createContext(req, res));
      await session.destroy();
      return redirect(res, "/launchpad");
    }
    return sendText(res, 404, "Not found");
  };
}

/** @param {Record<string, string>} params */
function authorizationUrl(params) {
  return `${PATHS.authorization}?${new URLSearchParams({ ...params, response_type: "code" })}`;
}
