/**
 * A WebKitGTK with as much of Playwright's interface as the tests use: Playwright drives only a WebKit of its own build,
 * and this is the one that users have. It is driven by WebDriver; what that protocol has no command for, a proxy does.
 *
 * @module
 */

import { certificateFor } from "./certificate.mjs";
import { Context } from "./webdriver/context.mjs";
import { startDisplay } from "./webdriver/driver.mjs";

/** @import { Browser } from "playwright-core" */

/**
 * Starts a display for browsers: every context is a browser of its own. The caller ends it.
 *
 * @returns {Promise<Browser>}
 */
export async function launchWebKit() {
  const display = await startDisplay();
  const certificate = await certificateFor(["localhost"]);
  const contexts = new Set();
  const open = () => Context.open(display.name, certificate);
  // A browser takes its time to start: the next one starts while the test before is at work.
  let spare = open();
  spare.catch(() => {});
  return /** @type {any} */ ({
    async newContext() {
      const taken = spare;
      spare = open();
      spare.catch(() => {});
      const context = await taken;
      contexts.add(context);
      context.on("close", () => contexts.delete(context));
      return context;
    },
    async close() {
      const last = await spare.catch(() => undefined);
      await Promise.all([...contexts, last].map((context) => context?.close()));
      await display.close();
    },
  });
}
