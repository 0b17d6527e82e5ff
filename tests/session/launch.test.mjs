/** Launches: the user who clicks a tile replaces the previous one, and a link alone replaces no user. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../support/browser.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  countRequests,
  handleCallback,
  ignoreNavigation,
  LOGIN_PREFIX,
  loginOverHttp,
  PATHS,
  PEOPLE,
  selectUser,
  sharedLoginApp,
  snapshot,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import { waitForStatus } from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** The launch page, with a query, whose client stays where it is: where it would go is on `window.left`. */
async function launched(t, query = "", options = {}) {
  const { page, context } = await browser.newPage(t);
  const world = await startLoginApp(t, { interceptNavigation: true, ...options });
  await world.open(page, `/launch${query}`);
  return {
    page,
    context,
    ...world,
    launch: (url) => callInPage(page, `client.handleLaunch(${url ?? ""})`),
  };
}

/** The authorization request that a launch went for. */
const request = async (page) =>
  Object.fromEntries(new URL(await page.evaluate("left")).searchParams);

/** Where the pending login leads. */
const returnTo = (page) =>
  page.evaluate((prefix) => {
    const key = Object.keys(sessionStorage).find((name) => name.startsWith(prefix));
    return JSON.parse(sessionStorage.getItem(key ?? "") ?? "").return_to;
  }, LOGIN_PREFIX);

// ---- handleLaunch ----

test("handleLaunch starts a login that leads home when the tile has no parameters", async (t) => {
  const { page, launch } = await launched(t);
  assert.equal((await launch())?.error, undefined);
  const { login_hint, prompt, client_id } = await request(page);
  assert.deepEqual([login_hint, prompt, client_id], [undefined, undefined, CLIENT_ID]);
  assert.equal(await returnTo(page), "/");
  assert.equal((await snapshot(page)).status, "redirecting");
});

test("handleLaunch leads to basePath when the tile names no target, or this page", async (t) => {
  const options = { config: { basePath: "/reading/" } };
  const { page, launch } = await launched(t, "", options);
  assert.equal((await launch())?.error, undefined);
  assert.equal(await returnTo(page), "/reading/");

  await page.evaluate("sessionStorage.clear()");
  assert.equal((await launch("'/launch?target_link_uri=/launch'"))?.error, undefined);
  assert.equal(await returnTo(page), "/reading/");

  await page.evaluate("sessionStorage.clear()");
  assert.equal((await launch("'/launch?target_link_uri=/classes'"))?.error, undefined);
  assert.equal(await returnTo(page), "/classes", "a path of the origin, whatever the base");
});

test("a restarted launch and a login from the callback page lead to basePath", async (t) => {
  const { page, open } = await launched(t, "", { config: { basePath: "/reading/" } });
  await open(page, "/callback?code=tile");
  assert.equal((await handleCallback(page)).status, "redirecting");
  assert.equal(await returnTo(page), "/reading/");

  await page.evaluate("sessionStorage.clear()");
  await callInPage(page, "client.startLogin()");
  assert.equal(await returnTo(page), "/reading/");
});

test("handleLaunch passes on a third party's login hint and target", async (t) => {
  const { page, launch, standIn, app } = await launched(t);
  const query = new URLSearchParams({
    iss: standIn.issuer,
    login_hint: "pia+1@school.example",
    target_link_uri: `${app.origin}/classes?period=2#today`,
  });
  assert.equal((await launch(JSON.stringify(`/launch?${query}`)))?.error, undefined);
  assert.equal((await request(page)).login_hint, "pia+1@school.example");
  assert.equal(await returnTo(page), "/classes?period=2#today");
});

for (const [name, iss] of [
  ["another", "https://evil.example"],
  ["one with a slash more", "same/"],
  ["an empty one", ""],
]) {
  test(`handleLaunch refuses an issuer that is ${name} with issuer_mismatch, and the page is not left`, async (t) => {
    const { page, launch, standIn } = await launched(t);
    const query = new URLSearchParams({ iss: iss === "same/" ? `${standIn.issuer}/` : iss });
    const { error } = await launch(JSON.stringify(`/launch?${query}`));
    assert.equal(error.code, "issuer_mismatch");
    assert.equal(await page.evaluate("window.left"), undefined);
    assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
  });
}

test("handleLaunch refuses a target of another origin with origin_not_allowed, however it is written", async (t) => {
  const { page, launch, app } = await launched(t);
  for (const target of [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    `${app.origin}.evil.example/`,
    `${app.origin}@evil.example/`,
    app.origin.replace("http:", "https:"),
    "javascript:alert(1)",
    "data:text/html,a",
    "http://[",
  ]) {
    const query = new URLSearchParams({ target_link_uri: target });
    const { error } = await launch(JSON.stringify(`/launch?${query}`));
    assert.equal(error?.code, "origin_not_allowed", target);
  }
  assert.equal(await page.evaluate("window.left"), undefined);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});

