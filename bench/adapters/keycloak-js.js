/** keycloak-js with a generic OpenID provider, as its types document it: it validates the nonce and no signature. */

import Keycloak from "keycloak-js";

/** @import { CreateAdapter } from "../adapter.js" */

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, navigate }) => {
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
      navigate(await keycloak.createLoginUrl({ redirectUri, scope: "openid profile" }));
    },
    async callback() {
      await init();
      return keycloak.subject;
    },
    logout: async () => keycloak.clearToken(),
  };
};
