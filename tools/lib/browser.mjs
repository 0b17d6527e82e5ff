/**
 * Where the browsers are that the tests drive.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { which } from "./run.mjs";

/**
 * A browser that is installed from elsewhere.
 *
 * @typedef {object} Installable
 * @property {string} title
 * @property {string} variable The environment's variable that names it.
 * @property {string[]} programs Its names on the search path.
 * @property {string[]} applications Where macOS has it.
 * @property {string[]} [besides] Programs that it needs.
 * @property {string[]} debian Its packages for `apt-get`.
 * @property {string} [homebrew] How Homebrew installs it, if there is one for macOS.
 */

/** @type {Record<"chromium" | "headlessShell" | "firefox" | "webkit", Installable>} */
export const BROWSERS = {
  chromium: {
    title: "Chromium or Chrome",
    variable: "CHROMIUM",
    programs: ["chromium", "google-chrome", "google-chrome-stable"],
    applications: [
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    debian: ["chromium"],
    homebrew: "--cask google-chrome",
  },
  // The same engine without the windows of a desktop browser: a new profile costs a third of the processor's time.
  headlessShell: {
    title: "Chromium's headless shell",
    variable: "HEADLESS_SHELL",
    programs: ["chromium-headless-shell", "chrome-headless-shell"],
    applications: [],
    debian: ["chromium-headless-shell"],
  },
  firefox: {
    title: "Firefox",
    variable: "FIREFOX",
    programs: ["firefox-esr", "firefox"],
    applications: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
    debian: ["firefox-esr"],
    homebrew: "--cask firefox",
  },
  webkit: {
    title: "WebKitGTK with its driver and Xvfb",
    variable: "WEBKIT_DRIVER",
    programs: ["WebKitWebDriver"],
    applications: [],
    besides: ["Xvfb"],
    debian: ["webkit2gtk-driver", "xvfb"],
  },
};

/**
 * Finds a browser.
 *
 * @param {keyof typeof BROWSERS} [name]
 * @returns {string | undefined} its path: that of its variable if that is set, else the usual places'; none if what it
 * needs besides is missing
 */
export function findBrowser(name = "chromium") {
  const { variable, programs, applications, besides = [] } = BROWSERS[name];
  if (!besides.every(which)) return undefined;
  return (
    process.env[variable] ||
    [...programs.map(which), ...applications].find((path) => path && existsSync(path))
  );
}
