/**
 * An OpenID provider that misbehaves on request: a small one over `node:http`, whose every answer a test can bend. It
 * does what the gateway leans on (codes once, the client's secret, redirect URIs), and checks PKCE only when told to.
 */

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { SignJWT } from "jose";
import { deferred } from "./deferred.mjs";
import { makeKey } from "./keys.mjs";
import { listen } from "./serve.mjs";

/** @import { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http" */

/** @typedef {{ clientId: string, clientSecret: string, redirectUris: string[] }} UpstreamClient */
/** @typedef {{ clients?: UpstreamClient[], now?: () => number }} UpstreamOptions */
/** @typedef {Awaited<ReturnType<typeof startUpstream>>} Upstream */
/** @typedef {Record<string, any>} Claims */
/** @typedef {(request: IncomingMessage, response: ServerResponse, form: URLSearchParams) => unknown} Handler */

/**
 * A token about to be signed, or with `raw` the text that is sent in its place.
 *
 * @typedef {object} Unsigned
 * @property {Record<string, any>} header
 * @property {any} claims
 * @property {any} key
 * @property {string} [accessToken] The access token beside it.
 * @property {any} [raw]
 */

/**
 * The grant behind a code.
 *
 * @typedef {object} Grant
 * @property {string} clientId
 * @property {string} [nonce]
 * @property {string} [challenge]
 * @property {string} [redirectUri]
 * @property {Claims} claims
 * @property {number} [authTime]
 */

/** A registration that the upstream knows. The secret needs form-urlencoding (RFC 6749, 2.3.1). */
export const CLIENT = {
  clientId: "client-1",
  clientSecret: "s3cret+/:% ü",
  redirectUris: ["https://app.example/callback"],
};

/** Claims that no log and no error may show. */
export const PERSON = {
  sub: "8708718",
  name: "Pia Privat",
  given_name: "Pia",
  family_name: "Privat",
  email: "pia.privat@school.example",
  profile: "Student",
  classLink_tenant_id: 2284,
};

const newKey = (kid = randomBytes(4).toString("hex"), alg = "RS256") => ({
  kid,
  ...makeKey(kid, alg),
});

/** Every upstream's first key: RSA keys take long to make. */
const FIRST_KEY = newKey("key-1");

/**
 * Starts an upstream that ends with the test.
 *
 * @param {import("node:test").TestContext} t
 * @param {UpstreamOptions} [options] `now`: milliseconds since 1970.
 */
