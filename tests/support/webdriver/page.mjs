/**
 * Pages and frames: as much of Playwright's as the tests use.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { Button, Key } from "selenium-webdriver";
import { PATIENCE_MS } from "../patience.mjs";
import { evaluateIn, isGone } from "./evaluate.mjs";
import { Locator } from "./locator.mjs";
import { urlMatcher } from "./match.mjs";
import { KEPT } from "./page-start.mjs";

/** @import { WebElement } from "selenium-webdriver" */
/** @import { Context } from "./context.mjs" */
/** @import { UrlMatch } from "./match.mjs" */

/** Milliseconds between two looks. */
const POLL = 30;

/** The mark that differs between one document of a window and the next. */
const MARK = `window[Symbol.for("tests/document")]`;

/** A document's place: a page, or a frame inside. */
export class Frame {
  /** The page that it is in. @type {Page} */
  page;
  #url = "about:blank";
  /** The document that was last looked at, and what its address was at first. */
  #document = /** @type {{ id?: number, start?: string }} */ ({});

  /** @param {Page | undefined} page None: it is one itself. @param {WebElement[]} [path] The elements that it lies in. */
  constructor(page, path = []) {
    this.page = page ?? /** @type {any} */ (this);
    this.path = path;
  }

  /**
   * Runs a script there, in its turn, and takes note of where that was.
   *
   * @param {"sync" | "async"} kind
   * @param {string} text A function's body; with `async` it is given `finish`.
   * @returns {Promise<any>}
   */
  async script(kind, text) {
    const told = `(value) => ({ value, url: location.href, ...window[Symbol.for("${KEPT}")]?.place() })`;
    const { value, url, id, start } = await this.run((driver) =>
      kind === "async"
        ? driver.executeAsyncScript(
            `const end = arguments[arguments.length - 1], told = ${told}, finish = (value) => end(told(value)); ${text}`,
          )
        : driver.executeScript(`return (${told})((() => { ${text}\n })());`),
    );
    this.#url = url;
    this.#document = { id, start };
    return value;
  }

  /**
   * Has the session to itself, with this frame as the current one.
   *
   * @template T
   * @param {(driver: import("selenium-webdriver").WebDriver) => Promise<T>} act
   * @returns {Promise<T>}
   */
  run(act) {
    return this.page.session.run(this.page.handle, this.path, act);
  }

  /** Where it was when it was last looked at. */
  url() {
    return this.#url;
  }

  /** @param {string | Function} code @param {unknown} [arg] @returns {Promise<any>} */
  evaluate(code, arg) {
    return evaluateIn(this, code, arg);
  }

  /** Looks where it is. @returns {Promise<{ url: string, state: string, mark: unknown }>} */
  look() {
    return this.script(
      "sync",
      `return { url: location.href, state: document.readyState, mark: ${MARK} ?? null };`,
    );
  }

  /**
   * Asks again and again until the answer is something.
   *
   * @param {() => Promise<any>} ask A page that is being left does not count.
   * @param {{ timeout?: number }} [options]
   * @param {string} [what]
   */
  async until(ask, { timeout = PATIENCE_MS } = {}, what = "") {
    const end = performance.now() + (timeout || Number.POSITIVE_INFINITY);
    for (;;) {
      try {
        const answer = await ask();
        if (answer) return answer;
      } catch (error) {
        if (!isGone(error)) throw error;
      }
      if (performance.now() > end) throw new Error(`Timeout ${timeout}ms exceeded ${what}`);
      await pause(POLL);
    }
  }

  /** @param {string | Function} code @param {unknown} [arg] @param {{ timeout?: number }} [options] */
  waitForFunction(code, arg, options) {
    return this.until(() => this.evaluate(code, arg), options, `waiting for ${code}`);
  }

  /** @param {UrlMatch} match @param {{ timeout?: number, waitUntil?: string }} [options] */
  async waitForURL(match, { waitUntil = "load", ...options } = {}) {
    const matches = urlMatcher(match);
    const before = this.#document.id;
    const there = async () => {
      const { url, state } = await this.look();
      const { id, start } = this.#document;
      // A page may have changed its address already.
      const was = id !== before && start !== undefined && matches(start);
      return (matches(url) || was) && (waitUntil === "commit" || state === "complete");
    };
    await this.until(there, options, `waiting for ${match}, at ${this.#url}`).catch((error) => {
      throw new Error(`${error.message}, now at ${this.#url}`);
    });
  }

  /** @param {string} selector @param {{ state?: "visible" | "attached" | "detached", timeout?: number }} [options] */
  async waitForSelector(selector, { state = "visible", timeout } = {}) {
    const locator = this.locator(selector).first();
    await locator.waitFor({ state, timeout });
    if (state === "detached") return null;
    return this.#handle(await locator.element());
  }

  /** @param {Function} code Returns an element. @param {unknown} [arg] */
  async evaluateHandle(code, arg) {
    const text = `return (${code})(${JSON.stringify(arg) ?? "undefined"});`;
    return this.#handle(await this.script("sync", text));
  }

  /** @param {WebElement} element */
  #handle(element) {
    return { contentFrame: async () => new Frame(this.page, [...this.path, element]) };
  }

  /** @param {string} selector */
  locator(selector) {
    return new Locator(this).locator(selector);
  }

  /** @param {string | RegExp} id */
  getByTestId(id) {
    return new Locator(this).getByTestId(id);
  }

  /** @param {string | RegExp} text @param {object} [options] */
  getByText(text, options) {
    return new Locator(this).getByText(text, options);
  }

  /** @param {string} role @param {object} [options] */
  getByRole(role, options) {
    return new Locator(this).getByRole(role, options);
  }

  /** Finds elements in the frame of a selector. @param {string} selector */
  frameLocator(selector) {
    return new Locator(new FrameBehind(this, selector));
  }

  title() {
    return this.evaluate("document.title");
  }
}

