/** `classlink-spa/router`: one login for loaders and guards, and none if the user did not ask for another. */

import assert from "node:assert/strict";
import { createTestClient, isClassLinkError } from "classlink-spa/testing";
import { requireUser, toRouterPath } from "../../pkg/router.js";
import { sharedBrowser } from "../support/browser.mjs";
import {
  callInPage,
  completeLogin,
  handleCallback,
  PEOPLE,
  sharedLoginApp,
} from "../support/login.mjs";
import { navigateHistory } from "../support/page-cache.mjs";
import { present } from "../support/present.mjs";
import { browserTest, test } from "../support/tiers.mjs";

/** @import { Page } from "playwright-core" */

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** Opens a page of an application whose loaders use `requireUser`. */
async function openApp(t, options) {
  const { page } = await browser.newPage(t);
  const world = await startLoginApp(t, options);
  const open = async (path = "/") => {
    await world.open(page, path);
    await page.evaluate(async () => {
      /** @type {any} */ (window).router = await import(/** @type {string} */ ("/pkg/router.js"));
    });
  };
  await open();
  return { page, ...world, open };
}

/** A loader: its user's `sub`, or its error's code; `undefined` if the page is left. @param {Page} page */
const load = (page, options = "{}") =>
  callInPage(
    page,
    `router.requireUser(client, ${options}).then(({ sub }) => sub, ({ code }) => code)`,
  ).catch((error) => {
    if (!/context was destroyed|navigation|closed/i.test(error.message)) throw error;
  });

/** Waits for ClassLink's page. @param {Page} page @param {{ origin: string }} app */
const leave = (page, app) => page.waitForURL((url) => url.origin !== app.origin);

test("requireUser starts one login for all loaders of a page, which leads back, and then resolves with the user", async (t) => {
  const { page, app, standIn } = await openApp(t);
  await Promise.all([
    leave(page, app),
    load(page, `{ request: new Request(location.origin + "/?week=2") }`),
    load(page, `{ request: new Request(location.origin + "/?week=2") }`),
  ]);
  await completeLogin(page, PEOPLE.pia);
  const result = await handleCallback(page);
  assert.equal(result.returnTo, "/?week=2");
  assert.equal(standIn.requests.filter(({ path }) => path.endsWith("/v2/auth")).length, 1);
  await page.evaluate(async () => {
    /** @type {any} */ (window).router = await import(/** @type {string} */ ("/pkg/router.js"));
  });
  assert.equal(await load(page), PEOPLE.pia.sub);
});

test("requireUser starts a login that leads to its returnTo, and not to the page's or the request's URL", async (t) => {
  const { page, app } = await openApp(t);
  await Promise.all([
    leave(page, app),
    load(
      page,
      `{ returnTo: "/classes?week=3", request: new Request(location.origin + "/?week=2") }`,
    ),
  ]);
  await completeLogin(page, PEOPLE.pia);
  const result = await handleCallback(page);
  assert.equal(result.returnTo, "/classes?week=3");
});

test("requireUser starts no login after a sign-out in this tab, across page loads too", async (t) => {
  const { page, app, open } = await openApp(t);
  await Promise.all([leave(page, app), load(page)]);
  await completeLogin(page, PEOPLE.pia);
  await handleCallback(page);
  // A page that knows nothing of loaders.
  await callInPage(page, "client.logout()");
  for (const path of ["/", "/launch"]) {
    await open(path);
    assert.equal(await load(page), "not_signed_in");
  }
});

test("requireUser starts no login after one that was given up, until the user signs in", async (t) => {
  const { page, app, open } = await openApp(t);
  await Promise.all([leave(page, app), load(page)]);
  await open("/launch");
  assert.equal(await load(page), "not_signed_in");
  await open();
  assert.equal(await load(page), "not_signed_in");
  // The user asks, and signs in: later sessions that are lost with the page start a login again.
  await Promise.all([leave(page, app), callInPage(page, "client.startLogin()").catch(() => {})]);
  await completeLogin(page, PEOPLE.pia);
  await handleCallback(page);
  await open();
  await Promise.all([leave(page, app), load(page)]);
});

test("requireUser starts no login after an error, across page loads too, and says which it was", async (t) => {
  const { page, open } = await openApp(t, {
    config: { gateway: "/nowhere", session: { restore: "gateway" } },
  });
  const why = await callInPage(
    page,
    "router.requireUser(client).catch(({ code, cause }) => [code, cause.code])",
  );
  assert.deepEqual(why, ["not_signed_in", "gateway_error"]);
  await open("/launch");
  assert.equal(await load(page), "not_signed_in");
});

browserTest("requireUser starts no login when the user comes back from ClassLink", async (t) => {
  const { page, app } = await openApp(t);
  await Promise.all([leave(page, app), load(page)]);
  await navigateHistory(page);
  await page.waitForFunction("window.client");
  await page.evaluate(async () => {
    /** @type {any} */ (window).router = await import(/** @type {string} */ ("/pkg/router.js"));
  });
  assert.equal(await load(page), "not_signed_in");
});

test("requireUser rejects with the reason of a request that was aborted", async () => {
  const client = createTestClient({ status: "loading" });
  const controller = new AbortController();
  const request = new Request("https://app.example/classes", { signal: controller.signal });
  const loading = requireUser(client, { request });
  controller.abort(new Error("another navigation"));
  await assert.rejects(loading, /another navigation/);
});

test("requireUser resolves with the user without a page, as in an application's own tests", async () => {
  const client = createTestClient({ user: { givenName: "Ada" } });
  assert.equal((await requireUser(client)).givenName, "Ada");
  const error = await requireUser(createTestClient()).catch((cause) => cause);
  assert.ok(isClassLinkError(error));
  assert.equal(error.code, "not_signed_in");
});

test("requireUser rejects with config_invalid when it is given no client", async () => {
  for (const given of [undefined, null, {}, "x"]) {
    const error = await requireUser(/** @type {any} */ (given)).catch((cause) => cause);
    assert.ok(isClassLinkError(error), String(error));
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, /^requireUser has no client/);
  }
});

test("requireUser rejects with an error in the application's language", async () => {
  const messages = { not_signed_in: "Inicia sesión, por favor." };
  const error = await requireUser(createTestClient({ messages })).catch((cause) => cause);
  assert.equal(present(error).userMessage, messages.not_signed_in);
});

for (const [returnTo, base, path] of [
  ["/classes?x=1#top", "/", "/classes?x=1#top"],
  ["/app/classes?x=1#top", "/app/", "/classes?x=1#top"],
  ["/app/classes", "/app", "/classes"],
  ["/app/", "/app/", "/"],
  ["/app", "/app/", "/"],
  ["/app?x=1", "/app/", "/?x=1"],
  ["/app/#/classes?x=1", "/app/#", "/classes?x=1"],
  ["/app/#/classes", "/app/#/", "/classes"],
  ["/#/classes", "/#/", "/classes"],
  ["/app/", "/app/#", "/"],
  ["/application/x", "/app/", "/"],
  ["/elsewhere", "/app/", "/"],
  ["/App/classes", "/app/", "/"],
]) {
  test(`toRouterPath("${returnTo}", "${base}") is "${path}"`, () => {
    assert.equal(toRouterPath(returnTo, base), path);
  });
}
