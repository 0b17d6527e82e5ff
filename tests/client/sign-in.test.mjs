/** A user signs in: what the application and the user see, in a browser, through the built package. */

import assert from "node:assert/strict";
import { bodyOf, sharedBrowser } from "../support/browser.mjs";
import { deferred } from "../support/deferred.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  countRequests,
  handleCallback,
  ignoreNavigation,
  LOGIN_PREFIX,
  loginThroughUi,
  OTHER_CLIENT_ID,
  PATHS,
  PEOPLE,
  pendingLogins,
  selectUser,
  sharedLoginApp,
  snapshot,
  startLogin,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import { navigateHistory, newPageWithBfcache } from "../support/page-cache.mjs";
import { present } from "../support/present.mjs";
import { browserTest, test } from "../support/tiers.mjs";

/** @import { SignedIn } from "classlink-spa" */
/** @import { Page } from "playwright-core" */

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** The result of a callback that leaves the page, if the page is still there to report it. */
const REDIRECTING = { status: "redirecting" };

/** Lets the device's clock be wrong by so many seconds, in every page of a context. */
const setClock = (context, seconds) =>
  context.addInitScript((ms) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
  }, seconds * 1000);

/** The parameters of the authorization requests so far, oldest first. */
const authorizationRequests = (requests) =>
  requests
    .map((request) => new URL(request.url()))
    .filter((url) => url.pathname === PATHS.authorization)
    .map((url) => Object.fromEntries(url.searchParams));

// ---- By button ----

test("a login by button brings the user back signed in, to where they were going", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);

  const result = await loginThroughUi(page, PEOPLE.pia, {
    returnTo: "/classes?period=2#today",
    appState: { cart: [1, { two: "zwei" }], nothing: null },
  });

  assert.equal(result.status, "signed-in");
  assert.equal(result.returnTo, "/classes?period=2#today");
  assert.deepEqual(result.appState, { cart: [1, { two: "zwei" }], nothing: null });
  assert.equal("district" in result, false);
  assert.equal(result.user.id, `${standIn.issuer}|8708718`);
  assert.equal(result.user.name, "Pia Pupil");
  assert.equal(result.user.role, "student");
  assert.deepEqual(result.user.tenant, { id: "2284", name: "Sample Creek Unified" });
  assert.deepEqual(await pendingLogins(page), []);
});

test("returnTo is where the login began, unless that was the callback page", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);

  await open(page, "/launch?a=1#b");
  assert.equal((await loginThroughUi(page, PEOPLE.pia)).returnTo, "/launch?a=1#b");

  await callInPage(page, "client.startLogin()");
  await waitForCallback(page);
  assert.equal((await handleCallback(page)).returnTo, "/");
});

test("the authorization request has the parameters that every login needs, and no other", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);

  const [sent, ...more] = authorizationRequests(requests);
  const { state, nonce, code_challenge, ...rest } = sent;
  assert.deepEqual(rest, {
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: app.redirectUri,
    scope: "openid profile",
    code_challenge_method: "S256",
  });
  // 256 bits each, in base64url.
  for (const random of [state, nonce, code_challenge]) assert.match(random, /^[\w-]{43}$/);
  assert.equal(new Set([state, nonce, code_challenge]).size, 3);
  assert.equal(more.length, 0);
});

test("the authorization request has every option of startLogin", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { config: { scope: "openid profile email" } });
  await open(page);
  await startLogin(page, {
    scope: ["openid", "oneroster"],
    prompt: "login",
    loginHint: "pia.pupil+1@sample-creek.example",
    maxAge: 0,
    uiLocales: ["es-MX", "en"],
    acrValues: "urn:example:gold",
    extraParams: { "custom param": "a&b=ü", ga: "1" },
  });

  const [sent] = authorizationRequests(requests);
  assert.equal(sent.scope, "openid oneroster");
  assert.equal(sent.prompt, "login");
  assert.equal(sent.login_hint, "pia.pupil+1@sample-creek.example");
  assert.equal(sent.max_age, "0");
  assert.equal(sent.ui_locales, "es-MX en");
  assert.equal(sent.acr_values, "urn:example:gold");
  assert.equal(sent["custom param"], "a&b=ü");
  assert.equal(sent.ga, "1");
});

test("every login has a state, a nonce and a challenge of its own", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  for (let i = 0; i < 3; i++) {
    await open(page);
    await startLogin(page);
  }

  const sent = authorizationRequests(requests);
  for (const name of ["state", "nonce", "code_challenge"]) {
    assert.equal(new Set(sent.map((parameters) => parameters[name])).size, 3, name);
  }
});

test("a callback requests the tokens and the keys side by side, and nothing else", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  standIn.requests.length = 0;
  // Neither gets an answer until both have been asked: one after the other would end in a time-out.
  const both = { token: deferred(), keys: deferred() };
  for (const [name, path] of [
    ["token", PATHS.token],
    ["keys", PATHS.keys],
  ]) {
    await context.route(standIn.issuer + path, async (route) => {
      both[name].resolve();
      await Promise.all([both.token.promise, both.keys.promise]);
      await route.continue();
    });
  }

  const result = await handleCallback(page);

  assert.equal(result.status, "signed-in");
  assert.deepEqual(standIn.requests.map(({ path }) => path).sort(), [PATHS.keys, PATHS.token]);
});

