/** Tabs: what happens in one reaches all, at once, and nothing of it names any user. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../support/browser.mjs";
import {
  callInPage,
  countRequests,
  loginByRedirect,
  loginOverHttp,
  PATHS,
  PEOPLE,
  sharedLoginApp,
  snapshot,
} from "../support/login.mjs";
import { navigateHistory, newPageWithBfcache } from "../support/page-cache.mjs";
import {
  accessToken,
  advanceClocks,
  eventTypes,
  installClockOffsets,
  pauseNextRequest,
  simulateVisibilityChange,
  waitForStatus,
} from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** Three tabs of one application, with a user signed in in the first two. */
async function threeTabs(t, options = {}) {
  const { page: first, context, errors } = await browser.newPage(t);
  await installClockOffsets(context);
  const world = await startLoginApp(t, { interceptNavigation: true, ...options });
  const tabs = [first, await context.newPage(), await context.newPage()];
  for (const tab of tabs) await world.open(tab);
  for (const tab of tabs.slice(0, 2)) await loginOverHttp(tab);
  // The third one has looked, and found no user.
  await callInPage(tabs[2], "client.getUser()");
  return { tabs, context, errors, ...world };
}

const statusOf = async (tab) => (await snapshot(tab)).status;

async function soon(tab, status) {
  await tab.waitForFunction((status) => window.client.getSnapshot().status === status, status);
}

test("a sign-out in one tab signs out every tab, without a request of theirs", async (t) => {
  const { tabs, standIn } = await threeTabs(t);
  standIn.requests.length = 0;
  await callInPage(tabs[2], "client.logout()");
  for (const tab of tabs) {
    await soon(tab, "signed-out");
    assert.equal((await snapshot(tab)).user, null);
    assert.equal((await accessToken(tab)).error.code, "not_signed_in");
  }
  assert.deepEqual(standIn.requests, []);
});

test("a session that ends in one tab leaves the session that another tab began later", async (t) => {
  const { tabs } = await threeTabs(t, { config: { session: { maxAge: 600 } } });
  for (const [ended, later] of [tabs.slice(0, 2), tabs.slice(1, 2)]) {
    await advanceClocks(ended, 601);
    await simulateVisibilityChange(ended);
    await soon(ended, "error");
    assert.equal((await accessToken(ended)).error.code, "session_expired");
    if (later) assert.equal(typeof (await accessToken(later)), "string");
  }
  assert.equal(await statusOf(tabs[2]), "signed-out", "a tab that was signed out stays so");
});

test("another user's sign-in leaves nothing of the one before in any tab", async (t) => {
  const { tabs } = await threeTabs(t);
  await loginOverHttp(tabs[2], PEOPLE.tess);
  for (const tab of tabs.slice(0, 2)) {
    await soon(tab, "signed-out");
    assert.equal((await snapshot(tab)).user, null);
    assert.equal(await callInPage(tab, "client.getUser()"), null);
    assert.equal((await accessToken(tab)).error.code, "not_signed_in");
  }
  assert.equal((await snapshot(tabs[2])).user.givenName, "Tess");
});

test("the same user's sign-in changes nothing in the other tabs", async (t) => {
  const { tabs } = await threeTabs(t);
  const token = await accessToken(tabs[0]);
  await tabs[0].evaluate("window.before = client.getSnapshot()");
  await loginOverHttp(tabs[2]);
  await pause(300);
  assert.equal(await tabs[0].evaluate("client.getSnapshot() === before"), true);
  assert.equal(await accessToken(tabs[0]), token);
});

browserTest('restore "iframe" finds a sign-in of another tab', async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    autoHandleCallback: true,
    standIn: { framing: true },
    config: { session: { restore: "iframe" } },
  });
  await open(page);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  const other = await context.newPage();
  await open(other);
  await loginByRedirect(other);
  await waitForStatus(page, "signed-in");
  assert.equal((await snapshot(page)).user.givenName, "Pia");
});

