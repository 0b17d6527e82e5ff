/**
 * A browser in Node: what the tests use of Playwright's, for questions that need pages but no browser. A context costs
 * nothing and a page some milliseconds.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import FakeTimers from "@sinonjs/fake-timers";
import { Cookie } from "tough-cookie";
import { NodePage } from "./page.mjs";
import { CookieJar } from "./window.mjs";

/** As Playwright writes what a cookie's line says. @type {Record<string, string>} */
const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None" };

/** The clock of a context's pages, as a test sets it: Playwright's `clock`. */
class NodeClock {
  /** Milliseconds that have passed by the test's word. @type {number | undefined} */
  #ahead;

  /** @param {NodeContext} context */
  constructor(context) {
    this.context = context;
  }

  /** From the next document on. */
  async install() {
    this.#ahead ??= 0;
  }

  /** @param {number} ms */
  async fastForward(ms) {
    this.#ahead = (this.#ahead ?? 0) + ms;
    await Promise.all(this.context.pages().map((page) => page.passTime(ms)));
  }

  /** @param {any} window */
  installIn(window) {
    if (this.#ahead === undefined) return undefined;
    return FakeTimers.withGlobal(window).install({
      now: Date.now() + this.#ahead,
      toFake: ["Date", "performance", "setTimeout", "clearTimeout", "setInterval", "clearInterval"],
      shouldAdvanceTime: true,
    });
  }
}

export class NodeContext extends EventEmitter {
  id = randomUUID();
  cookieJar = new CookieJar();
  clock = new NodeClock(this);
  offline = false;
  /** @type {{ pattern: any, handler: (route: any) => unknown, times?: number }[]} */
  routes = [];
  /** @type {{ script: string | Function, arg: unknown }[]} */
  initScripts = [];
  /** @type {Map<string, (...args: any[]) => unknown>} */
  bindings = new Map();
  /** The content of `localStorage` while no page shows its origin, by origin. @type {Map<string, Record<string, string>>} */
  local = new Map();
  /** @type {Map<string, Map<string, Promise<unknown>>>} */
  #locks = new Map();
  /** @type {NodePage[]} */
  #pages = [];

  pages() {
    return this.#pages;
  }

  async newPage() {
    const page = new NodePage(this);
    this.#pages.push(page);
    await page.begin();
    await page.bringToFront();
    this.emit("page", page);
    return page;
  }

  /** @param {NodePage} page */
  forget(page) {
    this.#pages = this.#pages.filter((one) => one !== page);
  }

  /** @param {string} origin */
  localOf(origin) {
    return this.local.get(origin);
  }

  /** @param {string} origin */
  locksOf(origin) {
    const locks = this.#locks.get(origin) ?? new Map();
    this.#locks.set(origin, locks);
    return locks;
  }

  async addInitScript(script, arg) {
    this.initScripts.push({ script, arg });
  }

  async exposeFunction(name, call) {
    this.bindings.set(name, call);
  }

  /**
   * @param {unknown} pattern
   * @param {(route: any) => unknown} handler
   * @param {{ times?: number }} [options]
   */
  async route(pattern, handler, { times } = {}) {
    this.routes.push({ pattern, handler, times });
  }

  async unroute(pattern) {
    this.routes = this.routes.filter((route) => route.pattern !== pattern);
  }

  async setOffline(offline) {
    this.offline = offline;
  }

  async addCookies(cookies) {
    for (const { name, value, url } of cookies) {
      this.cookieJar.setCookieSync(`${name}=${value}; Path=/`, url);
    }
  }

  async clearCookies() {
    this.cookieJar.removeAllCookiesSync();
  }

  async cookies() {
    const cookies = this.cookieJar.toJSON()?.cookies ?? [];
    return cookies
      .flatMap((json) => Cookie.fromJSON(json) ?? [])
      .filter((cookie) => (cookie.expiryTime() ?? Number.POSITIVE_INFINITY) > Date.now())
      .map(({ key, value, domain, path, httpOnly, secure, sameSite }) => ({
        ...{ name: key, value, domain, path, httpOnly, secure },
        sameSite: SAME_SITE[sameSite ?? ""] ?? "Lax",
      }));
  }

  async storageState() {
    const origins = [...this.local].map(([origin, kept]) => ({
      origin,
      localStorage: Object.entries(kept).map(([name, value]) => ({ name, value })),
    }));
    return {
      cookies: await this.cookies(),
      origins: origins.filter(({ localStorage }) => localStorage.length > 0),
    };
  }

  reportError(error) {
    this.emit("weberror", { error: () => error });
  }

  reportConsole(type, values) {
    const text = values.map((value) => String(value?.stack ?? value)).join(" ");
    this.emit("console", { type: () => type, text: () => text });
  }

  async close() {
    for (const page of [...this.#pages]) await page.close();
  }
}

/** Starts one. */
export async function launchNode() {
  /** @type {NodeContext[]} */
  const contexts = [];
  return {
    async newContext() {
      const context = new NodeContext();
      contexts.push(context);
      return context;
    },
    async close() {
      for (const context of contexts) await context.close();
    },
  };
}
