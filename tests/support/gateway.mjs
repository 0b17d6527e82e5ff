/** A gateway before a misbehaving upstream, and a browser that talks to it as the SDK does. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { importEntry } from "./bundle.mjs";
import { CLIENT, PERSON, startUpstream } from "./upstream.mjs";

/** @import { Gateway, GatewayClient as GatewayRegistration, GatewayOptions, LogEntry } from "classlink-spa/gateway" */
/** @import { Upstream, UpstreamOptions } from "./upstream.mjs" */

export const { createGateway, GatewayConfigError, memoryStore, redisStore } =
  await importEntry("gateway");

export const APP = "https://app.example";
export const SUPPORT_CODE = "7KQ2M9ZX";
export const COOKIE = `__Host-classlink-${createHash("sha256").update(CLIENT.clientId).digest("base64url").slice(0, 12)}`;

/** A sealing key. */
export const newKey = () => randomBytes(32).toString("base64url");

/** A login's verifier, and what is derived from it (protocol.md, The pending login). */
export function newLogin() {
  const verifier = randomBytes(32).toString("base64url");
  const hash = (text) => createHash("sha256").update(text).digest("base64url");
  return {
    verifier,
    nonce: hash(`classlink-spa nonce:${verifier}`),
    challenge: hash(verifier),
    sessionId: hash(`classlink-spa session:${verifier}`),
  };
}

/**
 * Starts an upstream and a gateway, and hands out a browser.
 *
 * @param {import("node:test").TestContext} t
 * @param {Partial<GatewayOptions>} [gatewayOptions] In place of the usual ones.
 * @param {UpstreamOptions} [upstreamOptions]
 */
export async function setUp(t, gatewayOptions = {}, upstreamOptions = {}) {
  const clock = { at: Date.now() };
  const now = () => clock.at;
  const upstream = await startUpstream(t, { now, ...upstreamOptions });
  /** @type {LogEntry[]} */
  const entries = [];
  /** @type {GatewayOptions & { now: () => number }} */
  const options = {
    issuer: upstream.issuer,
    clients: [CLIENT],
    sealingKeys: [newKey()],
    timeout: 10_000,
    log: (entry) => void entries.push(entry),
    now,
    ...gatewayOptions,
  };
  const gateway = createGateway(options);
  const browser = new GatewayClient(gateway, upstream);
  // Every test ends with the same question: did anything leak into the log or into an error's body?
  t.after(() => {
    const written = JSON.stringify(entries) + browser.errors.join("\n");
    const people = Object.entries(PERSON).filter(([name]) => /name|email/.test(name));
    const forbidden = [
      ...upstream.secrets,
      ...browser.verifiers,
      ...people.map(([, value]) => String(value)),
      ...options.sealingKeys,
      ...options.clients.map((client) => client.clientSecret),
    ];
    for (const secret of forbidden) assert(!written.includes(secret), `leaked: ${secret}`);
  });
  return {
    upstream,
    gateway,
    browser,
    entries,
    options,
    /** Lets time pass, in seconds. */
    pass: (/** @type {number} */ seconds) => {
      clock.at += seconds * 1000;
    },
    /** Another instance of the same deployment, or one configured otherwise. */
    another: (/** @type {Partial<GatewayOptions & { now: () => number }>} */ changes = {}) => {
      const other = createGateway({ ...options, ...changes });
      return Object.assign(new GatewayClient(other, upstream), {
        gateway: other,
        jar: browser.jar,
      });
    },
  };
}

/**
 * Whether a pair of {@link Object.entries} has a value.
 *
 * @param {[string, string | null | undefined]} pair
 * @returns {pair is [string, string]}
 */
const isPresent = (pair) => pair[1] != null;

/**
 * How a sign-in differs from the usual one: the claims that the provider issues, the login (else a new one), and whether
 * the page names the session. Other members change the token request's form.
 *
 * @typedef {Record<string, any> & {
 *   claims?: Record<string, unknown>, client?: GatewayRegistration, login?: ReturnType<typeof newLogin>, isNamed?: boolean,
 * }} SignIn
 */

/** @typedef {{ headers?: Record<string, string | null>, body?: BodyInit, context?: unknown }} RequestOptions
 */

/** A page of the application with the SDK in it, as the gateway sees them. */
export class GatewayClient {
  /** @type {Map<string, string>} */
  jar = new Map();
  /** @type {string[]} */
  errors = [];
  /** @type {string[]} */
  verifiers = [];

