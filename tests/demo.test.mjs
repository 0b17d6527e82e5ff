/** The demo, as `npm run demo` starts it: what a person sees who tries what it prints. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sharedBrowser } from "./support/browser.mjs";
import { startDemo } from "./support/demo.mjs";
import { choose, PEOPLE } from "./support/login.mjs";

const browser = sharedBrowser();
/** @type {import("./support/demo.mjs").Demo} */
let demo;
before(async () => {
  // Asked every time, so that no test depends on another's answer.
  demo = await startDemo(["--consent", "always"]);
});
after(() => demo?.close());

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const press = (page, name) => page.getByRole("button", { name }).click();
const allow = (page) => page.getByTestId("consent-allow").click();

/** Opens LaunchPad and signs in there. */
async function openLaunchPad(page, person) {
  await page.goto(demo.launchPad);
  await page.getByTestId("launchpad-sign-in").click();
  await choose(page, person);
  await page.getByTestId("launchpad-person").waitFor();
}

test("by button: from the shelf to ClassLink and back to the very list that was asked for", async (t) => {
  const { page, errors } = await browser.newPage(t);
  await page.goto(`${demo.app}/shelf?subject=english`);
  await heading(page, "Please sign in");
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
  await allow(page);

  await heading(page, "English");
  assert.equal(page.url(), `${demo.app}/shelf?subject=english`);
  await page.getByText("Signed in as Pia Pupil").waitFor();
  await page.getByText("The Secret Garden").waitFor();
  assert.deepEqual(errors, []);
});

test("by button: from the home page to one's own profile", async (t) => {
  const { page, errors, console: lines } = await browser.newPage(t);
  await page.goto(demo.app);
  await heading(page, "Your class library, in one place");
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
  await allow(page);

  await heading(page, "Welcome, Pia");
  assert.equal(page.url(), `${demo.app}/`);
  const profile = page.getByRole("region", { name: "Your profile" });
  for (const text of ["Pia Pupil", "Student", "Sample Creek Unified", "2284/5678_S-1001"]) {
    await profile.getByText(text, { exact: true }).waitFor();
  }
  assert.deepEqual(errors, []);
  assert.deepEqual(
    lines.filter((line) => /^(error|warning):/.test(line)),
    [],
  );
});

test("by a tile that brings a code: signed in, by a login of the app's own", async (t) => {
  const { page, requests } = await browser.newPage(t);
  await openLaunchPad(page, PEOPLE.tess);
  await page.getByTestId(/^tile-/).click();
  // Consent to the tile's own request, and then to the app's.
  await allow(page);
  await page.waitForURL("**/consent/*state=*");
  await allow(page);

  await heading(page, "Welcome, Tess");
  const exchanges = requests.filter((request) => request.url().endsWith("/oauth2/v2/token"));
  assert.equal(exchanges.length, 1);
});

test("by a tile that opens the app: the app starts the login and shows the shelf", async (t) => {
  const { page } = await browser.newPage(t);
  await openLaunchPad(page, PEOPLE.tess);
  await page.getByTestId(/^launch-tile-/).click();
  await allow(page);

  await heading(page, "All subjects");
  assert.equal(page.url(), `${demo.app}/shelf`);
  await page.getByText("What you have set for your classes.").waitFor();
});

test("a refusal is told in plain words, with a support code, and may be tried again", async (t) => {
  const { page } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();

  await heading(page, "We couldn’t sign you in");
  assert.equal(page.url(), `${demo.app}/callback`);
  assert.match(await page.getByRole("alert").innerText(), /permission/);
  const supportCode = await page.locator("#support-code").innerText();
  assert.match(supportCode, /^[0-9A-HJKMNP-TV-Z]{8}$/);
  const failed = page.getByRole("row", { name: "login.failed" });
  assert.ok((await failed.innerText()).includes(supportCode), "the events carry the same code");
  assert.ok(!(await page.locator("body").innerText()).includes("The user refused"));

  await press(page, "Try again");
  await allow(page);
  await heading(page, "Welcome, Pia");
});

test("reloading the callback page goes home, without an error", async (t) => {
  const { page } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
  await page.getByTestId("consent-refuse").click();
  await heading(page, "We couldn’t sign you in");

  await page.reload();

  await heading(page, "Your class library, in one place");
  assert.equal(page.url(), `${demo.app}/`);
});

test("back after the sign-in doesn't lead to the callback page, nor to another login", async (t) => {
  const { page, requests } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
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

test("back from ClassLink's page leaves the button ready for another try", async (t) => {
  const { page } = await browser.newPage(t);
  await page.goto(demo.app);
  await press(page, "Sign in with ClassLink");
  await page.getByTestId("district-2284").waitFor();

  await page.goBack();

  await heading(page, "Your class library, in one place");
  await press(page, "Sign in with ClassLink");
  await choose(page, PEOPLE.pia);
  await allow(page);
  await heading(page, "Welcome, Pia");
});

test("Ctrl-C ends it", async () => {
  assert.equal(await demo.close(), 0);
});
