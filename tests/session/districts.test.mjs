/** One registration per district, and several issuers: no answer is taken for another's. */

import assert from "node:assert/strict";
import { startStandIn } from "../../www/stand-in/index.js";
import { bodyOf, sharedBrowser } from "../support/browser.mjs";
import {
  CLIENT_ID,
  callInPage,
  countRequests,
  handleCallback,
  loginOverHttp,
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
import { present } from "../support/present.mjs";
import { accessToken, advanceClocks, claimsOf, installClockOffsets } from "../support/session.mjs";
import { HttpUserAgent } from "../support/stand-in.mjs";
import { test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const RENEWING = { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 };
const startLoginApp = sharedLoginApp({}, RENEWING);

/** An application with a registration for district 3391, and one for all others. */
const DISTRICTS = `(district) => {
  (window.districts ??= []).push(district);
  return { ...settings, clientId: district === "3391" ? "${OTHER_CLIENT_ID}" : settings.clientId };
}`;

test("a district's session is renewed and ended with that district's registration", async (t) => {
  const { page, context, requests } = await browser.newPage(t);
  await installClockOffsets(context);
  const { open, standIn } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: DISTRICTS,
  });
  await open(page);
  const result = await loginOverHttp(page, PEOPLE.paul, { district: "3391" });
  assert.equal(result.district, "3391");
  assert.equal(claimsOf(await callInPage(page, "client.getIdToken()")).aud, OTHER_CLIENT_ID);

  await advanceClocks(page, 301);
  assert.equal(typeof (await accessToken(page)), "string");

  const bodies = await Promise.all(
    requests.filter((request) => request.url().endsWith(PATHS.token)).map(bodyOf),
  );
  const clients = bodies.map((body) => new URLSearchParams(body).get("client_id"));
  assert.deepEqual(clients, [OTHER_CLIENT_ID, OTHER_CLIENT_ID]);
  assert.equal(countRequests(standIn, PATHS.token), 2);
  await callInPage(page, "client.logout()");
  await loginOverHttp(page, PEOPLE.pia);
  assert.equal(claimsOf(await callInPage(page, "client.getIdToken()")).aud, CLIENT_ID);
});

test("signing out in one tab reaches the tabs of the same district", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: DISTRICTS,
  });
  const other = await context.newPage();
  for (const tab of [page, other]) {
    await open(tab);
    await loginOverHttp(tab, PEOPLE.paul, { district: "3391" });
  }
  await callInPage(other, "client.logout()");
  await page.waitForFunction(() => window.client.getSnapshot().status === "signed-out");
  assert.equal((await snapshot(page)).user, null);
});

test("a configuration function that throws is config_invalid with its cause, and is called again", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: `(district) => {
      if (!window.works) throw new Error("no such district");
      return settings;
    }`,
  });
  await open(page);
  const { error } = await callInPage(page, 'client.startLogin({ district: "1" })');
  assert.equal(error.code, "config_invalid");
  assert.deepEqual(
    await callInPage(page, "client.logout()").then(({ error }) => error.code),
    "config_invalid",
  );
  await page.evaluate("window.works = true");
  assert.equal((await loginOverHttp(page)).user.givenName, "Pia");
});

// ---- Two clients, two issuers ----

/** A page with two clients: `client` of one issuer, and `second` of another. */
async function twoIssuers(t, options = {}) {
  const { page, requests } = await browser.newPage(t);
  const app = await startLoginApp(t, { standIn: options });
  const evil = await startStandIn({
    consent: "never",
    ...options,
    clients: [{ clientId: CLIENT_ID, redirectUris: [app.app.redirectUri] }],
  });
  t.after(() => evil.close());
  const configure = `(() => {
    window.second = createClient({
      ...settings,
      issuer: ${JSON.stringify(evil.issuer)},
      metadata: ${JSON.stringify({
        ...evil.endpoints,
        authorization_response_iss_parameter_supported: options.issParameter ?? false,
      })},
    });
    settings.metadata.authorization_response_iss_parameter_supported = ${options.issParameter ?? false};
    return settings;
  })()`;
  const both = await startLoginAppWith(app, configure);
  return { page, requests, evil, ...app, ...both };
}

