/**
 * A test application that signs in with the stand-in: one client per page load, on `window.client`, and every event it
 * told of since, on `window.events`.
 *
 * ```js
 * const startLoginApp = sharedLoginApp();                // at the top of a test file
 * test("…", async (t) => {
 *   const { app, standIn, open } = await startLoginApp(t);
 *   await open(page);
 *   await startLogin(page, { returnTo: "/classes" });
 *   await completeLogin(page, PEOPLE.pia);
 *   const result = await handleCallback(page);
 * });
 * ```
 *
 * @module
 */

import { after } from "node:test";
import { startStandIn } from "../../www/stand-in/index.js";
import { startApp } from "./app.mjs";
import { HttpUserAgent } from "./stand-in.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */
/** @import { TestContext } from "node:test" */
/** @import { StandIn, StandInOptions } from "../../www/stand-in/types.d.ts" */
/** @import { App, AppOptions } from "./app.mjs" */

/** Users of the stand-in: see its README for what is special about each. */
export const PEOPLE = {
  pia: { sub: "8708718", district: "2284" },
  nils: { sub: "8708719", district: "2284" },
  tess: { sub: "8708720", district: "2284" },
  paul: { sub: "9120045", district: "3391" },
  olga: { sub: "7300512", district: "4477" },
};

export const CLIENT_ID = "test-app";

/** A second registration of the same application, for another district. */
export const OTHER_CLIENT_ID = "test-app-other-district";

/** The prefix of the SDK's entries in `sessionStorage`. */
export const LOGIN_PREFIX = "classlink-spa.login.";

/**
 * @typedef {object} LoginApp
 * @property {StandIn} standIn
 * @property {App} app
 * @property {AppOptions} answers How the application's server answers. A test that asked for an application of its own
 * may change it.
 * @property {Record<string, unknown>} settings The client's configuration.
 * @property {(page: Page, path?: string) => Promise<void>} open Loads a page of the application and waits until its
 * client is there.
 */

/**
 * The options of one test.
 *
 * @typedef {object} LoginAppOptions
 * @property {StandInOptions} [standIn] In place of the stand-in's settings here.
 * @property {Record<string, unknown>} [config] Members of the client's configuration, as JSON; `undefined` leaves one of
 * the usual ones out.
 * @property {string} [configExpression] A JavaScript expression in place of the configuration. In it `settings` is what would
 * have been configured.
 * @property {boolean} [interceptNavigation] Pages are not left for a login: where it would have gone is on `window.left`.
 * @property {boolean} [autoHandleCallback] The callback page handles its answer by itself, as an application's does, and keeps the
 * promise on `window.handled`.
 * @property {AppOptions} [app] How the application's server answers.
 */

/**
 * A stand-in and an application that is registered with it, for a whole test file: both start with the first test that
 * asks, and end with the file. A test that names settings of either gets its own.
 *
 * @param {AppOptions} [usual] How the applications' servers answer.
 * @param {StandInOptions} [usualSwitches] In place of the stand-ins' settings here.
 * @returns {(t: TestContext, options?: LoginAppOptions) => Promise<LoginApp>}
 */
export function sharedLoginApp(usual = {}, usualSwitches = {}) {
  /** @type {(() => Promise<void>)[]} */
  const ends = [];
  /** @type {ReturnType<typeof startPair> | undefined} */
  let shared;
  after(() => Promise.all(ends.map((end) => end())));
  return async (t, options = {}) => {
    const {
      standIn: switches,
      config,
      configExpression = "settings",
      interceptNavigation,
      autoHandleCallback,
    } = options;
    const { app: special } = options;
    const own = switches !== undefined || special !== undefined;
    const startShared = () => {
      shared ??= startPair({ after: (end) => ends.push(end) }, { ...usual }, usualSwitches);
      return shared;
    };
    const pair = await (own
      ? startPair(t, { ...usual, ...special }, { ...usualSwitches, ...switches })
      : startShared());
    const { app, standIn, answers } = pair;
    app.requests.length = 0;
    standIn.requests.length = 0;
    const settings = {
      clientId: CLIENT_ID,
      redirectUri: app.redirectUri,
      issuer: standIn.issuer,
      metadata: standIn.endpoints,
      ...config,
    };
    answers.script = clientScript(settings, configExpression, {
      interceptNavigation,
      autoHandleCallback,
    });
    return { ...pair, settings, open: makeOpen(app) };
  };
}

