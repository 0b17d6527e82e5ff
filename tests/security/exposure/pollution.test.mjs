/** A polluted `Object.prototype`: its members do not configure anything. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedBrowser } from "../../support/browser.mjs";
import { skipIn } from "../../support/engine.mjs";
import { callInPage, loginOverHttp, PEOPLE, sharedLoginApp } from "../../support/login.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

const EVIL = "https://evil.example";

/**
 * Members that a careless merge of foreign JSON may leave in `Object.prototype`: fields of the configuration, of a session and of a login. Not
 * among them are those that `fetch` itself reads, such as `mode`: with them no page can fetch anything.
 */
const POLLUTION = {
  gateway: `${EVIL}/auth`,
  wasmUrl: `${EVIL}/evil.wasm`,
  restore: "iframe",
  issuer: EVIL,
  authorization_endpoint: `${EVIL}/authorize`,
  token_endpoint: `${EVIL}/token`,
  jwks_uri: `${EVIL}/keys`,
  apiOrigins: [EVIL],
  allowedTenants: ["666"],
  returnTo: "/evil",
  extraParams: { evil: "1" },
  postLogoutRedirectUri: `${EVIL}/bye`,
};

test("a sign-in reads no member of a polluted Object.prototype", async (t) => {
  if (skipIn(t, { webkit: "its driver asks the page by scripts, which trip over such members" }))
    return;
  const { page, context, requests } = await browser.newPage(t);
  await context.addInitScript((members) => Object.assign(Object.prototype, members), POLLUTION);
  const { open, app, standIn } = await startLoginApp(t, { interceptNavigation: true });
  await open(page);

  const { user, returnTo } = await loginOverHttp(page, PEOPLE.pia);
  const refused = await callInPage(page, `client.fetch("${EVIL}/api")`);
  const { sessionEnded } = await callInPage(page, "client.logout()");

  assert.equal(user.name, "Pia Pupil");
  assert.equal(returnTo, "/");
  assert.equal(refused.error.code, "origin_not_allowed");
  assert.equal(sessionEnded, true);
  assert.doesNotMatch(await page.evaluate("left"), /evil/);
  const asked = new Set(requests.map((request) => new URL(request.url()).origin));
  assert.deepEqual([...asked].sort(), [app.origin, standIn.issuer].sort());
});
