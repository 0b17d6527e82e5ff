/**
 * The OpenID provider of the bench: `oidc-provider` with one user, who is signed in without being asked.
 *
 * @module
 */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Provider } from "../www/stand-in/library.js";
import { createStore } from "../www/stand-in/store.js";

export const CLIENT_ID = "bench";
/** Gets refresh tokens, too. */
export const RENEWING_CLIENT_ID = "bench-renewing";
export const SUBJECT = "8708718";

/** Where access tokens are valid. They are JWTs, since keycloak-js reads them. */
const RESOURCE = "https://api.example/";

/** The endpoints that auth0-spa-js knows. */
const ROUTES = { authorization: "/authorize", token: "/oauth/token", jwks: "/jwks" };

/** Requested by every library. */
const SCOPE = "openid profile";

const HOUR_SECS = 3600;

/**
 * Holds what may change while the provider runs.
 *
 * @typedef {object} ProviderState
 * @property {boolean} isCacheable Whether browsers may keep the discovery document and the key set.
 * @property {number} accessTokenSecs The lifetime of the next access tokens.
 */

/** @returns {ProviderState} */
export const initialState = () => ({ isCacheable: true, accessTokenSecs: HOUR_SECS });

const PUBLIC_DOCUMENTS = ["/.well-known/openid-configuration", "/jwks"];

/**
 * Creates a provider.
 *
 * @param {string} issuer
 * @param {string[]} redirectUris
 * @param {ProviderState} state
 */
export function createProvider(issuer, redirectUris, state) {
  const client = {
    client_id: CLIENT_ID,
    redirect_uris: redirectUris,
    response_types: ["code"],
    grant_types: ["authorization_code"],
    token_endpoint_auth_method: "none",
  };
  const provider = new Provider(issuer, {
    adapter: createStore().adapter,
    jwks: { keys: [signingKey()] },
    clients: [
      client,
      {
        ...client,
        client_id: RENEWING_CLIENT_ID,
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    routes: ROUTES,
    cookies: { keys: [randomBytes(32).toString("hex")] },
    scopes: ["openid", "profile", "offline_access"],
    claims: { openid: ["sub"], profile: ["name", "given_name", "family_name"] },
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: SCOPE, accessTokenFormat: "jwt" }),
      },
    },
    ttl: {
      AccessToken: () => state.accessTokenSecs,
      AuthorizationCode: 60,
      Grant: HOUR_SECS,
      IdToken: HOUR_SECS,
      Interaction: HOUR_SECS,
      RefreshToken: HOUR_SECS,
      Session: HOUR_SECS,
    },
    issueRefreshToken: (/** @type {unknown} */ _ctx, /** @type {any} */ client) =>
      client.grantTypeAllowed("refresh_token"),
    // Concurrent requests with the same refresh token are to be counted, not refused.
    rotateRefreshToken: false,
    // A refresh token outlives the session that it was issued in.
    expiresWithSession: () => false,
    clientBasedCORS: () => true,
    interactions: {
      url: (/** @type {unknown} */ _ctx, /** @type {any} */ { uid }) => `/interaction/${uid}`,
    },
    findAccount: (/** @type {unknown} */ _ctx, /** @type {string} */ sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: "Pia Pupil", given_name: "Pia", family_name: "Pupil" }),
    }),
    async loadExistingGrant(/** @type {any} */ { oidc }) {
      const grant = new provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      grant.addOIDCScope(SCOPE);
      grant.addResourceScope(RESOURCE, SCOPE);
      await grant.save();
      return grant;
    },
  });
  provider.use(async (/** @type {any} */ ctx, /** @type {() => Promise<void>} */ next) => {
    if (ctx.path.startsWith("/interaction/")) {
      const result = { login: { accountId: SUBJECT } };
      return ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
    }
    await next();
    // For keycloak-js, which sends cookies to the token endpoint.
    if (ctx.path === ROUTES.token) ctx.set("Access-Control-Allow-Credentials", "true");
    if (PUBLIC_DOCUMENTS.includes(ctx.path)) {
      ctx.set("Cache-Control", state.isCacheable ? `public, max-age=${HOUR_SECS}` : "no-store");
    }
  });
  return provider;
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" };
}
