/** oauth4webapi, as its OpenID Connect example sets it up, with its check of the ID token's signature. */

import * as oauth from "oauth4webapi";

/** @import { CreateAdapter } from "../adapter.js" */

const INSECURE = { [oauth.allowInsecureRequests]: true };
const PENDING = "pending-login";

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, navigate }) => {
  const url = new URL(issuer);
  const client = { client_id: clientId };
  const discover = async () =>
    metadata ?? oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, INSECURE));
  return {
    async login() {
      const server = await discover();
      const pending = {
        verifier: oauth.generateRandomCodeVerifier(),
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
      };
      sessionStorage.setItem(PENDING, JSON.stringify(pending));
      const target = new URL(/** @type {string} */ (server.authorization_endpoint));
      target.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: "openid profile",
        code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: "S256",
        state: pending.state,
        nonce: pending.nonce,
      }).toString();
      navigate(target.href);
    },
    async callback() {
      const server = await discover();
      const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "{}");
      sessionStorage.removeItem(PENDING);
      const answer = oauth.validateAuthResponse(
        server,
        client,
        new URL(location.href),
        pending.state,
      );
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        answer,
        redirectUri,
        pending.verifier,
        INSECURE,
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
        expectedNonce: pending.nonce,
        requireIdToken: true,
      });
      await oauth.validateApplicationLevelSignature(server, response, INSECURE);
      return oauth.getValidatedIdTokenClaims(tokens)?.sub;
    },
  };
};
