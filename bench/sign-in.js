/**
 * Signs in, and measures from the HTML of the start page to the navigation, and from the HTML of the callback page to
 * the user.
 *
 * @module
 */

import { SUBJECT } from "./provider.js";
import { countSerialRoundTrips } from "./servers.js";

/** @import { Browser, BrowserContext, Page } from "playwright-core" */
/** @import { Library } from "./libraries.js" */
/** @import { MetadataMode, Servers } from "./servers.js" */

/**
 * @typedef {object} SignInTimes
 * @property {number} startMs
 * @property {number} callbackMs
 * @property {number} startRoundTrips
 * @property {number} callbackRoundTrips
 */

/** @typedef {{ delayMs: number, metadata: MetadataMode, cpuSlowdown: number }} SignInConditions */

/**
 * Loads a library's start page and waits until its callback page knows the user.
 *
 * @param {Page} page
 * @param {Servers} servers
 * @param {Library} library
 * @returns {Promise<SignInTimes>}
 * @throws {Error} if the library does not sign the user in
 */
export async function signIn(page, servers, library) {
  servers.log.length = 0;
  const reported = page.waitForEvent("console", {
    predicate: (message) => message.text().startsWith("{"),
    // Libraries have limits of their own.
    timeout: 0,
  });
  // The page may leave before its own `load` event.
  await page.goto(servers.urlOf(library, "start"), { waitUntil: "commit" }).catch(() => {});
  const report = JSON.parse((await reported).text());
  if (report.sub !== SUBJECT) throw new Error(`${library.name}: ${report.error ?? "no user"}`);
  const paths = servers.log.map(({ path }) => path);
  const left = paths.indexOf("/authorize");
  const returned = paths.findIndex((path) => path.endsWith("/callback"));
  return {
    startMs: report.startMs,
    callbackMs: report.callbackMs,
    startRoundTrips: countSerialRoundTrips(servers.log.slice(1, left)),
    callbackRoundTrips: countSerialRoundTrips(servers.log.slice(returned + 1)),
  };
}

/**
 * Signs in once in a new browser context. With cached metadata that is the second visit.
 *
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 * @param {SignInConditions} conditions
 */
export async function measureSignIn(browser, servers, library, conditions) {
  const { delayMs, metadata, cpuSlowdown } = conditions;
  servers.set({ delayMs, metadata, renews: false });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    if (metadata === "cached") await signIn(page, servers, library);
    if (cpuSlowdown > 1) {
      const devTools = await context.newCDPSession(page);
      await devTools.send("Emulation.setCPUThrottlingRate", { rate: cpuSlowdown });
    }
    return await signIn(page, servers, library);
  } finally {
    await context.close();
  }
}
