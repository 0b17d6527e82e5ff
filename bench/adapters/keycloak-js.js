/** keycloak-js with a generic OpenID provider, as its types document it: it validates the nonce and no signature. */

import Keycloak from "keycloak-js";

/** @import { CreateAdapter } from "../adapter.js" */

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, renews, navigate }) => {
  /** @type {Keycloak} */
  let keycloak;
  // `init` may be called once for an instance.
  const init = async () => {
    keycloak = new Keycloak({
      oidcProvider: /** @type {any} */ (metadata) ?? issuer,
      clientId,
    });
    await keycloak.init({ pkceMethod: "S256", responseMode: "query", checkLoginIframe: false });
  };
  return {
    async login() {
      await init();
      navigate(
        await keycloak.createLoginUrl({
          redirectUri,
          scope: renews ? "openid profile offline_access" : "openid profile",
        }),
      );
    },
    async callback() {
      await init();
      return keycloak.subject;
    },
    async renew() {
      await keycloak.updateToken(-1);
      return keycloak.token;
    },
    logout: async () => keycloak.clearToken(),
  };
};
