/**
 * An answer that arrives after the world has changed, and a state that must have a way out. The orders themselves are played
 * in `src/session/simulation`; here is what a user would see of each.
 */

import assert from "node:assert/strict";
import { startApp } from "../support/app.mjs";
import { sharedBrowser } from "../support/browser.mjs";
import { deferred } from "../support/deferred.mjs";
import {
  answering,
  DOWN,
  dumpStorage,
  holdNextAnswer,
  SESSION,
  SIGNED_OUT_STORAGE,
  sessionCookies,
  startGatewayApp,
} from "../support/gateway-app.mjs";
import {
  callInPage,
  completeLogin,
  countRequests,
  handleCallback,
  loginByRedirect,
  loginOverHttp,
  loginThroughUi,
  loginWithPrompt,
  PATHS,
  PEOPLE,
  selectUser,
  sharedLoginApp,
  snapshot,
  startLogin,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import {
  advanceClocks,
  eventTypes,
  installClockOffsets,
  pauseNextRequest,
  rewriteRefreshResponses,
  simulateVisibilityChange,
  waitForStatus,
} from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

const TOKEN = "/auth/token";

/** A provider with refresh tokens, whose access tokens live five minutes. */
const RENEWING = {
  refreshTokens: true,
  expiresIn: true,
  accessTokenLifetime: 300,
  idTokenLifetime: 3600,
};

/** @param {Page} page */
const getUser = (page) => callInPage(page, "client.getUser()");

/** Makes a page renew its tokens now. @param {Page} page */
const renew = (page) =>
  page.evaluate("void client.getAccessToken({ minValidity: 3000 }).catch(() => {})");

/** Waits until a page shows a user. @param {Page} page @param {string} name */
const waitForUser = (page, name) =>
  page.waitForFunction((name) => window.client.getSnapshot().user?.name === name, name);

/**
 * An application with a gateway, with Pia signed in in its first tab.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("../support/gateway-app.mjs").GatewayAppOptions} [options]
 */
async function signedIn(t, options) {
  const { page, context } = await browser.newPage(t);
  await installClockOffsets(context);
  const world = await startGatewayApp(t, { standIn: RENEWING, ...options });
  await world.open(page);
  await loginThroughUi(page, PEOPLE.pia);
  /** Opens another tab of the application. */
  const openTab = async (path = "/") => {
    const tab = await context.newPage();
    await world.open(tab, path);
    return tab;
  };
  return { page, context, openTab, ...world };
}

/** Opens a popup for a sign-in by a click; what becomes of that is on `window.signedIn`. @param {Page} page */
async function openPopup(page) {
  await page.evaluate(() => {
    const button = document.createElement("button");
    button.textContent = "Sign in in a popup";
    button.onclick = () => {
      const login = window.client.startLogin({ mode: "popup", prompt: "login" });
      window.signedIn = /** @type {any} */ (login.catch(({ code }) => ({ code })));
    };
    document.body.append(button);
  });
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: "Sign in in a popup" }).click();
  return opened;
}

/** Picks a user in a popup, whose callback page handles its answer. */
async function finishPopup(popup, user) {
  await selectUser(popup, user);
  await waitForCallback(popup);
  await popup.evaluate("void client.handleCallback().catch(() => {})").catch(() => {});
}

// ---- An answer that arrives after a sign-out, or after another sign-in ----

test("a reload finds no user when a renewal is answered after the sign-out", async (t) => {
  const { page, context, gateway, open, openTab } = await signedIn(t);
  const renewal = holdNextAnswer(gateway, "POST", SESSION);
  await renew(page);
  await renewal.made;

  assert.equal((await callInPage(page, "client.logout()")).sessionEnded, true);
  renewal.release();

  await open(page);
  assert.equal(await getUser(page), null);
  assert.equal(await getUser(await openTab()), null);
  assert.deepEqual(await sessionCookies(context), []);
  assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
});

test("a tab that was opening shows no user when another tab signed out meanwhile", async (t) => {
  const { page, gateway, openTab } = await signedIn(t);
  const opening = await openTab();
  const restore = holdNextAnswer(gateway, "POST", SESSION);
  await opening.evaluate("void (window.user = client.getUser())");
  await restore.made;

  const signedOut = callInPage(page, "client.logout()");
  await waitForStatus(page, "signed-out");
  restore.release();

  assert.equal((await signedOut).sessionEnded, true);
  assert.equal(await opening.evaluate("window.user"), null);
  assert.equal((await snapshot(opening)).status, "signed-out");
});

