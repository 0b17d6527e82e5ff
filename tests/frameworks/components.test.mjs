/** The components of React and Vue: what a user sees, hears and can do with the keyboard. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/run.mjs";
import { addFrame, sharedBrowser } from "../support/browser.mjs";
import { serveApp, tell } from "./support.mjs";

/** @import { Page } from "playwright-core" */

const browser = sharedBrowser();

const FRAMEWORKS = /** @type {const} */ (["React 19", "React 18", "Vue 3"]);
const STYLES = join(root, "pkg/styles.css");
const AXE = join(root, "node_modules/axe-core/axe.min.js");

const SIGNED_IN = { user: { givenName: "Ada" } };
const CALLBACK = "/callback?code=c&state=s";

/**
 * Opens a page of the application.
 *
 * @param {import("node:test").TestContext} t
 * @param {typeof FRAMEWORKS[number]} framework
 * @param {import("./support.mjs").Scenario} [scenario]
 * @param {string} [path]
 */
async function open(t, framework, scenario = {}, path = "/") {
  const app = await serveApp(t, `${framework} components`);
  const watched = await browser.newPage(t);
  await tell(watched.context, scenario);
  await watched.page.goto(app.origin + path);
  await watched.page.locator("main > *").first().waitFor();
  return { ...app, ...watched };
}

