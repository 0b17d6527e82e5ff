/**
 * A browser with a back/forward cache, which Playwright switches off.
 *
 * @module
 */

import { launch } from "./browser.mjs";

/** @import { TestContext } from "node:test" */
/** @import { BrowserContext, Page } from "playwright-core" */

/**
 * Opens a page whose browser keeps the pages before it. Both end with the test.
 *
 * @param {TestContext} t
 * @returns {Promise<{ context: BrowserContext, page: Page }>}
 */
export async function newCachingPage(t) {
  const own = await launch({ pageCache: true });
  t.after(() => own.close());
  const context = await own.newContext();
  return { context, page: await context.newPage() };
}