test("a reload finds the second user when a renewal of the first is answered after the sign-in", async (t) => {
  const { page, gateway, open, openTab } = await signedIn(t);
  const other = await openTab();
  const renewal = holdNextAnswer(gateway, "POST", SESSION);
  await renew(page);
  await renewal.made;

  const signIn = loginWithPrompt(other, PEOPLE.tess);
  await waitForCallback(other);
  renewal.release();

  assert.equal((await signIn).user.name, "Tess Teacher");
  await waitForUser(page, "Tess Teacher");
  await open(page);
  assert.equal((await getUser(page)).name, "Tess Teacher");
});

browserTest(
  "a popup whose exchange fails leaves the tab with the user who signed in in another",
  async (t) => {
    const { page, gateway, openTab } = await signedIn(t);
    const other = await openTab();
    const arrived = deferred();
    const held = deferred();
    const popup = await openPopup(page);
    await selectUser(popup, PEOPLE.pia);
    await waitForCallback(popup);
    gateway.instead = async (request, response, usual) => {
      if (!request.url?.startsWith(TOKEN)) return usual();
      gateway.instead = undefined;
      arrived.resolve();
      await held.promise;
      answering(500, "{}")(request, /** @type {any} */ (response));
    };
    await popup.evaluate("void client.handleCallback().catch(() => {})").catch(() => {});
    await arrived.promise;

    const signIn = loginWithPrompt(other, PEOPLE.tess);
    await waitForCallback(other);
    held.resolve();

    assert.equal((await signIn).user.name, "Tess Teacher");
    assert.ok((await page.evaluate("window.signedIn")).code);
    await waitForUser(page, "Tess Teacher");
  },
);

test("a sign-in succeeds whatever happens while the gateway confirms it", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const confirmation = holdNextAnswer(gateway, "POST", SESSION);

  const signIn = handleCallback(page);
  await confirmation.made;
  await page.evaluate(() => {
    window.dispatchEvent(new Event("focus"));
    document.dispatchEvent(new Event("visibilitychange"));
    void window.client.getUser();
  });
  confirmation.release();

  assert.equal((await signIn).user.name, "Pia Pupil");
  assert.equal((await getUser(page)).name, "Pia Pupil");
  assert.equal(typeof (await page.evaluate("client.getAccessToken()")), "string");
});

browserTest("a sign-out is not sent after a later sign-in has replaced its session", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t);
  await open(page);
  gateway.instead = DOWN;
  await callInPage(page, "client.logout()");
  gateway.instead = undefined;
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const exchange = holdNextAnswer(gateway, "POST", TOKEN);
  const signIn = handleCallback(page);
  await exchange.made;
  const other = await context.newPage();
  await open(other);
  await other.evaluate("void (window.user = client.getUser())");
  await other.waitForFunction(async () => (await navigator.locks.query()).pending?.length);

  exchange.release();

  assert.equal((await signIn).user.name, "Pia Pupil");
  assert.equal((await other.evaluate("window.user")).name, "Pia Pupil");
  await open(page);
  assert.equal((await getUser(page)).name, "Pia Pupil");
});

test("client.fetch does not repeat a request of one user with the token of the next", async (t) => {
  const api = "https://api.example";
  const { page, context, openTab } = await signedIn(t, { config: { apiOrigins: [api] } });
  const other = await openTab();
  const arrived = deferred();
  const held = deferred();
  let requests = 0;
  await context.route(`${api}/**`, async (route) => {
    const headers = {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Headers": "*",
    };
    if (route.request().method() === "OPTIONS") return route.fulfill({ headers });
    requests += 1;
    arrived.resolve();
    await held.promise;
    return route.fulfill({ status: 401, headers });
  });
  await page.evaluate(
    `void (window.sent = client.fetch("${api}/", { method: "POST", body: "of Pia" }))`,
  );
  await arrived.promise;

  await loginWithPrompt(other, PEOPLE.tess);
  await waitForUser(page, "Tess Teacher");
  held.resolve();

  assert.equal(await page.evaluate("window.sent.then(({ status }) => status)"), 401);
  assert.equal(requests, 1);
});

test("a page is not left for a login that a sign-out overtook", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, {
    interceptNavigation: true,
    standIn: {},
    config: { metadata: undefined },
  });
  await open(page);
  const discovery = pauseNextRequest(standIn, "/.well-known/openid-configuration");
  await page.evaluate("void (window.login = client.startLogin().catch(({ code }) => code))");
  await discovery.arrived;

  await callInPage(page, "client.logout()");
  discovery.release();

  assert.equal(await page.evaluate("window.login"), "not_signed_in");
  assert.equal(await page.evaluate("window.left"), undefined);
});

browserTest("a sign-out before the user is known holds over a reload", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, {
    autoHandleCallback: true,
    config: { session: { restore: "iframe" } },
  });
  await open(page);
  await loginByRedirect(page);
  await open(page);
  await callInPage(page, "client.logout()");
  standIn.requests.length = 0;

  await open(page);

  assert.equal(await getUser(page), null);
  assert.equal(countRequests(standIn, PATHS.authorization), 0);
});

