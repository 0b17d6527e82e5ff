/**
 * The stand-in request by request, as a user's browser and an application's server make them: no Chromium, no SDK.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import { startStandIn } from "../../www/stand-in/index.js";

/** @import { TestContext } from "node:test" */
/** @import { StandIn, StandInOptions } from "../../www/stand-in/types.d.ts" */

export const REDIRECT_URI = "http://localhost:4419/callback";
export const CLIENT = {
  clientId: "test-app",
  redirectUris: [REDIRECT_URI],
  launchUrl: "http://localhost:4419/start",
  name: "Test app",
};
export const SECRET_CLIENT = { ...CLIENT, clientId: "secret-app", clientSecret: "s3cret" };
export const PIA = "8708718";
export const PAUL = "9120045";
export const ADAM = "8708721";
export const NILS = "8708719";
export const OLGA = "7300512";

/**
 * Starts a stand-in that ends with the test.
 *
 * @param {TestContext} t
 * @param {StandInOptions} [options] In place of the usual ones.
 */
export async function standInFor(t, options = {}) {
  const standIn = await startStandIn({ clients: [CLIENT, SECRET_CLIENT], ...options });
  t.after(() => standIn.close());
  return standIn;
}

/** The `User-Agent` of a {@link HttpUserAgent}, unlike the gateway and other users of Node's `fetch`. */
export const USER_AGENT = "somebody at the stand-in";

/** A browser as far as the stand-in needs one: cookies by path, redirects by hand. */
export class HttpUserAgent {
  /** @type {Map<string, { name: string, value: string, path: string }>} */
  #cookies = new Map();

  /**
   * @param {string} url
   * @param {RequestInit & { headers?: Record<string, string> }} [init]
   */
  async #request(url, init = {}) {
    const { pathname } = new URL(url);
    const cookie = [...this.#cookies.values()]
      .filter(({ path }) => path === "/" || pathname === path)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const headers = { "user-agent": USER_AGENT, ...init.headers, ...(cookie && { cookie }) };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /** @type {RegExpExecArray} */ (/^([^=]+)=([^;]*)/.exec(line));
      const path = /path=([^;]*)/i.exec(line)?.[1] ?? "/";
      this.#cookies.delete(`${path} ${name}`);
      if (value) this.#cookies.set(`${path} ${name}`, { name, value, path });
    }
    return response;
  }

  /**
   * Follows HTTP redirects as long as they stay with the stand-in.
   *
   * @param {string} url
   * @param {RequestInit & { headers?: Record<string, string> }} [init]
   * @returns {Promise<{ url: string, response: Response, text: string, left?: URL }>} The page and where it is; `left` is
   * where the last redirect would have gone on to.
   */
  async open(url, init) {
    const response = await this.#request(url, init);
    const location = response.headers.get("location");
    const next = location ? new URL(location, url) : undefined;
    if (next?.origin === new URL(url).origin) return this.open(next.href);
    return { url, response, text: await response.text(), ...(next && { left: next }) };
  }

  /**
   * Posts a form.
   *
   * @param {string} url
   * @param {Record<string, string>} fields
   */
  post(url, fields) {
    return this.open(url, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /**
   * Goes through sign-in and consent pages until the last hop.
   *
   * @param {string} url
   * @param {{ sub?: string, answer?: string }} [user]
   * @returns The page that makes the last hop, or the one that stopped it; reading `callback` of that one throws.
   */
  async arrive(url, { sub = PIA, answer = "allow" } = {}) {
    let page = await this.open(url);
    /** @type {string[]} */
    const seen = [];
    for (;;) {
      const kind = /^\/(sign-in|consent)\//.exec(new URL(page.url).pathname)?.[1];
      if (!kind) {
        const { text } = page;
        return {
          ...page,
          seen,
          get callback() {
            return callbackOf(text);
          },
        };
      }
      seen.push(kind);
      page = await this.post(page.url, kind === "consent" ? { answer } : { account: sub });
    }
  }
}

/**
 * The URL that a last-hop page goes to by script.
 *
 * @param {string} text
 * @throws {Error} if the page makes no last hop
 */
export function callbackOf(text) {
  const target = /location\.replace\((".*?")\)/.exec(text)?.[1];
  if (!target) throw new Error(`The page does not lead to a callback: ${text.slice(0, 200)}`);
  return new URL(JSON.parse(target));
}

/**
 * The code of an authorization response.
 *
 * @param {URL} callback
 * @throws {Error} if it has none
 */
export function codeOf(callback) {
  const code = callback.searchParams.get("code");
  if (!code) throw new Error(`The authorization response has no code: ${callback.search}`);
  return code;
}

const verifier = randomBytes(32).toString("base64url");
const challenge = createHash("sha256").update(verifier).digest("base64url");

/**
 * An authorization request.
 *
 * @param {StandIn} standIn
 * @param {Record<string, string | undefined>} [params] In place of the usual ones; `undefined` leaves one out.
 */
export function authorizationUrl(standIn, params = {}) {
  const url = new URL(standIn.endpoints.authorization_endpoint);
  const all = {
    client_id: CLIENT.clientId,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid profile email",
    state: "the-state",
    nonce: "the-nonce",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...params,
  };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * A token request for a code.
 *
 * @param {StandIn} standIn
 * @param {string | null} code
 * @param {Record<string, string | undefined>} [params]
 * @param {Record<string, string>} [headers]
 */
export function exchange(standIn, code, params = {}, headers = {}) {
  const usual = {
    grant_type: "authorization_code",
    code: code ?? undefined,
    redirect_uri: REDIRECT_URI,
    client_id: CLIENT.clientId,
    code_verifier: verifier,
  };
  return postForm(standIn.endpoints.token_endpoint, { ...usual, ...params }, headers);
}

/**
 * A refresh token request (RFC 6749, 6).
 *
 * @param {StandIn} standIn
 * @param {string} refreshToken
 * @param {Record<string, string | undefined>} [params]
 * @param {Record<string, string>} [headers]
 */
export function renew(standIn, refreshToken, params = {}, headers = {}) {
  const usual = {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: CLIENT.clientId,
  };
  return postForm(standIn.endpoints.token_endpoint, { ...usual, ...params }, headers);
}

/**
 * Posts a form; a field of `undefined` is left out.
 *
 * @param {string} url
 * @param {Record<string, string | undefined>} fields
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{ response: Response, body: any }>} `body` is JSON if the answer says so, text otherwise.
 */
export async function postForm(url, fields, headers = {}) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: new URLSearchParams(/** @type {[string, string][]} */ (given)),
  });
  const json = response.headers.get("content-type")?.startsWith("application/json");
  return { response, body: json ? await response.json() : await response.text() };
}

/**
 * A whole sign-in: the token response, and the ID token's claims.
 *
 * @param {StandIn} standIn
 * @param {{ sub?: string, browser?: HttpUserAgent } & Record<string, any>} [options] Others are parameters of the
 * authorization request.
 */
export async function obtainTokens(
  standIn,
  { sub = PIA, browser = new HttpUserAgent(), ...params } = {},
) {
  const { callback } = await browser.arrive(authorizationUrl(standIn, params), { sub });
  const { body } = await exchange(standIn, codeOf(callback));
  return { ...body, claims: decodeJwt(body.id_token) };
}

/**
 * Asks for JSON, with a bearer token if one is given.
 *
 * @param {string} url
 * @param {string} [token]
 * @param {Record<string, string>} [headers]
 */
export async function api(url, token, headers = {}) {
  const authorization = token && { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers: { ...authorization, ...headers } });
  return { response, body: await response.json() };
}
