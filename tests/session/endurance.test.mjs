/** A kiosk that is never reloaded: what two hundred users leave behind. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedBrowser } from "../support/browser.mjs";
import { inChromium } from "../support/engine.mjs";
import { callInPage, loginByRedirect, PEOPLE, sharedLoginApp } from "../support/login.mjs";
import { HttpUserAgent } from "../support/stand-in.mjs";

/** @import { SignedIn } from "classlink-spa" */

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp({}, { framing: true });

/** Chromium's own noise: code that was compiled, caches, the test's messages. */
const HEAP_NOISE = 400_000;

/**
 * A scale for what a page holds once its garbage is collected. Chromium alone reports its heap: elsewhere it is the
 * document, the WebAssembly and the storage.
 *
 * @param {import("playwright-core").Page} page
 */
async function scaleFor(page) {
  const cdp = inChromium ? await page.context().newCDPSession(page) : undefined;
  await cdp?.send("Performance.enable");
  return async () => ({ ...(cdp && (await weighHeap(cdp))), ...(await weighPage(page)) });
}

async function weighHeap(cdp) {
  for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metric = (name) => metrics.find((one) => one.name === name).value;
  return {
    heap: metric("JSHeapUsedSize"),
    listeners: metric("JSEventListeners"),
    nodes: metric("Nodes"),
    frames: metric("Frames"),
  };
}

async function weighPage(page) {
  return {
    elements: await page.evaluate("document.querySelectorAll('*').length"),
    windows: await page.evaluate("frames.length"),
    wasm: await page.evaluate("memory.buffer.byteLength"),
    storage: await page.evaluate(() => [Object.keys(sessionStorage), Object.keys(localStorage)]),
  };
}

/** Keeps the memory of the WebAssembly on `window.memory`. */
async function watchMemory(context) {
  await context.addInitScript(() => {
    for (const name of ["instantiate", "instantiateStreaming"]) {
      const platform = WebAssembly[name];
      WebAssembly[name] = async (...args) => {
        const result = await platform.apply(WebAssembly, args);
        const { exports } = result.instance ?? result;
        window.memory = /** @type {WebAssembly.Memory} */ (
          Object.values(exports).find((one) => one instanceof WebAssembly.Memory)
        );
        return result;
      };
    }
  });
}

function assertSame(after, before) {
  const { heap = 0, ...rest } = after;
  const { heap: heapBefore = 0, ...restBefore } = before;
  assert.deepEqual(rest, restBefore);
  assert.ok(heap - heapBefore < HEAP_NOISE, `${heap - heapBefore} bytes more`);
}

test("two hundred sign-ins and sign-outs leave no more behind than ten", async (t) => {
  const { page, context } = await browser.newPage(t);
  await watchMemory(context);
  const { open } = await startLoginApp(t, { interceptNavigation: true });
  await open(page);
  // The provider is real; its pages are visited by request, so that a round takes milliseconds.
  const people = new HttpUserAgent();
  await context.exposeFunction("visit", async (url) => {
    const { callback } = await people.arrive(url, PEOPLE.pia);
    return callback.href;
  });
  const rounds = (count) =>
    page.evaluate(async (count) => {
      const { client } = window;
      for (let i = 0; i < count; i++) {
        const stop = client.subscribe(() => {});
        await client.startLogin();
        const { user } = /** @type {SignedIn} */ (
          await client.handleCallback(await window.visit(window.left))
        );
        await client.getAccessToken();
        client.stayActive();
        await client.logout();
        stop();
        window.events.length = 0;
        if (user.givenName !== "Pia") throw new Error("somebody else");
      }
    }, count);
  const weigh = await scaleFor(page);
  await rounds(10);
  const before = await weigh();

  await rounds(190);

  assertSame(await weigh(), before);
});

test("twenty restores in hidden frames leave no more behind than five", async (t) => {
  const { page, context } = await browser.newPage(t);
  await watchMemory(context);
  const { open } = await startLoginApp(t, {
    autoHandleCallback: true,
    config: { session: { restore: "iframe" } },
  });
  await open(page);
  await loginByRedirect(page);
  await open(page);
  const rounds = async (count) => {
    for (let i = 0; i < count; i++) {
      assert.equal((await callInPage(page, "client.restoreSession()")).givenName, "Pia");
      await callInPage(page, "client.logout()");
      // A sign-out holds until the next sign-in: as in a new tab.
      await page.evaluate("sessionStorage.clear()");
    }
    await page.evaluate("events.length = 0");
  };
  const weigh = await scaleFor(page);
  await rounds(5);
  const before = await weigh();

  await rounds(15);

  assertSame(await weigh(), before);
});

test("closed clients leave nothing behind", async (t) => {
  const { page, context } = await browser.newPage(t);
  await watchMemory(context);
  const { open } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: "(window.another = () => createClient(settings), settings)",
  });
  await open(page);
  const rounds = (count) =>
    page.evaluate(async (count) => {
      for (let i = 0; i < count; i++) {
        const client = window.another();
        client.subscribe(() => {});
        await client.getUser();
        client.close();
      }
    }, count);
  const weigh = await scaleFor(page);
  await rounds(10);
  const before = await weigh();

  await rounds(190);

  assertSame(await weigh(), before);
});