test("the token request is a public client's, with the verifier of its challenge", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const code = new URL(page.url()).searchParams.get("code");
  await handleCallback(page);

  const [request] = requests.filter((request) => request.url().endsWith(PATHS.token));
  const { code_verifier, ...form } = Object.fromEntries(new URLSearchParams(await bodyOf(request)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code_verifier));
  const [{ code_challenge }] = authorizationRequests(requests);
  const headers = await request.allHeaders();
  assert.deepEqual(form, {
    grant_type: "authorization_code",
    code,
    redirect_uri: app.redirectUri,
    client_id: CLIENT_ID,
  });
  assert.equal(Buffer.from(digest).toString("base64url"), code_challenge);
  for (const name of ["cookie", "authorization", "referer"]) assert.equal(headers[name], undefined);
});

test("the address bar is stripped at once, and keeps what is the application's", async (t) => {
  const { page, context } = await browser.newPage(t);
  await context.addInitScript(() => {
    const platform = window.fetch;
    window.fetchedAt = [];
    window.fetch = (...args) => {
      window.fetchedAt.push(location.href);
      return platform(...args);
    };
  });
  const { app, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const { search } = new URL(page.url());
  await open(
    page,
    `/callback?tab=%7e1&flag${search.replace("?", "&")}&session_state=x&iss_like=1&b=#part=2`,
  );

  const seen = await page.evaluate(() => {
    history.replaceState({ scroll: 12 }, "");
    const length = history.length;
    const done = window.client.handleCallback();
    const now = { url: location.href, state: history.state, more: history.length - length };
    return done.then(
      () => ({ ...now, fetchedAt: window.fetchedAt, failed: undefined }),
      (error) => ({ ...now, fetchedAt: window.fetchedAt, failed: error.message }),
    );
  });

  const stripped = `${app.origin}/callback?tab=%7e1&flag&iss_like=1&b=#part=2`;
  assert.equal(seen.failed, undefined);
  assert.equal(seen.url, stripped);
  assert.deepEqual(seen.state, { scroll: 12 });
  assert.equal(seen.more, 0);
  assert.ok(seen.fetchedAt.length >= 3, "the WebAssembly, the token and the keys");
  assert.deepEqual([...new Set(seen.fetchedAt)], [stripped]);
});

test("an error response is stripped from the address bar as well", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  await open(page, "/callback?error=access_denied&error_description=no&error_uri=x&state=s&a=1");

  const url = await page.evaluate(() => {
    window.client.handleCallback().catch(() => {});
    return location.href;
  });

  assert.equal(url, `${app.origin}/callback?a=1`);
});

test("a login reports its events under one support code from the button to the end", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  // Kept by the page that is left.
  await page.evaluate(() => {
    addEventListener("pagehide", () => localStorage.setItem("seen", JSON.stringify(window.events)));
  });
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await handleCallback(page);

  const before = JSON.parse(await page.evaluate(() => localStorage.getItem("seen") ?? ""));
  const after = await page.evaluate("events");
  assert.deepEqual(
    before.map(({ type }) => type),
    ["login.started", "login.redirected"],
  );
  assert.deepEqual(
    after.map(({ type }) => type),
    ["callback.received", "login.succeeded"],
  );
  assert.equal(new Set([...before, ...after].map(({ supportCode }) => supportCode)).size, 1);
  const waited = after[1].at - before[0].at;
  assert.ok(Math.abs(after[1].durationMs - waited) <= 1500, "it is counted from the button");
});

// ---- From LaunchPad ----

/** Opens LaunchPad, and signs in there unless a user is. */
async function openLaunchPad(page, standIn, person) {
  await page.goto(standIn.launchPadUrl);
  if (!person) return;
  await page.getByTestId("launchpad-sign-in").click();
  await selectUser(page, person);
  await page.getByTestId("launchpad-person").waitFor();
}

test("a tile's code without a state is dropped, and a login of the application's own signs in", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { standIn } = await startLoginApp(t);
  await openLaunchPad(page, standIn, PEOPLE.tess);
  await page.getByTestId(`tile-${CLIENT_ID}`).click();
  await waitForCallback(page);
  const query = new URL(page.url()).searchParams;
  const before = requests.length;

  const first = await ignoreNavigation(handleCallback(page));
  await page.waitForURL("**/callback?*state=*");
  await waitForClient(page);
  const second = await handleCallback(page);

  assert.equal(query.has("state"), false);
  assert.deepEqual(first ?? REDIRECTING, REDIRECTING);
  assert.equal(second.status, "signed-in");
  assert.equal(second.user.givenName, "Tess");
  assert.equal(second.returnTo, "/");
  for (const request of requests.slice(before)) {
    const sent =
      request.url() + (await bodyOf(request)) + JSON.stringify(await request.allHeaders());
    assert.ok(
      !sent.includes(present(query.get("code"))),
      `the tile's code was sent to ${request.url()}`,
    );
  }
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});

