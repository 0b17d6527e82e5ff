/**
 * The window of a Node page: jsdom's, with the platform's own network, cryptography and channels in place of what jsdom
 * lacks or has of its own.
 *
 * @module
 */

import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import vm from "node:vm";

const require = createRequire(import.meta.url);

// jsdom has no navigation: where it would report that, the page that the window belongs to navigates. This has to stand
// before jsdom takes the function.
const navigation = require("jsdom/lib/jsdom/living/window/navigation.js");
const utils = require("jsdom/lib/jsdom/living/generated/utils.js");
const { serializeURL } = require("whatwg-url");

/** @type {WeakMap<object, (url: string, how: { replaces: boolean, reloads: boolean }) => void>} */
const navigators = new WeakMap();

const { navigate } = navigation;
navigation.navigate = (window, url, flags) => {
  const [here] = utils.implForWrapper(window._document).URL.split("#");
  const [there] = serializeURL(url).split("#");
  const stays = !flags.reloadTriggered && here === there && url.fragment !== null;
  if (stays || url.scheme === "javascript") return navigate(window, url, flags);
  const replaces = Boolean(flags.replacement);
  navigators.get(window)?.(serializeURL(url), {
    replaces,
    reloads: Boolean(flags.reloadTriggered),
  });
};

const { CookieJar, JSDOM, VirtualConsole } = require("jsdom");

export { CookieJar };

/** Node's globals that are as in browsers and take only objects of their own kind. */
const PLATFORM = {
  ...{ Headers, Response, FormData, Blob, ReadableStream, ReadableStreamDefaultReader },
  ...{ TextEncoder, TextDecoder, AbortController, CryptoKey, structuredClone },
  ...{ URL, URLSearchParams },
  // Bytes that Node hands out are of these.
  ...{ ArrayBuffer, Uint8Array },
};

/** A script that gives each window classes of its own to patch: a page may, and no other page must notice. */
const OWN_CLASSES = new vm.Script(`(({ webcrypto, AbortSignal }) => {
  class Crypto {
    get subtle() { return webcrypto.subtle; }
    getRandomValues(array) { return webcrypto.getRandomValues(array); }
    randomUUID() { return webcrypto.randomUUID(); }
  }
  const own = {};
  return {
    Crypto,
    crypto: new Crypto(),
    AbortSignal: new Proxy(AbortSignal, {
      get: (target, name) => own[name] ?? Reflect.get(target, name),
      set: (_, name, value) => { own[name] = value; return true; },
    }),
  };
})`);

/** Lets listeners be removed by the platform's signals, of which jsdom has a kind of its own. @param {any} prototype */
function takeSignals(prototype) {
  const { addEventListener } = prototype;
  prototype.addEventListener = function (type, listener, options) {
    const { signal, ...rest } = typeof options === "object" && options !== null ? options : {};
    if (!signal) return addEventListener.call(this, type, listener, options);
    if (signal.aborted) return;
    addEventListener.call(this, type, listener, rest);
    signal.addEventListener("abort", () => this.removeEventListener(type, listener, rest));
  };
}

/** @param {string} url */
const isSecure = (url) => /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(url);

/**
 * Web Locks of one origin, exclusive ones alone.
 *
 * @param {Map<string, Promise<unknown>>} held By name: what ends when the last that asked has held it.
 * @param {AbortSignal} ended The page's end, which releases what it holds and grants it no more.
 */
