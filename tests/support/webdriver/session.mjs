/**
 * One command at a time: a session has one current window and one current frame.
 *
 * @module
 */

import { error as errors } from "selenium-webdriver";
import { PATIENCE_MS } from "../patience.mjs";

/** @import { WebDriver, WebElement } from "selenium-webdriver" */

/**
 * A driver's answer, or an error if none comes.
 *
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
export async function withTimeout(answer) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("WebKitWebDriver does not answer")), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A session whose commands wait for one another. */
export class Session {
  #driver;
  #last = Promise.resolve();
  /** @type {{ handle: string, path: WebElement[] } | undefined} */
  #current;

  /** @param {WebDriver} driver */
  constructor(driver) {
    this.#driver = driver;
  }

  /**
   * Has the session to itself for a moment.
   *
   * @template T
   * @param {string | undefined} handle The window.
   * @param {WebElement[]} path The frames' elements, outermost first.
   * @param {(driver: WebDriver) => Promise<T>} act
   * @returns {Promise<T>}
   */
  run(handle, path, act) {
    const turn = this.#last.then(async () => {
      if (handle) await this.#switchTo(handle, path);
      return act(this.#driver);
    });
    const answered = withTimeout(turn);
    this.#last = answered.then(
      () => {},
      () => {},
    );
    return answered;
  }

  /**
   * Ends a window.
   *
   * @param {string} handle
   * @param {(driver: WebDriver) => Promise<unknown>} act
   */
  async forget(handle, act) {
    await this.run(handle, [], async (driver) => {
      await act(driver);
      this.#current = undefined;
    });
  }

  /** @param {string} handle @param {WebElement[]} path */
  async #switchTo(handle, path) {
    const current = this.#current;
    // A frame that is current may have gone meanwhile; a window says so by itself.
    if (current?.handle === handle && current.path.length === 0 && path.length === 0) return;
    this.#current = undefined;
    try {
      await this.#driver.switchTo().window(handle);
    } catch (error) {
      if (!(error instanceof errors.NoSuchWindowError)) throw error;
      throw new Error("Target page, context or browser has been closed");
    }
    if (current?.path.length || path.length) await this.#driver.switchTo().defaultContent();
    for (const element of path) await this.#driver.switchTo().frame(element);
    this.#current = { handle, path };
  }
}
