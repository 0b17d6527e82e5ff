/**
 * auth0-spa-js, as its README sets it up. It knows its provider's paths and issuer, which the provider here takes on.
 *
 * @module
 */

import { bundled, versionOf } from "./bundle.mjs";

/** @import { Adapter } from "../runner.mjs" */

/** @type {Adapter} */
export default {
  name: "auth0-spa-js",
  version: versionOf("@auth0/auth0-spa-js"),
  notes: [
    "It is made for one provider, whose endpoints it knows: it has no discovery and no UserInfo to fail.",
    "It does not verify signatures: it relies on TLS to the token endpoint (OpenID Connect Core 1.0, 3.1.3.7, 6), but demands RS256.",
    "Times are judged with 60 seconds of leeway, as documented.",
  ],
  provider: {
    issuerPath: "/",
    paths: { authorization: "/authorize", token: "/oauth/token" },
  },
  skips: ["Discovery", "UserInfo and my-info"],
  pageScript: bundled(`
    import { Auth0Client } from "@auth0/auth0-spa-js";
    const { issuer, clientId, redirectUri, timeout } = SETTINGS;
    let made;
    // It throws at once if the page is not a secure context.
    const client = () =>
      (made ??= new Auth0Client({
        domain: issuer.slice(0, -1),
        clientId,
        httpTimeoutInSeconds: timeout / 1000,
        authorizationParams: { redirect_uri: redirectUri, scope: "openid profile" },
      }));
    window.rp = {
      login: async (options = {}) =>
        client().loginWithRedirect(
          options.maxAge === undefined ? {} : { authorizationParams: { max_age: options.maxAge } },
        ),
      async callback(url) {
        await client().handleRedirectCallback(url);
        return { status: "signed-in", user: await client().getUser() };
      },
    };
  `),
};
