/**
 * An OpenID provider that misbehaves on request: oidc-provider with a sign-in that needs no user, and a layer that can
 * rewrite each of its answers on the way out. What isn't bent is the library's own.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider, reportDefects } from "../../www/stand-in/library.js";
import { createStore } from "../../www/stand-in/store.js";
import { trickle as dripOn, neverRespond as staySilent, truncate } from "../support/faults.mjs";
import { accessTokenHash, KEYS, signToken } from "./keys.mjs";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Key } from "../support/keys.mjs" */

/**
 * An answer of one endpoint. `json` and `body` exclude each other.
 *
 * @typedef {object} Answer
 * @property {number} [status] Default 200.
 * @property {Record<string, string>} [headers]
 * @property {any} [json]
 * @property {string | Buffer} [body] In place of JSON.
 * @property {boolean} [hang] No answer ever comes.
 * @property {boolean} [reset] The connection ends in the middle.
 * @property {boolean} [cors] `false`: no page of another origin may read it.
 * @property {boolean} [drip] Status and headers come, then a byte at a time, for ever.
 */

/**
 * A change of an answer: members in its place, or a function that changes it or gives another. `count` is how
 * many requests this endpoint has had, this one included.
 *
 * @typedef {Answer | ((answer: Answer & { json: any }, about: { count: number, provider: Misbehaving }) => Answer | void)} Bend
 */

/**
 * An ID token before it is signed. A function that is given one may change it, or return the token as it is to
 * be sent.
 *
 * @typedef {object} Unsigned
 * @property {Record<string, any>} header
 * @property {Record<string, any>} claims
 * @property {Key} key
 * @property {string} accessToken What `at_hash` is about.
 */

/**
 * How a provider misbehaves. Nothing is required.
 *
 * @typedef {object} Misbehavior
 * @property {(token: Unsigned, provider: Misbehaving) => string | void} [idToken]
 * @property {Bend} [token] The token endpoint's answer.
 * @property {Bend} [jwks]
 * @property {Bend} [discovery]
 * @property {Bend} [userinfo]
 * @property {Bend} [myInfo]
 * @property {(url: URL, provider: Misbehaving) => URL | string | void} [callbackUrl] Where the user is sent back to.
 * @property {{ error: string, error_description?: string }} [refusal] The user isn't signed in: this is the answer.
 */

/**
 * A provider that is running.
 *
 * @typedef {object} Misbehaving
 * @property {string} issuer
 * @property {string} origin
 * @property {Misbehavior} bent A test may replace it at any time; `{}` heals.
 * @property {Key} key What it signs with.
 * @property {Record<string, unknown>[]} keys The key set it serves.
 * @property {{ endpoint: string, method: string, headers: IncomingMessage["headers"], parameters: Record<string,
 * string> }[]} requests Every request but preflights, oldest first; `parameters` are the query's and the form's.
 * @property {string[]} callbacks Where users were sent back to.
 * @property {string[]} secrets Everything secret or personal that it gave away.
 */

/** Who signs in. No error, event or console line may show any of it. */
export const PERSON = {
  sub: "8708718",
  name: "Pia Privat",
  given_name: "Pia",
  family_name: "Privat",
  email: "pia.privat@school.example",
  profile: "Student",
};

const PATHS = {
  authorization: "/auth",
  token: "/token",
  jwks: "/jwks",
  userinfo: "/userinfo",
  myInfo: "/my-info",
  discovery: "/.well-known/openid-configuration",
};

/**
 * Starts a provider that knows one public client.
 *
 * @param {object} options
 * @param {string} options.clientId
 * @param {string} options.redirectUri
 * @param {boolean} [options.jwtAccessTokens] Whether access tokens are signed (RFC 9068), and not opaque.
 * @param {string} [options.issuerPath] What follows the origin in the issuer identifier. Default: nothing.
 * @param {Partial<typeof PATHS>} [options.paths] In place of the usual ones.
 * @returns {Promise<Misbehaving & { close: () => Promise<void> }>}
 */