/** Gives the application of `startLoginApp` a script that makes another client. */
async function startLoginAppWith({ answers, settings }, configure) {
  answers.script = `
    import { createClient } from "/pkg/index.js";
    window.events = [];
    const settings = { ...${JSON.stringify(settings)}, navigate: (url) => { window.left = url; } };
    window.client = createClient(${configure});
  `;
  return {};
}

test("two clients on one page sign in side by side, each with its own issuer", async (t) => {
  const { page, open, evil, standIn } = await twoIssuers(t);
  await open(page);
  await loginOverHttp(page);
  await page.evaluate("second.startLogin()");
  const { callback } = await new HttpUserAgent().arrive(await page.evaluate("left"), PEOPLE.tess);
  const { user } = await callInPage(
    page,
    `second.handleCallback(${JSON.stringify(callback.href)})`,
  );
  assert.equal(user.id, `${evil.issuer}|${PEOPLE.tess.sub}`);
  assert.equal((await snapshot(page)).user.id, `${standIn.issuer}|${PEOPLE.pia.sub}`);
  assert.notEqual(await accessToken(page), await callInPage(page, "second.getAccessToken()"));
});

test("one client's authorization response is state_unknown to another, which leaves it alone", async (t) => {
  const { page, open } = await twoIssuers(t);
  await open(page);
  await page.evaluate("client.startLogin()");
  const { callback } = await new HttpUserAgent().arrive(await page.evaluate("left"));
  const url = JSON.stringify(callback.href);
  assert.equal(
    (await callInPage(page, `second.handleCallback(${url})`)).error.code,
    "state_unknown",
  );
  assert.equal((await pendingLogins(page)).length, 1);
  assert.equal((await handleCallback(page, callback.href)).status, "signed-in");
});

test("an issuer that sends another's code as its own gets neither code nor verifier (RFC 9207)", async (t) => {
  const { page, open, standIn, evil, requests } = await twoIssuers(t, { issParameter: true });
  await open(page);
  // The user chose the evil issuer, which sent them on to the honest one with its own state.
  await page.evaluate("second.startLogin()");
  const theirs = new URL(await page.evaluate("left"));
  const onward = new URL(standIn.endpoints.authorization_endpoint);
  onward.search = theirs.search;
  const { callback } = await new HttpUserAgent().arrive(onward.href);
  assert.equal(callback.searchParams.get("iss"), standIn.issuer);

  const url = JSON.stringify(callback.href);
  const { error } = await callInPage(page, `second.handleCallback(${url})`);

  assert.equal(error.code, "issuer_mismatch");
  assert.equal(countRequests(evil, PATHS.token), 0);
  assert.equal(countRequests(standIn, PATHS.token), 0);
  const code = callback.searchParams.get("code");
  for (const body of await Promise.all(requests.map(bodyOf)))
    assert.ok(!body.includes(present(code)));
  assert.equal(await callInPage(page, "second.getUser()"), null);

  // Without the parameter that the metadata promises, it is refused as well.
  callback.searchParams.delete("iss");
  const stripped = JSON.stringify(callback.href);
  const again = await callInPage(page, `second.handleCallback(${stripped})`);
  assert.equal(again.error.code, "issuer_mismatch");
  assert.equal(countRequests(evil, PATHS.token), 0);
});

// ---- More scope, later ----

test("the snapshot has the granted scope after a second login by redirect that requests more", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  for (const scope of ["openid profile", "openid profile email oneroster"]) {
    await startLogin(page, { scope });
    if (scope === "openid profile") await selectUser(page, PEOPLE.pia);
    await waitForCallback(page);
    await handleCallback(page);
    assert.deepEqual((await snapshot(page)).scope, scope.split(" "));
    await page.evaluate(() => history.replaceState(null, "", "/"));
    await waitForClient(page);
  }
});
