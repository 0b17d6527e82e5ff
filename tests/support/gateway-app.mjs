/**
 * A test application with its own gateway, as `login.mjs` has one without: the pages, `classlink-spa/gateway-node`
 * beside them under `/auth/`, and a stand-in that demands the secret and answers no other origin's page.
 *
 * ```js
 * test("…", async (t) => {
 *   const { app, open, gateway, pass } = await startGatewayApp(t);
 *   await open(page);
 *   await loginThroughUi(page, PEOPLE.pia);
 *   gateway.instead = DOWN;
 * });
 * ```
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { startStandIn } from "../../www/stand-in/index.js";
import { startApp } from "./app.mjs";
import { importEntry } from "./bundle.mjs";
import { certificateFor } from "./certificate.mjs";
import { deferred } from "./deferred.mjs";
import { engine } from "./engine.mjs";
import { newKey } from "./gateway.mjs";
import { CLIENT_ID, clientScript, makeOpen } from "./login.mjs";

/** @import { LogEntry } from "classlink-spa/gateway" */
/** @import { IncomingMessage, RequestListener, ServerResponse } from "node:http" */
/** @import { BrowserContext, Page, Request } from "playwright-core" */
/** @import { TestContext } from "node:test" */
/** @import { StandIn } from "../../www/stand-in/types.d.ts" */
/** @import { App } from "./app.mjs" */
/** @import { LoginApp } from "./login.mjs" */

const { createGateway } = await importEntry("gateway");
const { toNodeHandler } = await importEntry("gateway-node");

/**
 * WebKit takes no cookie with `Secure` from http, not even from localhost: there the application is at https.
 *
 * @type {Promise<{ key: string, cert: string }> | undefined}
 */
let made;
const certificate = () => {
  made ??= certificateFor(["localhost"]);
  return made;
};

/**
 * Set while the browser's driver works, which runs in this process: it notes when a page's clock was moved, and must note
 * the real time, or a page that is loaded later is as much further ahead as the servers are.
 *
 * @type {AsyncLocalStorage<boolean>}
 */
const inDriver = new AsyncLocalStorage();

/** The session's path, as the SDK asks for it. */
export const SESSION = "/auth/session";

/** A gateway that is down: the connection is cut. @type {RequestListener} */
export const DOWN = (request) => void request.socket.destroy();

/**
 * A server in the gateway's place that answers the same to everything.
 *
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} [headers]
 * @returns {RequestListener}
 */
export const answering =
  (status, body, headers = {}) =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);

/**
 * The gateway as a test may take a hand in it.
 *
 * @typedef {object} Hand
 * @property {(request: IncomingMessage, response: ServerResponse, usual: () => unknown) => unknown} [instead] Answers in
 * its place; `usual` is its own answer.
 * @property {Promise<unknown>} [held] What every request waits for before it is answered.
 * @property {string} [date] What its answers say the time is.
 * @property {LogEntry[]} log Its log.
 */

/**
 * @typedef {object} GatewayApp
 * @property {StandIn} standIn
 * @property {App} app
 * @property {LoginApp["open"]} open
 * @property {Hand} gateway
 * @property {() => string[]} askedGateway What the gateway was asked for so far, as `POST /auth/token`.
 * @property {(seconds: number) => void} passThere Lets time pass for the servers alone.
 * @property {(context: BrowserContext, seconds: number) => Promise<void>} pass Lets time pass for the servers, and for
 * every page of a context whose clock is installed.
 */

/**
 * The options of one test.
 *
 * @typedef {object} GatewayAppOptions
 * @property {object} [standIn] Settings of the stand-in.
 * @property {Record<string, unknown>} [config] Members of the client's configuration, as JSON.
 * @property {object} [gateway] Options of the gateway.
 * @property {object} [client] Members of the gateway's registration.
 */

/**
 * Starts all three. They end with the test.
 *
 * @param {TestContext} t
 * @param {GatewayAppOptions} [options]
 * @returns {Promise<GatewayApp>}
 */
