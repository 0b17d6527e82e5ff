/**
 * One browser for all scenarios.
 *
 * @module
 */

import { launch, listErrors } from "../support/browser.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */

/**
 * A page with what it reports and what happens in it.
 *
 * @typedef {object} Tab
 * @property {BrowserContext} context
 * @property {Page} page
 * @property {string[]} console Console lines.
 * @property {string[]} errors Uncaught exceptions and unhandled rejections.
 * @property {Set<number>} ports Where the applications were that it has shown.
 * @property {Map<number, (value: any) => void>} waiting Who gets what the page's `report(number, json)` is called with.
 */

/**
 * Starts the browser. A new page costs more than a whole login, so pages are used again: every scenario has origins of
 * its own, and so storage of its own.
 *
 * @returns {Promise<{ take: (fresh: boolean) => Promise<Tab>, giveBack: (tab: Tab, used: boolean) => Promise<void>,
 * close: () => Promise<void> }>} `fresh` pages are new and are not used again; `used` ones that behaved are
 */
export async function launchTabs() {
  const browser = await launch();
  /** @type {Tab[]} */
  const idle = [];
  const open = async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    /** @type {Omit<Tab, "page">} */
    const tab = { context, console: [], errors: [], ports: new Set(), waiting: new Map() };
    context.on("console", (line) => tab.console.push(line.text()));
    listErrors(context, tab.errors);
    await context.exposeFunction("report", (id, text) => tab.waiting.get(id)?.(JSON.parse(text)));
    // A busy machine's clock cannot show whose timeout it was.
    await context.addInitScript(() => {
      const { timeout } = AbortSignal;
      const timeouts = [];
      Object.assign(window, { timeouts });
      AbortSignal.timeout = (ms) => {
        timeouts.push(ms);
        return timeout.call(AbortSignal, ms);
      };
    });
    return Object.assign(tab, { page: await context.newPage() });
  };
  return {
    take: async (fresh) => (fresh ? undefined : idle.pop()) ?? open(),
    async giveBack(tab, used) {
      if (!used) return tab.context.close();
      await tab.page.goto("about:blank");
      await tab.context.clearCookies();
      for (const list of [tab.console, tab.errors]) list.length = 0;
      tab.waiting.clear();
      idle.push(tab);
    },
    close: () => browser.close(),
  };
}
