/**
 * A browser with a back/forward cache, which Playwright switches off, and the way back.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { launch } from "./browser.mjs";
import { PATIENCE_MS } from "./patience.mjs";

/** @import { TestContext } from "node:test" */
/** @import { BrowserContext, Page } from "playwright-core" */

/**
 * Opens a page whose browser keeps the pages before it. Both end with the test.
 *
 * @param {TestContext} t
 * @returns {Promise<{ context: BrowserContext, page: Page }>}
 */
export async function newPageWithBfcache(t) {
  const own = await launch({ pageCache: true });
  t.after(() => own.close());
  const context = await own.newContext();
  return { context, page: await context.newPage() };
}

/** Milliseconds between two looks at a page that is being left, and for all of them. */
const POLL = 20;

/**
 * Goes back in the history, or forward. A page from the cache fires no load event, and not every driver reports it: the
 * page itself is asked where it is.
 *
 * @param {Page} page
 * @param {number} [delta]
 */
export async function navigateHistory(page, delta = -1) {
  const left = await page.evaluate("location.href");
  await page.evaluate((delta) => void setTimeout(() => history.go(delta)), delta);
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL) {
    // It may be between two pages.
    const now = await page.evaluate("location.href").catch(() => left);
    if (now !== left) return;
    await pause(POLL);
  }
  throw new Error("The page is still where it was");
}