const HANDLE = `
  if (location.pathname === "/callback") {
    window.handled = client.handleCallback();
    window.handled.catch(() => {});
  }
`;

/**
 * Returns the script of a page of the application.
 *
 * @param {Record<string, unknown>} settings The client's configuration, as JSON.
 * @param {string} [configExpression] As in {@link LoginAppOptions}.
 * @param {{ interceptNavigation?: boolean, autoHandleCallback?: boolean }} [more] As in {@link LoginAppOptions}.
 */
export function clientScript(
  settings,
  configExpression = "settings",
  { interceptNavigation, autoHandleCallback } = {},
) {
  return `
    import { createClient } from "/pkg/index.js";
    const events = (window.events = []);
    const settings = {
      ...${JSON.stringify(settings)},
      onEvent: (event) => events.push(event),
      ${interceptNavigation ? "navigate: (url) => { window.left = url; }," : ""}
    };
    window.client = createClient(${configExpression});
    ${autoHandleCallback ? HANDLE : ""}
  `;
}

/** `open` of {@link LoginApp}. @param {App} app @returns {LoginApp["open"]} */
export const makeOpen =
  ({ origin }) =>
  async (page, path = "/") => {
    await page.goto(origin + path);
    await waitForClient(page);
  };

/**
 * @param {{ after: (end: () => Promise<void>) => unknown }} t
 * @param {AppOptions} answers
 * @param {StandInOptions} [switches]
 */
async function startPair(t, answers, switches) {
  const app = await startApp(/** @type {any} */ (t), answers);
  const { redirectUri, launchUrl } = app;
  const registration = {
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [launchUrl],
    launchUrl,
  };
  const standIn = await startStandIn({
    consent: "never",
    clients: [
      { ...registration, clientId: CLIENT_ID, name: "Test app" },
      { ...registration, clientId: OTHER_CLIENT_ID, name: "Test app of another district" },
    ],
    ...switches,
  });
  t.after(() => standIn.close());
  return { app, standIn, answers };
}

/** Waits until a page of the application has its client. @param {Page} page */
export async function waitForClient(page) {
  await page.waitForFunction("window.client !== undefined");
}

/**
 * Runs an expression in the page.
 *
 * @param {Page} page
 * @param {string} expression Of a promise.
 * @returns {Promise<any>} What it answers, or `{ error }` with every enumerable member of its error and the message
 */
export function callInPage(page, expression) {
  return page.evaluate(`Promise.resolve().then(() => ${expression}).catch((error) => ({
    error: { ...error, name: error.name, message: error.message },
  }))`);
}

/**
 * Waits for a page that is being left: `undefined` if it was gone before it could respond.
 *
 * @param {Promise<any>} answer
 */
export async function ignoreNavigation(answer) {
  return answer.catch((error) => {
    if (!/context was destroyed|navigation/i.test(error.message)) throw error;
  });
}

/**
 * Presses the button: starts a login and waits until the application has been left.
 *
 * @param {Page} page A page of the application, but not its callback page.
 * @param {object} [options] Of `startLogin`.
 */
export async function startLogin(page, options) {
  // By the page itself: not every driver hears where the page cache led back to.
  const origin = await page.evaluate("location.origin");
  const answer = await ignoreNavigation(
    callInPage(page, `client.startLogin(${JSON.stringify(options) ?? ""})`),
  );
  if (answer?.error) throw new Error(`startLogin failed: ${answer.error.message}`);
  await page.waitForURL((url) => url.origin !== origin || url.pathname === "/callback");
}

/**
 * Picks a user on the stand-in's sign-in page.
 *
 * @param {Page} page
 * @param {{ sub: string, district: string }} person
 */
export async function selectUser(page, { sub, district }) {
  await page.getByTestId(`district-${district}`).click();
  await page.getByTestId(`person-${sub}`).click();
}

/** Waits for the application's callback page. @param {Page} page */
export async function waitForCallback(page) {
  await page.waitForURL("**/callback?*");
  await waitForClient(page);
}

/**
 * Picks a user, and waits for the application's callback page.
 *
 * @param {Page} page
 * @param {{ sub: string, district: string }} person
 */
export async function completeLogin(page, person) {
  await selectUser(page, person);
  await waitForCallback(page);
}

