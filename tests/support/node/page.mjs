/**
 * A page in Node: what the tests use of Playwright's `Page`, over jsdom windows. It navigates, keeps a history and a
 * `sessionStorage`, and runs module scripts. What needs a real browser it doesn't have: frames, popups, policies, layout,
 * and input that the browser itself vouches for.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import vm from "node:vm";
import { queries } from "@testing-library/dom";
import { PATIENCE_MS } from "../patience.mjs";
import { createModuleLoader } from "./modules.mjs";
import { pageFetch, send } from "./network.mjs";
import { interceptedBy, matchesUrl } from "./route.mjs";
import { createWindow } from "./window.mjs";

/** Milliseconds between two looks of what waits for a page. */
const POLL_MS = 5;

const REDIRECTS = [301, 302, 303, 307, 308];

const never = new Promise(() => {});

/** A value of a page's, as one of this realm. */
function copied(value) {
  if (value === undefined || value === null || typeof value !== "object") {
    return typeof value === "function" ? undefined : value;
  }
  try {
    return deserialize(serialize(value));
  } catch {
    // With functions in it, which Playwright passes over.
    return JSON.parse(JSON.stringify(value) ?? "null");
  }
}

/** Makes an error of this realm from what a page's script threw. @param {unknown} error */
function thrown(error) {
  const { name, message } = /** @type {any} */ (error) ?? {};
  return new Error(`page.evaluate: ${name ? `${name}: ${message}` : String(error)}`);
}

export class NodePage extends EventEmitter {
  isFront = true;
  #closed = false;
  /** Counts navigations: only the last one comes to something. */
  #navigations = 0;
  /** @type {{ url: string, state: unknown }[]} */
  #history = [];
  #at = -1;
  /** By origin. @type {Map<string, Record<string, string>>} */
  #session = new Map();
  /** @type {any} */
  #document;

  /** @param {import("./browser.mjs").NodeContext} context */
  constructor(context) {
    super();
    const input = (/** @type {string} */ kind) => async () => this.#input(kind);
    this.mouse = {
      ...{ click: input("pointerdown"), down: input("pointerdown") },
      ...{ wheel: input("wheel"), move: input("pointermove") },
    };
    this.keyboard = { press: input("keydown"), type: input("keydown") };
    this.context = () => context;
    this.nodeContext = context;
  }

  /** Shows a blank page. */
  async begin() {
    await this.#show({ html: "", url: "about:blank", referrer: "" });
  }

  url() {
    return this.#document.window.document.URL;
  }

  isClosed() {
    return this.#closed;
  }

  mainFrame() {
    return this;
  }

  async bringToFront() {
    for (const page of this.nodeContext.pages()) page.isFront = page === this;
  }

