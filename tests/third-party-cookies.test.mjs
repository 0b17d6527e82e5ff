/** The engine that the tests run in is what it is called. */

import assert from "node:assert/strict";
import { createServer } from "node:https";
import { test } from "node:test";
import { addFrame, sharedBrowser } from "./support/browser.mjs";
import { certificateFor } from "./support/certificate.mjs";
import { engine, THIRD_PARTY_COOKIES } from "./support/engine.mjs";
import { listen } from "./support/serve.mjs";

const browser = sharedBrowser();

/** A server that says which cookies it was sent, and sets one for frames anywhere: WebKit takes such a one from https alone. */
async function startCookieServer(t) {
  const certificate = await certificateFor(["localhost"]);
  const server = createServer(certificate, (request, response) => {
    response.writeHead(200, {
      "Content-Type": "text/html",
      "Set-Cookie": "seen=1; SameSite=None; Secure",
    });
    response.end(`<link rel="icon" href="data:,"><p>${request.headers.cookie ?? "none"}</p>`);
  });
  return listen(t, server);
}

test(`${engine}: ${THIRD_PARTY_COOKIES ? "a frame of another site is sent" : "no frame of another site is sent"} the cookies that its site has`, async (t) => {
  const { page } = await browser.newPage(t);
  const port = await startCookieServer(t);
  const said = (frame) => frame.locator("p").textContent();
  await page.goto(`https://127.0.0.1:${port}`);
  await page.goto(`https://127.0.0.1:${port}`);
  assert.equal(await said(page), "seen=1", "the site has a cookie");

  // Another site: hosts differ, and ports don't count.
  await page.goto(`https://localhost:${port}`);
  const frame = await addFrame(page, `https://127.0.0.1:${port}/frame`);

  assert.equal(await said(frame), THIRD_PARTY_COOKIES ? "seen=1" : "none");
});