  /**
   * @param {Gateway} gateway
   * @param {Upstream} [upstream] Where its users sign in.
   */
  constructor(gateway, upstream) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  get cookieHeader() {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The names of the cookies that hold a sealed session, and not only which sessions are over. */
  get sessionCookies() {
    return [...this.jar.keys()].filter((name) => /^__Host-classlink-.*\.\d$/.test(name));
  }

  /**
   * Sends a request as a same-origin page would, and takes the response's cookies; a header of `null` is left out.
   *
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   */
  async send(method, path, options) {
    const answer = await this.start(method, path, options);
    answer.arrive();
    return answer;
  }

  /**
   * Sends a request with the cookies that there are now. Its answer is there, but the browser takes its cookies only with
   * `arrive()`: answers overtake each other.
   *
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   */
  async start(method, path, { headers = {}, body, context } = {}) {
    const all = {
      "X-ClassLink-SPA": SUPPORT_CODE,
      "Sec-Fetch-Site": "same-origin",
      ...(method !== "GET" && { Origin: APP }),
      ...(this.jar.size > 0 && { Cookie: this.cookieHeader }),
      ...headers,
    };
    const request = new Request(`${APP}${path}`, {
      method,
      headers: Object.entries(all).filter(isPresent),
      ...(body !== undefined && { body, duplex: "half" }),
    });
    const response = await this.gateway.handle(request, context);
    const text = await response.text();
    if (!response.ok) this.errors.push(text);
    return {
      arrive: () => this.#keep(response),
      status: response.status,
      headers: response.headers,
      cookies: response.headers.getSetCookie(),
      text,
      json: text ? JSON.parse(text) : undefined,
      /** The gateway's own error code. */
      code: response.headers.get("X-ClassLink-Gateway-Error"),
    };
  }

  /** @param {Response} response */
  #keep(response) {
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /** @type {RegExpExecArray} */ (/^([^=]+)=([^;]*)/.exec(line));
      if (/max-age=0/i.test(line)) this.jar.delete(name);
      else this.jar.set(name, value);
    }
  }

  /**
   * Returns the form that the SDK posts for a code.
   *
   * @param {{ verifier: string }} login
   * @param {string} code
   * @param {Record<string, string | undefined>} [changes]
   */
  form(login, code, changes = {}) {
    this.verifiers.push(login.verifier);
    /** @type {Record<string, string | undefined>} */
    const fields = {
      grant_type: "authorization_code",
      code,
      redirect_uri: CLIENT.redirectUris[0],
      client_id: CLIENT.clientId,
      code_verifier: login.verifier,
      ...changes,
    };
    return new URLSearchParams(Object.entries(fields).filter(isPresent));
  }

  /**
   * @param {URLSearchParams | string} form
   * @param {Record<string, string | null>} [headers]
   */
  async postToken(form, headers = {}, query = "") {
    const answer = await this.startToken(form, headers, query);
    answer.arrive();
    return answer;
  }

  /**
   * @param {URLSearchParams | string} form
   * @param {Record<string, string | null>} [headers]
   */
  startToken(form, headers = {}, query = "") {
    const type = "application/x-www-form-urlencoded;charset=UTF-8";
    return this.start("POST", `/auth/token${query}`, {
      headers: { "Content-Type": type, ...headers },
      body: form.toString(),
    });
  }

  /** Signs a user in. @param {SignIn} [options] */
  async signIn(options) {
    const answer = await this.startSignIn(options);
    answer.arrive();
    return answer;
  }

  /** As {@link signIn}, with an answer that has not arrived. @param {SignIn} [options] */
  startSignIn({ claims, client = CLIENT, login = newLogin(), isNamed, ...changes } = {}) {
    const { clientId } = client;
    const redirectUri = client.redirectUris[0];
    assert(this.upstream);
    const code = this.upstream.authorize({ ...login, clientId, redirectUri, claims });
    return this.startToken(
      this.form(login, code, { client_id: clientId, redirect_uri: redirectUri, ...changes }),
      {},
      isNamed ? `?session_id=${login.sessionId}` : "",
    );
  }

  session(clientId = CLIENT.clientId) {
    return this.send("POST", `/auth/session?client_id=${encodeURIComponent(clientId)}`);
  }

  signOut(clientId = CLIENT.clientId) {
    return this.send("DELETE", `/auth/session?client_id=${encodeURIComponent(clientId)}`);
  }

  /** A session request or a sign-out that names a session; its answer has not arrived. */
  startNaming(method, sessionId) {
    const named = sessionId === undefined ? "" : `&session_id=${sessionId}`;
    return this.start(method, `/auth/session?client_id=${CLIENT.clientId}${named}`);
  }

  /** Returns the session that the application's own routes see. @param {{ clientId?: string }} [options] */
  whoIsIt(options) {
    return this.gateway.getSession(
      new Request(`${APP}/api`, { headers: { cookie: this.cookieHeader } }),
      options,
    );
  }
}
