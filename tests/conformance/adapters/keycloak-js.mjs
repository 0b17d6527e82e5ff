/**
 * keycloak-js with a generic OpenID provider, as its types document it.
 *
 * @module
 */

import { bundled, versionOf } from "./bundle.mjs";

/** @import { Adapter } from "../runner.mjs" */

/** @type {Adapter} */
export default {
  name: "keycloak-js",
  version: versionOf("keycloak-js"),
  notes: [
    "It is made for one provider, Keycloak, which signs ID tokens and access tokens as JWTs; it reads the access token too, so that the provider here signs those for it (but in the row of ClassLink's way).",
    "It does not verify signatures: it relies on TLS to the token endpoint (OpenID Connect Core 1.0, 3.1.3.7, 6).",
    "It answers a callback in `init`, which may be called once per instance; a new instance is made for each call here.",
  ],
  provider: { jwtAccessTokens: true },
  skips: ["UserInfo and my-info"],
  pageScript: bundled(`
    import Keycloak from "keycloak-js";
    const { issuer, clientId, redirectUri, timeout } = SETTINGS;
    const start = async () => {
      const keycloak = new Keycloak({ oidcProvider: issuer, clientId });
      const signedIn = await keycloak.init({
        pkceMethod: "S256",
        responseMode: "query",
        checkLoginIframe: false,
        messageReceiveTimeout: timeout,
      });
      return { keycloak, signedIn };
    };
    window.rp = {
      async login(options = {}) {
        const { keycloak } = await start();
        await keycloak.login({ redirectUri, scope: "openid profile", maxAge: options.maxAge });
      },
      async callback(url) {
        if (url !== undefined) history.replaceState(null, "", url);
        const { keycloak, signedIn } = await start();
        if (!signedIn) throw new Error("not authenticated");
        return { status: "signed-in", user: keycloak.idTokenParsed };
      },
    };
  `),
};