export async function startProvider({
  clientId,
  redirectUri,
  issuerPath = "",
  jwtAccessTokens = false,
  paths: otherPaths,
}) {
  const paths = { ...PATHS, ...otherPaths };
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://localhost:${port}`;

  /** @type {Misbehaving} */
  const provider = {
    issuer: origin + issuerPath,
    origin,
    bent: {},
    key: KEYS.own,
    keys: [KEYS.own.jwk],
    requests: [],
    callbacks: [],
    secrets: [PERSON.name, PERSON.given_name, PERSON.family_name, PERSON.email],
  };
  const library = createLibrary(provider, { clientId, redirectUri, paths, port });
  library.use(bending(provider, { paths, redirectUri, jwtAccessTokens }));
  const answer = library.callback();

  server.on("request", async (request, response) => {
    if (issuerPath.length > 1 && request.url?.startsWith(issuerPath)) {
      request.url = request.url.slice(issuerPath.length);
    }
    const url = new URL(request.url ?? "/", origin);
    allowAll(request, response);
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (url.pathname.startsWith("/interaction/")) {
      return signIn(library, provider, request, response);
    }
    answer(request, response);
  });

  return Object.assign(provider, {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve(undefined));
        server.closeAllConnections();
      }),
  });
}

/**
 * Lets the page of any origin ask and read, with cookies too: some libraries send them.
 *
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 */
function allowAll({ headers }, response) {
  if (headers.origin === undefined) return;
  const asked = headers["access-control-request-headers"];
  response.setHeader("Access-Control-Allow-Origin", headers.origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Allow-Methods", "GET, POST");
  if (asked) response.setHeader("Access-Control-Allow-Headers", asked);
}

/** The library, as an honest provider. */
function createLibrary(provider, { clientId, redirectUri, paths, port }) {
  const library = new Provider(provider.issuer, {
    adapter: createStore().adapter,
    jwks: { keys: [{ ...KEYS.own.privateKey.export({ format: "jwk" }), ...KEYS.own.jwk }] },
    clients: [
      { client_id: clientId, redirect_uris: [redirectUri], token_endpoint_auth_method: "none" },
    ],
    clientAuthMethods: ["none"],
    routes: {
      authorization: paths.authorization,
      token: paths.token,
      jwks: paths.jwks,
      userinfo: paths.userinfo,
    },
    scopes: ["openid", "profile", "email"],
    claims: { profile: ["name", "given_name", "family_name", "profile"], email: ["email"] },
    // As ClassLink does: the claims are in the ID token too.
    conformIdTokenClaims: false,
    responseTypes: ["code"],
    pkce: { required: () => true },
    // Browsers keep cookies per host, not per port.
    cookies: {
      keys: [randomBytes(32).toString("hex")],
      names: {
        session: `provider-${port}`,
        interaction: `provider-${port}-interaction`,
        resume: `provider-${port}-resume`,
      },
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    ttl: {
      AccessToken: 86_400,
      AuthorizationCode: 300,
      IdToken: 86_400,
      Interaction: 3600,
      Session: 3600,
      Grant: 86_400,
    },
    clientBasedCORS: () => true,
    // A user who signs in again leaves the codes of other logins alone.
    expiresWithSession: () => false,
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...PERSON, sub }) }),
    async loadExistingGrant({ oidc }) {
      const grant = new library.Grant({
        accountId: oidc.account.accountId,
        clientId: oidc.client.clientId,
      });
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(" "));
      await grant.save();
      return grant;
    },
  });
  reportDefects(library);
  return library;
}

/** Signs the user in, or refuses, without a page. */
async function signIn(library, { bent }, request, response) {
  await library.interactionFinished(
    request,
    response,
    bent.refusal ?? { login: { accountId: PERSON.sub } },
  );
}

