/**
 * Counts what a library asks of the provider when many callers need a new access token at the same time.
 *
 * @module
 */

import { signIn } from "./sign-in.js";

/** @import { Browser } from "playwright-core" */
/** @import { Library } from "./libraries.js" */
/** @import { Servers } from "./servers.js" */

export const CALLERS = 50;
export const TABS = 5;

/** The lifetime of the access tokens that are to be renewed: every library takes them to be about to expire. */
const SHORT_SECS = 30;
const LONG_SECS = 3600;

/**
 * Token requests of one page with {@link CALLERS}, and of {@link TABS} pages with as many between them.
 *
 * @typedef {{ onePage: number, tabs: number }} Renewals
 */

/**
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 * @returns {Promise<Renewals | undefined>} `undefined` if the library leaves renewals to the application.
 */
export async function measureRenewals(browser, servers, library) {
  if (!library.canRenew) return undefined;
  servers.set({ delayMs: 0, metadata: "given", renews: true });
  return {
    onePage: await countTokenRequests(browser, servers, library, 1),
    tabs: await countTokenRequests(browser, servers, library, TABS),
  };
}

/**
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 * @param {number} tabs
 */
async function countTokenRequests(browser, servers, library, tabs) {
  const context = await browser.newContext();
  try {
    servers.providerState.accessTokenSecs = SHORT_SECS;
    const pages = [];
    for (let tab = 0; tab < tabs; tab++) {
      const page = await context.newPage();
      await signIn(page, servers, library);
      pages.push(page);
    }
    servers.providerState.accessTokenSecs = LONG_SECS;
    servers.log.length = 0;
    const renew = `Promise.all(Array.from({ length: ${CALLERS / tabs} }, () => adapter.renew())).then(() => {})`;
    await Promise.all(pages.map((page) => page.evaluate(renew)));
    return servers.log.filter(({ method, path }) => method === "POST" && path === "/oauth/token")
      .length;
  } finally {
    servers.providerState.accessTokenSecs = LONG_SECS;
    await context.close();
  }
}
