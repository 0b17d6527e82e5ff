/** oidc-client-ts, as its README sets it up: it validates claims and no signature. */

import { UserManager } from "oidc-client-ts";
import { REQUEST_TIMEOUT_SECS } from "../adapter.js";

/** @import { CreateAdapter } from "../adapter.js" */

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, navigate }) => {
  const manager = new UserManager(
    {
      authority: issuer,
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: "openid profile",
      ...(metadata && { metadata }),
      silentRequestTimeoutInSeconds: REQUEST_TIMEOUT_SECS,
      // Renewals are asked for by `renew` alone.
      automaticSilentRenew: false,
    },
    {
      prepare: async () => ({
        async navigate({ url }) {
          navigate(url);
          return { url };
        },
        close() {},
      }),
      async callback() {},
    },
  );
  return {
    login: () => manager.signinRedirect(),
    callback: async () => (await manager.signinCallback())?.profile.sub,
    renew: async () => (await manager.signinSilent())?.access_token,
    logout: () => manager.removeUser(),
  };
};
