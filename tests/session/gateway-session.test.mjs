/** The session that the gateway keeps: it is found again after a reload, shared by the tabs, and ended for all of them. */

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.mjs";
import { deferred } from "../support/deferred.mjs";
import {
  answering,
  crossOriginRequests,
  DOWN,
  dumpStorage,
  EMPTY_STORAGE,
  recordedSnapshots,
  recordSnapshots,
  SESSION,
  SIGNED_OUT_STORAGE,
  sessionCookies,
  startGatewayApp,
} from "../support/gateway-app.mjs";
import {
  callInPage,
  loginThroughUi,
  loginWithPrompt,
  PEOPLE,
  snapshot,
  waitForClient,
} from "../support/login.mjs";
import { navigateHistory, newPageWithBfcache } from "../support/page-cache.mjs";
import { eventTypes, waitForStatus } from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();

const getUser = (page) => callInPage(page, "client.getUser()");
const logOut = (page) => callInPage(page, "client.logout()");

/** Returns the requests for the gateway's session, oldest first. */
const askedOfSession = (app) =>
  app.requests.filter(({ path }) => path === SESSION).map(({ method }) => method);

/** Further tabs of the application, each with the session found. */
async function openTabs(context, open, count) {
  const tabs = [];
  for (let i = 0; i < count; i++) {
    const tab = await context.newPage();
    await open(tab);
    await getUser(tab);
    tabs.push(tab);
  }
  return tabs;
}

// ---- A reload ----

test("a reload keeps the user signed in, and nothing of them in the browser's storage", async (t) => {
  const { page, context, requests } = await browser.newPage(t);
  const { app, open } = await startGatewayApp(t);
  await open(page);
  const { user } = await loginThroughUi(page, PEOPLE.pia);
  requests.length = 0;
  app.requests.length = 0;

  await open(page);
  assert.equal((await snapshot(page)).status, "loading");
  await recordSnapshots(page);
  assert.deepEqual(await getUser(page), user);

  assert.deepEqual(await recordedSnapshots(page), ["loading", "signed-in Pia Pupil"]);
  assert.deepEqual(await eventTypes(page), ["session.restored"]);
  assert.deepEqual(askedOfSession(app), ["POST"]);
  assert.deepEqual(crossOriginRequests(requests, app), []);
  assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);
  const tokens = await page.evaluate("Promise.all([client.getAccessToken(), client.getIdToken()])");
  const state = JSON.stringify([await context.storageState({ indexedDB: true })]);
  for (const token of tokens) assert.equal(state.includes(token), false);
});

test("without a session getUser resolves with null, and the status is signed-out", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startGatewayApp(t);
  await open(page);

  assert.equal(await getUser(page), null);
  assert.equal((await snapshot(page)).status, "signed-out");
  assert.equal(await getUser(page), null);
  assert.deepEqual(await eventTypes(page), []);
  assert.deepEqual(askedOfSession(app), ["POST"]);
});

test("many calls request the session once", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  await open(page);
  app.requests.length = 0;

  const names = await page.evaluate(`Promise.all([
    client.getUser(), client.getUser(), client.restoreSession(), client.getAccessToken(),
    client.getUser(),
  ]).then((all) => all.map((one) => one?.name ?? typeof one))`);

  assert.deepEqual(names, ["Pia Pupil", "Pia Pupil", "Pia Pupil", "string", "Pia Pupil"]);
  assert.deepEqual(askedOfSession(app), ["POST"]);
});

for (const [what, instead, expected] of /** @type {const} */ ([
  ["is down", DOWN, { code: "network", retryable: true }],
  [
    "answers 429",
    answering(429, "{}", { "X-ClassLink-Gateway-Error": "rate_limited" }),
    { code: "gateway_error", status: 429, retryable: true },
  ],
  [
    "answers 500",
    answering(500, "{}", { "X-ClassLink-Gateway-Error": "internal" }),
    { code: "gateway_error", status: 500, retryable: true },
  ],
  [
    "is a page that says 200",
    answering(200, "<!doctype html><h1>Hello Pia</h1>", { "Content-Type": "text/html" }),
    { code: "gateway_error", status: 200, retryable: false },
  ],
  [
    "is not there (404)",
    answering(404, "not found"),
    { code: "gateway_error", status: 404, retryable: false },
  ],
  ["redirects", answering(302, "", { Location: "/" }), { code: "network", retryable: true }],
])) {
  test(`a gateway that ${what} is an error and not a sign-out; the next call finds the session`, async (t) => {
    const { page } = await browser.newPage(t);
    const { open, gateway } = await startGatewayApp(t);
    await open(page);
    await loginThroughUi(page, PEOPLE.pia);
    gateway.instead = instead;
    await open(page);

    const { error } = await getUser(page);
    const { code, status, retryable } = error;
    assert.deepEqual({ code, retryable, ...(status && { status }) }, expected);
    assert.equal((await snapshot(page)).status, "error");
    assert.equal((await getUser(page)).error.code, code);
    assert.doesNotMatch(JSON.stringify([error, await page.evaluate("events")]), /Pia/);

    gateway.instead = undefined;
    assert.equal((await getUser(page))?.name, "Pia Pupil");
    assert.equal((await snapshot(page)).status, "signed-in");
  });
}

