/** `startLogin({ mode: "popup" })`: a sign-in that leaves the page where it is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startApp } from "../support/app.mjs";
import { forwardRequest, sharedBrowser } from "../support/browser.mjs";
import { engine } from "../support/engine.mjs";
import { recordSnapshots } from "../support/gateway-app.mjs";
import {
  callInPage,
  countRequests,
  PATHS,
  PEOPLE,
  selectUser,
  sharedLoginApp,
  snapshot,
  tellHandled,
  waitForClient,
} from "../support/login.mjs";
import { accessToken, eventTypes } from "../support/session.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** @import { LoginAppOptions } from "../support/login.mjs" */

/**
 * An application whose button signs in in a popup. What becomes of it is on `window.signedIn`.
 *
 * @param {import("node:test").TestContext} t
 * @param {LoginAppOptions & { login?: string }} [options] `login`: what the button runs.
 */
async function visit(t, { login = 'client.startLogin({ mode: "popup" })', ...options } = {}) {
  const { page, context, errors } = await browser.newPage(t);
  const world = await startLoginApp(t, { autoHandleCallback: true, ...options });
  await world.open(page);
  await withButton(page, login);
  return { page, context, errors, ...world };
}

/** Puts a button into a page or a frame. */
async function withButton(page, login) {
  await page.evaluate((login) => {
    const button = document.createElement("button");
    button.textContent = "Sign in";
    button.addEventListener("click", () => {
      window.signedIn = new Function(`return ${login}`)();
      window.signedIn.catch(() => {});
    });
    document.body.append(button);
  }, login);
}

/** Presses the button; returns the popup. */
async function press(page, where = page) {
  const button = where.getByRole("button");
  // The driver's mouse doesn't reach into Firefox's frames of other sites; what it runs there counts as the user's.
  const click =
    engine === "firefox" && where !== page
      ? () => button.evaluate((element) => element.click())
      : () => button.click();
  const [popup] = await Promise.all([page.context().waitForEvent("page"), click()]);
  return popup;
}

const result = (page) => callInPage(page, "signedIn");

/** Waits until a popup has closed. */
const waitForClose = (popup) => popup.isClosed() || popup.waitForEvent("close");

/** That the page in the popup handed its answer over. Firefox may close it before it can say so. */
function assertHandedOver(told) {
  if (engine === "firefox" && told.length === 0) return;
  assert.deepEqual(told, [{ status: "handed-over" }]);
}

test("a click signs the user in in a popup, which closes, and the page stays where it was", async (t) => {
  const { page, context, app, standIn } = await visit(t, {
    login: 'client.startLogin({ mode: "popup", returnTo: "/classes", appState: [1] })',
  });
  const told = await tellHandled(context);
  const popup = await press(page);
  assert.equal((await snapshot(page)).status, "loading", "nothing happens here yet");
  await selectUser(popup, PEOPLE.pia);

  const { status, user, returnTo, appState } = await result(page);

  assert.deepEqual(
    [status, user.givenName, returnTo, appState],
    ["signed-in", "Pia", "/classes", [1]],
  );
  assert.equal((await snapshot(page)).user.givenName, "Pia");
  assert.equal(typeof (await accessToken(page)), "string");
  assert.equal(page.url(), `${app.origin}/`);
  await waitForClose(popup);
  assertHandedOver(told);
  assert.equal(countRequests(standIn, PATHS.token), 1, "by the page, and not by the popup");
  assert.deepEqual(await eventTypes(page), ["login.started", "login.succeeded"]);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});

test("startLogin in a popup works after an await when the caller opened the window in the click", async (t) => {
  const { page } = await visit(t, {
    login: `(() => {
      const popup = window.open("", "", "popup");
      return new Promise((resolve) => setTimeout(resolve, 1200))
        .then(() => client.startLogin({ mode: "popup", popup }));
    })()`,
  });
  const popup = await press(page);
  await selectUser(popup, PEOPLE.pia);
  assert.equal((await result(page)).user.givenName, "Pia");
  await waitForClose(popup);
});

test("a popup that the browser blocked is popup_blocked, and changes nothing", async (t) => {
  const { page, standIn } = await visit(t, {
    login: 'client.startLogin({ mode: "popup", popup: null })',
  });
  await page.getByRole("button").click();
  const { error } = await result(page);
  assert.equal(error.code, "popup_blocked");
  assert.equal(error.retryable, false);
  await page.evaluate(() => {
    window.open = () => null;
  });
  const { error: own } = await callInPage(page, 'client.startLogin({ mode: "popup" })');
  assert.equal(own.code, "popup_blocked");
  assert.deepEqual(standIn.requests, []);
});

test("a popup that the user closes is popup_closed, and the button works again", async (t) => {
  const { page } = await visit(t);
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();
  await popup.close();

  const { error } = await result(page);

  assert.equal(error.code, "popup_closed");
  assert.equal((await eventTypes(page)).at(-1), "login.failed");
  const again = await press(page);
  await selectUser(again, PEOPLE.pia);
  assert.equal((await result(page)).user.givenName, "Pia");
});

