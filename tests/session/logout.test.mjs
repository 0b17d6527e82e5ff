/** `logout`: here at once and always, then as far as it is available, and honest about the rest. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../support/browser.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  countRequests,
  handleCallback,
  loginByRedirect,
  loginOverHttp,
  PATHS,
  PEOPLE,
  sharedLoginApp,
  snapshot,
  startLogin,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import {
  accessToken,
  advanceClocks,
  eventTypes,
  installClockOffsets,
  pauseNextRequest,
} from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

const END_SESSION = "/oauth2/v2/logout";
const REVOCATION = "/oauth2/v2/revoke";
const LOCAL = { sessionEnded: true, providerSessionMayRemain: true };

/** A user signed in, without the page having been left. */
async function signedIn(t, options = {}) {
  const { page, context } = await browser.newPage(t);
  await installClockOffsets(context);
  const world = await startLoginApp(t, { interceptNavigation: true, ...options });
  await world.open(page);
  await loginOverHttp(page);
  world.standIn.requests.length = 0;
  return { page, context, ...world };
}

async function assertSignedOut(page) {
  const { status, user, scope, error } = await snapshot(page);
  assert.deepEqual(
    { status, user, scope, error },
    { status: "signed-out", user: null, scope: [], error: null },
  );
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal((await accessToken(page)).error.code, "not_signed_in");
  assert.equal((await callInPage(page, "client.getIdToken()")).error.code, "not_signed_in");
}

test("logout signs out, and reports that the provider's session may remain without an end-session endpoint", async (t) => {
  const { page, standIn, app } = await signedIn(t);
  assert.deepEqual(await callInPage(page, "client.logout()"), LOCAL);
  await assertSignedOut(page);
  assert.deepEqual(standIn.requests, []);
  assert.equal(page.url(), `${app.origin}/`);
  assert.equal((await eventTypes(page)).at(-1), "logout");
  assert.deepEqual(
    await page.evaluate(() => [{ ...sessionStorage }, Object.keys(localStorage)]),
    // No page of this tab starts a login by itself now.
    [{ "classlink-spa.waits": "signed-out" }, []],
  );
});

test("logout signs the page out before it awaits anything", async (t) => {
  const { page } = await signedIn(t, { standIn: { revocation: true } });
  await page.evaluate("client.preload()");
  const seen = await page.evaluate(async () => {
    const { client } = window;
    const leaving = client.logout();
    const answers = [];
    await new Promise((resolve) => setTimeout(resolve));
    answers.push(client.getSnapshot().status);
    await leaving;
    return answers;
  });
  assert.deepEqual(seen, ["signed-out"]);
});

test("logout without a session is not an error", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t);
  await open(page);
  assert.deepEqual(await callInPage(page, "client.logout()"), LOCAL);
  assert.equal((await snapshot(page)).status, "signed-out");
  assert.deepEqual(standIn.requests, []);
});

test("logout signs out when every server is down", async (t) => {
  const { page, context } = await signedIn(t, { standIn: { revocation: true } });
  await context.setOffline(true);
  assert.deepEqual(await callInPage(page, "client.logout()"), LOCAL);
  await assertSignedOut(page);
});

test("logout waits no longer than the time-out for a provider that hangs", async (t) => {
  const { page, standIn } = await signedIn(t, {
    standIn: { revocation: true },
    // Long enough for the sign-in before it, on a busy machine too.
    config: { timeout: 6000 },
  });
  standIn.delay("revocation", 60_000);
  assert.deepEqual(await callInPage(page, "client.logout()"), LOCAL);
  await assertSignedOut(page);
});

test("logout revokes the tokens, which the provider refuses afterwards", async (t) => {
  for (const refreshTokens of [true, false]) {
    const { page, standIn } = await signedIn(t, { standIn: { revocation: true, refreshTokens } });
    const headers = { authorization: `Bearer ${await accessToken(page)}` };
    assert.ok((await fetch(standIn.endpoints.userinfo_endpoint, { headers })).ok);
    await callInPage(page, "client.logout()");
    assert.equal(countRequests(standIn, REVOCATION), 1);
    assert.equal((await fetch(standIn.endpoints.userinfo_endpoint, { headers })).ok, false);
  }
});

// ---- At the provider ----

/** A user signed in here and at a provider that can end its session. */
async function signedInThere(t, options = {}) {
  const { page, context, requests } = await browser.newPage(t);
  const world = await startLoginApp(t, {
    ...options,
    standIn: { endSession: true, ...options.standIn },
  });
  await world.open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await handleCallback(page);
  return { page, context, sent: requests, ...world };
}

const endSessionRequest = (sent) =>
  sent.map((request) => new URL(request.url())).find(({ pathname }) => pathname === END_SESSION);

test("logout ends the provider's session at its end-session endpoint, with the ID token as the hint", async (t) => {
  const { page, sent, standIn, open } = await signedInThere(t);
  const idToken = await callInPage(page, "client.getIdToken()");

  await page.evaluate("void client.logout()");
  await page.getByTestId("signed-out").waitFor();

  const parameters = Object.fromEntries(endSessionRequest(sent).searchParams);
  assert.deepEqual(parameters, { id_token_hint: idToken, client_id: CLIENT_ID });
  await open(page);
  standIn.requests.length = 0;
  await callInPage(page, "client.startLogin({ prompt: 'none' })").catch(() => {});
  await waitForCallback(page);
  assert.equal((await handleCallback(page)).error.code, "login_required");
});

