/** auth0-spa-js, as its README sets it up: it validates claims and no signature. It knows its provider's endpoints. */

import { Auth0Client } from "@auth0/auth0-spa-js";
import { REQUEST_TIMEOUT_SECS } from "../adapter.js";

/** @import { CreateAdapter } from "../adapter.js" */

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, renews, navigate }) => {
  const client = new Auth0Client({
    // Its issuers end with a slash, which it adds.
    domain: issuer.replace(/\/$/, ""),
    clientId,
    useRefreshTokens: renews,
    httpTimeoutInSeconds: REQUEST_TIMEOUT_SECS,
    authorizationParams: { redirect_uri: redirectUri, scope: "openid profile" },
  });
  return {
    login: () => client.loginWithRedirect({ openUrl: async (url) => navigate(url) }),
    async callback() {
      await client.handleRedirectCallback();
      return (await client.getUser())?.sub;
    },
    renew: () => client.getTokenSilently(),
    logout: () => client.logout({ openUrl: false }),
  };
};
