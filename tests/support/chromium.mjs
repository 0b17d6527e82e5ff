/**
 * A Chromium with or without third-party cookies.
 *
 * @module
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findBrowser } from "../../tools/lib/browser.mjs";

/** @import { Browser } from "playwright-core" */

const ARGS = [
  // Chromium's own sandbox does not work for root, in containers above all.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a Chromium. The caller ends it.
 *
 * @param {object} options
 * @param {boolean} options.thirdPartyCookies
 * @param {boolean} [options.pageCache] With the back/forward cache, which Playwright switches off.
 * @param {string[]} [options.args] Switches of the command line, besides the usual ones.
 * @returns {Promise<Browser>}
 */
export async function launchChromium({ thirdPartyCookies, pageCache = false, args = [] }) {
  // The headless shell has no back/forward cache.
  const executablePath = (!pageCache && process.env.HEADLESS_SHELL) || findBrowser();
  if (!executablePath) throw new Error("No Chromium was found; CHROMIUM can name one");
  // What a profile says of cookies holds in every context. Left unsaid it depends on who built the browser: Debian's
  // blocks third-party cookies. No switch of the command line decides it.
  const profile = await mkdtemp(join(tmpdir(), "classlink-profile-"));
  await mkdir(join(profile, "Default"));
  await writeFile(
    join(profile, "Default/Preferences"),
    JSON.stringify({ profile: { cookie_controls_mode: thirdPartyCookies ? 0 : 1 } }),
  );
  const own = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...ARGS, ...args],
    ...(pageCache && { ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
  });
  const browser = /** @type {Browser} */ (own.browser());
  browser.once("disconnected", () =>
    rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => {}),
  );
  return browser;
}
