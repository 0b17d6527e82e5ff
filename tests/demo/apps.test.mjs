/** The demo, as `npm run demo` starts it: what a user sees who tries what it prints. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sharedBrowser } from "../support/browser.mjs";
import { startDemo } from "../support/demo.mjs";
import { NO_SECURE_COOKIE, skipIn } from "../support/engine.mjs";
import { PEOPLE, selectUser } from "../support/login.mjs";

const browser = sharedBrowser();
/** @type {import("../support/demo.mjs").Demo} */
let demo;
/** @type {import("../support/demo.mjs").Demo} */
let direct;
before(async () => {
  // Asked every time, so that no test depends on another's answer.
  demo = await startDemo(["--consent", "always"]);
  // One after the other: both build what is missing.
  const flags = ["--direct", "--end-session", "--token-lifetime", "60", "--consent", "never"];
  direct = await startDemo(flags);
});
after(() => Promise.all([demo?.close(), direct?.close()]));

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const press = (page, name) => page.getByRole("button", { name }).click();
const allow = (page) => page.getByTestId("consent-allow").click();

/** Signs in from the home page of a demo. */
async function signIn(page, { app }, person) {
  await page.goto(app);
  await press(page, "Sign in with ClassLink");
  await selectUser(page, person);
}

/** Opens LaunchPad and signs in there. */
async function openLaunchPad(page, person) {
  await page.goto(demo.launchPad);
  await page.getByTestId("launchpad-sign-in").click();
  await selectUser(page, person);
  await page.getByTestId("launchpad-person").waitFor();
}

test("a link into the demo leads to ClassLink, and back to the list that it names", async (t) => {
  const { page, errors } = await browser.newPage(t);
  await page.goto(`${demo.app}/shelf?subject=english`);
  await selectUser(page, PEOPLE.pia);
  await allow(page);

  await heading(page, "English");
  assert.equal(page.url(), `${demo.app}/shelf?subject=english`);
  await page.getByText("Signed in as Pia Pupil").waitFor();
  await page.getByText("The Secret Garden").waitFor();
  assert.deepEqual(errors, []);
});

test("the demo's sign-in button leads from the home page to the user's profile", async (t) => {
  const { page, errors, console: lines } = await browser.newPage(t);
  await page.goto(demo.app);
  await heading(page, "Your class library, in one place");
  await press(page, "Sign in with ClassLink");
  await selectUser(page, PEOPLE.pia);
  await allow(page);

  await heading(page, "Welcome, Pia");
  assert.equal(page.url(), `${demo.app}/`);
  await page.getByText("Saved for Pia Pupil").waitFor();
  const profile = page.getByRole("region", { name: "Your profile" });
  for (const text of ["Pia Pupil", "Student", "Sample Creek Unified"]) {
    await profile.getByText(text, { exact: true }).waitFor();
  }
  assert.deepEqual(errors, []);
  assert.deepEqual(
    lines.filter((line) => /^(error|warning):/.test(line)),
    [],
  );
});

test("a tile that brings a code signs in, by a login of the demo's own", async (t) => {
  const { page, requests } = await browser.newPage(t);
  await openLaunchPad(page, PEOPLE.tess);
  await page.getByTestId(/^tile-/).click();
  // Consent to the tile's own request, and then to the app's.
  await allow(page);
  await page.waitForURL("**/consent/*state=*");
  await allow(page);

  await heading(page, "Welcome, Tess");
  const exchanges = requests.filter((request) =>
    request.url().startsWith(`${demo.app}/auth/token?`),
  );
  assert.equal(exchanges.length, 1);
});

test("a tile that opens the demo starts a login, which leads to the shelf", async (t) => {
  const { page } = await browser.newPage(t);
  await openLaunchPad(page, PEOPLE.tess);
  await page.getByTestId(/^launch-tile-/).click();
  await allow(page);

  await heading(page, "All subjects");
  assert.equal(page.url(), `${demo.app}/shelf`);
  await page.getByText("What you have set for your classes.").waitFor();
});