// ---- Several tabs ----

test("a sign-in in one tab signs in the others", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startGatewayApp(t);
  const [other] = await openTabs(context, open, 1);
  assert.equal((await snapshot(other)).status, "signed-out");
  await open(page);

  await loginThroughUi(page, PEOPLE.pia);

  await waitForStatus(other, "signed-in");
  assert.equal((await snapshot(other)).user.name, "Pia Pupil");
});

test("signing out reaches every tab, and ends the cookie", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, app } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const tabs = await openTabs(context, open, 3);
  for (const tab of tabs) assert.equal((await snapshot(tab)).status, "signed-in");
  app.requests.length = 0;

  const result = await logOut(page);

  assert.deepEqual(result, { sessionEnded: true, providerSessionMayRemain: true });
  for (const tab of [page, ...tabs]) {
    await waitForStatus(tab, "signed-out");
    assert.equal(await getUser(tab), null);
    const { error } = await callInPage(tab, "client.getAccessToken()");
    assert.equal(error.code, "not_signed_in");
  }
  assert.deepEqual(askedOfSession(app), ["DELETE"]);
  assert.deepEqual(await sessionCookies(context), []);
  assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
  await open(page);
  assert.equal(await getUser(page), null);
});

test("a tab shows the user who signs in in another tab, and no data of the one before", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const [other] = await openTabs(context, open, 1);
  await recordSnapshots(other);
  const pias = await other.evaluate("client.getAccessToken()");

  assert.equal((await loginWithPrompt(page, PEOPLE.paul)).user.name, "Paul Placeholder");

  await other.waitForFunction("client.getSnapshot().user?.name === 'Paul Placeholder'");
  assert.deepEqual(await recordedSnapshots(other), [
    "signed-in Pia Pupil",
    "loading",
    "signed-in Paul Placeholder",
  ]);
  const [pauls, claims] = await other.evaluate(
    "Promise.all([client.getAccessToken(), client.getIdToken()])",
  );
  assert.notEqual(pauls, pias);
  assert.equal(JSON.parse(atob(claims.split(".")[1])).sub, PEOPLE.paul.sub);
  assert.equal(gateway.log.filter(({ event }) => event === "token").length, 2);
});

test("a tab shows no user while the session of another tab's user cannot be fetched", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const [other] = await openTabs(context, open, 1);
  await recordSnapshots(other);
  // The sign-in itself names its session.
  await context.route(`**${SESSION}?*`, (route) =>
    route.request().url().includes("session_id=") ? route.continue() : route.abort(),
  );

  await loginWithPrompt(page, PEOPLE.paul);
  await waitForStatus(other, "error");

  assert.deepEqual(await recordedSnapshots(other), ["signed-in Pia Pupil", "loading", "error"]);
  assert.equal((await getUser(other)).error.code, "network");
  await context.unroute(`**${SESSION}?*`);
  assert.equal((await getUser(other)).name, "Paul Placeholder");
});

// ---- Signing out while the gateway is down ----

test("a sign-out while the gateway is down ends the session before it is fetched again", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway, app } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const [other] = await openTabs(context, open, 1);
  gateway.instead = DOWN;

  assert.deepEqual(await logOut(page), { sessionEnded: false, providerSessionMayRemain: true });
  await waitForStatus(other, "signed-out");
  assert.equal(await getUser(page), null);
  const { local, ...rest } = await dumpStorage(page);
  const [[mark, session], ...more] = Object.entries(local);
  assert.match(mark, /^classlink-spa\.sign-out\.[0-9A-Z]{8}\.classlink-spa http\S+ test-app$/);
  assert.match(/** @type {string} */ (session), /^[\w-]{43}$/);
  assert.deepEqual(more, []);
  assert.deepEqual({ local: {}, ...rest }, SIGNED_OUT_STORAGE);

  // Still down: who is there is not known, and no user is shown.
  await open(page);
  assert.equal((await getUser(page)).error.code, "network");
  assert.equal((await snapshot(page)).user, null);

  gateway.instead = undefined;
  app.requests.length = 0;
  await open(page);
  assert.equal(await getUser(page), null);
  assert.deepEqual(askedOfSession(app), ["DELETE", "POST"], "that one, and no other");
  assert.deepEqual(await sessionCookies(context), []);
  assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
  await open(page);
  assert.equal(await getUser(page), null);
  assert.deepEqual(askedOfSession(app), ["DELETE", "POST", "POST"]);
});