test("a tile's restart reports its events, and shows no user until it ends", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t, {
    // Stays on the page, so that it can be looked at.
    configExpression: "({ ...settings, navigate: (url) => { window.left = url; } })",
  });
  await open(page, "/");
  await callInPage(page, "client.startLogin()");
  await page.goto(await page.evaluate("left"));
  await completeLogin(page, PEOPLE.pia);
  await handleCallback(page);
  assert.equal((await snapshot(page)).user.givenName, "Pia");

  const result = await handleCallback(page, `${app.redirectUri}?code=somebodys`);

  assert.equal(result.status, "redirecting");
  assert.equal((await snapshot(page)).status, "redirecting");
  assert.equal((await snapshot(page)).user, null);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal((await page.evaluate("events")).at(-2).type, "launch.restarted");
  assert.equal(new URL(await page.evaluate("left")).origin, standIn.issuer);
});

test("a tile's restart leaves the tab's other pending logins alone", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page, { returnTo: "/first" });
  const waiting = page.url();
  const [{ state }] = authorizationRequests(requests);
  await openLaunchPad(page, standIn, PEOPLE.pia);
  await page.getByTestId(`tile-${CLIENT_ID}`).click();
  await waitForCallback(page);
  await ignoreNavigation(handleCallback(page));
  await page.waitForURL("**/callback?*state=*");
  await waitForClient(page);
  assert.equal((await handleCallback(page)).status, "signed-in");
  assert.deepEqual(await pendingLogins(page), [state]);

  await page.goto(waiting);
  await completeLogin(page, PEOPLE.tess);
  const result = await handleCallback(page);

  assert.equal(result.status, "signed-in");
  assert.equal(result.returnTo, "/first");
});

test("a second tile signs in after the first, and is not taken for a loop", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn } = await startLoginApp(t);
  await openLaunchPad(page, standIn, PEOPLE.pia);
  for (let i = 0; i < 2; i++) {
    await openLaunchPad(page, standIn);
    await page.getByTestId(`tile-${CLIENT_ID}`).click();
    await waitForCallback(page);
    assert.deepEqual((await ignoreNavigation(handleCallback(page))) ?? REDIRECTING, REDIRECTING);
    await page.waitForURL("**/callback?*state=*");
    await waitForClient(page);
    assert.equal((await handleCallback(page)).status, "signed-in");
  }
});

test("a tile's restart that comes back without a state is refused as a loop", async (t) => {
  const { page, context, requests } = await browser.newPage(t);
  const { app, standIn } = await startLoginApp(t);
  await openLaunchPad(page, standIn, PEOPLE.pia);
  // A provider that loses the state.
  await context.route(`${app.redirectUri}?*`, async (route) => {
    const url = new URL(route.request().url());
    if (!url.searchParams.has("state")) return route.continue();
    url.searchParams.delete("state");
    await route.fulfill({ status: 302, headers: { location: url.href } });
  });
  await page.getByTestId(`tile-${CLIENT_ID}`).click();
  await waitForCallback(page);

  assert.deepEqual((await ignoreNavigation(handleCallback(page))) ?? REDIRECTING, REDIRECTING);
  await waitForCallback(page);
  const redirects = authorizationRequests(requests).length;
  const { error } = await handleCallback(page);

  assert.equal(error.code, "launch_loop");
  assert.equal((await snapshot(page)).status, "error");
  assert.equal(countRequests(standIn, PATHS.token), 0);
  await page.reload();
  await waitForClient(page);
  assert.equal((await handleCallback(page)).error.code, "not_a_callback");
  assert.equal(authorizationRequests(requests).length, redirects, "no further redirect");
});

test("a tile's restart that storage refused can be tried again, and is not taken for a loop", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t, { interceptNavigation: true });
  await open(page);
  const tile = `${app.redirectUri}?code=of-a-tile`;
  await page.evaluate((prefix) => {
    const { setItem, removeItem } = Storage.prototype;
    const refuse = () => {
      throw new DOMException("", "QuotaExceededError");
    };
    let blocked = false;
    Storage.prototype.setItem = function (key, value) {
      blocked ||= key.startsWith(prefix);
      return blocked ? refuse() : setItem.call(this, key, value);
    };
    Storage.prototype.removeItem = function (key) {
      return blocked ? refuse() : removeItem.call(this, key);
    };
    window.heal = () => Object.assign(Storage.prototype, { setItem, removeItem });
  }, LOGIN_PREFIX);
  assert.equal((await handleCallback(page, tile)).error.code, "storage_unavailable");

  await page.evaluate("void heal()");

  assert.deepEqual(await handleCallback(page, tile), REDIRECTING);
});

test('a tile is refused without a navigation when launch is "reject"', async (t) => {
  const { page } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t, { config: { launch: "reject" } });
  await open(page, "/callback?code=tile&response_type=code");

  const { error } = await handleCallback(page);

  assert.equal(error.code, "launch_rejected");
  assert.equal(page.url(), app.redirectUri);
  assert.equal(standIn.requests.length, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});

browserTest("a tile's launch is refused inside a frame", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.src = "/callback?code=tile&response_type=code";
    document.body.append(frame);
  });
  await page.waitForFunction("frames[0]?.client !== undefined");

  const error = await page.evaluate(() =>
    frames[0].client.handleCallback().then(
      () => ({ code: undefined, message: "it was handled" }),
      ({ code, message }) => ({ code, message }),
    ),
  );

  assert.equal(error.code, "launch_rejected");
  assert.match(error.message, /frame/);
  assert.equal(standIn.requests.length, 0);
});