/** Middleware around the library: every answer on its way out. */
function bending(provider, { paths, redirectUri, jwtAccessTokens }) {
  const names = new Map(Object.entries(paths).map(([name, path]) => [path, name]));
  return async (ctx, next) => {
    await next();
    // Where a user goes on after signing in.
    if (ctx.path.startsWith(`${paths.authorization}/`)) return leave(provider, ctx, redirectUri);
    const endpoint = names.get(ctx.path) ?? "other";
    provider.requests.push({
      endpoint,
      method: ctx.method,
      headers: ctx.headers,
      parameters: { ...ctx.query, ...ctx.oidc?.body },
    });
    if (endpoint === "authorization") return leave(provider, ctx, redirectUri);
    if (endpoint === "other") return;
    /** @type {Answer & { json: any }} */
    const usual = { status: ctx.status, json: ctx.body };
    if (endpoint === "jwks") usual.json = { keys: provider.keys };
    if (endpoint === "myInfo") {
      usual.status = 200;
      usual.json = { UserId: Number(PERSON.sub), TenantId: 2284, Tenant: "Springfield" };
    }
    if (endpoint === "token" && usual.json?.id_token) {
      if (jwtAccessTokens) usual.json.access_token = jwtAccessToken(provider);
      usual.json = { ...usual.json, id_token: idToken(provider, usual.json) };
    }
    const bend = provider.bent[endpoint];
    const count = provider.requests.filter((request) => request.endpoint === endpoint).length;
    const given = typeof bend === "function" ? bend(usual, { count, provider }) : bend;
    const answer = given ?? usual;
    for (const name of ["access_token", "id_token"]) {
      const secret = answer.json?.[name];
      if (typeof secret === "string" && secret.length > 8) provider.secrets.push(secret);
    }
    send(ctx, answer);
  };
}

/** The last hop to the application, if this is it. */
function leave(provider, ctx, redirectUri) {
  const location = ctx.response.get("location") ?? "";
  if (!location.startsWith(redirectUri)) return;
  const url = new URL(location);
  const code = url.searchParams.get("code");
  if (code) provider.secrets.push(code);
  const target = String(provider.bent.callbackUrl?.(url, provider) ?? url);
  provider.callbacks.push(target);
  ctx.set("Location", target);
}

/** An access token of the kind that Keycloak gives out. */
function jwtAccessToken({ issuer, key }) {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: key.alg, kid: key.jwk.kid, typ: "at+jwt" };
  const claims = { iss: issuer, sub: PERSON.sub, aud: issuer, iat: now, exp: now + 86_400 };
  return signToken(header, claims, key);
}

/** The ID token that is sent: the library's claims and, as most providers have it, `at_hash`. */
function idToken(provider, { id_token, access_token }) {
  const [header, claims] = id_token
    .split(".", 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  const { bent, key } = provider;
  const usualHash = accessTokenHash(access_token, key.alg);
  /** @type {Unsigned} */
  const token = {
    header: { ...header, alg: key.alg, kid: key.jwk.kid },
    claims: { ...claims, at_hash: usualHash },
    key,
    accessToken: access_token,
  };
  const raw = bent.idToken?.(token, provider);
  if (typeof raw === "string") return raw;
  // It goes by the algorithm, which may be another by now.
  if (token.claims.at_hash === usualHash) {
    token.claims.at_hash = accessTokenHash(access_token, token.key.alg);
  }
  return signToken(token.header, token.claims, token.key);
}

/** Sends an answer past the library, to the byte. @param {any} ctx @param {Answer} answer */
function send(ctx, { status = 200, headers, json, body, hang, reset, cors = true, drip }) {
  ctx.respond = false;
  const { res } = ctx;
  if (hang) return staySilent();
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  if (cors) allowAll(ctx.req, res);
  res.writeHead(status, {
    "Content-Type": body === undefined || drip ? "application/json" : "text/html",
    "Cache-Control": "no-store",
    ...headers,
    // A browser asks again by itself if not even the headers came.
    ...(reset && { "Content-Length": "1000" }),
  });
  if (reset) return truncate(res, "{");
  if (drip) return dripOn(res);
  res.end(body ?? JSON.stringify(json));
}
