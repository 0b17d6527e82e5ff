/** How long a session lasts: without activity, in any case, and by the clocks that school devices have. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../support/browser.mjs";
import {
  callInPage,
  countRequests,
  loginOverHttp,
  PATHS,
  sharedLoginApp,
  snapshot,
} from "../support/login.mjs";
import {
  accessToken,
  advanceClocks,
  eventTypes,
  installClockOffsets,
  simulateVisibilityChange,
  waitForEvent,
  waitForStatus,
} from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

const MINUTE = 60;
const HOUR = 3600;

/** Milliseconds in which a page has heard of what a user did there, or of what another tab tells, on a busy machine. */
const MOMENT = 500;

/** An application with limits, and a user signed in on a page of it. */
async function signedIn(t, session = {}, options = {}) {
  const { page, context } = await browser.newPage(t);
  await installClockOffsets(context);
  const world = await startLoginApp(t, {
    interceptNavigation: true,
    config: { session },
    ...options,
  });
  await world.open(page);
  await loginOverHttp(page);
  world.standIn.requests.length = 0;
  return { page, context, ...world };
}

/**
 * Stops a page for so many milliseconds, as its browser or the device may. When it goes on it is told so before it hears
 * anything that waited.
 *
 * @returns {Promise<() => Promise<void>>} Waits until it goes on. A driver may have one command at a time, for all pages:
 * this one is over when the page stops.
 */
async function standStill(page, milliseconds) {
  await page.evaluate((milliseconds) => {
    window.stoodStill = false;
    setTimeout(() => {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
      document.dispatchEvent(new Event("visibilitychange"));
      window.dispatchEvent(new Event("focus"));
      window.stoodStill = true;
    }, 50);
  }, milliseconds);
  return () => page.waitForFunction("stoodStill");
}

const status = async (page) => (await snapshot(page)).status;

/** There is no session any more, because time ran out. */
async function assertOver(page) {
  // A tab listens to the others for a moment before it takes itself for idle.
  await waitForStatus(page, "error");
  const { status, user, scope } = await snapshot(page);
  assert.deepEqual({ status, user, scope }, { status: "error", user: null, scope: [] });
  assert.equal(await page.evaluate("client.getSnapshot().error.code"), "session_expired");
  assert.equal((await accessToken(page)).error.code, "session_expired");
  assert.equal((await callInPage(page, "client.getIdToken()")).error.code, "session_expired");
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal((await eventTypes(page)).filter((type) => type === "session.expired").length, 1);
}

// ---- Idle ----