test("a tile that opens the launch page starts a login from there", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn } = await startLoginApp(t);
  await openLaunchPad(page, standIn, PEOPLE.pia);
  await page.getByTestId(`launch-tile-${CLIENT_ID}`).click();
  await page.waitForURL("**/launch");
  await waitForClient(page);
  await startLogin(page, { returnTo: "/shelf" });
  await waitForCallback(page);

  const result = await handleCallback(page);

  assert.equal(result.status, "signed-in");
  assert.equal(result.returnTo, "/shelf");
});

// ---- When the provider says no ----

test("a refused consent is access_denied, ends that login, and leaves the others alone", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t, { standIn: { consent: "always" } });
  await open(page);
  await startLogin(page);
  await open(page);
  await startLogin(page);
  await selectUser(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();
  await waitForCallback(page);

  const { error } = await handleCallback(page);

  assert.equal(error.code, "access_denied");
  assert.match(error.userMessage, /permission/);
  assert.match(error.supportCode, /^[0-9A-HJKMNP-TV-Z]{8}$/);
  const { status, user } = await snapshot(page);
  assert.deepEqual({ status, user }, { status: "error", user: null });
  const [first] = authorizationRequests(requests);
  assert.deepEqual(await pendingLogins(page), [first.state]);
  assert.equal(countRequests(standIn, PATHS.token), 0);
});

test("the provider's own words are on the error for a developer, but not enumerable", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { standIn: { consent: "always" } });
  await open(page);
  await startLogin(page);
  await selectUser(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();
  await waitForCallback(page);

  const words = await page.evaluate(() =>
    window.client.handleCallback().catch(({ providerError }) => providerError),
  );

  assert.deepEqual(words, { error: "access_denied", description: "The user refused" });
});

test("an error at the callback keeps where its login was to lead, in no enumerable property", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { standIn: { consent: "always" } });
  await open(page);
  await startLogin(page, { returnTo: "/classes?period=2", appState: { draft: 17 } });
  await selectUser(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();
  await waitForCallback(page);

  const { returnTo, appState, json } = await page.evaluate(() =>
    window.client.handleCallback().then(
      () => Promise.reject(new Error("the callback was accepted")),
      (error) => ({
        returnTo: error.returnTo,
        appState: error.appState,
        json: JSON.stringify(error),
      }),
    ),
  );

  assert.deepEqual([returnTo, appState], ["/classes?period=2", { draft: 17 }]);
  assert.doesNotMatch(json, /classes|draft/);
});

test("prompt none without a session is login_required", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page, { prompt: "none" });
  await waitForCallback(page);

  assert.equal((await handleCallback(page)).error.code, "login_required");
});

test("an error with an unknown state gives the provider's code and consumes nothing", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  const [{ state }] = authorizationRequests(requests);

  for (const query of ["error=access_denied&state=forged", "error=access_denied"]) {
    await open(page, `/callback?${query}`);
    assert.equal((await handleCallback(page)).error.code, "access_denied");
    assert.deepEqual(await pendingLogins(page), [state]);
  }
});

// ---- Callbacks without a valid response ----

test("a state that no login sent is refused, and the pending login still completes", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  const waiting = page.url();
  await open(page, "/callback?code=injected&state=forged");

  const { error } = await handleCallback(page);
  assert.equal(error.code, "state_unknown");
  assert.equal(countRequests(standIn, PATHS.token), 0);

  await page.goto(waiting);
  await completeLogin(page, PEOPLE.pia);
  assert.equal((await handleCallback(page)).status, "signed-in");
});

test("an authorization response is refused in another tab, and completes in its own", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const other = await context.newPage();
  await other.goto(page.url());
  await waitForClient(other);

  assert.equal((await handleCallback(other)).error.code, "state_unknown");
  assert.equal(countRequests(standIn, PATHS.token), 0);
  assert.equal((await handleCallback(page)).status, "signed-in");
});

test("a code that was used is never sent again", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const url = page.url();
  await handleCallback(page);
  await page.goto(url);
  await waitForClient(page);

  assert.equal((await handleCallback(page)).error.code, "state_unknown");
  assert.equal(countRequests(standIn, PATHS.token), 1);
});

test("the response to a login that is over an hour old is refused", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await setClock(context, 3700);
  await completeLogin(page, PEOPLE.pia);

  assert.equal((await handleCallback(page)).error.code, "state_unknown");
  assert.equal(countRequests(standIn, PATHS.token), 0);
});

test("another issuer's authorization response is refused and consumes nothing (RFC 9207)", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  const { search } = new URL(page.url());

  for (const iss of ["https://evil.example", `${standIn.issuer}/`, ""]) {
    const url = `${app.redirectUri}${search}&iss=${encodeURIComponent(iss)}`;
    assert.equal((await handleCallback(page, url)).error.code, "issuer_mismatch", iss);
  }
  assert.equal(countRequests(standIn, PATHS.token), 0);
  const right = `${app.redirectUri}${search}&iss=${encodeURIComponent(standIn.issuer)}`;
  assert.equal((await handleCallback(page, right)).status, "signed-in");
});

test("an authorization response without the iss that the metadata promises is refused (RFC 9207)", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    configExpression:
      "({ ...settings, metadata: { ...settings.metadata, authorization_response_iss_parameter_supported: true } })",
  });
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);

  assert.equal((await handleCallback(page)).error.code, "issuer_mismatch");
  assert.equal((await pendingLogins(page)).length, 1);
});

