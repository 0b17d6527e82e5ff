/** Tokens are renewed through the gateway, once for all tabs; and the session ends when it should, for all of them. */

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.mjs";
import { deferred } from "../support/deferred.mjs";
import {
  DOWN,
  dumpStorage,
  EMPTY_STORAGE,
  recordedSnapshots,
  recordSnapshots,
  SESSION,
  sessionCookies,
  startGatewayApp,
} from "../support/gateway-app.mjs";
import {
  callInPage,
  loginThroughUi,
  loginWithPrompt,
  PEOPLE,
  snapshot,
} from "../support/login.mjs";
import { eventTypes, waitForStatus } from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A provider with refresh tokens, whose tokens live five minutes. */
const RENEWING = {
  standIn: {
    refreshTokens: true,
    expiresIn: true,
    accessTokenLifetime: 5 * MINUTE,
    idTokenLifetime: HOUR,
  },
};

/** A page whose clock the test sets. */
async function newPage(t) {
  const watched = await browser.newPage(t);
  await watched.context.clock.install();
  return watched;
}

const getUser = (page) => callInPage(page, "client.getUser()");
const getToken = (page, options) =>
  callInPage(page, `client.getAccessToken(${JSON.stringify(options) ?? ""})`);

/** Another tab of the application, with the session found. */
async function openTab(context, open) {
  const tab = await context.newPage();
  await open(tab);
  await getUser(tab);
  return tab;
}

/** How often the provider was asked for tokens with a refresh token. */
const renewals = (standIn) =>
  standIn.requests.filter(({ grantType }) => grantType === "refresh_token").length;

/** Returns the requests for the gateway's session, oldest first. */
const askedOfSession = (app) =>
  app.requests.filter(({ path }) => path === SESSION).map(({ method }) => method);

/** Waits until a page has reported a renewal. */
const isRenewed = (page) =>
  page.waitForFunction("events.some(({ type }) => type === 'token.renewed')");

/**
 * Does something in one tab, and waits until the gateway has heard of it from all. A tab whose user came to it just before
 * has reported that, and reports the next activity five minutes later.
 */
async function beActive({ context, pass }, tabs, act) {
  for (const tab of tabs) await tab.evaluate("events.length = 0");
  await act();
  await pass(context, 5 * MINUTE);
  for (const tab of tabs) await isRenewed(tab);
}

/** Asserts what a page shows that was signed out by a limit. */
async function assertExpired(page) {
  await waitForStatus(page, "error");
  const { user, error } = await page.evaluate(() => {
    const { user, error } = /** @type {any} */ (window).client.getSnapshot();
    return { user, error: { ...error } };
  });
  assert.equal(user, null);
  assert.equal(error.code, "session_expired");
  assert.equal((await getToken(page)).error.code, "session_expired");
  assert.equal((await callInPage(page, "client.getIdToken()")).error.code, "session_expired");
  assert.equal(await getUser(page), null);
  assert.equal((await eventTypes(page)).filter((type) => type === "session.expired").length, 1);
}

// ---- Renewal ----

test("fifty calls in each of five tabs with an expired token renew once at the provider", async (t) => {
  const { page, context } = await newPage(t);
  const { app, open, standIn, pass } = await startGatewayApp(t, RENEWING);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const tabs = [page];
  for (let i = 1; i < 5; i++) tabs.push(await openTab(context, open));
  const [old] = await Promise.all(tabs.map((tab) => getToken(tab)));
  assert.equal(renewals(standIn), 0);
  app.requests.length = 0;

  await pass(context, 5 * MINUTE + 1);
  const tokens = await Promise.all(
    tabs.map((tab) =>
      callInPage(tab, "Promise.all(Array.from({ length: 50 }, () => client.getAccessToken()))"),
    ),
  );

  assert.deepEqual(
    tokens.map((list) => list.length),
    Array(5).fill(50),
  );
  const [token, ...others] = new Set(tokens.flat());
  assert.deepEqual(others, []);
  assert.notEqual(token, old);
  assert.equal(renewals(standIn), 1);
  assert.deepEqual(askedOfSession(app), Array(5).fill("POST"));
  for (const tab of tabs) assert.equal((await snapshot(tab)).user.name, "Pia Pupil");
});