test("a session ends after half an hour without activity, unless another limit is set", async (t) => {
  const { page } = await signedIn(t, undefined);
  await advanceClocks(page, 30 * MINUTE - 5);
  await simulateVisibilityChange(page);
  assert.equal(await status(page), "signed-in");
  await advanceClocks(page, 6);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("a session that expired is found by the next call when no timer has run", async (t) => {
  for (const call of ["getUser", "getAccessToken", "getIdToken"]) {
    const { page } = await signedIn(t);
    await advanceClocks(page, 30 * MINUTE + 1);
    const answer = await callInPage(page, `client.${call}()`);
    if (call === "getUser") assert.equal(answer, null);
    else assert.equal(answer.error.code, "session_expired");
    await assertOver(page);
  }
});

test("a session that expired is found by a timer, without a call and without a page event", async (t) => {
  const { page } = await signedIn(t, { idleTimeout: 1 });
  await waitForStatus(page, "error");
  await assertOver(page);
});

for (const [name, act] of /** @type {const} */ ([
  ["a click", (page) => page.mouse.click(5, 5)],
  ["a key", (page) => page.keyboard.press("a")],
  ["the wheel", (page) => page.mouse.wheel(0, 10)],
  ["stayActive", (page) => page.evaluate("client.stayActive()")],
])) {
  test(`${name} defers the idle limit, and does not revive a session that is over`, async (t) => {
    const { page } = await signedIn(t);
    await advanceClocks(page, 29 * MINUTE);
    await act(page);
    await pause(MOMENT);
    await advanceClocks(page, 29 * MINUTE);
    await simulateVisibilityChange(page);
    assert.equal(await status(page), "signed-in");

    await advanceClocks(page, 2 * MINUTE);
    await act(page);
    await pause(MOMENT);
    await assertOver(page);
    await act(page);
    await pause(MOMENT);
    await assertOver(page);
  });
}

browserTest("events that a script makes, and a look at the tab, are not activity", async (t) => {
  const { page } = await signedIn(t);
  await advanceClocks(page, 29 * MINUTE);
  await page.evaluate(() => {
    for (const [type, Kind] of /** @type {const} */ ([
      ["pointerdown", PointerEvent],
      ["keydown", KeyboardEvent],
      ["wheel", WheelEvent],
      ["touchstart", Event],
      ["focus", FocusEvent],
    ])) {
      document.body.dispatchEvent(new Kind(type, { bubbles: true }));
    }
    document.body.click();
    window.dispatchEvent(new Event("focus"));
  });
  await simulateVisibilityChange(page);
  await accessToken(page);
  assert.equal(await status(page), "signed-in");
  await advanceClocks(page, 61);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("activity in one tab counts in all", async (t) => {
  const { page, context, open } = await signedIn(t);
  const other = await context.newPage();
  await open(other);
  await loginOverHttp(other);
  for (let rounds = 0; rounds < 3; rounds++) {
    for (const tab of [page, other]) await advanceClocks(tab, 25 * MINUTE);
    await other.keyboard.press("a");
    await pause(MOMENT);
    await simulateVisibilityChange(page);
    assert.equal(await status(page), "signed-in");
  }
});

test("a tab that slept while another was used signs out neither", async (t) => {
  const { page, context, open } = await signedIn(t);
  const other = await context.newPage();
  await open(other);
  await loginOverHttp(other);
  await advanceClocks(other, 20 * MINUTE);
  await advanceClocks(page, 40 * MINUTE);
  const awake = await standStill(page, 4000);
  await pause(MOMENT);
  await other.keyboard.press("a");
  await advanceClocks(other, 20 * MINUTE);
  await awake();
  await pause(MOMENT);

  assert.equal(await status(other), "signed-in", "the tab in use");
  assert.equal(typeof (await accessToken(other)), "string");
  assert.equal(await status(page), "signed-in", "the tab that slept");
  // Dated activity: it revives nothing that was over by then, and lasts no longer than in the other tab.
  for (const tab of [page, other]) await advanceClocks(tab, 31 * MINUTE);
  await simulateVisibilityChange(page);
  await assertOver(page);
  await assertOver(other);
});

test("an idle tab does not end the session of a tab with activity", async (t) => {
  const { page, context, open } = await signedIn(t);
  const other = await context.newPage();
  await open(other);
  await loginOverHttp(other);
  await advanceClocks(page, 31 * MINUTE);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  await pause(MOMENT);
  assert.equal(await status(other), "signed-in");
});

test("activity in another tab does not revive a session that was over before", async (t) => {
  const { page, standIn } = await signedIn(t);
  await advanceClocks(page, 31 * MINUTE);
  await page.evaluate((channel) => {
    const at = String(Math.ceil(Date.now() / 1000));
    new BroadcastChannel(channel).postMessage({ kind: "active", at });
  }, `classlink-spa ${standIn.issuer} test-app`);
  await pause(MOMENT);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

// ---- Told a minute before ----

test("session.expiring is reported once, a minute before, and again after stayActive", async (t) => {
  const { page } = await signedIn(t);
  const warnings = async () =>
    (await page.evaluate("events")).filter(({ type }) => type === "session.expiring");
  await advanceClocks(page, 29 * MINUTE - 5);
  await simulateVisibilityChange(page);
  assert.deepEqual(await warnings(), []);

  await advanceClocks(page, 6);
  for (let i = 0; i < 3; i++) await simulateVisibilityChange(page);
  const [warning, ...more] = await warnings();
  assert.equal(more.length, 0);
  assert.ok(warning.durationMs > 50_000 && warning.durationMs <= 60_000, `${warning.durationMs}`);

  await page.evaluate("client.stayActive()");
  await simulateVisibilityChange(page);
  assert.equal((await warnings()).length, 1);
  await advanceClocks(page, 29 * MINUTE + 1);
  await simulateVisibilityChange(page);
  assert.equal((await warnings()).length, 2);
  await advanceClocks(page, 61);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("session.expiring is reported by a timer, too", async (t) => {
  const { page } = await signedIn(t, { idleTimeout: 2 });
  await waitForEvent(page, "session.expiring");
  assert.equal(await status(page), "signed-in");
  await waitForEvent(page, "session.expired");
});

// ---- In any case ----

test("maxAge ends the session however active the user is", async (t) => {
  const { page } = await signedIn(t, { maxAge: HOUR, idleTimeout: false });
  await advanceClocks(page, HOUR - 30);
  await simulateVisibilityChange(page);
  await page.evaluate("client.stayActive()");
  assert.equal(await status(page), "signed-in");
  assert.equal((await eventTypes(page)).at(-1), "session.expiring");
  await advanceClocks(page, 31);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("maxAge is eight hours by default", async (t) => {
  const { page } = await signedIn(t, { idleTimeout: false });
  await advanceClocks(page, 8 * HOUR - 5);
  await simulateVisibilityChange(page);
  assert.equal(await status(page), "signed-in");
  await advanceClocks(page, 6);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("without any limit a session still ends with its ID token", async (t) => {
  const { page } = await signedIn(
    t,
    { maxAge: false, idleTimeout: false },
    { standIn: { idTokenLifetime: 2 * HOUR } },
  );
  await advanceClocks(page, 2 * HOUR - 5);
  await simulateVisibilityChange(page);
  assert.equal(await status(page), "signed-in");
  // And what clocks may be wrong by.
  await advanceClocks(page, MINUTE + 6);
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("renewals lengthen no session beyond its maxAge", async (t) => {
  const { page, standIn } = await signedIn(
    t,
    { maxAge: 20 * MINUTE },
    { standIn: { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 } },
  );
  for (let renewals = 1; renewals <= 3; renewals++) {
    await advanceClocks(page, 301);
    assert.equal(typeof (await accessToken(page)), "string");
    assert.equal(countRequests(standIn, PATHS.token), renewals);
  }
  await advanceClocks(page, 301);
  await simulateVisibilityChange(page);
  await assertOver(page);
  assert.equal(countRequests(standIn, PATHS.token), 3);
});

// ---- Clocks ----

test("a session ends when the lid was closed for two hours and the monotonic clock stood still", async (t) => {
  const { page, standIn } = await signedIn(t);
  await advanceClocks(page, { wall: 2 * HOUR });
  await page.mouse.click(5, 5);
  await pause(MOMENT);
  await assertOver(page);
  assert.deepEqual(standIn.requests, []);
});

test("a token is renewed at once when the lid was closed for two hours and there is no idle limit", async (t) => {
  const { page, standIn } = await signedIn(
    t,
    { idleTimeout: false },
    { standIn: { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 } },
  );
  const before = await accessToken(page);
  await advanceClocks(page, { wall: 2 * HOUR });
  await simulateVisibilityChange(page);
  await waitForEvent(page, "token.renewed");
  assert.notEqual(await accessToken(page), before);
  assert.equal(countRequests(standIn, PATHS.token), 1);
});

test("a clock that is set back, even again and again, neither ends a session nor lengthens it", async (t) => {
  const { page } = await signedIn(t);
  for (let minutes = 0; minutes < 28; minutes += 7) {
    await advanceClocks(page, { wall: -26 * HOUR, monotonic: 7 * MINUTE });
    await simulateVisibilityChange(page);
    assert.equal(await status(page), "signed-in");
  }
  await advanceClocks(page, { wall: -26 * HOUR, monotonic: 3 * MINUTE });
  await simulateVisibilityChange(page);
  await assertOver(page);
});

test("a clock that is set forward by a day ends the session", async (t) => {
  const { page } = await signedIn(t);
  await advanceClocks(page, { wall: 24 * HOUR });
  await page.evaluate(() => void window.dispatchEvent(new Event("focus")));
  await assertOver(page);
});

test("a session is over when the user comes back to a tab that was suspended", async (t) => {
  const { page } = await signedIn(t, { idleTimeout: 2 });
  const awake = await standStill(page, 2500);
  await awake();
  await page.mouse.click(5, 5);
  await assertOver(page);
});
