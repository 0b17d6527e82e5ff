/** The OpenID provider: oidc-provider, configured and bent until it answers as ClassLink does. */

import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { allClaims, CLAIMS_OF_SCOPE } from "./claims.js";
import { PAGE_POLICY } from "./http.js";
import { Provider } from "./library.js";
import { LAUNCHPAD_CLIENT_ID } from "./options.js";
import { continuePage, errorPage } from "./pages.js";
import { createStore } from "./store.js";

/** @import { Consents } from "./consents.js" */
/** @import { People } from "./directory.js" */
/** @import { Client, Settings } from "./options.js" */

/** ClassLink's paths on the issuer's origin. */
export const PATHS = {
  authorization: "/oauth2/v2/auth",
  token: "/oauth2/v2/token",
  jwks: "/oauth2/v2/jwks",
  discovery: "/.well-known/openid-configuration",
};

/** How long somebody stays signed in at the stand-in, in seconds. */
const SESSION_LIFETIME = 8 * 3600;

/**
 * Makes the provider.
 *
 * @param {string} issuer The issuer identifier: an origin, without a path.
 * @param {Settings} settings
 * @param {People} people
 * @param {Consents} consents
 * @returns {Promise<any>} An instance of oidc-provider's `Provider`.
 */
export async function createProvider(issuer, settings, people, consents) {
  const { port } = new URL(issuer);
  const provider = new Provider(issuer, {
    adapter: createStore(),
    jwks: { keys: [await signingKey()] },
    clients: [...settings.clients.map((c) => registration(c, settings)), launchPad(issuer)],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    enabledJWA: { idTokenSigningAlgValues: ["RS256"] },
    routes: {
      authorization: PATHS.authorization,
      token: PATHS.token,
      jwks: PATHS.jwks,
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
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      // UserInfo is on the second origin. Without one of the provider's own, the person's claims go into the ID
      // token, where ClassLink has them too.
      userinfo: { enabled: false },
    },
    ttl: {
      AccessToken: settings.accessTokenLifetime,
      AuthorizationCode: settings.codeLifetime,
      IdToken: settings.idTokenLifetime,
      Interaction: 3600,
      Session: SESSION_LIFETIME,
      Grant: Math.max(SESSION_LIFETIME, settings.accessTokenLifetime),
    },
    // Signing out of LaunchPad leaves the tokens that applications hold alive.
    expiresWithSession: () => false,
    // Cross-origin answers are decided in front of the provider, for all endpoints alike.
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
  provider.use(answerAsClassLink(issuer, settings));
  // A defect of the stand-in, not of the application under test: say so where a developer looks.
  provider.on("server_error", (/** @type {unknown} */ _ctx, /** @type {Error} */ error) => {
    console.error(error);
  });
  return provider;
}

async function signingKey() {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const kid = randomBytes(8).toString("hex");
  return { ...privateKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" };
}

/**
 * A client as oidc-provider wants it.
 *
 * @param {Client} client
 * @param {Settings} settings
 */
function registration({ clientId, clientSecret, redirectUris, name }, { publicClients }) {
  const common = {
    client_id: clientId,
    client_name: name ?? clientId,
    redirect_uris: redirectUris,
  };
  if (clientSecret === undefined && publicClients) {
    return { ...common, token_endpoint_auth_method: "none" };
  }
  // A client that has no secret where one is demanded gets one that nobody knows.
  return { ...common, client_secret: clientSecret ?? randomBytes(32).toString("hex") };
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
 * Where the person is asked for something. The authorization request's parameters stay in the URL, as ClassLink
 * keeps them.
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
 * The grant that makes a consent page unnecessary.
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

/**
 * Middleware around the provider: what ClassLink is not told, and what it answers otherwise.
 *
 * @param {string} issuer
 * @param {Settings} settings
 */
function answerAsClassLink(issuer, { pkce, cors }) {
  return async (/** @type {any} */ ctx, /** @type {() => Promise<void>} */ next) => {
    const authorization =
      ctx.path === PATHS.authorization || ctx.path.startsWith(`${PATHS.authorization}/`);
    if (ctx.path === PATHS.authorization) ctx.query = withoutUnknown(ctx.query, pkce);

    await next();

    // The provider's own headers: it adds them to every answer that has none from the front.
    if (!cors) {
      for (const name of Object.keys(ctx.response.headers)) {
        if (name.startsWith("access-control-")) ctx.remove(name);
      }
    }
    if (authorization && ctx.status === 303) {
      const target = new URL(ctx.response.get("location"), issuer);
      if (target.origin !== issuer) leaveByScript(ctx, target);
    }
    if (ctx.path === PATHS.token && ctx.body?.access_token) {
      const { access_token, token_type, id_token } = ctx.body;
      ctx.body = { access_token, token_type, response_type: "code", id_token };
    }
  };
}

/**
 * Drops what ClassLink is not known to understand: other response modes, and PKCE where it is to be ignored.
 *
 * @param {Record<string, unknown>} query
 * @param {Settings["pkce"]} pkce
 */
function withoutUnknown(query, pkce) {
  const { response_mode: _, ...known } = query;
  if (pkce === "honoured") return known;
  const { code_challenge: __, code_challenge_method: ___, ...rest } = known;
  return rest;
}

/**
 * The last hop to the application: made by a page's script, with `response_type` and without `iss` (RFC 9207).
 *
 * @param {any} ctx
 * @param {URL} target
 */
function leaveByScript(ctx, target) {
  target.searchParams.delete("iss");
  if (target.searchParams.has("code")) target.searchParams.set("response_type", "code");
  const nonce = randomBytes(16).toString("base64");
  ctx.remove("location");
  ctx.status = 200;
  ctx.type = "html";
  ctx.set("Content-Security-Policy", `${PAGE_POLICY}; script-src 'nonce-${nonce}'`);
  ctx.set("Referrer-Policy", "no-referrer");
  ctx.body = continuePage(target.href, nonce);
}