// ---- An end hits the session that it names ----

test("a tab that slept past maxAge leaves the session that another user began meanwhile", async (t) => {
  const { page, context, open, passThere } = await signedIn(t, {
    config: { session: { maxAge: 600, idleTimeout: 600 } },
  });
  // It hears no other tab, as while it sleeps.
  const deaf = await context.newPage();
  await deaf.addInitScript("delete window.BroadcastChannel");
  await open(deaf);
  assert.equal((await getUser(deaf)).name, "Pia Pupil");

  passThere(590);
  await advanceClocks(deaf, 590);
  await loginWithPrompt(page, PEOPLE.tess);
  passThere(20);
  await advanceClocks(deaf, 20);
  await simulateVisibilityChange(deaf);
  await deaf.waitForFunction(() => window.events.some(({ type }) => type === "session.expired"));

  await open(page);
  assert.equal((await getUser(page)).name, "Tess Teacher");
});

browserTest("a popup that was opened before the session ended signs in", async (t) => {
  const { page, open } = await signedIn(t, { config: { session: { maxAge: 600 } } });
  const popup = await openPopup(page);
  await popup.getByTestId(`district-${PEOPLE.pia.district}`).waitFor();
  await advanceClocks(page, 700);
  await simulateVisibilityChange(page);
  await waitForStatus(page, "error");

  await finishPopup(popup, PEOPLE.pia);

  assert.equal((await page.evaluate("window.signedIn")).user.name, "Pia Pupil");
  await open(page);
  assert.equal((await getUser(page)).name, "Pia Pupil");
});

browserTest(
  "a user in a frame of another site stays signed in after the first renewal",
  async (t) => {
    const { page, context } = await browser.newPage(t);
    await installClockOffsets(context);
    const { app, askedGateway } = await startGatewayApp(t, { standIn: RENEWING });
    const platform = await startApp(t, { host: "127.0.0.1" });
    await page.goto(platform.origin);
    await page.evaluate((url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      document.body.append(frame);
    }, `${app.origin}/`);
    const frame = /** @type {any} */ (await (await page.waitForSelector("iframe")).contentFrame());
    await waitForClient(frame);
    const opened = page.waitForEvent("popup");
    await frame.evaluate(() => {
      const popup = window.open("about:blank", "_blank", "popup");
      window.signedIn = window.client.startLogin({ mode: "popup", popup });
      window.signedIn.catch(() => {});
    });
    await finishPopup(await opened, PEOPLE.pia);
    assert.equal((await frame.evaluate("window.signedIn")).user.name, "Pia Pupil");
    const asked = askedGateway().length;

    await renew(frame);
    await frame.evaluate("client.getAccessToken({ minValidity: 3000 }).catch(() => {})");

    assert.ok(askedGateway().slice(asked).includes(`POST ${SESSION}`));
    assert.equal((await snapshot(frame)).user?.name, "Pia Pupil");
    assert.equal(typeof (await frame.evaluate("client.getAccessToken()")), "string");
  },
);

test("a session stays on its district's channel when a bad callback link is handled", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: `(district) => ({ ...settings, clientId: district === "2284" ? settings.clientId : "another-app" })`,
  });
  await open(page);
  await loginOverHttp(page, PEOPLE.pia, { district: "2284" });
  const other = await context.newPage();
  await open(other);
  await loginOverHttp(other, PEOPLE.pia, { district: "2284" });

  const { error } = await handleCallback(page, "/callback?code=x&state=unknown");
  assert.equal(error.code, "state_unknown");
  await callInPage(other, "client.logout()");

  await waitForStatus(page, "signed-out");
});

// ---- Unknown is not signed out ----

for (const query of ["code=x&state=unknown", "error=access_denied&state=unknown"]) {
  test(`a stale callback link (${query}) does not hide the user of the session cookie`, async (t) => {
    const { page, open } = await signedIn(t);
    await open(page, `/callback?${query}`);

    assert.ok((await handleCallback(page)).error.code);

    assert.equal((await getUser(page)).name, "Pia Pupil");
    assert.equal((await snapshot(page)).status, "signed-in");
  });
}

test("a page that was loaded offline shows the user when it is online again, without a reload", async (t) => {
  const { page, gateway, open } = await signedIn(t);
  gateway.instead = DOWN;
  await open(page);
  assert.equal((await getUser(page)).error.code, "network");
  assert.equal((await snapshot(page)).status, "error");

  gateway.instead = undefined;
  await page.evaluate(() => void window.dispatchEvent(new Event("online")));

  await waitForUser(page, "Pia Pupil");
});