test("handleLaunch leads home when the target is the launch page itself", async (t) => {
  const { page, launch, app } = await launched(t);
  for (const target of ["/launch", `${app.launchUrl}?target_link_uri=/launch`, "/launch#a"]) {
    await page.evaluate(() => sessionStorage.clear());
    const query = new URLSearchParams({ target_link_uri: target });
    await launch(JSON.stringify(`/launch?${query}`));
    assert.equal(await returnTo(page), "/", target);
  }
});

test("handleLaunch refuses what is not a URL with config_invalid", async (t) => {
  const { launch } = await launched(t);
  assert.equal((await launch("'http://['")).error.code, "config_invalid");
});

browserTest("handleLaunch is refused inside a frame", async (t) => {
  const { page, open, standIn } = await launched(t);
  await open(page);
  await page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.src = "/launch";
    document.body.append(frame);
  });
  await page.waitForFunction("frames[0]?.client");
  const code = await page.evaluate("frames[0].client.handleLaunch().catch(({ code }) => code)");
  assert.equal(code, "launch_rejected");
  assert.deepEqual(standIn.requests, []);
});

test("a launch replaces the user who was signed in, from the first moment and in every tab", async (t) => {
  const { page, context, open, launch } = await launched(t);
  const other = await context.newPage();
  await open(other);
  for (const tab of [page, other]) await loginOverHttp(tab);

  await launch();
  assert.equal((await snapshot(page)).user, null);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  await page.goto(await page.evaluate("left"));
  await completeLogin(page, PEOPLE.tess);
  assert.equal((await handleCallback(page)).user.givenName, "Tess");
  await waitForStatus(other, "signed-out");
});

// ---- A tile that brings a code ----

/** Tess has clicked the tile, while Pia is signed in in another tab. */
async function tileBesidePia(t) {
  const { page: pia, context } = await browser.newPage(t);
  const world = await startLoginApp(t, { interceptNavigation: true });
  await world.open(pia);
  await loginOverHttp(pia);
  const tile = await context.newPage();
  const restarting = await startLoginApp(t);
  await tile.goto(`${restarting.app.redirectUri}?code=tile&response_type=code`);
  await waitForClient(tile);
  await ignoreNavigation(handleCallback(tile));
  await tile.waitForURL((url) => url.origin === world.standIn.issuer);
  return { pia, tile, ...world };
}

test("a tile's restart leaves the other tabs alone until its user is known", async (t) => {
  const { pia, tile } = await tileBesidePia(t);
  await pause(300);
  assert.equal((await snapshot(pia)).user.givenName, "Pia");

  await completeLogin(tile, PEOPLE.tess);
  assert.equal((await handleCallback(tile)).user.givenName, "Tess");

  await waitForStatus(pia, "signed-out");
});

test("a tile's restart by the same user changes nothing in the other tabs", async (t) => {
  const { pia, tile } = await tileBesidePia(t);
  await completeLogin(tile, PEOPLE.pia);
  assert.equal((await handleCallback(tile)).user.givenName, "Pia");
  await pause(300);
  assert.equal((await snapshot(pia)).user.givenName, "Pia");
});

test("a tile's restart that fails signs out the user before", async (t) => {
  const { pia, tile, standIn } = await tileBesidePia(t);
  standIn.fail("token", { status: 400, body: { error: "invalid_grant" } });
  await completeLogin(tile, PEOPLE.tess);
  assert.equal((await handleCallback(tile)).error.code, "token_rejected");
  await waitForStatus(pia, "signed-out");
});

test("a link to the callback page without a response signs no user out", async (t) => {
  const { pia, tile, app } = await tileBesidePia(t);
  for (const query of [
    "?code=a&state=b",
    "?error=access_denied",
    "?error=access_denied&state=b",
    "?code=a&error=b",
    "?code=",
    "",
  ]) {
    await tile.goto(app.redirectUri + query);
    await waitForClient(tile);
    assert.ok((await handleCallback(tile)).error, query);
  }
  // A code without a state goes for a login, which the test does not answer.
  await tile.goto(`${app.redirectUri}?code=a`);
  await waitForClient(tile);
  await ignoreNavigation(handleCallback(tile));
  await pause(300);
  assert.equal((await snapshot(pia)).user.givenName, "Pia");
});

test("the next user's tile shows nothing of the user before", async (t) => {
  const { page } = await browser.newPage(t);
  const { standIn } = await startLoginApp(t);
  for (const [person, name] of /** @type {const} */ ([
    [PEOPLE.pia, "Pia"],
    [PEOPLE.nils, "Nils"],
  ])) {
    await page.goto(standIn.launchPadUrl);
    const switching = page.getByTestId("launchpad-switch");
    if (await switching.isVisible()) await switching.click();
    else await page.getByTestId("launchpad-sign-in").click();
    await selectUser(page, person);
    await page.getByTestId(`tile-${CLIENT_ID}`).click();
    await waitForCallback(page);
    await ignoreNavigation(handleCallback(page));
    await page.waitForURL("**/callback?*state=*");
    await waitForClient(page);
    assert.equal((await handleCallback(page)).user.givenName, name);
  }
  assert.equal(countRequests(standIn, PATHS.token), 2);
});