test("a user who signs in after a sign-out without the gateway is not signed out by it", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  gateway.instead = DOWN;
  await logOut(page);
  gateway.instead = undefined;
  await open(page);

  await loginWithPrompt(page, PEOPLE.paul);
  await open(page);

  assert.equal((await getUser(page))?.name, "Paul Placeholder");
  assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);
});

test("logout reports that the session is not over when a network responds in the gateway's place", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  gateway.instead = answering(200, "<title>Sign in to the school's network</title>");

  assert.equal((await logOut(page)).sessionEnded, false);

  gateway.instead = undefined;
  await open(page);
  assert.equal(await getUser(page), null);
  assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
});

test("logout reports that the session is not over when the browser is offline, and ends it once it is online", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  await context.setOffline(true);
  assert.equal((await logOut(page)).sessionEnded, false);
  await context.setOffline(false);

  await open(page);

  assert.equal(await getUser(page), null);
  assert.deepEqual(await sessionCookies(context), []);
});

// ---- The back/forward cache ----

/** Signs Pia in, and leaves the page for another; returns how to come back. */
async function leavePia(t, page) {
  const world = await startGatewayApp(t);
  await world.open(page);
  await loginThroughUi(page, PEOPLE.pia);
  await page.evaluate(() => {
    const { client } = /** @type {any} */ (window);
    addEventListener("pageshow", ({ persisted }) => {
      Object.assign(window, { cached: persisted, shown: client.getSnapshot() });
    });
  });
  await world.open(page, "/launch");
  return {
    ...world,
    /** Returns whether it came from the cache. */
    async back() {
      await navigateHistory(page);
      await waitForClient(page);
      return page.evaluate("window.cached === true");
    },
  };
}

browserTest(
  "a page from the back/forward cache shows no user until it is known who is signed in",
  async (t) => {
    const { page } = await newPageWithBfcache(t);
    const { gateway, back } = await leavePia(t, page);
    const hold = deferred();
    gateway.held = hold.promise;

    assert.equal(await back(), true);
    assert.deepEqual(await page.evaluate("shown"), {
      status: "loading",
      user: null,
      scope: [],
      error: null,
    });
    hold.resolve();

    await waitForStatus(page, "signed-in");
    assert.equal((await getUser(page)).name, "Pia Pupil");
  },
);

browserTest(
  "a page from the back/forward cache never shows a user whose session ended meanwhile",
  async (t) => {
    const { page } = await newPageWithBfcache(t);
    const { passThere, back } = await leavePia(t, page);
    passThere(24 * 3600);

    assert.equal(await back(), true);
    await recordSnapshots(page);
    await waitForStatus(page, "signed-out");

    assert.equal((await page.evaluate("shown")).user, null);
    assert.doesNotMatch((await recordedSnapshots(page)).join(), /Pia/);
    assert.equal(await getUser(page), null);
  },
);

browserTest(
  "the back button shows no user after a sign-out on another page, from the cache or not",
  async (t) => {
    const { page } = await newPageWithBfcache(t);
    const { back } = await leavePia(t, page);
    await getUser(page);
    await logOut(page);

    await back();
    await recordSnapshots(page);
    assert.equal(await getUser(page), null);

    assert.doesNotMatch((await recordedSnapshots(page)).join(), /Pia/);
  },
);

browserTest(
  "the back button shows the user who has signed in since, from the cache or not",
  async (t) => {
    const { page, context } = await newPageWithBfcache(t);
    const { back, open } = await leavePia(t, page);
    const other = await context.newPage();
    await open(other);
    await loginWithPrompt(other, PEOPLE.paul);

    await back();
    await recordSnapshots(page);
    assert.equal((await getUser(page)).name, "Paul Placeholder");

    assert.doesNotMatch((await recordedSnapshots(page)).join(), /Pia/);
  },
);