test("a response that RFC 6749 forbids is callback_malformed, and not a launch", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  for (const query of [
    "code=1&code=2&state=s",
    "code=1&state=s&state=s",
    "code=1&error=access_denied&state=s",
    "code=&state=s",
    "code=1&code=2",
  ]) {
    await open(page, `/callback?${query}`);
    assert.equal((await handleCallback(page)).error.code, "callback_malformed", query);
  }
  assert.equal(standIn.requests.length, 0);
});

test("a visit without a response is not_a_callback, and reports no failed sign-in", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  for (const path of ["/callback", "/callback?a=1&state=s", "/callback#code=1&state=2"]) {
    await page.goto("about:blank");
    await open(page, path);

    assert.equal((await handleCallback(page)).error.code, "not_a_callback", path);
    assert.equal(page.url(), app.origin + path);
    assert.equal(await callInPage(page, "client.getUser()"), null);
    assert.equal((await snapshot(page)).status, "signed-out");
  }
});

// ---- Twice, again, back and forward ----

test("two logins that wait in one tab both complete", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  const waiting = [];
  for (const returnTo of ["/first", "/second"]) {
    await open(page);
    await startLogin(page, { returnTo });
    waiting.push(page.url());
  }

  for (const [i, person] of [PEOPLE.pia, PEOPLE.tess].entries()) {
    await page.goto(waiting[i]);
    await completeLogin(page, person);
    const result = await handleCallback(page);
    assert.equal(result.status, "signed-in");
    assert.equal(result.returnTo, ["/first", "/second"][i]);
    assert.equal(result.user.sub, person.sub);
  }
  assert.equal(countRequests(standIn, PATHS.token), 2);
  assert.deepEqual(await pendingLogins(page), []);
});

test("two logins in two tabs both complete", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  const other = await context.newPage();
  for (const tab of [page, other]) {
    await open(tab);
    await startLogin(tab);
  }
  for (const [tab, person] of /** @type {const} */ ([
    [page, PEOPLE.pia],
    [other, PEOPLE.paul],
  ])) {
    await completeLogin(tab, person);
    assert.equal((await handleCallback(tab)).user.sub, person.sub);
  }
});

test("handleCallback twice (StrictMode) is one promise and one exchange", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);

  const seen = await page.evaluate(async () => {
    const { handleCallback } = window.client;
    const [one, two] = [handleCallback(), handleCallback()];
    const result = await one;
    return { same: one === two, later: handleCallback() === one, status: result.status };
  });

  assert.deepEqual(seen, { same: true, later: true, status: "signed-in" });
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.equal(countRequests(standIn, PATHS.keys), 1);
});

test("handleCallback twice of a refusal is one promise, too", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page, "/callback?error=access_denied&state=s");

  const seen = await page.evaluate(async () => {
    const { handleCallback } = window.client;
    const [one, two] = [handleCallback(), handleCallback()];
    const { code } = await one.catch((error) => error);
    return { same: one === two, later: handleCallback() === one, code };
  });

  assert.deepEqual(seen, { same: true, later: true, code: "access_denied" });
  const failures = await page.evaluate("events.filter(({ type }) => type === 'login.failed')");
  assert.equal(failures.length, 1);
});

test("reloading the callback page before it is handled completes the login", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await page.reload();
  await waitForClient(page);

  assert.equal((await handleCallback(page)).status, "signed-in");
});

test("a reload during the exchange is not_a_callback, and sends the code once", async (t) => {
  const { page, context, requests } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await context.route(standIn.issuer + PATHS.token, () => {});
  const sent = page.waitForRequest(standIn.issuer + PATHS.token);
  await page.evaluate(() => void window.client.handleCallback().catch(() => {}));
  await sent;
  await page.reload();
  await waitForClient(page);

  assert.equal((await handleCallback(page)).error.code, "not_a_callback");
  assert.equal(await callInPage(page, "client.getUser()"), null);
  const exchanges = requests.filter((request) => request.url() === standIn.issuer + PATHS.token);
  assert.equal(exchanges.length, 1);
});

test("reloading the callback page is not_a_callback, and no user is signed in", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
  const before = standIn.requests.length;
  await page.reload();
  await waitForClient(page);

  assert.equal((await handleCallback(page)).error.code, "not_a_callback");
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal(standIn.requests.length, before, "nothing was asked of the provider");
});

browserTest(
  "the callback page is not_a_callback, and no loop, when the history leads back to it",
  async (t) => {
    const { page } = await browser.newPage(t);
    const { standIn, open } = await startLoginApp(t);
    await open(page);
    await loginThroughUi(page, PEOPLE.pia);
    await open(page, "/launch");
    const before = standIn.requests.length;

    for (const step of [-1, 1, -1]) {
      await navigateHistory(page, step);
      await waitForClient(page);
      assert.equal((await handleCallback(page)).error.code, "not_a_callback");
    }
    assert.equal(standIn.requests.length, before);
  },
);

browserTest(
  "the sign-in button works again when the back/forward cache brings its page back",
  async (t) => {
    const { page } = await newPageWithBfcache(t);
    const { open } = await startLoginApp(t);
    await open(page);
    await page.evaluate(() => {
      addEventListener("pageshow", ({ persisted }) => {
        window.cached = persisted;
      });
    });
    await startLogin(page);

    await navigateHistory(page);
    await page.waitForFunction("window.cached !== undefined");

    assert.equal(await page.evaluate("cached"), true);
    assert.equal((await snapshot(page)).status, "signed-out");
    assert.equal(await callInPage(page, "client.getUser()"), null);
    assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
  },
);

