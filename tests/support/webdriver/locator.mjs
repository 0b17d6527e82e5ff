/**
 * Finding what a user would see: as much of Playwright's `Locator` as the tests use. Roles and names are computed by
 * Testing Library.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { build } from "esbuild";
import { PATIENCE_MS } from "../patience.mjs";

/** @import { WebElement } from "selenium-webdriver" */
/** @import { Frame } from "./page.mjs" */

/** Milliseconds between two looks. */
const POLL = 30;

/** Milliseconds that a click may take to arrive. */
const CLICK = 3000;

/**
 * @typedef {{ kind: "css" | "testId" | "text" | "role" | "first" | "last" | "hasText", value?: any, name?: any, level?: number,
 * exact?: boolean }} Step
 */

/** Testing Library for a page: `roles` on the symbol. */
let bundled;
async function rolesScript() {
  bundled ??= build({
    stdin: {
      contents:
        'import { queryAllByRole } from "@testing-library/dom"; window[Symbol.for("tests/roles")] = queryAllByRole;',
      resolveDir: import.meta.dirname ?? new URL(".", import.meta.url).pathname,
    },
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    define: { "process.env": "{}", "process.env.NODE_ENV": '"production"', global: "window" },
    logLevel: "error",
  });
  return (await bundled).outputFiles[0].text;
}

/** In the page: the elements, or `"roles"` if Testing Library is needed first. */
function find(steps) {
  const roles = window[Symbol.for("tests/roles")];
  if (!roles && steps.some(({ kind }) => kind === "role")) return "roles";
  const normal = (text) => text.replace(/\s+/g, " ").trim();
  const matcher = ({ source, flags, text, exact }) => {
    if (source !== undefined) {
      const pattern = new RegExp(source, flags);
      return (given) => pattern.test(given);
    }
    const wanted = normal(text);
    return exact
      ? (given) => given === wanted
      : (given) => given.toLowerCase().includes(wanted.toLowerCase());
  };
  const textOf = (element) =>
    element instanceof HTMLInputElement && /^(button|submit|reset)$/.test(element.type)
      ? element.value
      : element.textContent;
  const ways = {
    css: (root, { value }) => [...root.querySelectorAll(value)],
    testId(root, { value }) {
      const matches = matcher(value);
      return [...root.querySelectorAll("[data-testid]")].filter((element) =>
        matches(element.getAttribute("data-testid")),
      );
    },
    text(root, { value }) {
      const matches = matcher(value);
      // What it is looked for in may have the text itself.
      const within = [...(root === document ? [] : [root]), ...root.querySelectorAll("*")];
      const found = within.filter(
        (element) =>
          !element.closest("script, style, noscript, head") && matches(normal(textOf(element))),
      );
      return found.filter(
        (element) => !found.some((other) => other !== element && element.contains(other)),
      );
    },
    role(root, { value, name, level }) {
      const named = name && matcher(name);
      return roles(root === document ? document.documentElement : root, value, {
        ...(named && { name: (given) => named(normal(given)) }),
        ...(level && { level }),
      });
    },
  };
  let found = [document];
  for (const step of steps) {
    if (step.kind === "first") found = found.slice(0, 1);
    else if (step.kind === "last") found = found.slice(-1);
    else if (step.kind === "hasText") {
      const matches = matcher(step.value);
      found = found.filter((element) => matches(normal(element.textContent)));
    } else {
      found = [...new Set(found.flatMap((root) => ways[step.kind](root, step)))];
    }
  }
  return found;
}

/** In the page: what a user sees of an element. */
function visible(element) {
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && getComputedStyle(element).visibility === "visible";
}

/** In the page: as {@link visible}, and takes note of the click that is to come. */
function readyForClick(element) {
  const clicked = Symbol.for("tests/clicked");
  window[clicked] = false;
  const note = () => {
    window[clicked] = true;
  };
  element.addEventListener("click", note, { capture: true, once: true });
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && getComputedStyle(element).visibility === "visible";
}

/** Text or a pattern, for a page. @param {string | RegExp} given @param {boolean} [exact] */
const textMatch = (given, exact) =>
  given instanceof RegExp
    ? { source: given.source, flags: given.flags }
    : { text: given, exact: Boolean(exact) };

/** Names elements of a frame. */
export class Locator {
  #frame;
  #steps;

  /** @param {Frame} frame @param {Step[]} [steps] */
  constructor(frame, steps = []) {
    this.#frame = frame;
    this.#steps = steps;
  }

  /** @param {Step} step */
  #then(step) {
    return new Locator(this.#frame, [...this.#steps, step]);
  }

  /** @param {string} value */
  locator(value) {
    return this.#then({ kind: "css", value });
  }

  /** @param {string | RegExp} given */
  getByTestId(given) {
    return this.#then({ kind: "testId", value: textMatch(given, true) });
  }

  /** @param {string | RegExp} given @param {{ exact?: boolean }} [options] */
  getByText(given, { exact } = {}) {
    return this.#then({ kind: "text", value: textMatch(given, exact) });
  }