test("a renewal under way in one tab signs no user back in after a sign-out in another", async (t) => {
  const { tabs, standIn } = await threeTabs(t, {
    standIn: { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 },
  });
  const renewal = pauseNextRequest(standIn, PATHS.token);
  await advanceClocks(tabs[0], 301);
  const renewed = accessToken(tabs[0]);
  await renewal.arrived;
  await callInPage(tabs[1], "client.logout()");
  await soon(tabs[0], "signed-out");
  renewal.release();
  assert.equal((await renewed).error.code, "not_signed_in");
  assert.equal(await statusOf(tabs[0]), "signed-out");
});

test("the tabs of one registration get no messages of another's", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { interceptNavigation: true });
  await open(page);
  await loginOverHttp(page);
  const other = await context.newPage();
  const second = await startLoginApp(t, {
    interceptNavigation: true,
    config: { clientId: "test-app-other-district" },
  });
  await second.open(other);
  await loginOverHttp(other, PEOPLE.paul);
  await callInPage(other, "client.logout()");
  await pause(200);
  assert.equal((await snapshot(page)).user.givenName, "Pia");
});

test("messages of any script of the origin on the channel sign no user in, and break nothing", async (t) => {
  const { tabs, errors, app, standIn } = await threeTabs(t);
  standIn.requests.length = 0;
  const seen = await tabs[0].evaluate(async () => {
    const name = (await navigator.locks.query()).held?.length; // no lock is held in idleness
    return name;
  });
  assert.equal(seen, 0);
  const channel = `classlink-spa ${standIn.issuer} test-app`;
  await tabs[2].evaluate((channel) => {
    const own = new BroadcastChannel(channel);
    for (const message of [
      null,
      1,
      "signed-in",
      [],
      {},
      { kind: 1 },
      { kind: "signed-in", user: { a: 1 } },
      { kind: "active", at: "x" },
      { kind: "active", at: "99999999999999" },
      { kind: "classlink-spa.answer" },
      { kind: "classlink-spa.answer", state: "a", url: "https://evil.example/?code=a" },
      { kind: "classlink-spa.taken", state: "a" },
      { kind: "unheard-of" },
      new Map(),
    ]) {
      own.postMessage(message);
    }
  }, channel);
  await pause(300);
  assert.equal((await snapshot(tabs[0])).user.givenName, "Pia");
  assert.equal(await statusOf(tabs[2]), "signed-out");
  assert.deepEqual(standIn.requests, []);
  assert.deepEqual(errors, []);
  assert.equal(tabs[0].url(), `${app.origin}/`);
});

browserTest(
  "messages between tabs contain no token, name, address or code, a popup's response excepted",
  async (t) => {
    const { page, context } = await browser.newPage(t);
    await installClockOffsets(context);
    const posted = [];
    await context.exposeFunction("posted", (text) => posted.push(text));
    await context.addInitScript(() => {
      const { postMessage } = BroadcastChannel.prototype;
      BroadcastChannel.prototype.postMessage = function (message) {
        window.posted(JSON.stringify([this.name, message]));
        return postMessage.call(this, message);
      };
    });
    const { open, standIn } = await startLoginApp(t, {
      autoHandleCallback: true,
      standIn: { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 },
      config: { scope: "openid profile email", session: { maxAge: 3600 } },
    });
    const other = await context.newPage();
    await open(other);
    await callInPage(other, "client.getUser()");
    await open(page);
    await loginByRedirect(page);
    const tokens = [await accessToken(page), await callInPage(page, "client.getIdToken()")];
    const { user } = await snapshot(page);
    await page.mouse.click(5, 5);
    await advanceClocks(page, 301);
    tokens.push(await accessToken(page));
    await callInPage(page, "client.logout()");
    await signInHereByPopup(page);
    tokens.push(await accessToken(page));
    await advanceClocks(page, 3601);
    await simulateVisibilityChange(page);
    await waitForStatus(page, "error");
    await pause(200);

    const messages = posted.map((text) => JSON.parse(text)[1]);
    const kinds = new Set(messages.map(({ kind }) => kind));
    for (const kind of ["active", "signed-in", "signed-out", "expired"])
      assert.ok(kinds.has(kind), kind);
    const answers = posted.filter((text) => text.includes("classlink-spa.answer"));
    assert.ok(answers.length > 0);
    for (const text of posted) {
      for (const secret of [
        ...tokens,
        user.name,
        user.givenName,
        user.email,
        user.sub,
        user.sourcedId,
      ]) {
        assert.ok(secret && !text.includes(secret), `${secret} in ${text}`);
      }
      if (!answers.includes(text)) assert.doesNotMatch(text, /code|eyJ/);
    }
    for (const { kind, user } of messages) {
      if (kind === "signed-in") assert.match(user, /^[\w-]{43}$/);
    }
    assert.ok(countRequests(standIn, PATHS.token) >= 3);
  },
);

