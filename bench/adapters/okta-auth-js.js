/** okta-auth-js, its entry for OpenID Connect alone. It checks the ID token's signature. */

import { OktaAuth } from "@okta/okta-auth-js/core";

/** @import { CreateAdapter } from "../adapter.js" */

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, navigate }) => {
  const auth = new OktaAuth({
    issuer,
    clientId,
    redirectUri,
    scopes: ["openid", "profile"],
    pkce: true,
    // It takes the URLs of endpoints, and reads the discovery document for the key set's all the same.
    authorizeUrl: /** @type {string} */ (metadata?.authorization_endpoint ?? `${issuer}/authorize`),
    tokenUrl: /** @type {string} */ (metadata?.token_endpoint ?? `${issuer}/oauth/token`),
    // Renewals are asked for by `renew` alone.
    tokenManager: { autoRenew: false },
    setLocation: navigate,
  });
  return {
    login: () => auth.token.getWithRedirect(),
    async callback() {
      const { tokens } = await auth.token.parseFromUrl();
      auth.tokenManager.setTokens(tokens);
      return tokens.idToken?.claims.sub;
    },
    renew: async () => (await auth.token.renewTokens())?.accessToken?.accessToken,
    logout: async () => auth.tokenManager.clear(),
  };
};
