/**
 * oidc-client-ts, as its README sets it up.
 *
 * @module
 */

import { bundled, versionOf } from "./bundle.mjs";

/** @import { Adapter } from "../runner.mjs" */

/** @type {Adapter} */
export default {
  name: "oidc-client-ts",
  version: versionOf("oidc-client-ts"),
  notes: [
    "It sends and checks a nonce only if the application gives one to each login; set up without, as documented.",
    "It does not verify signatures, and says so: it relies on TLS to the token endpoint (OpenID Connect Core 1.0, 3.1.3.7, 6).",
  ],
  pageScript: bundled(`
    import { UserManager } from "oidc-client-ts";
    const { issuer, clientId, redirectUri, profile, timeout } = SETTINGS;
    const manager = new UserManager({
      authority: issuer,
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: "openid profile",
      loadUserInfo: profile === "userinfo",
      requestTimeoutInSeconds: timeout / 1000,
    });
    window.rp = {
      login: (options = {}) =>
        manager.signinRedirect(options.maxAge === undefined ? {} : { max_age: options.maxAge }),
      async callback(url) {
        const { profile } = await manager.signinCallback(url);
        return { status: "signed-in", user: profile };
      },
    };
  `),
};