/** By a popup, whose answer goes by the channel too. The provider knows the user. */
async function signInHereByPopup(page) {
  await page.evaluate(() => {
    delete (/** @type {Partial<Window>} */ (window).signedIn);
    const button = document.createElement("button");
    button.textContent = "Sign in";
    button.onclick = () => {
      window.signedIn = window.client.startLogin({ mode: "popup" });
    };
    document.body.append(button);
  });
  await page.getByRole("button").click();
  await page.waitForFunction(() => window.client.getSnapshot().status === "signed-in");
}

browserTest(
  "a page that comes from the back/forward cache shows nothing of the user before",
  async (t) => {
    const { page } = await newPageWithBfcache(t);
    const { open, app } = await startLoginApp(t, { interceptNavigation: true });
    await open(page);
    await page.evaluate(() => {
      window.shown = [];
      addEventListener("pageshow", ({ persisted }) => {
        window.cached = persisted;
        window.atOnce = window.client.getSnapshot();
      });
      const show = () => {
        const { user } = window.client.getSnapshot();
        document.title = user?.name ?? "Nobody";
        window.shown.push(document.title);
      };
      window.client.subscribe(show);
    });
    await loginOverHttp(page);
    assert.equal(await page.title(), "Pia Pupil");
    await page.goto(`${app.origin}/launch`);

    await navigateHistory(page);
    await page.waitForFunction("window.cached !== undefined");

    assert.equal(await page.evaluate("cached"), true);
    assert.equal(await page.evaluate("atOnce.user"), null);
    assert.equal(await page.evaluate("document.title"), "Nobody");
    await soon(page, "signed-out");
    assert.equal(await callInPage(page, "client.getUser()"), null);
    assert.equal((await accessToken(page)).error.code, "not_signed_in");
    assert.equal((await page.evaluate("shown")).at(-1), "Nobody");
    await loginOverHttp(page, PEOPLE.tess);
    assert.equal(await page.evaluate("document.title"), "Tess Teacher");
  },
);

test("users sign in and out in a browser that refuses BroadcastChannel", async (t) => {
  for (const refuse of ["constructor", "postMessage"]) {
    const { page, context } = await browser.newPage(t);
    await context.addInitScript((refuse) => {
      const deny = () => {
        throw new DOMException("The operation is insecure", "SecurityError");
      };
      if (refuse === "postMessage") BroadcastChannel.prototype.postMessage = deny;
      else window.BroadcastChannel = /** @type {any} */ (deny);
    }, refuse);
    const { open } = await startLoginApp(t, { interceptNavigation: true });
    await open(page);
    assert.equal((await loginOverHttp(page)).user.givenName, "Pia", refuse);
    const { sessionEnded } = await callInPage(page, "client.logout()");
    assert.equal(sessionEnded, true, refuse);
    assert.equal(await statusOf(page), "signed-out");
  }
});

test("two clients on one page follow each other like two tabs", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, {
    interceptNavigation: true,
    configExpression: "(window.second = createClient(settings), settings)",
  });
  await open(page);
  await loginOverHttp(page);
  assert.equal(await page.evaluate("second.getUser()"), null, "each has its own memory");
  assert.deepEqual(await eventTypes(page).then((types) => types.at(-1)), "login.succeeded");
  await page.evaluate("second.logout()");
  await soon(page, "signed-out");
  assert.equal(countRequests(standIn, PATHS.token) > 0, true);
});