export async function startUpstream(t, { clients = [CLIENT], now = Date.now } = {}) {
  /** @type {Map<string | null, Grant>} */
  const codes = new Map();
  /** @type {Map<string | null, Grant>} */
  const refreshTokens = new Map();
  /** @type {Map<string, Claims>} */
  const accessTokens = new Map();
  /** @type {Set<string>} */
  const secrets = new Set();

  const upstream = {
    issuer: "",
    /**
     * Every request: path, and what the client sent.
     *
     * @type {{ path: string, form: URLSearchParams, headers: IncomingHttpHeaders, method?: string }[]}
     */
    requests: [],
    /** Handlers by path, in place of the usual ones. @type {Record<string, Handler>} */
    instead: {},
    /** Further members of, or changes to, the discovery document. @type {Record<string, unknown>} */
    discovery: {},
    /** The key set served. */
    keys: [FIRST_KEY.jwk],
    /** Changes what is to be signed. */
    bend: (/** @type {Unsigned} */ token) => /** @type {any} */ (token),
    /** Changes the token response. */
    bendResponse: (/** @type {Record<string, any>} */ response) => /** @type {any} */ (response),
    /** The responses of UserInfo and my-info. @type {any} */
    userInfo: undefined,
    /** @type {any} */
    myInfo: { UserId: 8708718, TenantId: 2284, Tenant: "Springfield" },
    checksPkce: false,
    givesRefreshTokens: false,
    rotates: true,
    /** @type {number | undefined} */
    accessTokenLifetime: undefined,
    idTokenLifetime: 86_400,
    /** Everything secret or personal that was ever sent or received: for leak checks. */
    secrets,
    count: (/** @type {string} */ path) =>
      upstream.requests.filter((request) => request.path === path).length,
    newKey,
    key: FIRST_KEY,
    /** Returns a code for this user and login, as the authorization endpoint would. */
    authorize: (/** @type {Partial<Grant>} */ request) => {
      const { nonce, challenge, clientId = CLIENT.clientId, redirectUri, claims = {} } = request;
      const code = randomBytes(24).toString("base64url");
      secrets.add(code);
      codes.set(code, { nonce, challenge, clientId, redirectUri, claims });
      return code;
    },
    revokeGrants: () => refreshTokens.clear(),
  };

  const tokenResponse = async (/** @type {Grant} */ { clientId, nonce, claims, authTime }) => {
    const seconds = Math.floor(now() / 1000);
    const accessToken = randomBytes(24).toString("base64url");
    accessTokens.set(accessToken, claims);
    const {
      header,
      claims: bent,
      key,
      raw,
    } = await upstream.bend({
      header: { alg: upstream.key.alg, kid: upstream.key.kid, typ: "JWT" },
      claims: {
        iss: upstream.issuer,
        aud: clientId,
        iat: seconds,
        exp: seconds + upstream.idTokenLifetime,
        auth_time: authTime,
        ...PERSON,
        ...claims,
        ...(nonce !== undefined && { nonce }),
      },
      key: upstream.key.privateKey,
      accessToken,
    });
    const idToken =
      raw ??
      (await new SignJWT(JSON.parse(JSON.stringify(bent))).setProtectedHeader(header).sign(key, {
        crit: { "urn:example:critical": true },
      }));
    /** @type {Record<string, any>} */
    const response = {
      access_token: accessToken,
      token_type: "Bearer",
      response_type: "code",
      id_token: idToken,
      ...(upstream.accessTokenLifetime && { expires_in: upstream.accessTokenLifetime }),
    };
    if (upstream.givesRefreshTokens) {
      response.refresh_token = randomBytes(24).toString("base64url");
      secrets.add(response.refresh_token);
      refreshTokens.set(response.refresh_token, { clientId, claims, authTime });
    }
    for (const secret of [accessToken, idToken]) secrets.add(secret);
    return upstream.bendResponse(response);
  };

  const clientOf = (
    /** @type {IncomingHttpHeaders} */ headers,
    /** @type {URLSearchParams} */ form,
  ) => {
    let [id, secret] = [form.get("client_id"), form.get("client_secret")];
    if (headers.authorization) {
      const pair = Buffer.from(headers.authorization.replace(/^Basic /, ""), "base64").toString();
      [id, secret] = pair.split(":").map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    }
    return clients.find((one) => one.clientId === id && one.clientSecret === secret);
  };

  /**
   * @param {IncomingHttpHeaders} headers
   * @param {URLSearchParams} form
   * @returns {Promise<[status: number, body: unknown]>}
   */
  const grant = async (headers, form) => {
    const client = clientOf(headers, form);
    if (!client) return [401, { error: "invalid_client", error_description: "secret of Pia" }];
    /** @type {[number, unknown]} */
    const refused = [400, { error: "invalid_grant", error_description: "no such code of Pia" }];
    const authTime = Math.floor(now() / 1000);
    if (form.get("grant_type") === "refresh_token") {
      const found = refreshTokens.get(form.get("refresh_token"));
      if (!found || found.clientId !== client.clientId) return refused;
      if (upstream.rotates) refreshTokens.delete(form.get("refresh_token"));
      return [200, await tokenResponse(found)];
    }
    const found = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    if (!found || found.clientId !== client.clientId) return refused;
    if (found.redirectUri && found.redirectUri !== form.get("redirect_uri")) return refused;
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (upstream.checksPkce && found.challenge !== challenge) return refused;
    return [200, await tokenResponse({ ...found, authTime })];
  };

  /** @param {ServerResponse} response @param {number} status @param {unknown} body */
  const json = (response, status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  /** @type {(body: () => unknown) => Handler} */
  const profile = (body) => (request, response) => {
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (!accessTokens.has(token)) return json(response, 401, { message: "no token of Pia" });
    json(response, 200, body());
  };
  /** @type {Record<string, Handler>} */
  const usual = {
    "/.well-known/openid-configuration": (_, response) =>
      json(response, 200, {
        issuer: upstream.issuer,
        authorization_endpoint: `${upstream.issuer}/auth`,
        token_endpoint: `${upstream.issuer}/token`,
        jwks_uri: `${upstream.issuer}/jwks`,
        userinfo_endpoint: `${upstream.issuer}/userinfo`,
        my_info_endpoint: `${upstream.issuer}/my-info`,
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
        ...upstream.discovery,
      }),
    "/jwks": (_, response) => json(response, 200, { keys: upstream.keys }),
    "/token": async (request, response, form) =>
      json(response, ...(await grant(request.headers, form))),
    "/userinfo": profile(() => upstream.userInfo ?? PERSON),
    "/my-info": profile(() => upstream.myInfo),
    "/revoke": (_, response) => response.writeHead(200).end(),
  };

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://upstream").pathname;
    let body = "";
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    upstream.requests.push({ path, form, headers: request.headers, method: request.method });
    const handler = upstream.instead[path] ?? usual[path];
    if (handler) await handler(request, response, form);
    else response.writeHead(404).end();
  });
  // On a busy machine Node would close a connection just as the gateway uses it again.
  server.keepAliveTimeout = 0;
  upstream.issuer = `http://127.0.0.1:${await listen(t, server)}`;
  return upstream;
}

/**
 * Holds the next token response. `asked` resolves when it is due; `release` sends it.
 *
 * @param {Upstream} upstream
 */
export function holdNextTokenResponse(upstream) {
  const asked = deferred();
  const released = deferred();
  const { bendResponse } = upstream;
  upstream.bendResponse = async (response) => {
    upstream.bendResponse = bendResponse;
    asked.resolve();
    await released.promise;
    return bendResponse(response);
  };
  return { asked: asked.promise, release: () => released.resolve() };
}
