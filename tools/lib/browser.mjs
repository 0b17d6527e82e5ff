/**
 * Where the browser is that the tests drive.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { which } from "./run.mjs";

/**
 * Finds Chromium or Chrome.
 *
 * @returns {string | undefined} its path: `CHROMIUM`'s if that is set, else the usual places'
 */
export function findBrowser() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return [
    which("chromium"),
    which("google-chrome"),
    which("google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ].find((path) => path && existsSync(path));
}
