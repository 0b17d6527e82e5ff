/**
 * An OpenID provider that misbehaves on request: a small one over `node:http`, whose every answer a test can bend. It
 * does what the gateway leans on (codes once, the client's secret, redirect URIs), and checks PKCE only when told to.
 */

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { SignJWT } from "jose";
import { makeKey } from "./keys.mjs";

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
 * @param {object} [options]
 * @param {object[]} [options.clients]
 * @param {() => number} [options.now] Milliseconds since 1970.
 */
export async function startUpstream(t, { clients = [CLIENT], now = Date.now } = {}) {
  const codes = new Map();
  const refreshTokens = new Map();
  const accessTokens = new Map();
  const secrets = new Set();

  const upstream = {
    /** Every request: path, and what the client sent. */
    requests: [],
    /** Handlers by path, in place of the usual ones: `(request, response) => void`. */
    instead: {},
    /** Further members of, or changes to, the discovery document. */
    discovery: {},
    /** The key set served. */
    keys: [FIRST_KEY.jwk],
    /** Changes what is to be signed: `({ header, claims, key }) => the same`. */
    bend: (token) => token,
    /** Changes the token response. */
    bendResponse: (response) => response,
    /** What UserInfo and my-info say. */
    userInfo: undefined,
    myInfo: { UserId: 8708718, TenantId: 2284, Tenant: "Springfield" },
    checksPkce: false,
    givesRefreshTokens: false,
    rotates: true,
    accessTokenLifetime: undefined,
    idTokenLifetime: 86_400,
    /** Everything secret or personal that was ever sent or received: for leak checks. */
    secrets,
    count: (path) => upstream.requests.filter((request) => request.path === path).length,
    newKey,
    key: FIRST_KEY,
    /** What the authorization endpoint would do: a code for this person and login. */
    authorize: ({ nonce, challenge, clientId = CLIENT.clientId, redirectUri, claims = {} }) => {
      const code = randomBytes(24).toString("base64url");
      secrets.add(code);
      codes.set(code, { nonce, challenge, clientId, redirectUri, claims });
      return code;
    },
    revokeGrants: () => refreshTokens.clear(),
  };

  const tokenResponse = async ({ clientId, nonce, claims, authTime }) => {
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

  const clientOf = (headers, form) => {
    let [id, secret] = [form.get("client_id"), form.get("client_secret")];
    if (headers.authorization) {
      const pair = Buffer.from(headers.authorization.replace(/^Basic /, ""), "base64").toString();
      [id, secret] = pair.split(":").map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    }
    return clients.find((one) => one.clientId === id && one.clientSecret === secret);
  };

  const grant = async (headers, form) => {
    const client = clientOf(headers, form);
    if (!client) return [401, { error: "invalid_client", error_description: "secret of Pia" }];
    const refused = [400, { error: "invalid_grant", error_description: "no such code of Pia" }];
    const authTime = Math.floor(now() / 1000);
    if (form.get("grant_type") === "refresh_token") {
      const found = refreshTokens.get(form.get("refresh_token"));
      if (found?.clientId !== client.clientId) return refused;
      if (upstream.rotates) refreshTokens.delete(form.get("refresh_token"));
      return [200, await tokenResponse(found)];
    }
    const found = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    if (found?.clientId !== client.clientId) return refused;
    if (found.redirectUri && found.redirectUri !== form.get("redirect_uri")) return refused;
    const challenge = createHash("sha256").update(form.get("code_verifier")).digest("base64url");
    if (upstream.checksPkce && found.challenge !== challenge) return refused;
    return [200, await tokenResponse({ ...found, authTime })];
  };

  const json = (response, status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const profile = (body) => (request, response) => {
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (!accessTokens.has(token)) return json(response, 401, { message: "no token of Pia" });
    json(response, 200, body());
  };
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
    const path = new URL(request.url, "http://upstream").pathname;
    let body = "";
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    upstream.requests.push({ path, form, headers: request.headers, method: request.method });
    const handler = upstream.instead[path] ?? usual[path];
    if (handler) await handler(request, response, form);
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  upstream.issuer = `http://127.0.0.1:${server.address().port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return upstream;
}