/** Presses the button, and refuses the consent at the stand-in. */
async function refuseConsent(page) {
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await selectUser(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();
  await heading(page, "We couldn’t sign you in");
}

test("the demo shows a refusal in plain words, with a support code and another try", async (t) => {
  const { page } = await browser.newPage(t);
  await refuseConsent(page);
  assert.equal(page.url(), `${demo.app}/callback`);
  assert.match(await page.getByRole("alert").innerText(), /choose to allow it/);
  const supportCode = await page.locator("#support-code").innerText();
  assert.match(supportCode, /^[0-9A-HJKMNP-TV-Z]{8}$/);
  const failed = page.getByRole("row", { name: "login.failed" });
  assert.equal(await failed.count(), 0, "developers' things are behind a closed panel");
  await page.getByText("For developers and the help desk").click();
  assert.ok((await failed.innerText()).includes(supportCode), "the events carry the same code");
  assert.ok(!(await page.locator("body").innerText()).includes("The user refused"));

  await press(page, "Try again");
  await allow(page);
  await heading(page, "Welcome, Pia");
});

test("the demo goes home without an error when its callback page is reloaded", async (t) => {
  const { page } = await browser.newPage(t);
  await refuseConsent(page);

  await page.reload();

  await heading(page, "Your class library, in one place");
  assert.equal(page.url(), `${demo.app}/`);
});

test("the back button after a sign-in leads neither to the callback page nor to another login", async (t) => {
  const { page, requests } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await selectUser(page, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");
  await page.getByRole("link", { name: "Open your shelf" }).click();
  await heading(page, "All subjects");
  const before = requests.length;

  await page.goBack();

  await heading(page, "Welcome, Pia");
  assert.equal(page.url(), `${demo.app}/`);
  assert.ok(requests.slice(before).every((request) => !request.url().includes("/oauth2/")));
});

test("the back button on ClassLink's page leads to a sign-in button that works", async (t) => {
  const { page } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await page.getByTestId("district-2284").waitFor();

  await page.goBack();

  await heading(page, "Your class library, in one place");
  await press(page, "Sign in with ClassLink");
  await selectUser(page, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");
});

test("a reload keeps the user signed in, with nothing in the browser's storage", async (t) => {
  if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
  const { page, requests } = await browser.newPage(t);
  await signIn(page, demo, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");
  const before = requests.length;

  await page.reload();

  await heading(page, "Welcome, Pia");
  const kept = await page.evaluate(() => [
    { ...localStorage },
    { ...sessionStorage },
    document.cookie,
  ]);
  assert.deepEqual(kept, [{}, {}, ""]);
  assert.ok(requests.slice(before).every((request) => !request.url().includes("/oauth2/")));
});

test("a sign-out shows that ClassLink's session remains, and reaches the other tab", async (t) => {
  if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
  const { page, context } = await browser.newPage(t);
  await signIn(page, demo, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");
  const other = await context.newPage();
  await other.goto(`${demo.app}/shelf`);
  await heading(other, "All subjects");

  await press(page, "Sign out");

  await heading(page, "You are signed out of the Reading Room");
  await page.getByRole("heading", { name: "You may still be signed in at ClassLink" }).waitFor();
  await heading(other, "You are signed out");
  assert.match(await other.getByRole("alert").innerText(), /another tab/);
  assert.ok(!(await other.locator("body").innerText()).includes("Pia"));

  await page.goto(demo.app);
  await heading(page, "Your class library, in one place");
  // ClassLink does know the user still.
  await press(page, "Sign in with ClassLink");
  await page.waitForURL("**/consent/**");
});

test("the demo asks whether the user is active before the session ends, and signs out without a response", async (t) => {
  if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
  const { page, context } = await browser.newPage(t);
  await context.clock.install();
  await signIn(page, demo, PEOPLE.tess);
  await allow(page);
  await heading(page, "Welcome, Tess");
  await page.getByRole("link", { name: "Open your shelf" }).click();
  await heading(page, "All subjects");
  const dialog = page.getByRole("alertdialog", { name: "Still there?" });
  const minutes = (count) => context.clock.fastForward(count * 60_000);

  await minutes(29.1);
  await dialog.getByText(/^\d+ seconds? left$/).waitFor();
  await dialog.getByRole("button", { name: "I’m still here" }).click();
  await dialog.waitFor({ state: "hidden" });
  await minutes(2);
  await heading(page, "All subjects");

  await minutes(27.1);
  await dialog.waitFor();
  const focused = page.locator(":focus");
  assert.equal(await focused.innerText(), "I’m still here");
  await minutes(1);
  await heading(page, "You are signed out");
  assert.match(await page.getByRole("alert").innerText(), /time ran out/);
  assert.equal(await focused.innerText(), "You are signed out");
});

test("the sign-in button opens a popup inside a frame", async (t) => {
  const { page, context } = await browser.newPage(t);
  await page.goto(`${demo.app}/classroom.html`);
  const app = page.frameLocator("iframe");
  const button = app.getByRole("button", { name: "Sign in with ClassLink" });

  const [popup] = await Promise.all([context.waitForEvent("page"), button.click()]);
  await selectUser(popup, PEOPLE.pia);
  await allow(popup);

  await app.getByRole("heading", { level: 1, name: "All subjects" }).waitFor();
  if (!popup.isClosed()) await popup.waitForEvent("close");
});

test("the help desk's page shows each check with its name, result and remedy, and copies all as text", async (t) => {
  if (skipIn(t, { webkit: "its driver can't let a page read the clipboard" })) return;
  const { page, context } = await browser.newPage(t);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${demo.app}/help-desk`);

  await page.getByText("Nothing here stands in the way of signing in.").waitFor();
  const gateway = page.getByRole("listitem").filter({ hasText: "The gateway answers." });
  assert.match(await gateway.innerText(), /^OK\s+Gateway\s/);
  await press(page, "Copy as text");
  await page.getByText("Copied.").waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^OK: Gateway \(gateway\)\. The gateway answers\.$/m);
  assert.match(text, /^Last error: none/m);
});

test("the demo's terminal shows a line for each request of the gateway, and no secret", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const before = demo.lines.length;
  await signIn(page, demo, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");

  const lines = demo.lines.slice(before);
  assert.ok(lines.some((line) => /^ {2}gateway {2}token 200 · session sealed · \d+ ms/.test(line)));
  const urls = requests.map((request) => new URL(request.url()));
  const callback = urls.find((url) => url.pathname === "/callback" && url.searchParams.has("code"));
  const printed = demo.lines.join("\n");
  for (const secret of [callback?.searchParams.get("code"), "Pia", PEOPLE.pia.sub]) {
    assert.ok(secret && !printed.includes(secret), "not in the terminal");
  }
});

test("the Vue demo signs in, shows the user, stays over a reload, and signs out", async (t) => {
  if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
  const { page, errors } = await browser.newPage(t);
  await page.goto(`${demo.app}/vue/`);
  await press(page, "Sign in with ClassLink");
  await selectUser(page, PEOPLE.pia);
  await allow(page);

  await heading(page, "Who am I?");
  assert.equal(page.url(), `${demo.app}/vue/profile`);
  const profile = page.getByRole("region", { name: "Your profile" });
  await profile.getByText("Pia Pupil", { exact: true }).waitFor();
  await page.reload();
  await profile.getByText("Sample Creek Unified", { exact: true }).waitFor();

  await press(page, "Sign out");
  await page.getByText("You may still be signed in at ClassLink").waitFor();
  assert.ok(!(await page.locator("body").innerText()).includes("Pia"));
  assert.deepEqual(errors, []);
});

test("a user who signs in in one demo is signed in in the other", async (t) => {
  const { page } = await browser.newPage(t);
  await signIn(page, demo, PEOPLE.tess);
  await allow(page);
  await heading(page, "Welcome, Tess");

  await page.goto(`${demo.app}/vue/profile`);

  await page.getByText("Signed in as Tess Teacher").waitFor();
});

test("the demo without a gateway signs in by itself, and again after a reload", async (t) => {
  const { page, requests } = await browser.newPage(t);
  await signIn(page, direct, PEOPLE.pia);
  await heading(page, "Welcome, Pia");
  await page.getByText("Saved for Pia Pupil").waitFor();
  assert.ok(requests.some((request) => request.url().endsWith("/oauth2/v2/token")));
  assert.ok(requests.every((request) => !request.url().startsWith(`${direct.app}/auth/`)));

  await page.reload();

  await heading(page, "Your class library, in one place");
});

test("a sign-out ends ClassLink's session when it has an end-session endpoint", async (t) => {
  const { page } = await browser.newPage(t);
  await signIn(page, direct, PEOPLE.pia);
  await heading(page, "Welcome, Pia");

  await press(page, "Sign out");

  await page.waitForURL(`${direct.app}/signed-out`);
  await heading(page, "You are signed out of the Reading Room");
  assert.equal(await page.getByText("You may still be signed in").count(), 0);
  await press(page, "Sign in again");
  await page.getByTestId("district-2284").waitFor();
});

test("the demo ends with Ctrl-C", async () => {
  assert.equal(await demo.close(), 0);
});