test("a callback that failed before the code was sent may be handled again", async (t) => {
  const { page } = await browser.newPage(t);
  const { answers, standIn, open } = await startLoginApp(t, { app: {} });
  await open(page);
  await startLogin(page);
  answers.wasm = "fail-once";
  await completeLogin(page, PEOPLE.pia);

  const { error } = await handleCallback(page);
  assert.equal(error.code, "wasm_unavailable");
  assert.equal(error.retryable, true);
  assert.equal((await handleCallback(page)).status, "signed-in");
  assert.equal(countRequests(standIn, PATHS.token), 1);
});

// ---- Where the endpoints come from ----

test("without metadata the issuer is discovered, once for the login and not again at the callback", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t, { config: { metadata: undefined } });
  await open(page);
  await startLogin(page);
  assert.equal(countRequests(standIn, PATHS.discovery), 1);
  await completeLogin(page, PEOPLE.pia);

  assert.equal((await handleCallback(page)).status, "signed-in");
  assert.equal(countRequests(standIn, PATHS.discovery), 1);
});

test("a discovery document of another issuer is refused before the page is left", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t, { config: { metadata: undefined } });
  await context.route(standIn.discoveryUrl, async (route) => {
    const response = await route.fetch();
    const document = { ...(await response.json()), issuer: "https://evil.example" };
    await route.fulfill({ response, json: document });
  });
  await open(page);

  const { error } = await callInPage(page, "client.startLogin()");

  assert.equal(error.code, "discovery_invalid");
  assert.equal(page.url(), `${app.origin}/`);
  assert.deepEqual(await pendingLogins(page), []);
});

// ---- Who it is ----

for (const profile of ["userinfo", "my-info"]) {
  test(`profile "${profile}": the same user, with the fields of that endpoint`, async (t) => {
    const { page } = await browser.newPage(t);
    const config = { profile, scope: "openid profile email" };
    const { standIn, open } = await startLoginApp(t, { config, standIn: { tenantClaims: false } });
    await open(page);

    const { user } = await loginThroughUi(page, PEOPLE.tess);

    assert.equal(user.id, `${standIn.issuer}|8708720`);
    assert.equal(user.name, "Tess Teacher");
    assert.equal(user.role, "teacher");
    assert.equal(user.email, "tess.teacher@sample-creek.example");
    if (profile === "my-info") {
      assert.equal(user.userId, "8708720");
      assert.equal(user.rosterId, "2284/5678_T-0005");
    }
    const path = profile === "my-info" ? "/v2/my/info" : "/v2/my/profileinfo";
    assert.equal(countRequests(standIn, path), 1);
  });
}

test("an error of my-info with the status 200 is userinfo_rejected", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    config: { profile: "my-info" },
    standIn: { myInfoError: 403 },
  });
  await open(page);

  assert.equal((await loginThroughUi(page, PEOPLE.pia)).error.code, "userinfo_rejected");
  assert.equal((await snapshot(page)).user, null);
});

test("UserInfo about another user is user_mismatch, and no user is signed in", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t, { config: { profile: "userinfo" } });
  await context.route(standIn.endpoints.userinfo_endpoint, async (route) => {
    if (route.request().method() === "OPTIONS") return route.continue();
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), sub: PEOPLE.tess.sub } });
  });
  await open(page);

  assert.equal((await loginThroughUi(page, PEOPLE.pia)).error.code, "user_mismatch");
  assert.equal((await snapshot(page)).user, null);
});

for (const profile of ["id-token", "my-info"]) {
  test(`users without an address or a SourcedId, and two who share one, sign in (${profile})`, async (t) => {
    const { page } = await browser.newPage(t);
    const config = { scope: "openid profile email", profile };
    const { open } = await startLoginApp(t, { config });
    const people = {};
    for (const name of ["pia", "paul", "nils", "olga"]) {
      await open(page);
      await startLogin(page, { prompt: "login" });
      await completeLogin(page, PEOPLE[name]);
      people[name] = (await handleCallback(page)).user;
    }
    const { pia, paul, nils, olga } = people;

    assert.equal(pia.email, "pia.pupil@sample-creek.example");
    assert.equal("email" in nils, false);
    assert.equal("email" in olga, false);
    assert.equal("sourcedId" in olga, false);
    assert.equal("rosterId" in olga, false);
    assert.equal(pia.sourcedId, paul.sourcedId);
    assert.equal(pia.rosterId, "2284/5678_S-1001");
    assert.equal(paul.rosterId, "3391/5678_S-1001");
    assert.equal(new Set([pia, paul, nils, olga].map(({ id }) => id)).size, 4);
  });
}

test("allowedTenants signs in users of its tenants, and no others", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { config: { allowedTenants: [2284] } });
  await open(page);
  assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");

  await open(page);
  const { error } = await loginThroughUi(page, PEOPLE.paul, { prompt: "login" });

  assert.equal(error.code, "tenant_not_allowed");
  assert.equal(error.reason, "tenant_other");
  assert.equal((await snapshot(page)).user, null);
  assert.equal(await callInPage(page, "client.getUser()"), null);
});