test("a token is renewed before its end, without a call", async (t) => {
  const { page, context } = await newPage(t);
  const { open, standIn, pass, gateway } = await startGatewayApp(t, RENEWING);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const old = await getToken(page);

  await pass(context, 4 * MINUTE + 1);
  await isRenewed(page);

  assert.notEqual(await getToken(page), old);
  assert.equal(renewals(standIn), 1);
  assert.equal((await snapshot(page)).user.name, "Pia Pupil");
  assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);
  assert.doesNotMatch(JSON.stringify(gateway.log), /Pia/);
});

test("a session lasts while the gateway is down, and is renewed when it is back", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass, gateway } = await startGatewayApp(t, RENEWING);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  gateway.instead = DOWN;

  await pass(context, 5 * MINUTE + 1);
  const { error } = await getToken(page);
  assert.equal(error.code, "renewal_unavailable");
  assert.equal(error.retryable, true);
  assert.equal((await getUser(page)).name, "Pia Pupil");

  gateway.instead = undefined;
  assert.equal(typeof (await getToken(page)), "string");
});

test("a session whose grant was revoked ends in every tab, at the gateway, and after a reload", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass, standIn } = await startGatewayApp(t, RENEWING);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const other = await openTab(context, open);
  await recordSnapshots(page);
  standIn.revokeGrants(PEOPLE.pia.sub);

  await pass(context, 5 * MINUTE + 1);
  assert.equal((await getToken(page)).error.code, "session_expired");

  await assertExpired(page);
  await assertExpired(other);
  assert.deepEqual(await recordedSnapshots(page), ["signed-in Pia Pupil", "error"]);
  assert.deepEqual(await sessionCookies(context), []);
  await open(page);
  assert.equal(await getUser(page), null);
});

test("a renewal that finds another user gives no caller that user's token when tabs have no channel", async (t) => {
  const { page, context } = await newPage(t);
  await context.addInitScript("delete window.BroadcastChannel");
  const { open, pass, gateway } = await startGatewayApp(t, RENEWING);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const other = await openTab(context, open);
  await loginWithPrompt(page, PEOPLE.paul);
  await recordSnapshots(other);

  // Held, since the tab renews of its own accord too: the call must be there before that is answered.
  const hold = deferred();
  gateway.held = hold.promise;
  await pass(context, 5 * MINUTE + 1);
  await other.evaluate(() => {
    Object.assign(window, { asked: /** @type {any} */ (window).client.getAccessToken() });
    /** @type {any} */ (window).asked.catch(() => {});
  });
  hold.resolve();
  const { error } = await callInPage(other, "asked");

  assert.equal(error.code, "user_mismatch");
  assert.deepEqual(await recordedSnapshots(other), [
    "signed-in Pia Pupil",
    "loading",
    "signed-in Paul Placeholder",
  ]);
  const pauls = await getToken(other);
  assert.equal(pauls, await getToken(page));
});

// ---- The idle limit ----

test("half an hour without activity signs every tab out, and a reload does not bring the user back", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass, app } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const other = await openTab(context, open);
  app.requests.length = 0;

  await pass(context, 29 * MINUTE + 5);
  await page.waitForFunction("events.some(({ type }) => type === 'session.expiring')");
  assert.equal((await snapshot(page)).status, "signed-in");
  await pass(context, MINUTE);

  await assertExpired(page);
  await assertExpired(other);
  await page.waitForFunction("Object.keys(localStorage).length === 0");
  assert.equal(askedOfSession(app).includes("DELETE"), true);
  assert.deepEqual(await sessionCookies(context), []);
  await open(page);
  assert.equal(await getUser(page), null);
});

for (const [how, act] of /** @type {const} */ ([
  ["a key", (page) => page.keyboard.press("Shift")],
  ["the mouse", (page) => page.mouse.click(5, 5)],
  ["the wheel", (page) => page.mouse.wheel(0, 10)],
])) {
  test(`${how} in one tab keeps the others signed in, here and at the gateway`, async (t) => {
    const { page, context } = await newPage(t);
    const { open, pass } = await startGatewayApp(t);
    await open(page);
    await loginThroughUi(page, PEOPLE.pia);
    const other = await openTab(context, open);
    await page.bringToFront();

    for (let times = 0; times < 3; times++) {
      await pass(context, 20 * MINUTE);
      await beActive({ context, pass }, [page, other], () => act(page));
    }

    for (const tab of [page, other]) assert.equal((await getUser(tab))?.name, "Pia Pupil");
    await open(page);
    assert.equal((await getUser(page))?.name, "Pia Pupil");
    await pass(context, 30 * MINUTE + 1);
    await assertExpired(other);
  });
}