/** A frame that is looked for when something is wanted of it. */
class FrameBehind extends Frame {
  #outer;
  #selector;

  /** @param {Frame} outer @param {string} selector */
  constructor(outer, selector) {
    super(outer.page);
    this.#outer = outer;
    this.#selector = selector;
  }

  async run(act) {
    const element = await this.#outer.locator(this.#selector).element();
    this.path = [...this.#outer.path, element];
    return super.run(act);
  }
}

/** Playwright's names of keys, where WebDriver has others. */
const keyOf = (name) => (name.length === 1 ? name : Key[name.toUpperCase()]);

/** A window. */
export class Page extends Frame {
  #context;
  #closed = false;
  #marks = 0;

  /** @param {Context} context @param {string} handle */
  constructor(context, handle) {
    super(undefined);
    this.#context = context;
    this.handle = handle;
    this.session = context.session;
  }

  keyboard = {
    press: (name) =>
      this.run((driver) => driver.actions().keyDown(keyOf(name)).keyUp(keyOf(name)).perform()),
  };

  mouse = {
    click: (x, y) =>
      this.run((driver) =>
        driver
          .actions()
          .move({ x, y, duration: 0 })
          .press(Button.LEFT)
          .release(Button.LEFT)
          .perform(),
      ),
    wheel: async (dx, dy) => {
      // The command does not wait until the page has heard of it.
      const turned = 'window[Symbol.for("tests/turned")]';
      await this.script(
        "sync",
        `${turned} = false;
         addEventListener("wheel", () => { ${turned} = true; }, { once: true, capture: true, passive: true });`,
      );
      await this.run((driver) => driver.actions().scroll(5, 5, dx, dy).perform());
      await this.until(() => this.script("sync", `return ${turned};`));
      // The same turn a second time would not change anything for the driver, and fire no event.
      await this.run((driver) => driver.actions().clear());
    },
  };

  context() {
    return this.#context;
  }

  mainFrame() {
    return this;
  }

  isClosed() {
    return this.#closed;
  }

  /** Told by the context, when the window is no longer there. */
  gone() {
    this.#closed = true;
  }

  async close() {
    await this.#context.closePage(this);
  }

  async bringToFront() {
    await this.run(async () => {});
  }

  /**
   * Makes the window go somewhere, and waits until it has.
   *
   * @param {(driver: import("selenium-webdriver").WebDriver) => Promise<unknown>} go
   * @param {{ waitUntil?: string, timeout?: number }} [options]
   * @param {(url: string, before: string) => boolean} [arrived] Whether it is there although the document is the same.
   */
  async #leave(go, { waitUntil = "load", timeout = PATIENCE_MS } = {}, arrived = () => false) {
    const mark = ++this.#marks;
    const before = await this.script("sync", `${MARK} = ${mark}; return { url: location.href };`);
    await this.run(go);
    const there = async () => {
      const { url, state, mark: now } = await this.look();
      if (now === mark && !arrived(url, before.url)) return false;
      return (
        waitUntil === "commit" ||
        state === "complete" ||
        (waitUntil !== "load" && state === "interactive")
      );
    };
    await this.until(there, { timeout }, "waiting for a page");
  }

  /** @param {string} url @param {{ waitUntil?: string, timeout?: number }} [options] */
  async goto(url, options) {
    const [wanted, hash] = new URL(url).href.split("#");
    const since = this.#context.documents.length;
    await this.#leave(
      (driver) => driver.get(url),
      options,
      (now, before) =>
        hash !== undefined && before.split("#")[0] === wanted && now === `${wanted}#${hash}`,
    );
    const failed = this.#context.documents.slice(since).find((asked) => asked.failed);
    if (failed) throw new Error(`net::ERR_FAILED at ${failed.url()}`);
  }

  /** @param {{ waitUntil?: string, timeout?: number }} [options] */
  reload(options) {
    return this.#leave((driver) => driver.navigate().refresh(), options);
  }

  /** @param {{ waitUntil?: string, timeout?: number }} [options] */
  goBack(options) {
    return this.#leave(
      (driver) => driver.navigate().back(),
      options,
      (now, before) => now !== before,
    );
  }

  /** @param {{ waitUntil?: string, timeout?: number }} [options] */
  goForward(options) {
    return this.#leave(
      (driver) => driver.navigate().forward(),
      options,
      (now, before) => now !== before,
    );
  }

  /** @param {"load" | "networkidle"} [state] */
  async waitForLoadState(state = "load") {
    await this.until(async () => (await this.look()).state === "complete");
    if (state === "networkidle") await this.#context.waitForIdle();
  }

  /** @param {string} event @param {any} [options] */
  waitForEvent(event, options) {
    return this.#context.waitForPageEvent(this, event, options);
  }

  /** @param {UrlMatch | ((request: any) => boolean)} match @param {{ timeout?: number }} [options] */
  waitForRequest(match, options) {
    const matches =
      typeof match === "function" ? match : (request) => urlMatcher(match)(request.url());
    return this.#context.waitForEvent("request", { ...options, predicate: matches });
  }

  /** @param {number} ms */
  waitForTimeout(ms) {
    return pause(ms);
  }

  /** @param {UrlMatch} match @param {any} handler @param {{ times?: number }} [options] */
  route(match, handler, options) {
    return this.#context.route(match, handler, options);
  }

  /** @param {UrlMatch} match @param {any} [handler] */
  unroute(match, handler) {
    return this.#context.unroute(match, handler);
  }

  /** @param {string | Function} script @param {unknown} [arg] */
  addInitScript(script, arg) {
    return this.#context.addInitScript(script, arg);
  }
}
