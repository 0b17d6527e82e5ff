/** A user signs in through the application's own gateway, in a browser: what they see, and what was asked of whom. */

import assert from "node:assert/strict";
import { authorize } from "../support/authorize.mjs";
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
  sessionCookies,
  startGatewayApp,
} from "../support/gateway-app.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  countRequests,
  handleCallback,
  loginThroughUi,
  PATHS,
  PEOPLE,
  pendingLogins,
  snapshot,
  startLogin,
  waitForCallback,
} from "../support/login.mjs";
import { eventTypes, waitForStatus } from "../support/session.mjs";
import { test } from "../support/tiers.mjs";

const browser = sharedBrowser();

/** Lets the device's clock be wrong by so many seconds. */
const setClock = (context, seconds) =>
  context.addInitScript((ms) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
  }, seconds * 1000);

const HOUR = 3600;

// ---- By button, by tile ----

test("a login by button sends the provider nothing but the authorization request", async (t) => {
  const { page, context, requests } = await browser.newPage(t);
  const { app, standIn, open, askedGateway } = await startGatewayApp(t);
  await open(page);

  const result = await loginThroughUi(page, PEOPLE.pia, { returnTo: "/classes" });

  assert.equal(result.status, "signed-in");
  assert.equal(result.returnTo, "/classes");
  assert.equal(result.user.name, "Pia Pupil");
  assert.equal(result.user.id, `${standIn.issuer}|8708718`);
  assert.deepEqual(crossOriginRequests(requests, app), []);
  assert.equal(countRequests(standIn, PATHS.authorization), 1);
  assert.deepEqual(askedGateway().sort(), [
    "GET /auth/jwks",
    "POST /auth/session",
    "POST /auth/token",
  ]);
  // The gateway sent the other requests to the provider, and not a page.
  const asking = standIn.requests.filter(({ path }) => [PATHS.token, PATHS.keys].includes(path));
  assert.deepEqual([...new Set(asking.map(({ origin }) => origin))], [undefined]);
  assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);
  const [cookie] = await sessionCookies(context);
  assert.equal(cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict", true);
});

test("a tile's code without a pending login is dropped, and never reaches the gateway", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { app, standIn, askedGateway } = await startGatewayApp(t);
  await page.goto(standIn.launchPadUrl);
  await page.getByTestId("launchpad-sign-in").click();
  await page.getByTestId("district-2284").click();
  await page.getByTestId("person-8708718").click();
  await page.getByTestId(`tile-${CLIENT_ID}`).click();
  await waitForCallback(page);

  await callInPage(page, "client.handleCallback().then(({ status }) => status)").catch(() => {});
  await page.waitForURL((url) => url.searchParams.has("state"));
  await waitForCallback(page);
  const result = await handleCallback(page);

  assert.equal(result.user?.name, "Pia Pupil", JSON.stringify(result));
  assert.deepEqual(crossOriginRequests(requests, app), []);
  assert.deepEqual(askedGateway().sort(), [
    "GET /auth/jwks",
    "POST /auth/session",
    "POST /auth/token",
  ]);
});

for (const [profile, path, member] of [
  ["userinfo", "/auth/userinfo", "email"],
  ["my-info", "/auth/my-info", "sourcedId"],
]) {
  test(`profile "${profile}" comes through the gateway, at the sign-in and after a reload`, async (t) => {
    const { page, requests } = await browser.newPage(t);
    const { app, open, askedGateway } = await startGatewayApp(t, {
      config: { profile, scope: "openid profile email" },
    });
    await open(page);

    const { user } = await loginThroughUi(page, PEOPLE.pia);
    assert.ok(user[member], JSON.stringify(user));
    await open(page);
    assert.deepEqual(await callInPage(page, "client.getUser()"), user);

    assert.deepEqual(crossOriginRequests(requests, app), []);
    assert.equal(askedGateway().filter((one) => one === `GET ${path}`).length, 2);
  });
}

// ---- The device's clock ----