/**
 * Handles the callback.
 *
 * @param {Page} page
 * @param {string} [url]
 * @returns {Promise<any>} As `callInPage` does.
 */
export function handleCallback(page, url) {
  return callInPage(page, `client.handleCallback(${JSON.stringify(url) ?? ""})`);
}

/**
 * The results of callback pages that handle their responses themselves: they report them before they are left or closed. A browser
 * can't be asked where a page is on its way elsewhere: Chromium answers once that has ended.
 *
 * @param {BrowserContext} context
 * @returns {Promise<any[]>} Grows: results, or `{ code }` of errors.
 */
export async function tellHandled(context) {
  /** @type {any[]} */
  const told = [];
  await context.exposeFunction("tell", (/** @type {string} */ text) => told.push(JSON.parse(text)));
  await context.addInitScript(() => {
    const timer = setInterval(() => {
      if (!window.handled) return;
      clearInterval(timer);
      window.handled.then(
        (/** @type {any} */ result) => window.tell(JSON.stringify(result)),
        (/** @type {any} */ { code }) => window.tell(JSON.stringify({ code })),
      );
    }, 1);
  });
  return told;
}

/**
 * A whole sign-in, from the button to the result.
 *
 * @param {Page} page A page of the application.
 * @param {{ sub: string, district: string }} person
 * @param {object} [options] Of `startLogin`.
 * @returns {Promise<any>} As `callInPage` does.
 */
export async function loginThroughUi(page, person, options) {
  await startLogin(page, options);
  await completeLogin(page, person);
  return handleCallback(page);
}

/**
 * A whole sign-in that the provider asks for even if it knows this browser's user (`prompt=login`).
 *
 * @param {Page} page A page of the application.
 * @param {{ sub: string, district: string }} person
 * @returns {Promise<any>} As `callInPage` does.
 */
export function loginWithPrompt(page, person) {
  return loginThroughUi(page, person, { prompt: "login" });
}

/**
 * A whole sign-in by redirect, for an application that handles its callbacks (`autoHandleCallback`): the user is signed in at the provider
 * afterwards, in this browser.
 *
 * @param {Page} page A page of the application, but not its callback page.
 * @param {{ sub: string, district: string }} [person]
 */
export async function loginByRedirect(page, person = PEOPLE.pia) {
  await startLogin(page);
  await completeLogin(page, person);
  const result = await callInPage(page, "handled");
  if (result.error) throw new Error(`The sign-in failed: ${JSON.stringify(result.error)}`);
}

/**
 * A whole sign-in without leaving the page, for an application with `interceptNavigation`: the provider's pages are visited request by
 * request, by a browser of their own.
 *
 * @param {Page} page
 * @param {{ sub: string }} [person]
 * @param {object} [options] Of `startLogin`.
 * @returns {Promise<any>} The result.
 * @throws {Error} if that isn't a user signed in
 */
export async function loginOverHttp(page, person = PEOPLE.pia, options) {
  await page.evaluate(`client.startLogin(${JSON.stringify(options) ?? ""})`);
  const { callback } = await new HttpUserAgent().arrive(await page.evaluate("left"), person);
  const result = await handleCallback(page, callback.href);
  if (result.error) throw new Error(`The sign-in failed: ${JSON.stringify(result.error)}`);
  return result;
}

/**
 * The states of the logins that wait in this tab, sorted.
 *
 * @param {Page} page
 * @returns {Promise<string[]>}
 */
export async function pendingLogins(page) {
  const keys = await page.evaluate(() => Object.keys(sessionStorage));
  return keys
    .filter((key) => key.startsWith(LOGIN_PREFIX))
    .map((key) => key.slice(LOGIN_PREFIX.length))
    .sort();
}

/** The snapshot, as JSON. @param {Page} page @returns {Promise<any>} */
export function snapshot(page) {
  return page.evaluate("client.getSnapshot()");
}

/**
 * How often the stand-in was asked for something.
 *
 * @param {StandIn} standIn
 * @param {string} path
 */
export function countRequests(standIn, path) {
  return standIn.requests.filter((request) => request.path === path && request.method !== "OPTIONS")
    .length;
}

/** The stand-in's paths, for {@link countRequests}. */
export const PATHS = {
  authorization: "/oauth2/v2/auth",
  token: "/oauth2/v2/token",
  keys: "/oauth2/v2/jwks",
  discovery: "/.well-known/openid-configuration",
};
