/**
 * Draws `docs/sign-in.png`, the picture in the README, from the demo in Chromium: the app, ClassLink's stand-in, and the
 * app again.
 *
 * @module
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startDemo } from "../tests/support/demo.mjs";
import { PEOPLE, selectUser } from "../tests/support/login.mjs";
import { findBrowser } from "./lib/browser.mjs";
import { CliError, logStep, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

const FILE = "docs/sign-in.png";
const VIEW = { width: 560, height: 520 };

/** @param {import("playwright-core").Page} page the captions and images of the steps, in a row */
async function compose(page, steps) {
  const figures = steps.map(
    ([caption, image]) =>
      `<figure><img src="data:image/png;base64,${image.toString("base64")}"><figcaption>${caption}</figcaption></figure>`,
  );
  await page.setViewportSize({ width: 1200, height: 410 });
  await page.setContent(`<style>
      body { display: flex; gap: 16px; margin: 12px; background: #fff; font: 15px sans-serif; color: #333 }
      figure { flex: 1; margin: 0; text-align: center }
      img { width: 100%; border: 1px solid #bbb; border-radius: 6px; box-shadow: 0 1px 4px #0002 }
      figcaption { margin-top: 10px }
    </style><main style="display: contents">${figures.join("")}</main>`);
  await page.screenshot({ path: join(root, FILE), fullPage: true });
}

await runAsCli(import.meta, async () => {
  await setUp({ browser: true });
  const demo = await startDemo(["--consent", "never"]);
  const browser = await chromium.launch({ executablePath: findBrowser(), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: VIEW });
    await page.goto(demo.app);
    const button = page.getByRole("button", { name: "Sign in with ClassLink" });
    await button.waitFor();
    const app = await page.screenshot();
    await button.click();
    await page.getByTestId(`district-${PEOPLE.pia.district}`).waitFor();
    const provider = await page.screenshot();
    await selectUser(page, PEOPLE.pia);
    await page.getByRole("heading", { level: 1, name: "Welcome, Pia" }).waitFor();
    const signedIn = await page.screenshot();
    await compose(page, [
      ["1. <code>startLogin()</code>", app],
      ["2. ClassLink (here its stand-in)", provider],
      ["3. <code>handleCallback()</code>, <code>getUser()</code>", signedIn],
    ]);
  } catch (error) {
    throw new CliError(`${/** @type {Error} */ (error).message}\n${demo.lines.join("\n")}`);
  } finally {
    await browser.close();
    await demo.close();
  }
  logStep(`Wrote ${FILE} (${Math.ceil(statSync(join(root, FILE)).size / 1024)} KB)`);
});