for (const [device, seconds] of /** @type {const} */ ([
  ["11 minutes fast", 660],
  ["11 minutes slow", -660],
  // Not enough to doubt the token by, and more than a session may last.
  ["9 hours fast", 9 * HOUR],
  ["26 hours fast", 26 * HOUR],
  ["26 hours slow", -26 * HOUR],
])) {
  test(`a device whose clock is ${device} signs in, and reloads, by the gateway's time`, async (t) => {
    const { page, context } = await browser.newPage(t);
    const { app, open } = await startGatewayApp(t);
    await setClock(context, seconds);
    await open(page);

    assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
    const corrected = seconds < 0 || seconds > 24 * HOUR;
    assert.equal((await eventTypes(page)).includes("clock.corrected"), corrected);
    await open(page);
    assert.equal((await callInPage(page, "client.getUser()"))?.name, "Pia Pupil");
    assert.equal(await page.evaluate("client.getAccessToken().then(() => true)"), true);

    assert.equal(app.requests.filter(({ method }) => method === "HEAD").length, 0);
  });
}

test("an ID token that has expired by the gateway's time is refused, whatever the device's clock shows", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await setClock(context, 26 * HOUR);
  gateway.date = new Date(Date.now() + 25 * HOUR * 1000).toUTCString();
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia);

  assert.equal(error.code, "id_token_invalid");
  assert.equal(error.reason, "expired");
  assert.equal(Math.round(error.clockOffset / HOUR), 1);
  assert.equal(await callInPage(page, "client.getUser()"), null);
});

// ---- What is refused ----

test("a code of another browser's login is refused by the gateway, and no user is signed in", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app, standIn, open } = await startGatewayApp(t, { standIn: { pkce: "ignored" } });
  await open(page);
  await startLogin(page);
  await open(page);
  const [state] = await pendingLogins(page);
  const { redirectUri } = app;
  const code = await authorize(standIn, { clientId: CLIENT_ID, redirectUri, sub: "9120045" });

  const { error } = await handleCallback(page, `${redirectUri}?code=${code}&state=${state}`);

  assert.equal(error.code, "id_token_invalid");
  assert.equal(error.reason, "nonce");
  assert.equal(error.status, 400);
  assert.equal((await snapshot(page)).status, "error");
  assert.deepEqual(await sessionCookies(context), []);
});

test("a district that the gateway does not serve is tenant_not_allowed", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t, { client: { allowedTenants: ["3391"] } });
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia);

  assert.equal(error.code, "tenant_not_allowed");
  assert.equal(error.reason, "tenant_other");
  assert.equal(error.retryable, false);
  assert.deepEqual(await sessionCookies(context), []);
  // What a teacher reads to the help desk is what the log is searched for.
  const refused = gateway.log.find(({ code }) => code === "tenant_not_allowed");
  assert.equal(refused?.supportCode, error.supportCode);
});

for (const [what, instead, expected] of /** @type {const} */ ([
  ["is down", DOWN, { code: "network", retryable: true }],
  [
    "answers 429",
    answering(429, "{}", { "X-ClassLink-Gateway-Error": "rate_limited" }),
    { code: "gateway_error", status: 429, retryable: true },
  ],
  [
    "answers 500 in HTML",
    answering(500, "<h1>Pia</h1>"),
    { code: "gateway_error", status: 500, retryable: true },
  ],
])) {
  test(`a gateway that ${what} at the sign-in is ${expected.code}, and no user is signed in`, async (t) => {
    const { page } = await browser.newPage(t);
    const { open, gateway } = await startGatewayApp(t);
    await open(page);
    await startLogin(page);
    gateway.instead = instead;
    await completeLogin(page, PEOPLE.pia);

    const { error } = await handleCallback(page);

    const { code, status, retryable } = error;
    assert.deepEqual({ code, retryable, ...(status && { status }) }, expected);
    assert.doesNotMatch(JSON.stringify(error), /Pia/);
    assert.equal((await snapshot(page)).user, null);
  });
}

test("a sign-out during a sign-in leaves no user signed in, here and after a reload", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway, app } = await startGatewayApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const hold = deferred();
  gateway.held = hold.promise;

  const signingIn = handleCallback(page);
  await waitForStatus(page, "signing-in");
  await recordSnapshots(page);
  const signingOut = callInPage(page, "client.logout()");
  await waitForStatus(page, "signed-out");
  hold.resolve();

  assert.equal((await signingIn).error.code, "not_signed_in");
  assert.equal((await signingOut).sessionEnded, true);
  assert.doesNotMatch((await recordedSnapshots(page)).join(), /Pia/);
  await page.waitForFunction("Object.keys(localStorage).length === 0");
  assert.deepEqual(await sessionCookies(context), []);
  await open(page);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal(app.requests.filter(({ path }) => path === SESSION).at(0)?.method, "DELETE");
});