export async function startGatewayApp(t, { standIn: switches, config, gateway, client } = {}) {
  /** @type {import("./app.mjs").AppOptions} */
  const answers = engine === "webkit" ? { tls: await certificate() } : {};
  const app = await startApp(t, answers);
  const registration = {
    clientId: CLIENT_ID,
    clientSecret: "the secret of the test app",
    redirectUris: [app.redirectUri],
  };
  const standIn = await startStandIn({
    consent: "never",
    publicClients: false,
    cors: false,
    clients: [{ ...registration, launchUrl: app.launchUrl, name: "Test app" }],
    ...switches,
  });
  t.after(() => standIn.close());

  // For the gateway and the stand-in alike: this process is the world's server side.
  const { now } = Date;
  let ahead = 0;
  Date.now = () => now() + (inDriver.getStore() ? 0 : ahead);
  t.after(() => {
    Date.now = now;
  });

  /** @type {Hand} */
  const hand = { log: [] };
  const answer = toNodeHandler(
    createGateway({
      issuer: standIn.issuer,
      // Which discovery doesn't name, as at ClassLink.
      metadata: { my_info_endpoint: standIn.endpoints.my_info_endpoint },
      clients: [{ ...registration, ...client }],
      sealingKeys: [newKey()],
      log: (entry) => void hand.log.push(entry),
      ...gateway,
    }),
  );
  answers.gateway = async (request, response) => {
    await hand.held;
    if (hand.instead) return hand.instead(request, response, () => answer(request, response));
    const { date } = hand;
    if (date !== undefined) {
      const { writeHead } = response;
      response.writeHead = (/** @type {number} */ status, /** @type {any} */ headers) =>
        writeHead.call(response, status, { ...headers, Date: date });
    }
    return answer(request, response);
  };
  answers.script = clientScript({
    clientId: CLIENT_ID,
    redirectUri: app.redirectUri,
    issuer: standIn.issuer,
    // Elsewhere it would be discovered, which the stand-in answers no page.
    metadata: { authorization_endpoint: standIn.endpoints.authorization_endpoint },
    gateway: "/auth",
    ...config,
  });
  const passThere = (/** @type {number} */ seconds) => {
    ahead += seconds * 1000;
  };
  return {
    standIn,
    app,
    open: makeOpen(app),
    gateway: hand,
    askedGateway: () =>
      app.requests
        .filter(({ path }) => path.startsWith("/auth/"))
        .map(({ method, path }) => `${method} ${path}`),
    passThere,
    async pass(context, seconds) {
      passThere(seconds);
      await inDriver.run(true, () => context.clock.fastForward(seconds * 1000));
    },
  };
}

/**
 * Holds the gateway's next answer of a method and path once it has been made, as a slow network does.
 *
 * @param {Hand} gateway
 * @param {string} method
 * @param {string} path
 * @returns {{ made: Promise<void>, release: () => void }} `made` resolves when the gateway has done its part; `release`
 * sends the answer, with the cookies in its head.
 */
export function holdNextAnswer(gateway, method, path) {
  const made = deferred();
  const held = deferred();
  gateway.instead = (request, response, usual) => {
    if (request.method !== method || request.url?.split("?")[0] !== path) return usual();
    gateway.instead = undefined;
    const { writeHead, end } = response;
    /** @type {any} */
    let head;
    response.writeHead = /** @type {any} */ (
      (/** @type {any[]} */ ...args) => {
        head = args;
        return response;
      }
    );
    response.end = /** @type {any} */ (
      (/** @type {any[]} */ ...args) => {
        made.resolve();
        void held.promise.then(() => {
          writeHead.apply(response, head);
          end.apply(response, /** @type {any} */ (args));
        });
        return response;
      }
    );
    return usual();
  };
  return { made: made.promise, release: held.resolve };
}

/**
 * Returns the requests of a page's script to other origins than its own.
 *
 * @param {readonly Request[]} requests
 * @param {App} app
 */
export const crossOriginRequests = (requests, { origin }) =>
  requests
    .filter((request) => ["fetch", "xhr", "ping"].includes(request.resourceType()))
    .map((request) => request.url())
    .filter((url) => new URL(url).origin !== origin);

/**
 * Everything that a page's origin keeps: both storages, databases, caches, and the cookies that scripts can read.
 *
 * @param {Page} page
 */
export const dumpStorage = (page) =>
  page.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    cookies: document.cookie,
  }));

/** The result of {@link dumpStorage} for empty storage. */
export const EMPTY_STORAGE = { local: {}, session: {}, databases: [], caches: [], cookies: "" };

/** The result of {@link dumpStorage} after a sign-out: no page of the tab starts a login by itself. */
export const SIGNED_OUT_STORAGE = {
  ...EMPTY_STORAGE,
  session: { "classlink-spa.waits": "signed-out" },
};

/**
 * The session's cookies, whose values scripts can't read.
 *
 * @param {BrowserContext} context
 */
export async function sessionCookies(context) {
  const cookies = await context.cookies();
  // Others say which sessions are over, and stay for a day.
  return cookies.filter(({ name }) => /^__Host-classlink-.*\.\d$/.test(name));
}

/**
 * Keeps every snapshot of a page from now on, the present one first, on `window.seen`.
 *
 * @param {Page} page
 */
export const recordSnapshots = (page) =>
  page.evaluate(() => {
    const { client } = window;
    const seen = [client.getSnapshot()];
    Object.assign(window, { seen });
    client.subscribe(() => seen.push(client.getSnapshot()));
  });

/**
 * The snapshots since {@link recordSnapshots}, as `signed-in Pia Pupil`.
 *
 * @param {Page} page
 * @returns {Promise<string[]>}
 */
export const recordedSnapshots = (page) =>
  page.evaluate(() =>
    window.seen.map(({ status, user }) => (user ? `${status} ${user.name}` : status)),
  );
