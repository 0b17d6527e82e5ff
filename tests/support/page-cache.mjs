/**
 * A browser with a back/forward cache, which Playwright switches off.
 *
 * @module
 */

import { chromium } from "playwright-core";
import { findBrowser } from "../../tools/lib/browser.mjs";
import { launch } from "./browser.mjs";
import { engine } from "./engine.mjs";

/** @import { TestContext } from "node:test" */
/** @import { BrowserContext, Page } from "playwright-core" */

/**
 * Opens a page whose browser keeps the pages before it. Both end with the test.
 *
 * @param {TestContext} t
 * @returns {Promise<{ context: BrowserContext, page: Page }>}
 */
export async function newCachingPage(t) {
  const own =
    engine === "webkit"
      ? await launch()
      : await chromium.launch({
          executablePath: findBrowser(),
          args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
          ignoreDefaultArgs: ["--disable-back-forward-cache"],
        });
  t.after(() => own.close());
  const context = await own.newContext();
  return { context, page: await context.newPage() };
}
