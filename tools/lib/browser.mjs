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
 * @property {string} debian Its package for `apt-get`.
 * @property {string} homebrew How Homebrew installs it.
 */

/** @type {Record<"chromium" | "firefox", Installable>} */
export const BROWSERS = {
  chromium: {
    title: "Chromium or Chrome",
    variable: "CHROMIUM",
    programs: ["chromium", "google-chrome", "google-chrome-stable"],
    applications: [
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    debian: "chromium",
    homebrew: "--cask google-chrome",
  },
  firefox: {
    title: "Firefox",
    variable: "FIREFOX",
    programs: ["firefox-esr", "firefox"],
    applications: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
    debian: "firefox-esr",
    homebrew: "--cask firefox",
  },
};

/**
 * Finds a browser.
 *
 * @param {keyof typeof BROWSERS} [name]
 * @returns {string | undefined} its path: that of its variable if that is set, else the usual places'
 */
export function findBrowser(name = "chromium") {
  const { variable, programs, applications } = BROWSERS[name];
  return (
    process.env[variable] ||
    [...programs.map(which), ...applications].find((path) => path && existsSync(path))
  );
}
