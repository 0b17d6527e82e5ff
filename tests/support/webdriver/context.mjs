/**
 * A browser context: a session of its own, with what its pages ask for and tell. As much of Playwright's
 * `BrowserContext` as the tests use: Playwright drives its own build of WebKit, which does not come from a package
 * registry, and not WebKitGTK.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { PATIENCE_MS } from "../patience.mjs";
import { clockScript } from "./clock.mjs";
import { openSession } from "./driver.mjs";
import { literal } from "./evaluate.mjs";
import { urlMatcher } from "./match.mjs";
import { Page } from "./page.mjs";
import { exposeScript, startScript } from "./page-start.mjs";
import { startProxy } from "./proxy.mjs";
import { Session } from "./session.mjs";

/** @import { InterceptedRequest, Route } from "./network.mjs" */
/** @import { UrlMatch } from "./match.mjs" */

/** Milliseconds between two looks at which windows there are. */
const POLL = 30;

/** Milliseconds without a request after which Playwright takes the network for idle. */
const QUIET = 500;

/** A fresh profile: no cookies, no storage, shared with no other. */
export class Context extends EventEmitter {
  /** @type {Session} */
  /** @type {any} */
  session;
  /** The documents that were asked for, oldest first. @type {(InterceptedRequest & { failed?: boolean })[]} */
  documents = [];

  #pages = /** @type {Page[]} */ ([]);
  #scripts = /** @type {string[]} */ ([]);
  #exposed = /** @type {Map<string, (...args: any[]) => unknown>} */ (new Map());
  #routes =
    /** @type {{ match: UrlMatch, matches: (url: string) => boolean, handler: any, left: number }[]} */ ([]);
  #pending = /** @type {Map<string, Promise<unknown>>} */ (new Map());
  #cookies = /** @type {Map<string, string[]>} */ (new Map());
  #origins = /** @type {Set<string>} */ (new Set());
  #ahead = /** @type {number | undefined} */ (undefined);
  #asked = 0;
  #closed = false;
  #end = async () => {};
  #fresh = true;