  async close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    this.nodeContext.forget(this);
    this.emit("close");
  }

  /** @param {string} url */
  async goto(url, { referer = "" } = {}) {
    if (url === "about:blank") {
      this.#navigations += 1;
      return this.#show({ html: "", url, referrer: "" });
    }
    const error = await this.#navigate(url, { referrer: referer });
    if (error) throw error;
  }

  async reload() {
    const error = await this.#navigate(this.url(), { replaces: true, state: this.#state() });
    if (error) throw error;
  }

  async goBack() {
    const { window } = this.#document;
    const before = this.#history[this.#at - 1];
    if (this.#document.pushed > 0) {
      // Within the document.
      window.history.back();
      return;
    }
    if (!before) return;
    this.#at -= 1;
    const { url, state } = before;
    await this.#navigate(url, { replaces: true, state });
  }

  /**
   * A script or the user leaves the page.
   *
   * @param {string} url
   * @param {{ replaces?: boolean, reloads?: boolean, method?: string, body?: string }} [how]
   */
  navigateFromPage(
    url,
    { replaces = false, reloads = false, method = "GET", body = undefined } = {},
  ) {
    const referrer = this.url();
    this.#navigate(url, { replaces: replaces || reloads, method, body, referrer })
      .then(async (error) => {
        if (error && !this.#closed) {
          await this.#show({ html: "", url: "about:blank#unreachable", referrer: "" });
        }
      })
      .catch((error) => this.nodeContext.reportError(error));
  }

  /**
   * Fetches a document and shows it.
   *
   * @param {string} url
   * @param {{ replaces?: boolean, method?: string, body?: string, referrer?: string, state?: unknown }} how
   * @returns {Promise<Error | undefined>} Why it could not be had.
   */
  async #navigate(url, { replaces = false, method = "GET", body, referrer = "", state = null }) {
    const own = ++this.#navigations;
    const overtaken = () => own !== this.#navigations || this.#closed;
    let response;
    let target = url;
    try {
      for (let hops = 0; ; hops++) {
        if (hops > 20) throw new Error("too many redirects");
        const headers = new Headers({
          accept: "text/html",
          "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document",
          ...(referrer && { referer: referrer }),
          ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        });
        const sent = { url: target, method, headers, body, withCookies: true };
        response = await interceptedBy(this.nodeContext, sent, "document", (changed) =>
          send(this.nodeContext, { ...sent, ...changed }),
        );
        const location = response.headers.get("location");
        if (!REDIRECTS.includes(response.status) || location === null) break;
        const next = new URL(location, target);
        next.hash ||= new URL(target).hash;
        target = next.href;
        if (response.status <= 303) [method, body] = ["GET", undefined];
        if (overtaken()) return undefined;
      }
      if (overtaken() || response.status === 204) return undefined;
      const html = await response.text();
      if (overtaken()) return undefined;
      await this.#show({ html, url: target, referrer, replaces, state });
    } catch (cause) {
      if (overtaken()) return undefined;
      return new Error(`page.goto: ${target.split("?")[0]} can't be reached`, { cause });
    }
    return undefined;
  }

  #state() {
    const { state } = this.#document.window.history;
    return copied(state);
  }

  /** The document goes, and what its scripts wait for never comes. */
  #leave() {
    const gone = this.#document;
    if (!gone) return;
    const { window } = gone;
    const Transition = window.PageTransitionEvent ?? window.Event;
    window.dispatchEvent(new Transition("pagehide"));
    if (gone.origin !== "null") {
      this.#session.set(gone.origin, gone.stored("sessionStorage"));
      this.nodeContext.local.set(gone.origin, gone.stored("localStorage"));
    }
    if (this.#at >= 0) this.#history[this.#at] = { url: this.url(), state: this.#state() };
    gone.isGone = true;
    gone.destroy(new Error("Execution context was destroyed, most likely because of a navigation"));
    gone.end();
  }

  /** @param {{ html: string, url: string, referrer: string, replaces?: boolean, state?: unknown }} document */
  async #show({ html, url, referrer, replaces = false, state = null }) {
    this.#leave();
    const { origin } = new URL(url);
    /** @type {any} */
    const document = { origin, isGone: false, pushed: 0 };
    document.destroyed = new Promise((_, reject) => {
      document.destroy = reject;
    });
    document.destroyed.catch(() => {});
    const alive = (promise) =>
      promise.then(
        (value) => (document.isGone ? never : value),
        (error) => (document.isGone ? never : Promise.reject(error)),
      );
    const { window, realm, dispatchTrusted, end } = createWindow(this, {
      html,
      url,
      referrer,
      fetch: (request) =>
        document.isGone ? never : alive(pageFetch(this, request, window.document.URL)),
    });
    Object.assign(document, { window, realm, dispatchTrusted, end });
    const raw = Object.fromEntries(
      ["sessionStorage", "localStorage"].flatMap((name) => {
        try {
          return [[name, window[name]]];
        } catch {
          // A blank page has none.
          return [];
        }
      }),
    );
    // Taken now: a test may have them refuse later.
    const { setItem, getItem, key: keyAt } = window.Storage.prototype;
    const length = Object.getOwnPropertyDescriptor(window.Storage.prototype, "length")?.get;
    const keysOf = (store) =>
      Array.from({ length: length?.call(store) ?? 0 }, (_, index) => keyAt.call(store, index));
    document.stored = (name) =>
      Object.fromEntries(
        keysOf(raw[name]).map((key) => [key, getItem.call(raw[name], String(key))]),
      );
    for (const [name, kept] of /** @type {const} */ ([
      ["sessionStorage", this.#session.get(origin)],
      ["localStorage", this.nodeContext.localOf(origin)],
    ])) {
      for (const [key, value] of Object.entries(kept ?? {})) setItem.call(raw[name], key, value);
    }

    const { history } = window;
    if (state !== null) history.replaceState(structuredClone(state), "");
    const { pushState } = history;
    history.pushState = (...args) => {
      document.pushed += 1;
      return pushState.apply(history, args);
    };
    window.addEventListener("popstate", () => {
      document.pushed -= 1;
    });
    window.document.addEventListener("submit", (event) => this.#submit(event));
    for (const [name, call] of this.nodeContext.bindings) {
      window[name] = async (...args) => call(...args.map(copied));
    }
    this.#document = document;
    if (!replaces || this.#at < 0) {
      this.#history.splice(this.#at + 1);
      this.#at = this.#history.length;
    }
    this.#history[this.#at] = { url, state };
    document.clock = this.nodeContext.clock.installIn(window);
    for (const { script, arg } of this.nodeContext.initScripts) this.#run(script, arg);
    this.emit("framenavigated", this);
    await this.#runScripts(document, url, alive);
  }

  /** @param {any} document */
  async #runScripts(document, url, alive) {
    const { window, realm } = document;
    const load = createModuleLoader({
      context: realm,
      load: async (from) => {
        const headers = new Headers({ "sec-fetch-dest": "script", referer: url });
        const sent = { url: from, method: "GET", headers, withCookies: true };
        const response = await alive(
          interceptedBy(this.nodeContext, sent, "script", (changed) =>
            send(this.nodeContext, { ...sent, ...changed }),
          ),
        );
        const type = response.headers.get("content-type") ?? "";
        if (!response.ok || !type.startsWith("text/javascript")) {
          throw new window.TypeError(`Failed to fetch dynamically imported module: ${from}`);
        }
        return alive(response.text());
      },
    });
    document.load = load;
    const run = async (script) => {
      if (script.type === "module") await load.run(script.textContent, url);
      else if (!script.src) vm.runInContext(script.textContent, realm);
    };
    for (const script of window.document.querySelectorAll("script")) {
      if (document.isGone) return;
      const ran = run(script).catch((error) => {
        if (!document.isGone) this.nodeContext.reportError(error);
      });
      await Promise.race([ran, document.destroyed.catch(() => {})]);
    }
    document.isLoaded = true;
  }

  /** A form is sent (HTML, 4.10.22). @param {any} event */
  #submit(event) {
    if (event.defaultPrevented) return;
    const { target: form, submitter } = event;
    const { window } = this.#document;
    const fields = new URLSearchParams(
      [...form.elements]
        .filter(({ name, type, checked }) =>
          ["checkbox", "radio"].includes(type) ? checked : name && type !== "submit",
        )
        .map(({ name, value }) => [name, value]),
    );
    if (submitter?.name) fields.append(submitter.name, submitter.value);
    const url = new URL(form.getAttribute("action") ?? "", window.document.baseURI);
    if (form.method === "post") {
      return this.navigateFromPage(url.href, { method: "POST", body: String(fields) });
    }
    url.search = String(fields);
    this.navigateFromPage(url.href);
  }

  /** The user does something on the page. @param {string} type */
  #input(type) {
    const { window, dispatchTrusted } = this.#document;
    dispatchTrusted(window.document.body, new window.Event(type, { bubbles: true }));
  }

  /** @param {string | Function} script @param {unknown} [arg] */
  #run(script, arg) {
    const { realm, load } = this.#document;
    const options = { importModuleDynamically: (specifier) => load?.import(specifier, this.url()) };
    if (typeof script === "string") return vm.runInContext(script, realm, options);
    return vm.runInContext(`(${script})`, realm, options)(copied(arg));
  }

  /** @param {string | Function} script @param {unknown} [arg] */
  async evaluate(script, arg) {
    const document = this.#document;
    if (this.#closed) throw new Error("Target page, context or browser has been closed");
    let value;
    try {
      value = this.#run(script, arg);
    } catch (error) {
      throw thrown(error);
    }
    const settled = Promise.resolve(value).then(copied, (error) => {
      throw thrown(error);
    });
    return Promise.race([settled, document.destroyed]);
  }

  /** @param {string} what @param {() => unknown} look */
  async #until(what, look, timeout = PATIENCE_MS) {
    const started = performance.now();
    for (;;) {
      const found = await look();
      if (found) return found;
      if (this.#closed) throw new Error("Target page, context or browser has been closed");
      if (timeout && performance.now() - started > timeout) {
        throw new Error(`page: ${timeout} ms have passed without ${what}`);
      }
      await pause(POLL_MS);
    }
  }

  /** @param {string | Function} script @param {unknown} [arg] */
  async waitForFunction(script, arg, { timeout = PATIENCE_MS } = {}) {
    const look = () =>
      this.evaluate(script, arg).catch((error) => {
        if (!/context was destroyed/.test(error.message)) throw error;
      });
    await this.#until(String(script), look, timeout);
  }

  async waitForURL(pattern, { timeout = PATIENCE_MS } = {}) {
    let isPast = false;
    // A page may be left at once.
    const listen = () => {
      isPast ||= matchesUrl(pattern, this.url());
    };
    this.on("framenavigated", listen);
    try {
      const look = () => isPast || (this.#document.isLoaded && matchesUrl(pattern, this.url()));
      await this.#until(`the URL ${pattern}`, look, timeout);
    } finally {
      this.off("framenavigated", listen);
    }
  }

  /** @param {string} event */
  async waitForEvent(event, { predicate = (_) => true, timeout = PATIENCE_MS } = {}) {
    let found;
    const listen = (value) => {
      if (predicate(value)) found = { value };
    };
    this.on(event, listen);
    try {
      await this.#until(`the event ${event}`, () => found, timeout);
      return found.value;
    } finally {
      this.off(event, listen);
    }
  }

  /** @param {string | RegExp | ((request: any) => boolean)} wanted */
  async waitForRequest(wanted) {
    let found;
    const fits = (request) =>
      typeof wanted === "function" ? wanted(request) : matchesUrl(wanted, request.url());
    const listen = (request) => {
      if (fits(request)) found = request;
    };
    this.nodeContext.on("request", listen);
    try {
      return await this.#until("the request", () => found);
    } finally {
      this.nodeContext.off("request", listen);
    }
  }

  /** @param {(body: HTMLElement) => HTMLElement | null | undefined} find @param {string} what */
  #locator(find, what) {
    /** @type {() => Promise<any>} */
    const first = () => this.#until(what, () => find(this.#document.window.document.body));
    return {
      click: async () => (await first()).click(),
      textContent: async () => (await first()).textContent,
      waitFor: async () => void (await first()),
      isVisible: async () => Boolean(find(this.#document.window.document.body)),
    };
  }

  getByTestId(id) {
    return this.#locator((body) => queries.queryByTestId(body, id), `the element ${id}`);
  }

  getByRole(role, options = {}) {
    return this.#locator((body) => queries.queryAllByRole(body, role, options)[0], `a ${role}`);
  }

  getByText(text) {
    return this.#locator((body) => queries.queryAllByText(body, text)[0], `the text ${text}`);
  }

  /** Time passes for this page's scripts. @param {number} ms */
  async passTime(ms) {
    await this.#document.clock?.jump(ms);
  }

  /** @param {Parameters<import("./browser.mjs").NodeContext["route"]>} args */
  async route(...args) {
    return this.nodeContext.route(...args);
  }

  async addInitScript(...args) {
    return this.nodeContext.addInitScript(...args);
  }
}