test("allowedTenants refuses users whose tenant is unknown", async (t) => {
  const { page } = await browser.newPage(t);
  const config = { allowedTenants: ["2284"] };
  const { open } = await startLoginApp(t, { config, standIn: { tenantClaims: false } });
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia);

  assert.equal(error.code, "tenant_not_allowed");
  assert.equal(error.reason, "tenant_unknown");
});

test("maxAge holds if the provider knows when the password was given", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  const began = Math.floor(Date.now() / 1000);

  const result = await loginThroughUi(page, PEOPLE.pia, { maxAge: 3600 });

  assert.equal(result.status, "signed-in");
  assert.ok(result.user.authTime >= began && result.user.authTime <= Date.now() / 1000 + 1);
});

test("maxAge refuses a sign-in that is too old, also if the provider ignores max_age", async (t) => {
  const { page, context } = await browser.newPage(t);
  const hours = 2;
  // Two hours later: on the device and, so that it isn't taken for a wrong clock, on the application's server.
  const later = new Date(Date.now() + hours * 3_600_000);
  const { open } = await startLoginApp(t, { app: { head: { date: later } } });
  await setClock(context, hours * 3600);
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia, { maxAge: 3600 });

  assert.equal(error.code, "id_token_invalid");
  assert.equal(error.reason, "auth_time");
  assert.equal("clockOffset" in error, false);
});

test("a device whose clock is a day and two hours fast signs in by the server's", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await setClock(context, 26 * 3600);
  await open(page);

  assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
  const types = (await page.evaluate("events")).map(({ type }) => type);
  assert.deepEqual(types, ["callback.received", "clock.corrected", "login.succeeded"]);
});

test("a district function chooses the registration, and the district comes back", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    configExpression: `async (district) => {
      (window.asked ??= []).push(district ?? null);
      return { ...settings, clientId: district === "south" ? "${OTHER_CLIENT_ID}" : "${CLIENT_ID}" };
    }`,
  });
  await open(page);

  const south = await loginThroughUi(page, PEOPLE.pia, { district: "south" });

  assert.equal(south.status, "signed-in");
  assert.equal(south.district, "south");
  assert.equal(south.user.claims.aud, OTHER_CLIENT_ID);
  assert.deepEqual(await page.evaluate("asked.at(-1)"), "south");
  const token = requests.find((request) => request.url().endsWith(PATHS.token));
  assert.equal(new URLSearchParams(await bodyOf(present(token))).get("client_id"), OTHER_CLIENT_ID);

  await open(page);
  await startLogin(page);
  await waitForCallback(page);
  const none = await handleCallback(page);
  assert.equal("district" in none, false);
  assert.equal(none.user.claims.aud, CLIENT_ID);
});

// ---- What may not be ----

test("a returnTo of another origin is refused, and the page is not left", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t);
  await open(page);
  for (const returnTo of [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/x/..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://evil.example/",
    "http://localhost:1/",
    `blob:${app.origin}/1`,
  ]) {
    const { error } = await callInPage(page, `client.startLogin(${JSON.stringify({ returnTo })})`);

    assert.equal(error?.code, "config_invalid", returnTo);
    assert.match(error.message, /returnTo/);
    assert.ok(!error.message.includes(returnTo), "it is not echoed");
  }
  assert.equal(page.url(), `${app.origin}/`);
  assert.equal(standIn.requests.length, 0);
  assert.deepEqual(await pendingLogins(page), []);
});

test("a login leads home when its returnTo was tampered with in storage", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page, { returnTo: "/safe" });
  await completeLogin(page, PEOPLE.pia);
  await page.evaluate((prefix) => {
    const [key] = Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
    const pending = JSON.parse(sessionStorage.getItem(key) ?? "");
    sessionStorage.setItem(key, JSON.stringify({ ...pending, return_to: "//evil.example" }));
  }, LOGIN_PREFIX);

  assert.equal((await handleCallback(page)).returnTo, "/");
});

test("blocked storage is storage_unavailable, and the page is not left", async (t) => {
  const { page, context } = await browser.newPage(t);
  await context.addInitScript(() => {
    Object.defineProperty(window, "sessionStorage", {
      get() {
        throw new DOMException("Access is denied", "SecurityError");
      },
    });
  });
  const { app, open } = await startLoginApp(t);
  await open(page);

  const { error } = await callInPage(page, "client.startLogin()");

  assert.equal(error.code, "storage_unavailable");
  assert.match(error.userMessage, /remember/);
  assert.equal(page.url(), `${app.origin}/`);
  await open(page, "/callback?code=1&state=s");
  assert.equal((await handleCallback(page)).error.code, "storage_unavailable");
});

test("full storage is storage_unavailable, and what the application keeps there stays", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  await open(page);
  const filled = await page.evaluate(() => {
    let size = 8 * 1024 * 1024;
    let text = "";
    while (size >= 1) {
      try {
        sessionStorage.setItem("own", text + "x".repeat(size));
        text += "x".repeat(size);
      } catch {
        size = Math.floor(size / 2);
      }
    }
    return text.length;
  });

  const { error } = await callInPage(page, "client.startLogin()");

  assert.equal(error.code, "storage_unavailable");
  assert.equal(page.url(), `${app.origin}/`);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("own")?.length), filled);
});

// ---- The state of the client ----