const logins = (page) => page.evaluate(() => client.calls.startLogin);
const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Returns the violations that axe-core finds, as `rule: element`. @param {Page} page */
async function violations(page) {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

/** Plays the event that comes before a session ends. */
const expire = (page) =>
  page.evaluate(() => client.emit({ type: "session.expiring", durationMs: 60_000 }));

for (const framework of FRAMEWORKS) {
  test(`${framework}: SignedIn and SignedOut show their children when it is known whether a user is signed in`, async (t) => {
    const { page } = await open(t, framework, { client: { status: "loading" } });
    const seen = () => page.locator("main").innerText();
    assert.equal(await seen(), "My classes");
    await page.evaluate(() => client.signIn({ givenName: "Ada" }));
    await page.getByText("Hello, Ada").waitFor();
    assert.equal(await button(page, "Sign in").count(), 0);
    await page.evaluate(() => client.signOut());
    await button(page, "Sign in").waitFor();
    assert.equal(await page.getByText("Hello").count(), 0);
    await page.evaluate(() => client.setError("network"));
    await button(page, "Sign in").waitFor();
    await page.evaluate(() => client.setStatus("signing-in"));
    await button(page, "Sign in").waitFor({ state: "detached" });
  });

  test(`${framework}: SignInButton starts a login, and keeps the application's attributes`, async (t) => {
    const { page } = await open(t, framework);
    const own = page.locator("button#own-id.own-class.classlink-button.classlink-sign-in");
    await own.press("Enter");
    assert.deepEqual(await logins(page), [[{ prompt: "login" }]]);
  });

  test(`${framework}: SignInButton does nothing if the application's listener prevents it`, async (t) => {
    const { page } = await open(t, framework, { custom: true });
    await button(page, "Sign in").click();
    assert.deepEqual(await logins(page), []);
  });

  test(`${framework}: SignInButton shows why a login failed to start, and lets the user try again`, async (t) => {
    const setup = `client.failNext("startLogin", "storage_unavailable");`;
    const { page, errors } = await open(t, framework, { setup });
    await button(page, "Sign in").click();
    const alert = page.getByRole("alert");
    await alert.getByText("This browser can't remember your sign-in.").waitFor();
    assert.equal(
      await button(page, "Sign in").getAttribute("aria-describedby"),
      await alert.getAttribute("id"),
    );
    assert.deepEqual(await violations(page), []);
    await button(page, "Sign in").click();
    await alert.waitFor({ state: "detached" });
    assert.equal((await logins(page)).length, 2);
    assert.deepEqual(errors, []);
  });

  test(`${framework}: SignInButton opens a popup inside a frame`, async (t) => {
    const { page, origin } = await open(t, framework);
    const frame = await addFrame(page, `${origin}/`);
    await button(frame, "Sign in").click();
    await frame.getByText("Hello, Sam").waitFor();
    assert.deepEqual(await logins(frame), [[{ prompt: "login", mode: "popup" }]]);
  });

  test(`${framework}: SignOutButton signs out and hands on the result`, async (t) => {
    const { page } = await open(t, framework, { client: SIGNED_IN });
    await button(page, "Sign out").click();
    await button(page, "Sign in").waitFor();
    assert.deepEqual(await page.evaluate("signedOut"), {
      sessionEnded: true,
      providerSessionMayRemain: true,
    });
  });

  test(`${framework}: SessionExpiring asks in an alert dialog, and "I'm still here" keeps the session`, async (t) => {
    const { page } = await open(t, framework, { client: SIGNED_IN });
    await button(page, "Sign out").focus();
    const dialog = page.getByRole("alertdialog", { name: "Are you still there?" });
    assert.equal(await dialog.count(), 0);
    await expire(page);
    await dialog.getByText("You will be signed out soon").waitFor();
    assert.equal(await dialog.getByRole("timer").getAttribute("aria-live"), "off");
    const left = dialog.getByText(/^\d+ seconds left$/);
    const first = Number.parseInt(await left.innerText(), 10);
    assert.ok(first <= 60, String(first));
    let next = first;
    while (next === first) next = Number.parseInt(await left.innerText(), 10);
    assert.ok(next < first, `${next} after ${first}`);
    // The focus is inside, and stays there.
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    assert.equal(await focused(), "I'm still here");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Sign out");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => client.calls.stayActive.length), 1);
    // The focus is back where it was.
    assert.equal(await focused(), "Sign out");
  });

  test(`${framework}: SessionExpiring closes with Escape, which keeps the session`, async (t) => {
    const { page } = await open(t, framework, { client: SIGNED_IN });
    await expire(page);
    await page.getByRole("alertdialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => client.calls.stayActive.length), 1);
  });

  test(`${framework}: SessionExpiring signs out from the dialog`, async (t) => {
    const { page } = await open(t, framework, { client: SIGNED_IN });
    await expire(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
    await button(page, "Sign in").waitFor();
    assert.equal(await page.getByRole("alertdialog").count(), 0);
  });

  test(`${framework}: SessionExpiring closes when the time is up and the session goes on`, async (t) => {
    const { page } = await open(t, framework, { client: SIGNED_IN });
    const shown = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const observer = new MutationObserver(() => {
            const timer = document.querySelector('[role="timer"]');
            if (!timer?.textContent) return;
            observer.disconnect();
            resolve(timer.textContent);
          });
          observer.observe(document.body, { childList: true, subtree: true, characterData: true });
          client.emit({ type: "session.expiring", durationMs: 1000 });
        }),
    );
    assert.equal(shown, "1 second left");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => client.calls.stayActive.length), 0);
  });

  test(`${framework}: CallbackPage gives an error a heading with the focus, and leads to where the user was going`, async (t) => {
    const error = { code: "access_denied", returnTo: "/classes?week=2", appState: { cart: 1 } };
    const { page } = await open(t, framework, { client: { callback: { error } } }, CALLBACK);
    await page.getByRole("heading", { level: 1, name: "That didn't work" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
    assert.equal(
      await page.getByRole("link", { name: "Go to the start page" }).getAttribute("href"),
      "/",
    );
    assert.equal(await button(page, "Continue").count(), 0);
    await button(page, "Try again").click();
    assert.deepEqual(await logins(page), [
      [{ returnTo: "/classes?week=2", appState: { cart: 1 } }],
    ]);
  });

  test(`${framework}: CallbackPage lets a user who is still signed in go on after an error`, async (t) => {
    const client = {
      ...SIGNED_IN,
      callback: { error: { code: "state_unknown", returnTo: "/shelf" } },
    };
    const { page } = await open(t, framework, { client, routed: true }, CALLBACK);
    await button(page, "Continue").click();
    await page.getByText("Hello, Ada").waitFor();
    const { status, returnTo, user } = await page.evaluate("went");
    assert.deepEqual([status, returnTo, user.givenName], ["signed-in", "/shelf", "Ada"]);
  });

  test(`${framework}: CallbackPage shows no support code when a session ended`, async (t) => {
    const client = { callback: { error: "session_expired" } };
    const { page } = await open(t, framework, { client }, CALLBACK);
    await page.getByRole("heading", { name: "You're signed out" }).waitFor();
    assert.equal(await page.getByText("TEST0000").count(), 0);
    await button(page, "Sign in again").click();
    assert.equal((await logins(page)).length, 1);
  });

  test(`${framework}: CallbackPage leaves the page's referrer policy and its own query and hash alone`, async (t) => {
    const setup = `history.replaceState(null, "", "/callback?tab=2#top");`;
    const { page, origin } = await open(t, framework, { setup, routed: true }, CALLBACK);
    await page.waitForFunction("window.went");
    assert.equal(await page.locator("meta[name=referrer]").count(), 0);
    await page.goto(`${origin}/callback?tab=2#top`);
    await page.evaluate(() => {
      const link = document.createElement("a");
      link.href = "/next";
      document.body.append(link);
      link.click();
    });
    await page.waitForURL("**/next");
    assert.match(await page.evaluate(() => document.referrer), /^http/);
  });

  test(`${framework}: components follow the page's language, also in an error that is already shown`, async (t) => {
    const { texts, messages } = await import("../../pkg/es.js");
    // Functions do not cross over to the page.
    const { secondsLeft, ...plain } = texts;
    const client = { callback: { error: "access_denied" } };
    const { page } = await open(t, framework, { client, spanish: messages }, CALLBACK);
    await page.getByRole("heading", { name: "That didn't work" }).waitFor();
    await page.getByText("ClassLink needs your permission.").waitFor();
    await page.evaluate((next) => {
      document.documentElement.lang = "es";
      /** @type {any} */ (window).setTexts(next);
    }, plain);
    await page.getByRole("heading", { name: texts.errorTitle }).waitFor();
    await page.getByText(messages.access_denied).waitFor();
    await button(page, texts.tryAgain).waitFor();
    await page.evaluate(() => {
      document.documentElement.lang = "en";
      /** @type {any} */ (window).setTexts(undefined);
    });
    await page.getByText("ClassLink needs your permission.").waitFor();
  });

  for (const [scheme, dir] of /** @type {const} */ ([
    ["light", "ltr"],
    ["dark", "rtl"],
  ])) {
    test(`${framework}: components with the stylesheet have no violation that axe-core finds, ${scheme} and ${dir}`, async (t) => {
      const client = {
        ...SIGNED_IN,
        callback: { error: { code: "state_unknown", returnTo: "/shelf" } },
      };
      for (const [path, shown] of [
        ["/", "Hello, Ada"],
        [CALLBACK, "That didn't work"],
      ]) {
        const { page } = await open(t, framework, { client }, path);
        await page.addStyleTag({ path: STYLES });
        await page.addStyleTag({
          content: `:root { color-scheme: ${scheme}; color: CanvasText; background: Canvas }`,
        });
        await page.evaluate((given) => {
          document.documentElement.dir = given;
        }, dir);
        await page.getByText(shown).waitFor();
        assert.deepEqual(await violations(page), []);
        if (path !== "/") continue;
        await expire(page);
        await page.getByRole("alertdialog").waitFor();
        assert.deepEqual(await violations(page), []);
        await page.evaluate("client.signOut()");
        await button(page, "Sign in").waitFor();
        assert.deepEqual(await violations(page), []);
      }
    });
  }
}

for (const framework of /** @type {const} */ (["React 19", "React 18"])) {
  test(`${framework}: RequireSignIn gives an error a heading with the focus and a way home`, async (t) => {
    const { page } = await open(t, framework, { client: { error: "network" } }, "/classes");
    await page.getByRole("heading", { level: 2, name: "That didn't work" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2");
    await page.getByRole("link", { name: "Go to the start page" }).waitFor();
  });

  test(`${framework}: RequireSignIn restores first when a failed restore is tried again`, async (t) => {
    const setup = `client.restoreSession = async () => {
      window.restored = (window.restored ?? 0) + 1;
      return window.restored === 2 ? client.signIn({ givenName: "Ada" }) : null;
    };`;
    const client = { error: "gateway_error" };
    const { page } = await open(t, framework, { client, setup }, "/classes");
    // No session: only now it leaves for the provider.
    await button(page, "Try again").click();
    await page.getByText("Taking you to ClassLink…").waitFor();
    assert.equal((await logins(page)).length, 1);
    await page.evaluate(() => client.setError("gateway_error"));
    await button(page, "Try again").click();
    await page.getByRole("heading", { name: "Classes" }).waitFor();
    assert.equal((await logins(page)).length, 1);
  });

  test(`${framework}: RequireSignIn starts no restore after the session ended`, async (t) => {
    const client = { error: "session_expired" };
    const { page } = await open(t, framework, { client }, "/classes");
    await button(page, "Sign in again").click();
    await page.getByText("Taking you to ClassLink…").waitFor();
    assert.equal(await page.evaluate(() => client.calls.restoreSession.length), 0);
  });
}
