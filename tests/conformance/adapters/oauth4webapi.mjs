/**
 * oauth4webapi, as its OpenID Connect example sets it up, with its check of the ID token's signature or without.
 *
 * @module
 */

import { bundled, versionOf } from "./bundle.mjs";

/** @import { Adapter } from "../runner.mjs" */

const script = `
  import * as oauth from "oauth4webapi";
  const { issuer, clientId, redirectUri, profile, timeout, checksSignature } = SETTINGS;
  const insecure = { [oauth.allowInsecureRequests]: true };
  const options = () => ({ ...insecure, signal: AbortSignal.timeout(timeout) });
  const client = { client_id: clientId };
  const url = new URL(issuer);
  const discover = async () =>
    oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options()));
  window.rp = {
    async login({ maxAge } = {}) {
      const as = await discover();
      const login = {
        verifier: oauth.generateRandomCodeVerifier(),
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
        maxAge,
      };
      sessionStorage.setItem("login", JSON.stringify(login));
      const target = new URL(as.authorization_endpoint);
      const parameters = {
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: "openid profile",
        code_challenge: await oauth.calculatePKCECodeChallenge(login.verifier),
        code_challenge_method: "S256",
        state: login.state,
        nonce: login.nonce,
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
      };
      for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
      location.assign(target);
    },
    async callback(given = location.href) {
      const as = await discover();
      const login = JSON.parse(sessionStorage.getItem("login"));
      const answer = oauth.validateAuthResponse(as, client, new URL(given), login.state);
      const response = await oauth.authorizationCodeGrantRequest(
        as, client, oauth.None(), answer, redirectUri, login.verifier, options(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
        expectedNonce: login.nonce,
        requireIdToken: true,
        ...(login.maxAge !== undefined && { maxAge: login.maxAge }),
      });
      if (checksSignature) await oauth.validateApplicationLevelSignature(as, response, options());
      const claims = oauth.getValidatedIdTokenClaims(tokens);
      let user = claims;
      if (profile === "userinfo") {
        const asked = await oauth.userInfoRequest(as, client, tokens.access_token, options());
        user = { ...claims, ...(await oauth.processUserInfoResponse(as, client, claims.sub, asked)) };
      }
      sessionStorage.removeItem("login");
      return { status: "signed-in", user };
    },
  };
`;

const pageScript = bundled(script);
const notes = [
  "It is a set of functions: where a pending login is kept, when it is consumed, what happens on a second call, and time-outs are the application's.",
  "State and nonce are always sent here, though its example does without if the provider advertises PKCE.",
];

/** @type {Adapter} */
export const checking = {
  name: "oauth4webapi, signature checked",
  version: versionOf("oauth4webapi"),
  notes,
  pageScript: (settings) => pageScript({ ...settings, checksSignature: true }),
};

/** @type {Adapter} */
export const trusting = {
  name: "oauth4webapi",
  version: versionOf("oauth4webapi"),
  notes: [
    ...notes,
    "Its check of the signature is a call of its own, which it recommends if TLS to the token endpoint does not suffice.",
  ],
  pageScript: (settings) => pageScript({ ...settings, checksSignature: false }),
};