for (const [whose, isReloaded] of /** @type {const} */ ([
  ["the session of the page", false],
  ["a session that the page has not restored", true],
])) {
  test(`a network that lets no DELETE through keeps neither ${whose} signed in nor the next user out`, async (t) => {
    const { page, open, gateway } = await signedIn(t);
    gateway.instead = (request, response, usual) =>
      request.method === "DELETE" ? void response.destroy() : usual();
    if (isReloaded) await open(page);
    await callInPage(page, "client.logout()");

    await open(page);
    assert.equal(await getUser(page), null);
    assert.equal((await snapshot(page)).error, null);
    await loginWithPrompt(page, PEOPLE.tess);
    await open(page);

    assert.equal((await getUser(page)).name, "Tess Teacher");
  });
}

test("a sign-in whose answer stalls after its head leaves nothing for a reload", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, gateway } = await startGatewayApp(t, { config: { timeout: 5000 } });
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  gateway.instead = (request, response, usual) => {
    if (!request.url?.startsWith(TOKEN)) return usual();
    gateway.instead = undefined;
    // The head, with its cookies, and no body.
    response.end = /** @type {any} */ (() => void response.flushHeaders());
    return usual();
  };

  assert.equal((await handleCallback(page)).error.code, "timeout");

  await open(page);
  assert.equal(await getUser(page), null);
});

// ---- Every activity has an exit ----

for (const [what, find] of /** @type {const} */ ([
  ["some seconds later", async () => {}],
  [
    "at focus",
    (/** @type {Page} */ page) =>
      page.evaluate(() => void window.dispatchEvent(new Event("focus"))),
  ],
])) {
  browserTest(
    `the sign-in button is back ${what} when the provider responded to a login with 204`,
    async (t) => {
      const { page } = await browser.newPage(t);
      const { open, standIn } = await startLoginApp(t, { standIn: {} });
      standIn.instead = (request, response, usual) => {
        if (!request.url?.startsWith(PATHS.authorization)) return usual();
        response.writeHead(204).end();
      };
      await open(page);
      await getUser(page);

      await page.evaluate("void client.startLogin().catch(() => {})");
      await waitForStatus(page, "redirecting");
      await find(page);

      await waitForStatus(page, "signed-out");
      standIn.instead = undefined;
      assert.equal((await loginThroughUi(page, PEOPLE.pia)).user.name, "Pia Pupil");
    },
  );
}

test("tokens that expire at once are renewed less and less often", async (t) => {
  const { page, context } = await browser.newPage(t);
  await installClockOffsets(context);
  const { open, standIn } = await startLoginApp(t, {
    interceptNavigation: true,
    standIn: RENEWING,
  });
  await rewriteRefreshResponses(context, standIn, (answer, claims) => {
    answer.expires_in = 0;
    claims.iat += 1;
  });
  await open(page);
  await loginOverHttp(page);
  const countRenewals = () =>
    eventTypes(page).then((types) => types.filter((type) => type === "token.renewed").length);

  await advanceClocks(page, RENEWING.accessTokenLifetime);
  /** @type {number[]} */
  const perMinute = [];
  for (let minute = 0; minute < 6; minute++) {
    const before = await countRenewals();
    for (let calls = 0; calls < 20; calls++) {
      await advanceClocks(page, 3);
      await callInPage(page, "client.getAccessToken()");
    }
    perMinute.push((await countRenewals()) - before);
  }

  assert.ok(perMinute[0] > 0 && perMinute[0] <= 10, `${perMinute}`);
  assert.ok(perMinute[5] <= 4, `${perMinute}`);
});

// ---- Two clients on one page ----

test("two clients with client ids of their own share no launch, restore or logout marker", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: `(window.second = createClient({ ...settings, clientId: "another-app" }), settings)`,
  });
  await open(page);

  // The first restarts a launch; the second handles an answer of its own meanwhile, which ends its launches alone.
  assert.equal((await handleCallback(page, "/callback?code=of-a-tile")).status, "redirecting");
  const { error } = await callInPage(
    page,
    `second.handleCallback("/callback?error=access_denied")`,
  );
  assert.equal(error.code, "access_denied");
  const { error: loop } = await handleCallback(page, "/callback?code=of-a-tile-again");
  assert.equal(loop.code, "launch_loop");

  // The loop of the first does not count for the second.
  assert.equal((await handleCallback(page, "/callback?code=of-a-third")).status, "redirecting");
  const { status } = await callInPage(page, `second.handleCallback("/callback?code=of-another")`);
  assert.equal(status, "redirecting");
  const keys = await page.evaluate(() => Object.keys(sessionStorage));
  assert.deepEqual(
    keys.filter((key) => key.startsWith("classlink-spa.launch.")).sort(),
    ["another-app", "test-app"].map(
      (clientId) => `classlink-spa.launch.classlink-spa ${standIn.issuer} ${clientId}`,
    ),
  );
});
