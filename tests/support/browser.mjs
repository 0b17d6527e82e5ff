/**
 * A Chromium for a test file, and pages that remember what happened in them.
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
import { chromium } from "playwright-core";
import { findBrowser } from "../../tools/lib/browser.mjs";

/** @import { Browser, BrowserContext, BrowserContextOptions, Page, Request } from "playwright-core" */
/** @import { TestContext } from "node:test" */

/**
 * What happened in a page's context, popups included; oldest first.
 *
 * @typedef {object} Watched
 * @property {BrowserContext} context A fresh profile: no cookies, no storage, shared with no other.
 * @property {Page} page Its first page, blank.
 * @property {string[]} console Console lines, as `type: text`.
 * @property {string[]} errors Uncaught exceptions and unhandled rejections.
 * @property {Request[]} requests Every request, before it is answered.
 */

const ARGS = [
  // Chromium's own sandbox does not work for root, in containers above all.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

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
      launched ??= launch(args);
      const watched = await openPage(await launched, options);
      t.after(() => watched.context.close());
      return watched;
    },
  };
}

/** Starts a Chromium. The caller ends it. @param {string[]} [args] Switches of its command line, besides the usual ones. */
export function launch(args = []) {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error("No Chromium was found; CHROMIUM can name one");
  return chromium.launch({ executablePath, args: [...ARGS, ...args] });
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
  /** @type {Omit<Watched, "page">} */
  const watched = { context, console: [], errors: [], requests: [] };
  context.on("console", (line) => watched.console.push(`${line.type()}: ${line.text()}`));
  context.on("weberror", (error) => watched.errors.push(String(error.error())));
  context.on("request", (request) => watched.requests.push(request));
  return { ...watched, page: await context.newPage() };
}
