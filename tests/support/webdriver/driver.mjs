/**
 * The programs behind a WebKitGTK under WebDriver: a display, and for every session a driver of its own, since one drives
 * one browser at a time.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Builder, Capabilities } from "selenium-webdriver";
import { findBrowser } from "../../../tools/lib/browser.mjs";
import { freePort } from "../../../tools/lib/ports.mjs";
import { which } from "../../../tools/lib/run.mjs";
import { PATIENCE_MS } from "../patience.mjs";
import { withTimeout } from "./session.mjs";

/** @import { ChildProcess } from "node:child_process" */
/** @import { WebDriver } from "selenium-webdriver" */

const MISSING =
  "WebKitGTK's driver or a display for it was not found. On Debian and Ubuntu:\n\n" +
  "  sudo apt-get install webkit2gtk-driver xvfb";

let exits = false;

/** Lets a program end with this one, however that ends. @param {ChildProcess} child */
function killOnExit(child) {
  if (!exits)
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  exits = true;
  const kill = () => child.kill();
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}

/** Ends a program, and waits until it has. @param {ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}

/**
 * Starts a virtual display.
 *
 * @returns {Promise<{ name: string, close: () => Promise<void> }>}
 */
export async function startDisplay() {
  if (!findBrowser("webkit")) throw new Error(MISSING);
  const child = spawn(
    "Xvfb",
    ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  killOnExit(child);
  const said = /** @type {import("node:stream").Readable} */ (child.stdio[3]);
  const first = await Promise.race([once(said, "data"), once(child, "exit").then(() => undefined)]);
  if (!first) throw new Error("Xvfb ended before there was a display");
  return { name: `:${String(first[0]).trim()}`, close: () => end(child) };
}

/** MiniBrowser, which the package of the driver brings; it stands outside `PATH`. */
function miniBrowser() {
  return [
    which("MiniBrowser"),
    ...["x86_64-linux-gnu", "aarch64-linux-gnu"].flatMap((machine) =>
      ["4.1", "6.0", "4.0"].map((api) => `/usr/lib/${machine}/webkit2gtk-${api}/MiniBrowser`),
    ),
  ].find((path) => path && existsSync(path));
}

/**
 * Opens a session: a browser without cookies or storage, which asks for everything by way of a proxy.
 *
 * @param {string} display
 * @param {string} proxy Host and port of a SOCKS proxy.
 * @returns {Promise<{ driver: WebDriver, close: () => Promise<void> }>}
 */
export async function openSession(display, proxy) {
  const [program, binary] = [findBrowser("webkit"), miniBrowser()];
  if (!program || !binary) throw new Error(MISSING);
  const port = await freePort();
  const child = spawn(program, [`--port=${port}`, "--host=127.0.0.1"], {
    stdio: "ignore",
    env: {
      ...process.env,
      DISPLAY: display,
      // There is no graphics card behind this display.
      LIBGL_ALWAYS_SOFTWARE: "1",
      WEBKIT_DISABLE_COMPOSITING_MODE: "1",
      NO_AT_BRIDGE: "1",
    },
  });
  killOnExit(child);
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(url);
    const capabilities = new Capabilities({
      browserName: "MiniBrowser",
      acceptInsecureCerts: true,
      // Commands don't wait for a page to load: what waits here says for what.
      pageLoadStrategy: "none",
      // WebKit counts a script's time by the page's own timers, and a test may move those by hours.
      timeouts: { script: 2_000_000_000 },
      "webkitgtk:browserOptions": {
        binary,
        args: [
          "--automation",
          `--proxy=socks5://${proxy}`,
          // As Playwright starts Chromium: a script may open a window without a click.
          "--javascript-can-open-windows-automatically=true",
        ],
      },
    });
    const driver = await new Builder()
      .disableEnvironmentOverrides()
      .usingServer(url)
      .withCapabilities(capabilities)
      .build();
    return {
      driver,
      async close() {
        await withTimeout(driver.quit()).catch(() => {});
        await end(child);
      },
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** @param {string} url */
async function untilReady(url) {
  const started = performance.now();
  for (;;) {
    const status = await fetch(`${url}/status`).catch(() => undefined);
    if (status?.ok) return;
    if (performance.now() - started > PATIENCE_MS)
      throw new Error("WebKitWebDriver does not answer");
    await pause(50);
  }
}
