/** The developer's panel: what it shows of a client, what its buttons do, and that everyone can use it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/run.mjs";
import { startApp } from "../support/app.mjs";
import { sharedBrowser } from "../support/browser.mjs";
import { loginThroughUi, PEOPLE, sharedLoginApp } from "../support/login.mjs";

/** @import { Page } from "playwright-core" */

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();
const AXE = join(root, "node_modules/axe-core/axe.min.js");

/** As docs/csp.md has it, without a word for inline styles; the test's own script is inline. */
const POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self'; style-src 'self'";

/**
 * Opens a page with a test client and the panel.
 *
 * @param {import("node:test").TestContext} t
 * @param {object} [options] the test client's
 * @param {Parameters<typeof browser.newPage>[1]} [context]
 */
async function openWithTestClient(t, options = {}, context = {}) {
  const app = await startApp(t, {
    headers: { "Content-Security-Policy": POLICY },
    script: `
      import { mountDevtools } from "/pkg/devtools.js";
      import { createTestClient } from "/pkg/testing.js";
      window.client = createTestClient(${JSON.stringify(options)});
      document.documentElement.lang = "en";
      document.title = "My classes";
      window.panel = mountDevtools(client, { isOpen: true });
    `,
  });
  const watched = await browser.newPage(t, context);
  await watched.page.goto(app.origin);
  await panel(watched.page).waitFor();
  return { ...app, ...watched };
}

/** Puts the panel on a page of the login application. */
const MOUNT = `import("/pkg/devtools.js").then(({ mountDevtools }) => {
  window.panel = mountDevtools(client, { events, isOpen: true });
})`;

/** @param {Page} page */
const panel = (page) => page.getByRole("region", { name: "ClassLink developer panel" });

/** @param {Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** A row of a table. @param {Page} page @param {string} name */
const row = (page, name) =>
  page.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) });

test("the devtools panel shows state, claims and lifetimes of a real session, and no token", async (t) => {
  const { open } = await startLoginApp(t);
  const { page, errors } = await browser.newPage(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  await page.evaluate(MOUNT);
  await row(page, "user.name").getByText("Pia Pupil").waitFor();
  await row(page, "status").getByText("signed-in").waitFor();
  await row(page, "expires")
    .getByText(/^in (?:1 d|23 h 59 min)$/)
    .waitFor();
  await row(page, "classLink_tenant_id").getByText("2284").waitFor();
  // From before the panel was loaded.
  await panel(page).getByRole("listitem").filter({ hasText: "login.succeeded" }).waitFor();

  const shown = await panel(page).innerText();
  const [idToken, accessToken] = await page.evaluate(
    "Promise.all([client.getIdToken(), client.getAccessToken()])",
  );
  for (const token of [idToken, accessToken, ...idToken.split(".")]) {
    assert.ok(!shown.includes(token));
  }
  assert.deepEqual(errors, []);
});

test("the devtools panel follows the client's state and its events", async (t) => {
  const { page } = await openWithTestClient(t, { user: { givenName: "Ada" } });
  await row(page, "status").getByText("signed-in").waitFor();
  await page.evaluate("client.emit({ type: 'token.renewed', supportCode: 'ABCD2345' })");
  await panel(page).getByRole("listitem").filter({ hasText: "token.renewed ABCD2345" }).waitFor();
  await page.evaluate(
    "client.setError({ code: 'id_token_invalid', reason: 'expired', clockOffset: 7200 })",
  );
  await row(page, "error").getByText("id_token_invalid (expired)").waitFor();
  await row(page, "device's clock").getByText("2 h fast").waitFor();
});

test("the devtools panel ends a test client's session, and acts as another tab", async (t) => {
  const { page } = await openWithTestClient(t, { user: { givenName: "Ada" } });
  await press(page, "Play: another tab signs another user in");
  await row(page, "user.role").getByText("teacher").waitFor();
  await press(page, "Play: the session expires now");
  await row(page, "error").getByText("session_expired").waitFor();
  await panel(page).getByRole("listitem").filter({ hasText: "session.expired" }).waitFor();
});

test("the devtools panel ends a real session, and says so if there is none", async (t) => {
  const { open } = await startLoginApp(t);
  const { page, errors } = await browser.newPage(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  await page.evaluate(MOUNT);
  await press(page, "Expire now, in every tab");
  await row(page, "error").getByText("session_expired").waitFor();
  await panel(page).getByRole("listitem").filter({ hasText: "session.expired" }).waitFor();
  await press(page, "Expire now, in every tab");
  await panel(page).getByRole("status").getByText("No user is signed in.").waitFor();
  assert.deepEqual(errors, []);
});

for (const name of ["sign out", "another user signs in"]) {
  test(`the devtools panel acts as another tab of a real session: ${name}`, async (t) => {
    const { open } = await startLoginApp(t);
    const { page, errors } = await browser.newPage(t);
    await open(page);
    await loginThroughUi(page, PEOPLE.pia);
    await page.evaluate(MOUNT);
    await press(page, `Act as another tab: ${name}`);
    // Without a gateway a user who signs in elsewhere is not shown here.
    await row(page, "status").getByText("signed-out").waitFor();
    await row(page, "user.id").waitFor({ state: "detached" });
    assert.deepEqual(errors, []);
  });
}

test("the devtools panel shows why a call failed", async (t) => {
  const { page } = await openWithTestClient(t);
  await page.evaluate("client.failNext('getAccessToken', 'renewal_unavailable')");
  await press(page, "Renew the access token");
  await panel(page)
    .getByRole("status")
    .getByText(/^renewal_unavailable: /)
    .waitFor();
});

test("the devtools panel lists the other tabs that have one, and signs out there", async (t) => {
  const { page, context, origin } = await openWithTestClient(t, { user: { givenName: "Ada" } });
  const other = await context.newPage();
  await other.goto(origin);
  await panel(page).getByText("My classes: signed-in").waitFor();
  await press(page, "Sign out in “My classes”");
  await row(other, "status").getByText("signed-out").waitFor();
  await panel(page).getByText("My classes: signed-out").waitFor();
  await other.evaluate("panel.close()");
  await panel(page).getByText("No other tab of this origin has a panel.").waitFor();
});

test("the devtools panel removes itself and its listeners when it is closed", async (t) => {
  const { page } = await openWithTestClient(t);
  await page.evaluate("panel.close()");
  await panel(page).waitFor({ state: "detached" });
  await page.evaluate("client.signIn()");
  assert.equal(await page.locator("[data-classlink-devtools]").count(), 0);
});

test("the devtools panel opens, is read and closes by keyboard", async (t) => {
  const { page } = await openWithTestClient(t);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await panel(page).waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await panel(page).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("client.calls.startLogin.length"), 1);
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`the devtools panel has no violation that axe-core finds, ${colorScheme}`, async (t) => {
    const { page, errors } = await openWithTestClient(
      t,
      { user: { givenName: "Ada" } },
      { colorScheme, bypassCSP: true },
    );
    await page.evaluate("client.emit('token.renewed')");
    await press(page, "Diagnose");
    await page.addScriptTag({ path: AXE });
    const violations = await page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (window).axe.run("[data-classlink-devtools]");
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    });
    assert.deepEqual(violations, []);
    assert.deepEqual(errors, []);
  });
}