const locksOf = (held, ended) => ({
  query: async () => ({ held: [...held.keys()].map((name) => ({ name })), pending: [] }),
  async request(name, options, callback = options) {
    const { signal } = typeof options === "object" ? options : {};
    const before = held.get(name) ?? Promise.resolve();
    let release = (_) => {};
    const released = new Promise((resolve) => {
      release = resolve;
    });
    const mine = before.then(() => released);
    held.set(name, mine);
    try {
      await Promise.race([
        before,
        new Promise((_, reject) => {
          signal?.throwIfAborted();
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      ]);
      // A page that is gone is granted nothing.
      if (ended.aborted) return new Promise(() => {});
      ended.addEventListener("abort", () => release(undefined), { once: true });
      return await callback({ name });
    } finally {
      release(undefined);
      // Not at once: who gave up waiting leaves the lock with its holder.
      void mine.then(() => {
        if (held.get(name) === mine) held.delete(name);
      });
    }
  },
});

/**
 * Makes a window for a document that has been fetched, and runs none of its scripts.
 *
 * @param {import("./page.mjs").NodePage} page
 * @param {object} options
 * @param {string} options.html
 * @param {string} options.url
 * @param {string} options.referrer
 * @param {(request: Request) => Promise<Response>} options.fetch
 */
export function createWindow(page, { html, url, referrer, fetch }) {
  const context = page.nodeContext;
  const virtualConsole = new VirtualConsole();
  virtualConsole.on("jsdomError", (/** @type {any} */ error) => {
    if (error.type !== "not implemented") context.reportError(error.detail ?? error);
  });
  for (const type of /** @type {const} */ (["log", "info", "warn", "error", "debug"])) {
    virtualConsole.on(type, (...values) => context.reportConsole(type, values));
  }
  const dom = new JSDOM(html, {
    url,
    ...(referrer && { referrer }),
    runScripts: "outside-only",
    pretendToBeVisual: true,
    cookieJar: context.cookieJar,
    virtualConsole,
  });
  const { window } = dom;
  const realm = dom.getInternalVMContext();
  navigators.set(window, (to, how) => page.navigateFromPage(to, how));

  const base = () => window.document.baseURI;
  class PageRequest extends Request {
    constructor(input, init) {
      super(typeof input === "string" ? new URL(input, base()) : input, init);
      this.givenSignal = init?.signal ?? input?.givenSignal;
    }
  }
  const ended = new AbortController();
  class PageChannel extends BroadcastChannel {
    #name;
    constructor(name) {
      // A browser's profiles and origins don't hear each other.
      super(`${context.id} ${new URL(url).origin} ${name}`);
      this.#name = String(name);
      /** @type {any} */ (this).unref?.();
      ended.signal.addEventListener("abort", () => this.close());
    }
    get name() {
      return this.#name;
    }
  }
  const define = (/** @type {string} */ name, value) =>
    Object.defineProperty(window, name, { value, writable: true, configurable: true });
  const closeWindow = window.close.bind(window);
  const all = {
    ...PLATFORM,
    ...OWN_CLASSES.runInContext(realm)({ webcrypto, AbortSignal }),
    Request: PageRequest,
    BroadcastChannel: PageChannel,
    isSecureContext: isSecure(url),
    fetch: (input, init) => {
      let request;
      try {
        request = new PageRequest(input, init);
      } catch (error) {
        return Promise.reject(error);
      }
      return fetch(request);
    },
    // A window of its own needs a browser.
    open: () => null,
    focus: () => {},
    close: () => {},
    reportError: (error) => context.reportError(error),
  };
  for (const [name, value] of Object.entries(all)) define(name, value);
  takeSignals(window.EventTarget.prototype);
  Object.defineProperty(window.document, "hasFocus", { value: () => page.isFront });
  const { origin } = new URL(url);
  Object.defineProperty(window.navigator, "locks", {
    value: locksOf(context.locksOf(origin), ended.signal),
  });
  Object.defineProperty(window, "indexedDB", { value: { databases: async () => [] } });
  define("caches", { keys: async () => [] });

  return {
    window,
    realm,
    /** Dispatches an event as the browser's own. @param {any} target @param {any} event */
    dispatchTrusted(target, event) {
      const impl = utils.implForWrapper(event);
      impl.isTrusted = true;
      utils.implForWrapper(target)._dispatch(impl);
    },
    /** The window's scripts stop: its timers and its channels do. */
    end() {
      navigators.delete(window);
      ended.abort();
      closeWindow();
      // What a promise still has it do begins nothing more.
      for (const name of ["setTimeout", "setInterval", "requestAnimationFrame"]) {
        define(name, () => 0);
      }
    },
  };
}
