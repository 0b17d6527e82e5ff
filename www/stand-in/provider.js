/** Creates the OpenID provider: oidc-provider, configured to behave as ClassLink does. */

import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { allClaims, CLAIMS_OF_SCOPE } from "./claims.js";
import { endSessionFeature, skipLogoutConfirmation } from "./end-session.js";
import { Provider, reportDefects } from "./library.js";
import { LAUNCHPAD_CLIENT_ID } from "./options.js";
import { errorPage } from "./pages.js";
import { PATHS } from "./paths.js";
import { createQuirks } from "./quirks.js";

/** @import { Consents } from "./consents.js" */
/** @import { Parts } from "./index.js" */
/** @import { Settings } from "./options.js" */
/** @import { Client } from "./types.d.ts" */

/** How long a user stays signed in at the stand-in, in seconds. */
const SESSION_LIFETIME_SECS = 8 * 3600;

/**
 * Creates the provider.
 *
 * @param {string} issuer The issuer identifier: an origin, without a path.
 * @param {Parts} parts
 * @returns {Promise<any>} An instance of oidc-provider's `Provider`.
 */
export async function createProvider(issuer, { settings, people, consents, store, faults }) {
  const { port } = new URL(issuer);
  const provider = new Provider(issuer, {
    adapter: store.adapter,
    jwks: { keys: [await signingKey()] },
    clients: [...settings.clients.map((c) => toProviderClient(c, settings)), launchPad(issuer)],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    enabledJWA: { idTokenSigningAlgValues: ["RS256"] },
    routes: {
      authorization: PATHS.authorization,
      token: PATHS.token,
      jwks: PATHS.jwks,
      revocation: PATHS.revocation,
      end_session: PATHS.endSession,
    },
    responseTypes: ["code"],
    scopes: Object.keys(CLAIMS_OF_SCOPE),
    claims: CLAIMS_OF_SCOPE,
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => false },
    // Browsers keep cookies per host, not per port: two stand-ins must not share names.
    cookies: {
      keys: [randomBytes(32).toString("hex")],
      names: {
        session: `stand-in-${port}-session`,
        interaction: `stand-in-${port}-interaction`,
        resume: `stand-in-${port}-resume`,
      },
      ...(settings.crossSiteCookies && {
        long: { httpOnly: true, sameSite: "none", secure: true },
      }),
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: {
        enabled: settings.revocation,
        allowedPolicy: canRevoke,
      },
      rpInitiatedLogout: endSessionFeature(settings.endSession, people),
      // UserInfo is on the second origin. Without one of the provider's own, the user's claims go into the ID
      // token, where ClassLink has them too.
      userinfo: { enabled: false },
    },
    // oidc-provider has refresh tokens only if it is configured when to issue them.
    ...(settings.refreshTokens && {
      issueRefreshToken: (/** @type {unknown} */ _ctx, /** @type {any} */ client) =>
        client.grantTypeAllowed("refresh_token"),
      rotateRefreshToken: true,
    }),
    ttl: {
      AccessToken: settings.accessTokenLifetime,
      AuthorizationCode: settings.codeLifetime,
      IdToken: settings.idTokenLifetime,
      Interaction: 3600,
      RefreshToken: SESSION_LIFETIME_SECS,
      Session: SESSION_LIFETIME_SECS,
      Grant: Math.max(SESSION_LIFETIME_SECS, settings.accessTokenLifetime),
    },
    // Tokens of applications stay valid when the user signs out of LaunchPad.
    expiresWithSession: () => false,
    // `cors.js` decides about CORS, for all endpoints.
    clientBasedCORS: () => true,
    interactions: { url: interactionUrl },
    findAccount: (/** @type {unknown} */ _ctx, /** @type {string} */ sub) => {
      const person = people.find(sub);
      return (
        person && {
          accountId: sub,
          claims: () => allClaims(person.account, person.district, settings.tenantClaims),
        }
      );
    },
    loadExistingGrant: (/** @type {any} */ ctx) => existingGrant(ctx, consents),
    renderError: (/** @type {any} */ ctx, /** @type {Record<string, string>} */ out) => {
      ctx.type = "html";
      ctx.body = errorPage(out.error ?? "server_error", out.error_description);
    },
  });
  provider.use(createQuirks(issuer, settings, faults));
  provider.use(skipLogoutConfirmation);
  reportDefects(provider);
  return provider;
}

async function signingKey() {
  // Generated as JWKs: exporting a new key can hang Node.js if its generator is garbage-collected meanwhile. Node's types
  // lack the format.
  const options = /** @type {any} */ ({
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "jwk" },
    privateKeyEncoding: { type: "pkcs8", format: "jwk" },
  });
  const { privateKey } = await promisify(generateKeyPair)("rsa", options);
  const kid = randomBytes(8).toString("hex");
  return { .../** @type {any} */ (privateKey), kid, alg: "RS256", use: "sig" };
}

/**
 * Converts a client to oidc-provider's metadata.
 *
 * @param {Client} client
 * @param {Settings} settings
 */
function toProviderClient(client, settings) {
  const { clientId, clientSecret, redirectUris, postLogoutRedirectUris = [], name } = client;
  const common = {
    client_id: clientId,
    client_name: name ?? clientId,
    redirect_uris: redirectUris,
    ...(settings.endSession && { post_logout_redirect_uris: postLogoutRedirectUris }),
    ...(settings.refreshTokens && { grant_types: ["authorization_code", "refresh_token"] }),
  };
  if (clientSecret === undefined && settings.publicClients) {
    return { ...common, token_endpoint_auth_method: "none" };
  }
  // A client without a secret gets a random one if all clients must authenticate.
  return { ...common, client_secret: clientSecret ?? randomBytes(32).toString("hex") };
}

/**
 * Allows a client to revoke its own tokens alone (RFC 7009, 2.1).
 *
 * @param {unknown} _ctx
 * @param {any} client
 * @param {any} token
 */
function canRevoke(_ctx, client, token) {
  return token.clientId === client.clientId;
}

/** @param {string} issuer */
function launchPad(issuer) {
  return {
    client_id: LAUNCHPAD_CLIENT_ID,
    client_name: "LaunchPad",
    redirect_uris: [`${issuer}/launchpad/signed-in`],
    token_endpoint_auth_method: "none",
  };
}

/**
 * Returns the URL of the sign-in or the consent page. The authorization request's parameters stay in it, as ClassLink keeps
 * them.
 *
 * @param {any} ctx
 * @param {any} interaction
 */
function interactionUrl(ctx, interaction) {
  const page = interaction.prompt.name === "consent" ? "consent" : "sign-in";
  const query = new URL(ctx.originalUrl, ctx.oidc.issuer).search;
  return `/${page}/${interaction.uid}${query}`;
}

/**
 * Finds the grant that makes a consent page unnecessary.
 *
 * @param {any} ctx
 * @param {Consents} consents
 */
async function existingGrant(ctx, consents) {
  const { provider, result, client, account, requestParamOIDCScopes } = ctx.oidc;
  if (result?.consent?.grantId) return provider.Grant.find(result.consent.grantId);

  const scopes = [...requestParamOIDCScopes];
  if (!consents.covers(account.accountId, client.clientId, scopes)) return undefined;
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(scopes.join(" "));
  await grant.save();
  return grant;
}
