/**
 * The surroundings of a gateway under test: the ClassLink stand-in, which demands the secret and ignores PKCE; the
 * program that runs the gateway; a page that asks it over HTTP; and a browser that uses it over TLS.
 */

import { randomBytes } from "node:crypto";
import { freePort } from "../../tools/lib/ports.mjs";
import { ACCOUNTS, startStandIn } from "../../www/stand-in/index.js";
import { authorize } from "../support/authorize.mjs";
import { newKey, newLogin, SUPPORT_CODE } from "../support/gateway.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { startBrowserApp } from "./browser.mjs";

export { newLogin, SUPPORT_CODE };

export const CLIENT_ID = "school-app";

/** A user whose ID token is long. */
export const LONG_NAMED = {
  ...ACCOUNTS[0],
  sub: "777",
  userId: 777,
  firstName: "Anna".repeat(230),
};

/**
 * Starts a stand-in and, with the environment that the examples read, a gateway before it.
 *
 * @param {(port: number) => readonly [command: string, args: string[]]} commandFor
 * @param {string} cwd
 * @returns The world that the checks in `suite.mjs` ask.
 */
export async function startWorld(commandFor, cwd) {
  const world = await startGateway(commandFor, cwd);
  const { client, sealingKey, stop } = world;
  /** @type {Promise<import("./browser.mjs").BrowserApp> | undefined} */
  let inBrowser;
  return {
    ...world,
    secrets: new Set([client.clientSecret, sealingKey]),
    /** Starts the platform as a browser sees it: a second program, behind a server that ends TLS. */
    inBrowser() {
      inBrowser ??= startBrowserApp({
        clientId: CLIENT_ID,
        startGateway: (origin) => startGateway(commandFor, cwd, origin),
      });
      return inBrowser;
    },
    async stop() {
      await Promise.all([stop(), inBrowser?.then((app) => app.stop())]);
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startWorld>>} World */

/**
 * @param {(port: number) => readonly [command: string, args: string[]]} commandFor
 * @param {string} cwd
 * @param {string} [appOrigin] Where browsers see the application; none: where the program listens.
 */
async function startGateway(commandFor, cwd, appOrigin) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const origin = appOrigin ?? address;
  const client = {
    clientId: CLIENT_ID,
    clientSecret: `${randomBytes(9).toString("base64url")}+/:%`,
    redirectUris: [`${origin}/callback`],
  };
  const standIn = await startStandIn({
    host: "127.0.0.1",
    clients: [client],
    accounts: [...ACCOUNTS, LONG_NAMED],
    publicClients: false,
    pkce: "ignored",
    consent: "never",
  });
  const sealingKey = newKey();
  const program = startProgram(...commandFor(port), {
    cwd,
    env: {
      PORT: String(port),
      HOST: "127.0.0.1",
      CLASSLINK_ISSUER: standIn.issuer,
      CLASSLINK_CLIENT_ID: client.clientId,
      CLASSLINK_CLIENT_SECRET: client.clientSecret,
      APP_ORIGIN: origin,
      SEALING_KEYS: sealingKey,
    },
  });
  const stop = async () => {
    await Promise.all([program.stop(), standIn.close()]);
  };
  await untilReady(program, `${address}/auth/health`).catch(async (error) => {
    await stop();
    throw error;
  });
  return { origin, address, client, standIn, sealingKey, program, stop };
}

/** A page of the application with the SDK in it, as a gateway sees it over HTTP. */
export class Page {
  /** @type {Map<string, string>} */
  jar = new Map();

  /** @param {World} world */
  constructor(world) {
    this.world = world;
  }

  get cookieHeader() {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The names of the cookies that hold a sealed session, and not only which sessions are over. */
  get sessionCookies() {
    return [...this.jar.keys()].filter((name) => /^__Host-classlink-.*\.\d$/.test(name));
  }

  /**
   * Sends a request as a same-origin page would; a header of `null` is left out.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ headers?: Record<string, string | null>, body?: string }} [options]
   */
  async send(method, path, { headers = {}, body } = {}) {
    const all = {
      "X-ClassLink-SPA": SUPPORT_CODE,
      "Sec-Fetch-Site": "same-origin",
      ...(method !== "GET" && { Origin: this.world.origin }),
      ...(this.jar.size > 0 && { Cookie: this.cookieHeader }),
      // On a busy machine Node would close a connection just as the next request uses it.
      Connection: "close",
      ...headers,
    };
    const response = await fetch(this.world.origin + path, {
      method,
      headers: Object.entries(all).filter(([, value]) => value !== null),
      redirect: "manual",
      ...(body !== undefined && { body }),
    });
    const cookies = response.headers.getSetCookie();
    for (const line of cookies) {
      const [, name, value] = /** @type {RegExpExecArray} */ (/^([^=]+)=([^;]*)/.exec(line));
      // What says which sessions are over has "1" for its value.
      if (value !== "1") this.world.secrets.add(value);
      if (/max-age=0/i.test(line)) this.jar.delete(name);
      else this.jar.set(name, value);
    }
    const text = await response.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      // No JSON: the check that wanted some says so.
    }
    for (const name of ["access_token", "id_token"]) this.world.secrets.add(json?.[name]);
    return {
      status: response.status,
      headers: response.headers,
      cookies,
      text,
      json,
      /** The gateway's own error code. */
      code: response.headers.get("X-ClassLink-Gateway-Error"),
    };
  }

  /** A code of the provider's for this user: for a login of this page's, or as a tile brings it. */
  async code(login, sub) {
    const { standIn, client, secrets } = this.world;
    const [redirectUri] = client.redirectUris;
    const code = await authorize(standIn, { clientId: client.clientId, redirectUri, login, sub });
    secrets.add(code);
    return code;
  }

  /** Posts a code, as the SDK does. */
  token(code, verifier, { changes = {}, headers = {} } = {}) {
    const { client, secrets } = this.world;
    secrets.add(verifier);
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: client.redirectUris[0],
      client_id: client.clientId,
      code_verifier: verifier,
      ...changes,
    });
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.send("POST", "/auth/token", {
      headers: { ...type, ...headers },
      body: form.toString(),
    });
  }

  /** A whole sign-in. */
  async signIn(sub) {
    const login = newLogin();
    return this.token(await this.code(login, sub), login.verifier);
  }

  session(headers) {
    return this.send("POST", `/auth/session?client_id=${CLIENT_ID}`, { headers });
  }

  signOut() {
    return this.send("DELETE", `/auth/session?client_id=${CLIENT_ID}`);
  }

  /** A route of the application's own. */
  me() {
    return this.send("GET", "/api/me", { headers: { "X-ClassLink-SPA": null } });
  }
}