test("a sign-out closes the popup of a login, which rejects with not_signed_in", async (t) => {
  const { page } = await visit(t);
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();

  await page.evaluate("client.logout()");

  const { error } = await result(page);
  assert.equal(error.code, "not_signed_in");
  await waitForClose(popup);
});

test("closing the popup of a second sign-in keeps the first session", async (t) => {
  const { page, context, standIn } = await visit(t);
  await selectUser(await press(page), PEOPLE.pia);
  await result(page);
  // The provider knows the user: without that the popup would be done before it is closed.
  await context.route(`${standIn.issuer}${PATHS.authorization}*`, () => {}, { times: 1 });
  const popup = await press(page);
  await popup.close();
  assert.equal((await result(page)).error.code, "popup_closed");
  assert.equal((await snapshot(page)).user.givenName, "Pia");
  assert.equal(typeof (await accessToken(page)), "string");
});

test("a refusal at the provider is the error of the page that opened the popup", async (t) => {
  const { page, standIn, context } = await visit(t);
  const told = await tellHandled(context);
  standIn.refuse("access_denied");
  const popup = await press(page);

  const { error } = await result(page);

  assert.equal(error.code, "access_denied");
  assert.equal((await snapshot(page)).status, "error");
  await waitForClose(popup);
  assertHandedOver(told);
  assert.equal(countRequests(standIn, PATHS.token), 0);
});

test("a code that the provider refuses is the error of the page, and no user is signed in", async (t) => {
  const { page, standIn } = await visit(t);
  standIn.fail("token", { status: 400, body: { error: "invalid_grant" } });
  const popup = await press(page);
  await selectUser(popup, PEOPLE.pia);
  assert.equal((await result(page)).error.code, "token_rejected");
  assert.equal((await snapshot(page)).user, null);
  await waitForClose(popup);
});

for (const policy of ["same-origin", "noopener-allow-popups"]) {
  test(`a provider that cuts its popup off (${policy}) signs in all the same`, async (t) => {
    const { page, context } = await visit(t, { standIn: { openerPolicy: policy } });
    // While a user types into the popup the page has no focus. Playwright makes every page believe that it has.
    await page.evaluate(() => {
      document.hasFocus = () => false;
    });
    const told = await tellHandled(context);
    const popup = await press(page);
    await popup.getByTestId("district-2284").waitFor();
    await pause(1800);
    assert.equal(
      await page.evaluate("client.getSnapshot().error"),
      null,
      "looks closed, but isn't",
    );

    await selectUser(popup, PEOPLE.pia);

    assert.equal((await result(page)).user.givenName, "Pia");
    assertHandedOver(told);
  });
}

test("a popup that was cut off and closed is popup_closed once the user is back, and says why", async (t) => {
  const { page } = await visit(t, { standIn: { openerPolicy: "same-origin" } });
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();
  await popup.close();
  const { error } = await result(page);
  assert.equal(error.code, "popup_closed");
  assert.match(error.message, /Cross-Origin-Opener-Policy/);
});

test("in a frame of another site's page, as in a learning platform, the popup signs in", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app } = await startLoginApp(t, { autoHandleCallback: true });
  const platform = await startApp(t, { host: "127.0.0.1" });
  await page.goto(platform.origin);
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
  }, `${app.origin}/`);
  const frame = await (await page.waitForSelector("iframe")).contentFrame();
  await frame?.waitForURL(`${app.origin}/`);
  await waitForClient(/** @type {any} */ (frame));
  await withButton(frame, 'client.startLogin({ mode: "popup" })');
  const told = await tellHandled(context);

  const popup = await press(page, frame);
  await selectUser(popup, PEOPLE.pia);

  assert.equal((await result(/** @type {any} */ (frame))).user.givenName, "Pia");
  await waitForClose(popup);
  assertHandedOver(told);
  assert.equal(page.url(), `${platform.origin}/`);
});

test("a message of another window, another origin or with another state is ignored", async (t) => {
  const { page, app, standIn, errors } = await visit(t);
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();
  const state = new URL(
    await page.evaluate(() => performance.getEntriesByType("navigation")[0].name),
  ).searchParams.get("state");
  assert.equal(state, null, "the page does not know it");
  const known = await popup.evaluate(() =>
    performance
      .getEntriesByType("navigation")
      .map(({ name }) => name)
      .concat(location.href),
  );
  const theirs = known.map((url) => new URL(url).searchParams.get("state")).find(Boolean);
  const answer = {
    kind: "classlink-spa.answer",
    state: theirs,
    url: `${app.redirectUri}?code=forged&state=${theirs}`,
  };
  // The right window, of another origin: the provider's own page.
  await popup.evaluate((answer) => window.opener.postMessage(answer, "*"), answer);
  await page.evaluate(
    ({ answer, origin }) => {
      // The right origin, of another window.
      postMessage(answer, origin);
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      frame.srcdoc = `<script>parent.postMessage(${JSON.stringify(answer)}, "*")</script>`;
      document.body.append(frame);
      postMessage({ ...answer, state: "other" }, origin);
    },
    { answer, origin: app.origin },
  );
  await pause(300);

  await selectUser(popup, PEOPLE.pia);

  assert.equal((await result(page)).user.givenName, "Pia");
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.deepEqual(errors, []);
});

