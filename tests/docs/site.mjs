/** The documentation's site in a browser, as on a phone and on a laptop: `npm run docs:site -- --check`. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../tools/lib/ports.mjs";
import { root } from "../../tools/lib/run.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { serveFolder } from "../packaging/static.mjs";
import { launch, openPage } from "../support/browser.mjs";
import { PEOPLE, selectUser } from "../support/login.mjs";

const VIEWPORTS = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1366, height: 768 },
};

/** Pages that have what is wide: long tables, long code, a picture. */
const SHOWN = ["index", "quick-start", "configuration", "benchmarks", "playground", "api/index"];

/**
 * Checks the site, and leaves pictures of some pages in `target/site-pictures`.
 *
 * @param {string} folder
 */
export async function checkSite(folder) {
  const pictures = join(root, "target/site-pictures");
  mkdirSync(pictures, { recursive: true });
  const port = await freePort();
  const server = await serveFolder(folder, port);
  const origin = `http://127.0.0.1:${port}`;
  const browser = await launch();
  try {
    for (const [name, viewport] of Object.entries(VIEWPORTS)) {
      const { page, errors, requests, context } = await openPage(browser, { viewport });
      for (const shown of SHOWN) {
        await page.goto(`${origin}/${shown}.html`, { waitUntil: "networkidle" });
        await page.screenshot({ path: join(pictures, `${shown.replace("/", "-")}-${name}.png`) });
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(overflow, 0, `${shown} scrolls sideways on a ${name}`);
      }
      const foreign = requests
        .map((request) => request.url())
        .filter((url) => !url.startsWith(origin));
      assert.deepEqual(foreign, [], "the site needs no other host");
      assert.deepEqual(errors, []);
      await context.close();
    }
    await findsAPage(browser, origin);
    await playsASession(browser, origin);
    await signsInAtTheStandIn(browser, origin);
  } finally {
    await browser.close();
    await server.stop();
  }
  assert.ok(readdirSync(pictures).length >= 2 * SHOWN.length);
}

/** @param {import("playwright-core").Browser} browser @param {string} origin */
async function findsAPage(browser, origin) {
  const { page, context } = await openPage(browser, { viewport: VIEWPORTS.laptop });
  await page.goto(`${origin}/`, { waitUntil: "networkidle" });
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("searchbox").fill("change of user");
  await page
    .getByRole("option", { name: /Caches and a change of user/ })
    .first()
    .click();
  await page.waitForURL(/\/caches\.html/);
  await context.close();
}

/** @param {import("playwright-core").Browser} browser @param {string} origin */
async function playsASession(browser, origin) {
  const { page, context } = await openPage(browser, { viewport: VIEWPORTS.laptop });
  await page.goto(`${origin}/playground.html`);
  await page.locator(".playground").getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Hello, Ada. You are a student.").waitFor();
  await page.getByRole("button", { name: "Play: the session expires now" }).click();
  await page.locator(".playground").getByRole("alert").waitFor();
  await context.close();
}

/** @param {import("playwright-core").Browser} browser @param {string} origin */
async function signsInAtTheStandIn(browser, origin) {
  const redirectUri = `${origin}/playground.html`;
  const standIn = await startStandIn({
    consent: "never",
    clients: [{ clientId: "playground", redirectUris: [redirectUri] }],
  });
  const { page, context, errors } = await openPage(browser, { viewport: VIEWPORTS.laptop });
  try {
    await page.goto(redirectUri);
    await page.getByLabel("Stand-in").fill(standIn.issuer);
    await page.getByRole("button", { name: "Use the stand-in" }).click();
    await page.locator(".playground").getByRole("button", { name: "Sign in" }).click();
    await selectUser(page, PEOPLE.tess);
    await page.getByText("Hello, Tess. You are a teacher.").waitFor();
    await page.getByRole("button", { name: "Expire now, in every tab" }).click();
    await page.locator(".playground").getByRole("alert").waitFor();
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    await standIn.close();
  }
}