  /**
   * Opens one.
   *
   * @param {string} display
   * @param {{ key: string, cert: string }} certificate
   */
  static async open(display, certificate) {
    const context = new Context();
    context.setMaxListeners(0);
    context.#hand.cookiesFor = (origin) => {
      const cookies = context.#cookies.get(origin) ?? [];
      context.#cookies.delete(origin);
      return cookies;
    };
    const proxy = await startProxy(context.#hand, certificate);
    const { driver, close } = await openSession(display, proxy.address).catch(async (error) => {
      await proxy.close();
      throw error;
    });
    context.session = new Session(driver);
    const handle = await driver.getWindowHandle();
    // The first command waits for the page's process.
    await driver.executeScript("");
    context.#pages.push(new Page(context, handle));
    context.#end = async () => {
      await close();
      await proxy.close();
    };
    return context;
  }

  /** @type {import("./proxy.mjs").Hand} */
  #hand = {
    offline: false,
    requested: (asked) => {
      this.#asked = performance.now();
      this.#origins.add(new URL(asked.url()).origin);
      if (asked.isDocument) this.documents.push(asked);
      this.emit("request", asked);
    },
    failed: (asked) => Object.assign(asked, { failed: true }),
    routesFor: (asked) =>
      this.#routes
        .filter(({ matches }) => matches(asked.url()))
        .reverse()
        .map((route) => ({
          handler: (given, request) => {
            if (--route.left === 0) this.#routes.splice(this.#routes.indexOf(route), 1);
            return route.handler(given, request);
          },
        })),
    told: (message) => this.#told(message),
    later: async (id) => {
      const value = await this.#pending.get(id);
      this.#pending.delete(id);
      return value;
    },
    script: () =>
      startScript({
        exposed: this.#exposed.keys(),
        scripts: [
          ...(this.#ahead === undefined ? [] : [clockScript(this.#ahead)]),
          ...this.#scripts,
        ],
      }),
    cookiesFor: () => [],
  };

  /** Handles a message of a page's script. */
  #told({ kind, ...said }) {
    if (kind === "console") {
      this.emit("console", { type: () => said.type, text: () => said.text });
    } else if (kind === "error") {
      const error = Object.assign(new Error(said.message), { name: said.name ?? "Error" });
      if (said.stack) error.stack = said.stack;
      this.emit("weberror", { error: () => error });
    } else if (kind === "call") {
      const value = this.#exposed.get(said.name)?.(...said.args);
      if (!(value instanceof Promise)) return { value };
      const pending = String(Math.random());
      this.#pending.set(pending, value);
      return { pending };
    }
  }

  pages() {
    return this.#pages.filter((page) => !page.isClosed());
  }

  async newPage() {
    if (this.#fresh) {
      this.#fresh = false;
      return this.#pages[0];
    }
    const handle = await this.session.run(this.pages()[0].handle, [], async (driver) => {
      const before = await driver.getWindowHandle();
      await driver.switchTo().newWindow("tab");
      const opened = await driver.getWindowHandle();
      await driver.switchTo().window(before);
      return opened;
    });
    const page = new Page(this, handle);
    this.#pages.push(page);
    return page;
  }

  /** @param {Page} page */
  async closePage(page) {
    if (page.isClosed()) return;
    try {
      await this.session.forget(page.handle, (driver) => driver.close());
    } catch (error) {
      // It may have gone by itself since the last look.
      if (!/has been closed/.test(String(error))) throw error;
    }
    page.gone();
  }

  /** Looks which windows there are: those that came, and those that went. */
  async refreshWindowHandles() {
    const handles = await this.session.run(undefined, [], (driver) => driver.getAllWindowHandles());
    for (const page of this.pages()) {
      if (!handles.includes(page.handle)) {
        page.gone();
        this.emit("closed", page);
      }
    }
    for (const handle of handles) {
      if (this.#pages.some((page) => page.handle === handle)) continue;
      const page = new Page(this, handle);
      this.#pages.push(page);
      this.emit("page", page);
    }
  }

  /** @param {string} event @param {any} [options] */
  waitForEvent(event, options) {
    const { predicate = () => true, timeout = PATIENCE_MS } =
      typeof options === "function" ? { predicate: options } : (options ?? {});
    const looks = ["page", "closed"].includes(event);
    return new Promise((resolve, reject) => {
      let over = false;
      const listener = (value) => {
        if (!predicate(value)) return;
        end();
        resolve(value);
      };
      const fail = (error) => {
        end();
        reject(error);
      };
      const timer =
        timeout &&
        setTimeout(() => fail(new Error(`Timeout ${timeout}ms exceeded: ${event}`)), timeout);
      const end = () => {
        over = true;
        clearTimeout(timer);
        this.off(event, listener);
      };
      this.on(event, listener);
      const watch = async () => {
        while (!over && !this.#closed) {
          await this.refreshWindowHandles();
          await pause(POLL);
        }
      };
      if (looks) watch().catch(fail);
    });
  }

  /** Waits until nothing has been asked for for a while. */
  async waitForIdle() {
    while (performance.now() - this.#asked < QUIET) await pause(POLL);
  }

  /** @param {Page} page @param {string} event @param {any} [options] */
  async waitForPageEvent(page, event, options) {
    if (event === "popup") return this.waitForEvent("page", options);
    if (event === "pageerror") {
      return (await this.waitForEvent("weberror", options)).error();
    }
    if (event === "close") {
      if (page.isClosed()) return page;
      return this.waitForEvent("closed", { ...options, predicate: (gone) => gone === page });
    }
    if (event === "framenavigated") return this.#navigated(page, options);
    return this.waitForEvent(event, options);
  }

  /**
   * Waits until a page is another document, or has another address.
   *
   * @param {any} page
   * @param {{ predicate?: (page: any) => boolean, timeout?: number }} [options]
   */
  async #navigated(page, { predicate = () => true, timeout = PATIENCE_MS } = {}) {
    const place = async () => {
      const { url, mark } = await page.script(
        "sync",
        "return { url: location.href, mark: performance.timeOrigin };",
      );
      return `${mark} ${url}`;
    };
    let before = await place();
    await page.until(
      async () => {
        if (this.#closed) return true;
        const now = await place();
        if (now === before) return false;
        before = now;
        return predicate(page);
      },
      { timeout },
    );
    return page;
  }

  /** @param {string | Function} script @param {unknown} [arg] */
  async addInitScript(script, arg) {
    this.#scripts.push(typeof script === "string" ? script : `(${script})(${literal(arg)});`);
  }

  /** @param {string} name @param {(...args: any[]) => unknown} answer */
  async exposeFunction(name, answer) {
    this.#exposed.set(name, answer);
    for (const page of this.pages()) await page.script("sync", exposeScript(name));
  }

  /** @param {UrlMatch} match @param {any} handler @param {{ times?: number }} [options] */
  async route(match, handler, { times = Number.POSITIVE_INFINITY } = {}) {
    this.#routes.push({ match, matches: urlMatcher(match), handler, left: times });
  }

  /** @param {UrlMatch} match @param {any} [handler] */
  async unroute(match, handler) {
    this.#routes = this.#routes.filter(
      (route) => route.match !== match || (handler && route.handler !== handler),
    );
  }

  /** @param {boolean} offline */
  async setOffline(offline) {
    this.#hand.offline = offline;
    for (const page of this.pages()) {
      await page.evaluate((offline) => {
        Object.defineProperty(navigator, "onLine", { configurable: true, get: () => !offline });
        dispatchEvent(new Event(offline ? "offline" : "online"));
      }, offline);
    }
  }

  clock = {
    install: async () => {
      this.#ahead ??= 0;
      for (const page of this.pages()) await page.script("sync", clockScript(this.#ahead));
    },
    /** @param {number | string} by Milliseconds, or `"31:00"`. */
    fastForward: async (by) => {
      const ms =
        typeof by === "number"
          ? by
          : by.split(":").reduce((sum, part) => 60 * sum + Number(part), 0) * 1000;
      this.#ahead = (this.#ahead ?? 0) + ms;
      for (const page of this.pages()) {
        await page.script("sync", `window[Symbol.for("tests/clock")]?.jump(${ms});`);
      }
    },
  };

  /** The cookies of every host that was asked for something, or of a URL's. @param {string} [url] */
  async cookies(url) {
    const all = new Map();
    await this.#atEachHost(url ? [new URL(url).origin] : this.#origins, async (driver) => {
      for (const { expiry, ...cookie } of await driver.manage().getCookies()) {
        const id = `${cookie.domain} ${cookie.path} ${cookie.name}`;
        all.set(id, { ...cookie, expires: expiry ?? -1 });
      }
    });
    return [...all.values()];
  }

  /** The cookies, and what the open pages' origins keep. */
  async storageState() {
    const origins = [];
    for (const page of this.pages()) {
      origins.push(
        await page.evaluate(() => ({ origin: location.origin, localStorage: { ...localStorage } })),
      );
    }
    return { cookies: await this.cookies(), origins };
  }

  /** Sets cookies with the next answer of their origins. @param {{ name: string, value: string, url: string }[]} cookies */
  async addCookies(cookies) {
    for (const { name, value, url } of cookies) {
      const { origin } = new URL(url);
      this.#cookies.set(origin, [...(this.#cookies.get(origin) ?? []), `${name}=${value}; Path=/`]);
    }
  }

  /** Clears those of every host that was asked for something. */
  async clearCookies() {
    await this.#atEachHost(this.#origins, (driver) => driver.manage().deleteAllCookies());
    this.#origins.clear();
  }

  /**
   * Does something on a page of each host: a page that another site led to is not told of all its cookies.
   *
   * @param {Iterable<string>} origins
   * @param {(driver: import("selenium-webdriver").WebDriver) => Promise<unknown>} act
   */
  async #atEachHost(origins, act) {
    // Ports make no difference.
    const hosts = new Map([...origins].map((origin) => [origin.replace(/:\d+$/, ""), origin]));
    // A window costs more than all the rest.
    const blank = this.pages().find((page) => page.url() === "about:blank");
    const page = blank ?? (await this.newPage());
    for (const origin of hosts.values()) {
      const url = `${origin}/.webdriver-blank`;
      await this.route(url, (/** @type {Route} */ route) =>
        route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
      );
      await page.goto(url);
      await page.run(act);
      await this.unroute(url);
    }
    if (blank) await page.goto("about:blank");
    else await page.close();
  }

  async close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const page of this.#pages) page.gone();
    await this.#end();
    this.emit("close");
  }
}