test("logout reports that the provider's session does not remain when it leaves the page to end it", async (t) => {
  const { page, standIn } = await signedIn(t, { standIn: { endSession: true } });
  assert.deepEqual(await callInPage(page, "client.logout()"), {
    sessionEnded: true,
    providerSessionMayRemain: false,
  });
  const url = new URL(await page.evaluate("left"));
  assert.equal(url.origin + url.pathname, standIn.endpoints.end_session_endpoint);
  await assertSignedOut(page);
});

test("logout leads back to postLogoutRedirectUri, and its state is removed from the address bar", async (t) => {
  const { page, sent, app } = await signedInThere(t);

  await page.evaluate((postLogoutRedirectUri) => {
    void window.client.logout({ postLogoutRedirectUri });
  }, app.launchUrl);
  await page.waitForURL(`${app.launchUrl}?*`);
  await waitForClient(page);

  const given = endSessionRequest(sent).searchParams;
  assert.equal(given.get("post_logout_redirect_uri"), app.launchUrl);
  assert.match(given.get("state"), /^[\w-]{43}$/);
  assert.equal(new URL(page.url()).searchParams.get("state"), given.get("state"));
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal(page.url(), app.launchUrl);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), ["classlink-spa.waits"]);
});

test("a state in the address bar that no logout sent is the application's, and stays", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, app, standIn } = await startLoginApp(t);
  await open(page, "/launch?state=mine&a=1");
  await callInPage(page, "client.getUser()");
  assert.equal(page.url(), `${app.origin}/launch?state=mine&a=1`);
  const key = `classlink-spa.logout.classlink-spa ${standIn.issuer} ${CLIENT_ID}`;
  await page.evaluate((key) => sessionStorage.setItem(key, "another"), key);
  await page.reload();
  await waitForClient(page);
  await callInPage(page, "client.getUser()");
  assert.equal(page.url(), `${app.origin}/launch?state=mine&a=1`);
});

test("a postLogoutRedirectUri that is not a URL is config_invalid, and no user is signed out", async (t) => {
  const { page } = await signedIn(t);
  for (const uri of ["/bye", "javascript:alert(1)", "http://evil.example/", "https://a/#b", 1]) {
    const options = JSON.stringify({ postLogoutRedirectUri: uri });
    assert.equal(
      (await callInPage(page, `client.logout(${options})`)).error?.code,
      "config_invalid",
      String(uri),
    );
  }
  assert.equal(
    (await callInPage(page, "client.logout(new Event('click'))")).error.code,
    "config_invalid",
  );
  assert.equal((await snapshot(page)).status, "signed-in");
});

// ---- What was under way ----

test("logout during a renewal leaves no user signed in, and the renewal's caller gets an error", async (t) => {
  const { page, standIn } = await signedIn(t, {
    standIn: { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 },
  });
  const renewal = pauseNextRequest(standIn, PATHS.token);
  await advanceClocks(page, 301);
  const token = accessToken(page);
  await renewal.arrived;
  await callInPage(page, "client.logout()");
  renewal.release();
  assert.equal((await token).error.code, "not_signed_in");
  await assertSignedOut(page);
});

test("logout during a sign-in leaves no user signed in, and the sign-in's caller gets an error", async (t) => {
  const { page, standIn, open } = await signedIn(t);
  await open(page);
  const exchange = pauseNextRequest(standIn, PATHS.token);
  const signIn = loginOverHttp(page).then(
    () => "signed in",
    (error) => error.message,
  );
  await exchange.arrived;
  await callInPage(page, "client.logout()");
  exchange.release();
  assert.match(await signIn, /"code":"not_signed_in"/);
  await pause(200);
  assert.equal((await snapshot(page)).user, null);
  assert.equal(await callInPage(page, "client.getUser()"), null);
});

browserTest("logout during a restore leaves no user signed in", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, {
    autoHandleCallback: true,
    standIn: { framing: true },
    config: { session: { restore: "iframe" } },
  });
  await open(page);
  await loginByRedirect(page);
  await open(page);
  const exchange = pauseNextRequest(standIn, PATHS.token);
  await page.evaluate(() => {
    window.restored = window.client.restoreSession();
  });
  await exchange.arrived;
  await callInPage(page, "client.logout()");
  exchange.release();
  assert.equal(await callInPage(page, "restored"), null);
  await pause(300);
  await assertSignedOut(page);
});

browserTest(
  "logout during a sign-in in a popup closes the popup, and no user is signed in",
  async (t) => {
    const { page } = await browser.newPage(t);
    const { open, standIn } = await startLoginApp(t, { autoHandleCallback: true });
    await open(page);
    const [popup] = await Promise.all([
      page.context().waitForEvent("page"),
      page.evaluate(() => {
        window.signedIn = window.client.startLogin({ mode: "popup" });
        window.signedIn.catch(() => {});
      }),
    ]);
    await popup.getByTestId("district-2284").waitFor();
    const closed = popup.waitForEvent("close");
    await callInPage(page, "client.logout()");
    await closed;
    assert.equal((await callInPage(page, "signedIn")).error.code, "not_signed_in");
    assert.equal((await snapshot(page)).user, null);
    assert.equal(countRequests(standIn, PATHS.token), 0);
  },
);