  /** @param {string} value @param {{ name?: string | RegExp, exact?: boolean, level?: number }} [options] */
  getByRole(value, { name, exact, level } = {}) {
    return this.#then({
      kind: "role",
      value,
      ...(name !== undefined && { name: textMatch(name, exact) }),
      ...(level !== undefined && { level }),
    });
  }

  first() {
    return this.#then({ kind: "first" });
  }

  last() {
    return this.#then({ kind: "last" });
  }

  /** @param {{ hasText: string | RegExp }} options */
  filter({ hasText }) {
    return this.#then({ kind: "hasText", value: textMatch(hasText) });
  }

  /** The elements, and what a page's function says of each. */
  async #look(about = "() => null") {
    const steps = JSON.stringify(this.#steps);
    const text = `const found = (${find})(${steps});
      return found === "roles" ? found : found.map((element) => [element, (${about})(element)]);`;
    let found = await this.#frame.script("sync", text);
    if (found === "roles") {
      await this.#frame.script("sync", await rolesScript());
      found = await this.#frame.script("sync", text);
      if (found === "roles") throw new Error("the page went away");
    }
    return /** @type {[WebElement, any][]} */ (found);
  }

  /**
   * Does something with the one element, as soon as it is there and lets it be done.
   *
   * @template T
   * @param {string} about
   * @param {(element: WebElement, said: any) => Promise<T>} act
   * @param {{ timeout?: number }} [options]
   * @returns {Promise<T>}
   */
  async #one(about, act, { timeout = PATIENCE_MS } = {}) {
    const until = performance.now() + timeout;
    let last = "it was not found";
    for (;;) {
      try {
        const found = await this.#look(about);
        if (found.length > 1) throw new Error(`strict mode violation: ${found.length} elements`);
        if (found.length === 1) return await act(...found[0]);
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        if (/strict mode|closed/.test(message)) throw this.#because(message);
        last = message;
      }
      if (performance.now() > until) throw this.#because(`Timeout ${timeout}ms exceeded: ${last}`);
      await pause(POLL);
    }
  }

  /** @param {string} message */
  #because(message) {
    return new Error(`${JSON.stringify(this.#steps)}: ${message}`);
  }

  /** @param {{ timeout?: number }} [options] */
  async click(options) {
    await this.#one(
      `${readyForClick}`,
      async (element, shown) => {
        if (!shown) throw new Error("it is not visible");
        await this.#frame.run(() => element.click());
        await this.#untilClicked();
      },
      options,
    );
  }

  /** A page that is not painted yet may lose a click. */
  async #untilClicked() {
    const until = performance.now() + CLICK;
    const look = () => this.#frame.script("sync", 'return window[Symbol.for("tests/clicked")];');
    // A page that has been left, or closed, was clicked.
    while ((await look().catch(() => undefined)) === false) {
      if (performance.now() > until) throw new Error("it was not clicked");
      await pause(POLL);
    }
  }

  /** Unlike the page's keyboard it reaches into frames. @param {string} key A character. @param {{ timeout?: number }} [options] */
  async press(key, options) {
    await this.#one(
      `${visible}`,
      (element) => this.#frame.run(() => element.sendKeys(key)),
      options,
    );
  }

  /** @param {string} value @param {{ timeout?: number }} [options] */
  async fill(value, options) {
    await this.#one(
      `${visible}`,
      (element) =>
        this.#frame.run(async () => {
          await element.clear();
          await element.sendKeys(value);
        }),
      options,
    );
  }

  /** @param {{ state?: "visible" | "attached" | "hidden" | "detached", timeout?: number }} [options] */
  async waitFor({ state = "visible", timeout = PATIENCE_MS } = {}) {
    const until = performance.now() + timeout;
    let last = "";
    for (;;) {
      try {
        const found = await this.#look(`${visible}`);
        if (found.length > 1) throw new Error(`strict mode violation: ${found.length} elements`);
        const shown = found.some(([, seen]) => seen);
        const there = {
          visible: shown,
          hidden: !shown,
          attached: found.length > 0,
          detached: found.length === 0,
        };
        if (there[state]) return;
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        if (/strict mode|closed/.test(message)) throw this.#because(message);
        last = message;
      }
      if (performance.now() > until) {
        throw this.#because(`Timeout ${timeout}ms exceeded: it is not ${state} ${last}`);
      }
      await pause(POLL);
    }
  }

  async count() {
    return (await this.#look()).length;
  }

  async isVisible() {
    const found = await this.#look(`${visible}`);
    return found.length > 0 && found[0][1];
  }

  async isDisabled() {
    return this.#one("(element) => element.disabled === true", async (_, said) => said);
  }

  async innerText() {
    return this.#one("(element) => element.innerText", async (_, said) => said);
  }

  async allInnerTexts() {
    return (await this.#look("(element) => element.innerText")).map(([, said]) => said);
  }

  async textContent() {
    return this.#one("(element) => element.textContent", async (_, said) => said);
  }

  async inputValue() {
    return this.#one("(element) => element.value", async (_, said) => said);
  }

  /** @param {string} name */
  async getAttribute(name) {
    const about = `(element) => element.getAttribute(${JSON.stringify(name)})`;
    return this.#one(about, async (_, said) => said);
  }

  /** @param {Function | string} code @param {unknown} [arg] */
  async evaluate(code, arg) {
    const about = `(element) => (${code})(element, ${JSON.stringify(arg) ?? "undefined"})`;
    return this.#one(about, async (_, said) => said);
  }

  /** The one element, for what goes into it. @param {{ state?: "visible" | "attached", timeout?: number }} [options] */
  async element({ state = "attached", timeout } = {}) {
    return this.#one(
      `${visible}`,
      async (element, shown) => {
        if (state === "visible" && !shown) throw new Error("it is not visible");
        return element;
      },
      { timeout },
    );
  }
}
