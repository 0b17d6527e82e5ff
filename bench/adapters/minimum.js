/**
 * A sign-in written by hand for one page, with the checks of classlink-spa and nothing else: no errors to show, no
 * retries, no second tab, no session.
 */

/** @import { CreateAdapter } from "../adapter.js" */

const PENDING = "pending-login";
const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const CLOCK_TOLERANCE_SECS = 60;

/** @param {ArrayBuffer | Uint8Array} bytes */
const toBase64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** @param {string} text */
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

/** @param {string} text */
const sha256 = (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

const random = () => toBase64url(crypto.getRandomValues(new Uint8Array(32)));

/** @param {string} part */
const parse = (part) =>
  JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(part)));

/** @param {string} url @param {RequestInit} [init] */
const fetchJson = async (url, init) => {
  const response = await fetch(url, { credentials: "omit", redirect: "error", ...init });
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return response.json();
};

/** @param {unknown} holds @param {string} what */
const require = (holds, what) => {
  if (!holds) throw new Error(`${what} is not as expected`);
};

/**
 * Validates an ID token (OpenID Connect Core 1.0, 3.1.3.7).
 *
 * @param {string} idToken
 * @param {{ keys: JsonWebKey[] }} keySet
 * @param {{ issuer: string, clientId: string, nonce: string, accessToken: string }} expected
 */
async function validateIdToken(idToken, { keys }, { issuer, clientId, nonce, accessToken }) {
  const [header, payload, signature, ...rest] = idToken.split(".");
  const { alg, kid, crit } = parse(header);
  require(alg === "RS256" && crit === undefined && rest.length === 0, "header");
  const jwk = keys.find((key) => key.kty === "RSA" && /** @type {any} */ (key).kid === kid);
  require(jwk, "kid");
  const key = await crypto.subtle.importKey("jwk", /** @type {JsonWebKey} */ (jwk), RS256, false, [
    "verify",
  ]);
  const input = new TextEncoder().encode(`${header}.${payload}`);
  require(await crypto.subtle.verify(RS256, key, fromBase64url(signature), input), "signature");
  const claims = parse(payload);
  require(claims.iss === issuer, "iss");
  const audience = [claims.aud].flat();
  require(audience.includes(clientId), "aud");
  require(claims.azp === clientId || (claims.azp === undefined && audience.length === 1), "azp");
  require(typeof claims.sub === "string" && claims.sub !== "" && claims.sub.length <= 255, "sub");
  require(claims.nonce === nonce, "nonce");
  if (claims.at_hash !== undefined) {
    const digest = await sha256(accessToken);
    require(claims.at_hash === toBase64url(digest.slice(0, 16)), "at_hash");
  }
  const now = Date.now() / 1000;
  require(now < claims.exp + CLOCK_TOLERANCE_SECS, "exp");
  require(claims.iat <= now + CLOCK_TOLERANCE_SECS, "iat");
  require(claims.nbf === undefined || claims.nbf <= now + CLOCK_TOLERANCE_SECS, "nbf");
  return claims;
}

/** @type {CreateAdapter} */
export default ({ issuer, clientId, redirectUri, metadata, navigate }) => {
  const discover = async () => {
    if (metadata) return metadata;
    const document = await fetchJson(`${issuer}/.well-known/openid-configuration`);
    require(document.issuer === issuer, "issuer");
    return document;
  };
  return {
    async login() {
      const [server, verifier, state, nonce] = [await discover(), random(), random(), random()];
      const { authorization_endpoint, token_endpoint, jwks_uri } = server;
      const names = server.authorization_response_iss_parameter_supported;
      const pending = { verifier, nonce, token_endpoint, jwks_uri, names };
      sessionStorage.setItem(`${PENDING}-${state}`, JSON.stringify(pending));
      const parameters = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: "openid profile",
        code_challenge: toBase64url(await sha256(verifier)),
        code_challenge_method: "S256",
        state,
        nonce,
      });
      navigate(`${authorization_endpoint}?${parameters}`);
    },
    async callback() {
      const answer = new URL(location.href).searchParams;
      history.replaceState(history.state, "", location.pathname);
      const key = `${PENDING}-${answer.get("state")}`;
      const pending = JSON.parse(sessionStorage.getItem(key) ?? "null");
      require(pending, "state");
      sessionStorage.removeItem(key);
      require(answer.get("iss") === issuer || !(pending.names || answer.has("iss")), "iss");
      const [tokens, keySet] = await Promise.all([
        fetchJson(pending.token_endpoint, {
          method: "POST",
          body: new URLSearchParams({
            grant_type: "authorization_code",
            code: /** @type {string} */ (answer.get("code")),
            redirect_uri: redirectUri,
            client_id: clientId,
            code_verifier: pending.verifier,
          }),
        }),
        fetchJson(pending.jwks_uri),
      ]);
      const claims = await validateIdToken(tokens.id_token, keySet, {
        issuer,
        clientId,
        nonce: pending.nonce,
        accessToken: tokens.access_token,
      });
      return claims.sub;
    },
    async logout() {},
  };
};