test("a session ends by its idle limit when only a script makes events", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);

  await pass(context, 20 * MINUTE);
  await page.evaluate(() => document.dispatchEvent(new KeyboardEvent("keydown", { key: "a" })));
  await pass(context, 10 * MINUTE + 1);

  await assertExpired(page);
});

browserTest(
  "session.expiring is reported once, a minute before the end, and stayActive defers it in every tab",
  async (t) => {
    const { page, context } = await newPage(t);
    const { open, pass } = await startGatewayApp(t, {
      config: { session: { idleTimeout: 5 * MINUTE } },
    });
    await open(page);
    await loginThroughUi(page, PEOPLE.pia);
    const other = await openTab(context, open);
    const expiring = async () =>
      (await eventTypes(page)).filter((type) => type === "session.expiring").length;

    await pass(context, 3 * MINUTE + 55);
    assert.equal(await expiring(), 0);
    await pass(context, 10);
    await page.waitForFunction("events.some(({ type }) => type === 'session.expiring')");
    await pass(context, 30);
    assert.equal(await expiring(), 1);
    await page.evaluate("client.stayActive()");
    await pass(context, 2 * MINUTE);

    for (const tab of [page, other]) assert.equal((await getUser(tab))?.name, "Pia Pupil");
    await pass(context, 2 * MINUTE + 5);
    await page.waitForFunction(
      "events.filter(({ type }) => type === 'session.expiring').length === 2",
    );
    await pass(context, MINUTE);
    await assertExpired(page);
    await assertExpired(other);
  },
);

test("a laptop that slept past the limit shows no user when it wakes, before any timer has run", async (t) => {
  const { page, context } = await browser.newPage(t);
  await context.addInitScript(() => {
    const now = Date.now.bind(Date);
    Object.assign(window, { asleep: 0 });
    Date.now = () => now() + /** @type {any} */ (window).asleep;
  });
  const { open } = await startGatewayApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);

  const user = await page.evaluate(`(window.asleep = ${31 * MINUTE * 1000}, client.getUser())`);

  assert.equal(user, null);
  await assertExpired(page);
});

// ---- The absolute limit ----

test("the absolute limit holds however active the user is: in every tab, and after a reload", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass } = await startGatewayApp(t, {
    config: { session: { maxAge: HOUR } },
    gateway: { session: { maxAge: HOUR } },
  });
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const other = await openTab(context, open);
  await page.bringToFront();

  for (let times = 0; times < 2; times++) {
    await pass(context, 20 * MINUTE);
    await beActive({ context, pass }, [page, other], () => page.mouse.click(5, 5));
  }
  // A reload does not start again.
  await open(other);
  assert.equal((await getUser(other))?.name, "Pia Pupil");
  await pass(context, 9 * MINUTE + 5);
  await page.waitForFunction("events.some(({ type }) => type === 'session.expiring')");
  await page.mouse.click(5, 5);
  await pass(context, MINUTE);

  await assertExpired(page);
  await assertExpired(other);
  await open(page);
  assert.equal(await getUser(page), null);
});

test("a new sign-in in one tab starts the limits of the others again, too", async (t) => {
  const { page, context } = await newPage(t);
  const { open, pass } = await startGatewayApp(t, {
    config: { session: { maxAge: HOUR, idleTimeout: false } },
    gateway: { session: { idleTimeout: false } },
  });
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  const other = await openTab(context, open);
  await recordSnapshots(other);
  const old = await getToken(other);

  await pass(context, 50 * MINUTE);
  await loginWithPrompt(page, PEOPLE.pia);
  await isRenewed(other);
  assert.equal(await getToken(other), await getToken(page));
  assert.notEqual(await getToken(other), old);
  await pass(context, 15 * MINUTE);

  assert.equal((await getUser(other))?.name, "Pia Pupil");
  assert.equal((await getUser(page))?.name, "Pia Pupil");
  assert.deepEqual([...new Set(await recordedSnapshots(other))], ["signed-in Pia Pupil"]);
});
