/**
 * Measures what stays in memory after logins and logouts in one page.
 *
 * @module
 */

import { HttpUserAgent } from "../tests/support/stand-in.mjs";

/** @import { Browser, Page } from "playwright-core" */
/** @import { Library } from "./libraries.js" */
/** @import { Servers } from "./servers.js" */

/** WebAssembly memory in bytes, by when it was read. @typedef {{ afterFirst: number, afterAll: number, afterLarge: number, afterMore: number, logins: number }} WasmMemory */

/** The largest token response that is read, less what the rest of it takes. */
const LARGE_BYTES = 1024 * 1024 - 100;

/** Keeps the memory of the page's WebAssembly where it can be read. */
function keepMemory() {
  for (const name of /** @type {const} */ (["instantiate", "instantiateStreaming"])) {
    const original = /** @type {any} */ (WebAssembly[name]);
    /** @type {any} */ (WebAssembly)[name] = async (/** @type {unknown[]} */ ...args) => {
      const result = await original.apply(WebAssembly, args);
      const { exports } = result.instance ?? result;
      const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
      Object.assign(window, { memory });
      return result;
    };
  }
}

/** Signs in and out without leaving the page. @param {number} count */
async function cycle(count) {
  const { adapter, authorize } = /** @type {any} */ (window);
  for (let i = 0; i < count; i++) {
    const left = new Promise((resolve) => {
      Object.assign(window, { leave: resolve });
    });
    const begun = adapter.login();
    const answer = await authorize(await left);
    await begun;
    history.replaceState(null, "", answer);
    if (!(await adapter.callback())) throw new Error("no user");
    await adapter.logout?.();
    performance.clearResourceTimings();
  }
}

/**
 * Opens a page in which no login has begun.
 *
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 */
async function openPage(browser, servers, library) {
  servers.set({ delayMs: 0, metadata: "given", renews: false });
  const context = await browser.newContext();
  const page = await context.newPage();
  const userAgent = new HttpUserAgent();
  await page.exposeFunction("authorize", async (/** @type {string} */ url) => {
    const { left } = await userAgent.open(url);
    return left?.href;
  });
  await page.addInitScript(keepMemory);
  await page.goto(servers.urlOf(library, "idle"));
  return { context, page };
}

/**
 * Returns the bytes of the page's heap that each login and logout leaves behind.
 *
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 * @param {number} cycles
 */
export async function measureHeap(browser, servers, library, cycles) {
  const { context, page } = await openPage(browser, servers, library);
  try {
    const devTools = await context.newCDPSession(page);
    const heapBytes = async () => {
      // The second time for what the first has finalized.
      for (let i = 0; i < 2; i++) await devTools.send("HeapProfiler.collectGarbage");
      return (await devTools.send("Runtime.getHeapUsage")).usedSize;
    };
    // Code is compiled and pools fill.
    await page.evaluate(cycle, Math.ceil(cycles / 2));
    const before = await heapBytes();
    await page.evaluate(cycle, cycles);
    return ((await heapBytes()) - before) / cycles;
  } finally {
    await context.close();
  }
}

/**
 * Measures the WebAssembly memory over many logins and after a token response of 1 MiB.
 *
 * @param {Browser} browser
 * @param {Servers} servers
 * @param {Library} library
 * @param {number} logins
 * @returns {Promise<WasmMemory>}
 */
export async function measureWasmMemory(browser, servers, library, logins) {
  const { context, page } = await openPage(browser, servers, library);
  const memoryBytes = () =>
    /** @type {Promise<number>} */ (page.evaluate("memory.buffer.byteLength"));
  try {
    await page.evaluate(cycle, 1);
    const afterFirst = await memoryBytes();
    await page.evaluate(cycle, logins);
    const afterAll = await memoryBytes();
    servers.set({ tokenResponse: JSON.stringify({ access_token: "a".repeat(LARGE_BYTES) }) });
    await page.evaluate(cycle, 1).then(
      () => {
        throw new Error("The large token response was accepted.");
      },
      () => {},
    );
    servers.set({ tokenResponse: undefined });
    const afterLarge = await memoryBytes();
    await page.evaluate(cycle, Math.ceil(logins / 10));
    return { afterFirst, afterAll, afterLarge, afterMore: await memoryBytes(), logins };
  } finally {
    servers.set({ tokenResponse: undefined });
    await context.close();
  }
}