test("getUser waits for a callback that is under way", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);

  const seen = await page.evaluate(async () => {
    const { handleCallback, getUser, getSnapshot } = window.client;
    const done = handleCallback();
    const user = await getUser();
    const result = /** @type {SignedIn} */ (await done);
    return {
      name: user?.givenName,
      // One object for one user, wherever it is asked for.
      same: user === result.user && user === getSnapshot().user && user === (await getUser()),
    };
  });

  assert.deepEqual(seen, { name: "Pia", same: true });
});

test("getUser after a refusal is null, not an error", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page, "/callback?error=access_denied");

  const user = await page.evaluate(async () => {
    window.client.handleCallback().catch(() => {});
    return window.client.getUser();
  });

  assert.equal(user, null);
});

test("subscribers get each snapshot once, frozen, and the same object while nothing changes", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);

  const seen = await page.evaluate(async () => {
    const { subscribe, getSnapshot, handleCallback, getUser } = window.client;
    const statuses = [];
    const snapshots = [getSnapshot()];
    const stop = subscribe(() => {
      statuses.push(getSnapshot().status);
      snapshots.push(getSnapshot());
    });
    const first = getSnapshot() === snapshots[0] && getSnapshot().status === "loading";
    await handleCallback();
    const signedIn = getSnapshot();
    await getUser();
    const frozen = (value) =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    const calls = statuses.length;
    stop();
    await handleCallback("/callback?error=access_denied").catch(() => {});
    return {
      first,
      statuses,
      distinct: new Set(snapshots).size === snapshots.length,
      same: getSnapshot() === signedIn,
      frozen: frozen(signedIn),
      scope: signedIn.scope,
      stopped: statuses.length === calls,
    };
  });

  assert.deepEqual(seen, {
    first: true,
    statuses: ["signing-in", "signed-in"],
    distinct: true,
    same: true,
    frozen: true,
    scope: ["openid", "profile"],
    stopped: true,
  });
});

test("a forged callback link signs no user out", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);

  for (const query of ["code=1&state=forged", "error=access_denied", "code=1&code=2"]) {
    const { error } = await handleCallback(page, `/callback?${query}`);
    assert.ok(error, query);
    assert.equal((await snapshot(page)).status, "signed-in", query);
  }
});

test("the status is redirecting while a login leaves the page", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    configExpression: "({ ...settings, navigate: (url) => { window.left = url; } })",
  });
  await open(page);
  await callInPage(page, "client.startLogin()");

  assert.equal((await snapshot(page)).status, "redirecting");
});

test("close rejects the call under way, and every later one", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await context.route(standIn.issuer + PATHS.token, () => {});
  const sent = page.waitForRequest(standIn.issuer + PATHS.token);
  await page.evaluate(() => {
    const { handleCallback, getUser } = window.client;
    window.outstanding = [handleCallback(), getUser()].map((call) =>
      call.then(
        () => "resolved",
        ({ code }) => code,
      ),
    );
  });
  await sent;

  const seen = await page.evaluate(async () => {
    const { close, startLogin, handleCallback, getUser, preload, getSnapshot } = window.client;
    close();
    const later = [startLogin(), handleCallback(), getUser(), preload()].map((call) =>
      call.catch(({ code }) => code),
    );
    const { status, user } = getSnapshot();
    return {
      // At once, not when the request is given up.
      outstanding: await Promise.race([
        Promise.all(window.outstanding),
        new Promise((resolve) => setTimeout(resolve, 1000, "still waiting")),
      ]),
      later: await Promise.all(later),
      status,
      user,
    };
  });

  assert.deepEqual(seen, {
    outstanding: ["client_closed", "client_closed"],
    later: Array(4).fill("client_closed"),
    status: "signed-out",
    user: null,
  });
});

// ---- Where ClassLink may not take browsers ----

test("a sign-in is token_rejected with the status when the provider demands a secret", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { standIn: { publicClients: false } });
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia);

  assert.equal(error.code, "token_rejected");
  assert.equal(error.status, 401);
  assert.equal(error.retryable, false);
  assert.equal((await snapshot(page)).user, null);
});

test("a sign-in is network, and the message names CORS, when the provider sends no CORS headers", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { standIn: { cors: false } });
  await open(page);

  const { error } = await loginThroughUi(page, PEOPLE.pia);

  assert.equal(error.code, "network");
  assert.match(error.message, /CORS/);
  assert.equal((await snapshot(page)).user, null);
});

/** Gives the pending login of a page another verifier than its authorization request was made with. @param {Page} page */
async function replaceVerifier(page) {
  await page.evaluate((prefix) => {
    const [key] = Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
    const pending = JSON.parse(sessionStorage.getItem(key) ?? "");
    sessionStorage.setItem(key, JSON.stringify({ ...pending, verifier: "v".repeat(43) }));
  }, LOGIN_PREFIX);
}

test("a code whose verifier is another's is refused by a provider that checks PKCE", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await replaceVerifier(page);

  const { error } = await handleCallback(page);

  assert.equal(error.code, "token_rejected");
  assert.equal(error.status, 400);
});

test("a code whose verifier is another's is refused by the nonce if the provider ignores PKCE", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { standIn: { pkce: "ignored" } });
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await replaceVerifier(page);

  const { error } = await handleCallback(page);

  assert.equal(error.code, "id_token_invalid");
  assert.equal(error.reason, "nonce");
  assert.equal((await snapshot(page)).user, null);
});
