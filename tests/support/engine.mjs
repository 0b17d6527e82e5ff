/**
 * Which browser engine the tests run in, and what it can't do.
 *
 * @module
 */

/** @import { TestContext } from "node:test" */

/** The engine: `ENGINE` names it. */
export const engine = process.env.ENGINE || "chromium";

/** Whether it is a Chromium, which everything is quick in: other engines' drivers take their time. */
export const inChromium = engine.startsWith("chromium");

/** Whether its pages are Node's own: see `node/`. */
export const inNode = engine === "node";

/** Whether it sends a site's cookies from a frame on another site's page. */
export const THIRD_PARTY_COOKIES = ["chromium", "webkit"].includes(engine);

/** Why the gateway's session at http doesn't outlive a page in WebKit. */
export const NO_SECURE_COOKIE = "it keeps no cookie with Secure from http, not even from localhost";

/** Why pages in Node cannot test what opens a popup or an iframe. */
export const ONLY_IN_BROWSERS = "its pages have no popups and no frames";

/**
 * Skips a test in the engines that can't do what it needs.
 *
 * @param {TestContext} t
 * @param {Record<string, string>} reasons By engine: what it can't do.
 * @returns {boolean} Whether this engine is one of them: the test must then return.
 */
export function skipIn(t, reasons) {
  const reason = reasons[engine];
  if (reason) t.skip(reason);
  return Boolean(reason);
}

/**
 * Skips a test in every engine but Chromium.
 *
 * @param {TestContext} t
 * @param {string} reason
 */
export function onlyInChromium(t, reason) {
  if (!inChromium) t.skip(reason);
  return !inChromium;
}
