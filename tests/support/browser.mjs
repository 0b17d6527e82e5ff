/**
 * A browser for a test file, and pages that remember what happened in them.
 *
 * ```js
 * const browser = sharedBrowser();                       // at the top of a test file
 * test("…", async (t) => {
 *   const { page, requests } = await browser.newPage(t);
 * });
 * ```
 *
 * @module
 */

import { after } from "node:test";
import { engine } from "./engine.mjs";
import { PATIENCE_MS } from "./patience.mjs";

/** @import { Browser, BrowserContext, BrowserContextOptions, Page, Request, Route } from "playwright-core" */
/** @import { TestContext } from "node:test" */

/**
 * The events in a page's context, popups included; oldest first.
 *
 * @typedef {object} Watched
 * @property {BrowserContext} context A fresh profile: no cookies, no storage, shared with no other.
 * @property {Page} page Its first page, blank.
 * @property {string[]} console Console lines, as `type: text`.
 * @property {string[]} errors Uncaught exceptions and unhandled rejections.
 * @property {Request[]} requests Every request, before it is answered.
 */

/**
 * @typedef {object} LaunchOptions
 * @property {boolean} [pageCache] With the back/forward cache, which Playwright switches off in Chromium.
 * @property {string[]} [args] Switches of Chromium's command line, besides the usual ones.
 */

/** Starts a Chromium. The driver takes a while to load: pages in Node need none. */
const inChromium =
  (/** @type {boolean} */ thirdPartyCookies) => async (/** @type {LaunchOptions} */ options) => {
    const { launchChromium } = await import("./chromium.mjs");
    return launchChromium({ ...options, thirdPartyCookies });
  };

/** How each engine starts. @type {Record<string, (options: LaunchOptions) => Promise<Browser>>} */
const ENGINES = {
  chromium: inChromium(true),
  "chromium-no-third-party-cookies": inChromium(false),
  async firefox() {
    const { launchFirefox } = await import("./firefox.mjs");
    return launchFirefox();
  },
  async webkit() {
    const { launchWebKit } = await import("./webkit.mjs");
    return launchWebKit();
  },
  async node() {
    const { launchNode } = await import("./node/browser.mjs");
    return /** @type {any} */ (await launchNode());
  },
};

/**
 * One browser for a whole test file: it starts with the first page asked for and ends with the file.
 *
 * @param {string[]} [args] Switches of its command line, besides the usual ones.
 * @returns {{ newPage: (t: TestContext, options?: BrowserContextOptions) => Promise<Watched> }} `newPage` opens a page in
 * a fresh context, which ends with the test
 */
export function sharedBrowser(args) {
  /** @type {Promise<Browser> | undefined} */
  let launched;
  after(async () => (await launched)?.close());
  return {
    async newPage(t, options) {
      launched ??= launch({ args });
      const watched = await openPage(await launched, options);
      t.after(() => watched.context.close());
      return watched;
    },
  };
}

/** Starts a browser of this run's engine. The caller ends it. @param {LaunchOptions} [options] */
export async function launch(options = {}) {
  if (!Object.hasOwn(ENGINES, engine)) {
    throw new Error(`ENGINE is ${engine}; there are ${Object.keys(ENGINES).join(", ")}`);
  }
  return ENGINES[engine](options);
}

/**
 * Opens a page in a fresh context. The caller ends it.
 *
 * @param {Browser} browser
 * @param {BrowserContextOptions} [options]
 * @returns {Promise<Watched>}
 */
export async function openPage(browser, options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  // The drivers for WebKitGTK and for pages in Node have no other time-out.
  context.setDefaultTimeout?.(PATIENCE_MS);
  /** @type {Omit<Watched, "page">} */
  const watched = { context, console: [], errors: [], requests: [] };
  context.on("console", (line) => watched.console.push(`${line.type()}: ${line.text()}`));
  listErrors(context, watched.errors);
  context.on("request", (request) => watched.requests.push(request));
  return { ...watched, page: await context.newPage() };
}

/** The lines about a request on Firefox' console, which its driver takes for an uncaught error. */
const NOTICE = /Cross-Origin Request Blocked|Content-Security-Policy|Loading module from/;

/**
 * Lists the uncaught exceptions and unhandled rejections of a context's pages from now on.
 *
 * @param {BrowserContext} context
 * @param {string[]} errors
 */
export function listErrors(context, errors) {
  context.on("weberror", (error) => {
    const text = String(error.error());
    if (engine !== "firefox" || !NOTICE.test(text)) errors.push(text);
  });
}

/**
 * A request's body, in every engine.
 *
 * @param {Request} request
 * @returns {Promise<string>} Empty for a request without one.
 */
export async function bodyOf(request) {
  const body =
    engine === "firefox"
      ? await (await import("./firefox.mjs")).bodyInFirefox(request)
      : request.postData();
  return body ?? "";
}

/**
 * Sends an intercepted request on, with its body, and returns what came back.
 *
 * @param {Route} route
 */
export async function forwardRequest(route) {
  const postData = await bodyOf(route.request());
  return route.fetch(postData ? { postData } : {});
}

/**
 * Puts a frame into a page.
 *
 * @param {Page} page
 * @param {string} src
 * @param {{ hidden?: boolean }} [options]
 */
export async function addFrame(page, src, { hidden = false } = {}) {
  const handle = await page.evaluateHandle(
    ({ src, hidden }) => {
      const frame = Object.assign(document.createElement("iframe"), { hidden, src });
      document.body.append(frame);
      return frame;
    },
    { src, hidden },
  );
  return /** @type {Promise<import("playwright-core").Frame>} */ (handle.contentFrame());
}