test("a popup whose opener is gone is state_unknown, and says so", async (t) => {
  const { page } = await visit(t);
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();
  await page.goto("about:blank");
  await selectUser(popup, PEOPLE.pia);
  await popup.waitForURL("**/callback");
  await waitForClient(popup);
  assert.equal((await callInPage(popup, "handled")).error.code, "state_unknown");
  assert.equal(popup.isClosed(), false);
});

test("close ends a sign-in in a popup, and the popup with it", async (t) => {
  const { page } = await visit(t);
  const popup = await press(page);
  await popup.getByTestId("district-2284").waitFor();
  await page.evaluate("client.close()");
  assert.equal((await result(page)).error.code, "client_closed");
  await waitForClose(popup);
});

test("startLogin in a popup stays one login when the button is pressed twice", async (t) => {
  const { page, context, standIn } = await visit(t);
  const popup = await press(page);
  await page.evaluate("void (window.first = signedIn)");
  await page.getByRole("button").click();

  assert.ok(await page.evaluate("window.first === window.signedIn"), "the promise is the same");
  assert.equal(context.pages().length, 2, "no second window");
  await selectUser(popup, PEOPLE.pia);
  assert.equal((await result(page)).user.givenName, "Pia");
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.deepEqual(await eventTypes(page), ["login.started", "login.succeeded"]);
});

test("startLogin in a popup replaces an earlier popup, without an error, when its options differ", async (t) => {
  const { page } = await visit(t, {
    login:
      'client.startLogin({ mode: "popup", appState: window.pressed = (window.pressed ?? 0) + 1 })',
  });
  await recordSnapshots(page);
  const first = await press(page);
  await page.evaluate("void (window.first = signedIn)");
  await first.getByTestId("district-2284").waitFor();
  const second = await press(page);
  await waitForClose(first);
  await selectUser(second, PEOPLE.tess);

  const { user, appState } = await result(page);

  assert.deepEqual([user.givenName, appState], ["Tess", 2]);
  assert.equal(
    (await callInPage(page, "first")).appState,
    2,
    "the earlier call gets the same result",
  );
  const events = await eventTypes(page);
  assert.ok(!events.includes("login.failed"), events.join());
  const statuses = await page.evaluate(() => window.seen.map(({ status }) => status));
  assert.ok(!statuses.includes("error"), statuses.join());
});

test("handleCallback in a popup waits for an opener that it was cut off from when that is busy for a second", async (t) => {
  const { page, context, settings } = await visit(t, { standIn: { openerPolicy: "same-origin" } });
  const told = await tellHandled(context);
  await page.evaluate(({ issuer, clientId }) => {
    document.hasFocus = () => false;
    // Before the client's own channel, which is made when a session is looked for.
    const busy = new BroadcastChannel(`classlink-spa ${issuer} ${clientId}`);
    busy.onmessage = () => {
      busy.close();
      const end = performance.now() + 1200;
      while (performance.now() < end);
    };
  }, settings);
  const popup = await press(page);
  await selectUser(popup, PEOPLE.pia);
  assert.equal((await result(page)).user.givenName, "Pia");
  await waitForClose(popup);
  assertHandedOver(told);
});

test("the scope is what was granted when a second login in a popup requests more", async (t) => {
  const { page, context } = await visit(t, {
    login: 'client.startLogin({ mode: "popup", scope: window.scope })',
  });
  await page.evaluate('window.scope = "openid profile"');
  await selectUser(await press(page), PEOPLE.pia);
  await result(page);
  assert.deepEqual((await snapshot(page)).scope, ["openid", "profile"]);

  await page.evaluate('window.scope = ["openid", "profile", "email", "oneroster"]');
  const popup = await press(page);
  assert.equal((await snapshot(page)).user.givenName, "Pia", "stays while they are asked");
  await result(page);
  assert.deepEqual((await snapshot(page)).scope, ["openid", "profile", "email", "oneroster"]);
  await waitForClose(popup);

  // A provider that grants less says so (RFC 6749, 5.1).
  await context.route(`**${PATHS.token}`, async (route) => {
    const response = await forwardRequest(route);
    await route.fulfill({ response, json: { ...(await response.json()), scope: "openid email" } });
  });
  await press(page);
  await result(page);
  assert.deepEqual((await snapshot(page)).scope, ["openid", "email"]);
});
