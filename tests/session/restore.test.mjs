/** `restoreSession`: who is signed in after a reload, since tokens live in memory alone. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../support/browser.mjs";
import { certificateFor } from "../support/certificate.mjs";
import { deferred } from "../support/deferred.mjs";
import { engine, THIRD_PARTY_COOKIES } from "../support/engine.mjs";
import {
  callInPage,
  countRequests,
  ignoreNavigation,
  loginByRedirect,
  PATHS,
  PEOPLE,
  selectUser,
  sharedLoginApp,
  snapshot,
  startLogin,
  tellHandled,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import { accessToken, eventTypes, pauseNextRequest, waitForStatus } from "../support/session.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp({}, { framing: true });

/** Milliseconds that a silent frame may take: time enough on a slow machine. */
const TIMEOUT = 15_000;

const config = (restore, timeout = TIMEOUT) => ({ session: { restore }, timeout });

/** An application that finds sessions again in one way, and a page of it in which no user has done anything. */
async function visit(t, restore, options = {}) {
  const { page, context, errors } = await browser.newPage(t);
  const world = await startLoginApp(t, {
    autoHandleCallback: true,
    config: config(restore),
    ...options,
  });
  await world.open(page);
  return { page, context, errors, ...world };
}

/** Visits as `visit` does, lets a user sign in, and loads the page again. */
async function visitAgain(t, restore, options) {
  const world = await visit(t, restore, options);
  // Without the restore that a look at who is there would begin.
  await loginByRedirect(world.page);
  world.standIn.requests.length = 0;
  await world.open(world.page);
  return world;
}

const restoreSession = (page) => callInPage(page, "client.restoreSession()");

/** Nothing of the SDK's is left on the page, and nothing personal. */
async function assertClean(page) {
  assert.equal(await page.evaluate("document.querySelectorAll('iframe').length"), 0);
  assert.deepEqual(
    await page.evaluate(() => [Object.keys(sessionStorage), Object.keys(localStorage)]),
    [[], []],
  );
}

// ---- "none" ----

test('restore "none" signs out at a reload, and sends no request', async (t) => {
  const { page, standIn } = await visitAgain(t, "none");
  assert.equal(await restoreSession(page), null);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.equal((await snapshot(page)).status, "signed-out");
  assert.deepEqual(standIn.requests, []);
});

// ---- "iframe" ----

browserTest('restore "iframe" finds the user after a reload', async (t) => {
  const { page, app } = await visitAgain(t, "iframe");
  await page.evaluate(() => {
    window.shown = [];
    window.client.subscribe(() => window.shown.push(window.client.getSnapshot().status));
  });

  await waitForStatus(page, "signed-in");

  assert.equal((await snapshot(page)).user.givenName, "Pia");
  assert.deepEqual(await page.evaluate("shown"), ["signed-in"]);
  assert.equal(page.url(), `${app.origin}/`);
  assert.equal(typeof (await accessToken(page)), "string");
  assert.deepEqual(await eventTypes(page), ["session.restored"]);
  await assertClean(page);
});

browserTest('restore "iframe" by a script in <head> waits until there is a body', async (t) => {
  const body = deferred();
  const { page, app, settings } = await visitAgain(t, "iframe", {
    app: {
      async instead({ url }, response, usual) {
        if (url === "/body") body.resolve();
        if (url !== "/head") return usual();
        const script = `
          const { createElement } = document;
          document.createElement = function (name) {
            if (name === "iframe") fetch("/body");
            return createElement.call(this, name);
          };
          import { createClient } from "/pkg/index.js";
          window.bodyAtStart = document.body;
          window.client = createClient(${JSON.stringify(settings)});
          window.restored = client.restoreSession();
          window.restored.catch(() => {});`;
        // A browser that must find the encoding waits for more of the page.
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
        response.write(`<!doctype html><head><script type="module" async>${script}</script>`);
        await body.promise;
        response.end("</head><body></body>");
      },
    },
  });
  await page.goto(`${app.origin}/head`, { waitUntil: "commit" });
  await waitForClient(page);
  assert.equal(await page.evaluate("bodyAtStart"), null);
  assert.equal((await callInPage(page, "restored")).givenName, "Pia");
});

browserTest('restore "iframe" is one restore for all calls at once', async (t) => {
  const { page, standIn } = await visitAgain(t, "iframe");
  const [user, token, again, user2] = await page.evaluate(() => {
    const { client } = window;
    return Promise.all([
      client.getUser(),
      client.getAccessToken(),
      client.restoreSession(),
      client.getUser(),
    ]);
  });
  assert.equal(user?.givenName, "Pia");
  assert.deepEqual([again, user2], [user, user]);
  assert.equal(typeof token, "string");
  assert.equal(countRequests(standIn, PATHS.authorization), 1);
  assert.equal(countRequests(standIn, PATHS.token), 1);
  assert.equal((await restoreSession(page)).givenName, "Pia");
  assert.equal(countRequests(standIn, PATHS.authorization), 1, "who is signed in needs no restore");
});

test('restore "iframe" resolves with null without a session', async (t) => {
  const { page, standIn } = await visit(t, "iframe");
  assert.equal(await restoreSession(page), null);
  assert.equal((await snapshot(page)).status, "signed-out");
  assert.equal(countRequests(standIn, PATHS.token), 0);
  assert.deepEqual(await eventTypes(page), []);
  await assertClean(page);

  standIn.refuse("interaction_required");
  assert.equal(await restoreSession(page), null);
  assert.equal((await snapshot(page)).status, "signed-out");
});

browserTest(
  'restore "iframe" rejects with an error of the provider, and the next call tries again',
  async (t) => {
    const { page, standIn } = await visitAgain(t, "iframe");
    standIn.refuse("server_error");
    assert.equal((await callInPage(page, "client.getUser()")).error.code, "server_error");
    assert.equal((await snapshot(page)).status, "error");
    assert.equal((await callInPage(page, "client.getUser()")).givenName, "Pia");
    assert.equal((await snapshot(page)).status, "signed-in");
  },
);

for (const [name, options] of /** @type {const} */ ([
  ["a provider that may not be framed", { standIn: { framing: false } }],
  ["a browser that keeps cookies from frames of other sites", { app: { host: "127.0.0.1" } }],
  ["a callback page that never calls handleCallback", { autoHandleCallback: false }],
])) {
  browserTest(`restore "iframe" finds no user, in bounded time: ${name}`, async (t) => {
    const timeout = 5000;
    const world = await visit(t, "iframe", {
      ...options,
      autoHandleCallback: true,
      config: config("iframe", timeout),
    });
    const { page, open, app, standIn } = world;
    await loginByRedirect(page);
    if (options.autoHandleCallback === false) {
      await page.addInitScript(() => {
        if (window !== top) Object.defineProperty(window, "client", { set() {} });
      });
    }
    await page.goto(`${app.origin}/`);
    await waitForClient(page);
    standIn.requests.length = 0;

    assert.equal(await restoreSession(page), null);

    assert.equal(countRequests(standIn, PATHS.token), 0);
    assert.equal((await snapshot(page)).status, "signed-out");
    await assertClean(page);
    await open(page);
  });
}

/**
 * Whether a provider of another site is sent its cookies from a frame, once a user has signed in there and come back.
 * Firefox keeps cookies from such frames, but for a while trusts a site that a user was led to and clicked at on the way
 * (its navigation heuristic).
 */
const FOUND_ACROSS_SITES = THIRD_PARTY_COOKIES || engine === "firefox";

browserTest(
  'restore "iframe" across sites finds the user in browsers that send frames their cookies alone',
  async (t) => {
    const world = await visit(t, "iframe", {
      app: { host: "127.0.0.1" },
      standIn: { tls: await certificateFor(["localhost"]), crossSiteCookies: true },
    });
    const { page, open } = world;
    await loginByRedirect(page);
    await open(page);

    const user = await restoreSession(page);

    assert.equal(user?.givenName, FOUND_ACROSS_SITES ? "Pia" : undefined);
    const { status, error } = await snapshot(page);
    assert.deepEqual([status, error], [FOUND_ACROSS_SITES ? "signed-in" : "signed-out", null]);
    await assertClean(page);
  },
);

browserTest(
  'restore "iframe" ignores a message of another window, another origin or with another state',
  async (t) => {
    const { page, standIn, app } = await visitAgain(t, "iframe");
    const look = pauseNextRequest(standIn, PATHS.authorization);
    await page.evaluate(() => {
      window.restored = window.client.restoreSession();
    });
    await page.waitForSelector("iframe", { state: "attached" });
    const state = await page.evaluate(() =>
      new URL(document.querySelector("iframe")?.src ?? "").searchParams.get("state"),
    );
    const url = `${app.redirectUri}?code=forged&state=${state}`;
    const answer = { kind: "classlink-spa.answer", state, url };
    // A frame of another origin, with everything right but that.
    await page.evaluate(
      ({ answer, origin }) => {
        const frame = document.createElement("iframe");
        frame.id = "evil";
        frame.srcdoc = `<script>parent.postMessage(${JSON.stringify(answer)}, "*")</script>`;
        frame.sandbox = "allow-scripts";
        document.body.append(frame);
        // The page itself, which is not the frame that was asked.
        postMessage(answer, origin);
        const own = document.createElement("iframe");
        own.id = "own";
        own.srcdoc = `<script>parent.postMessage(${JSON.stringify(answer)}, "*")</script>`;
        document.body.append(own);
        for (const state of ["", "other", undefined, 1]) postMessage({ ...answer, state }, origin);
        for (const junk of [null, 1, "a", [], { kind: 1 }, { kind: answer.kind }])
          postMessage(junk, origin);
      },
      { answer, origin: app.origin },
    );
    look.release();
    assert.equal((await callInPage(page, "restored")).givenName, "Pia");

    assert.equal(countRequests(standIn, PATHS.token), 1, "the forged code was never sent");
  },
);

browserTest(
  'restore "iframe" is state_unknown in a frame whose response no page waits for',
  async (t) => {
    const { page, app } = await visit(t, "iframe");
    await page.evaluate((url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      document.body.append(frame);
    }, `${app.redirectUri}?code=a&state=nobodys`);
    await page.waitForFunction("frames[0]?.client");
    assert.equal(
      await page.evaluate("frames[0].handled.catch(({ code }) => code)"),
      "state_unknown",
    );
  },
);

browserTest('restore "iframe" opens no frame inside a frame', async (t) => {
  const { page, standIn } = await visitAgain(t, "iframe");
  await page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.src = "/launch";
    document.body.append(frame);
  });
  await page.waitForFunction("frames[0]?.client");
  assert.equal(await page.evaluate("frames[0].client.restoreSession()"), null);
  assert.deepEqual(standIn.requests, []);
});

browserTest('restore "iframe" renews tokens in a frame, too', async (t) => {
  const world = await visitAgain(t, "iframe", {
    standIn: { expiresIn: true, accessTokenLifetime: 4 },
  });
  const { page, standIn } = world;
  assert.equal((await restoreSession(page)).givenName, "Pia");
  const token = await accessToken(page, { minValidity: 0 });

  // Half way through its life.
  await page.waitForFunction("events.some(({ type }) => type === 'token.renewed')");

  assert.notEqual(await accessToken(page, { minValidity: 0 }), token);
  assert.equal((await snapshot(page)).user.givenName, "Pia");
  await assertClean(page);

  standIn.signOut(PEOPLE.pia.sub);
  await waitForStatus(page, "error");
  assert.equal(await page.evaluate("client.getSnapshot().error.code"), "session_expired");
});

browserTest(
  'restore "iframe" signs out with user_mismatch when a renewal finds another user',
  async (t) => {
    const { page, context, standIn, open } = await visitAgain(t, "iframe", {
      standIn: { expiresIn: true, accessTokenLifetime: 20 },
    });
    assert.equal((await restoreSession(page)).givenName, "Pia");
    standIn.signOut(PEOPLE.pia.sub);
    // In a tab that hears nothing of this one: another application of the same provider, say.
    const other = await context.newPage();
    await other.addInitScript(
      () => delete (/** @type {Partial<Window & typeof globalThis>} */ (window).BroadcastChannel),
    );
    await open(other);
    await loginByRedirect(other, PEOPLE.tess);

    const { error } = await accessToken(page, { minValidity: 20 });

    assert.equal(error.code, "user_mismatch");
    assert.equal((await snapshot(page)).user, null);
    assert.equal((await accessToken(page)).error.code, "not_signed_in");
  },
);

// ---- After a sign-out, which leaves the provider's own session ----

for (const restore of ["iframe", "redirect"]) {
  browserTest(
    `restore "${restore}" finds no user and asks no provider after a sign-out, until a sign-in`,
    async (t) => {
      const { page, standIn, open } = await visit(t, restore);
      await loginByRedirect(page);
      await callInPage(page, "client.logout()");
      standIn.requests.length = 0;

      for (let reloads = 0; reloads < 2; reloads++) {
        await open(page);
        assert.equal(await callInPage(page, "client.getUser()"), null);
        assert.equal((await snapshot(page)).status, "signed-out");
      }
      assert.equal(countRequests(standIn, PATHS.authorization), 0);

      await ignoreNavigation(callInPage(page, "client.startLogin()"));
      await waitForCallback(page);
      assert.equal((await callInPage(page, "handled")).user.givenName, "Pia");
    },
  );
}

// ---- "redirect" ----

/** Goes where an expression leads, which leaves the page. */
async function leaving(page, expression) {
  await ignoreNavigation(page.evaluate(`void ${expression}`));
}

browserTest(
  'restore "redirect" finds the user after a reload, and leads back to where they were',
  async (t) => {
    const { page, standIn, open } = await visitAgain(t, "redirect");
    await open(page, "/launch?a=1#b");

    await leaving(page, "client.getUser()");
    await waitForCallback(page);

    const { status, user, returnTo } = await callInPage(page, "handled");
    assert.deepEqual([status, user.givenName, returnTo], ["signed-in", "Pia", "/launch?a=1#b"]);
    assert.equal(countRequests(standIn, PATHS.authorization), 1);
  },
);

browserTest(
  'restore "redirect" leads back to the page without a session, and is not tried again until a sign-in',
  async (t) => {
    const { page, context, standIn, app, open } = await visit(t, "redirect");
    const told = await tellHandled(context);
    await open(page, "/launch?a=1#b");
    const looked = deferred();
    await page.route("**/launch*", (route) => looked.promise.then(() => route.continue()), {
      times: 1,
    });

    await leaving(page, "client.subscribe(() => {})");
    while (told.length === 0) await pause(50);
    assert.deepEqual(told, [{ status: "redirecting" }]);
    looked.resolve();
    await page.waitForURL("**/launch?a=1#b");
    await waitForClient(page);

    for (let reloads = 0; reloads < 2; reloads++) {
      assert.equal(await callInPage(page, "client.getUser()"), null);
      assert.equal(await restoreSession(page), null);
      assert.equal((await snapshot(page)).status, "signed-out");
      await page.reload();
      await waitForClient(page);
    }
    assert.equal(page.url(), `${app.origin}/launch?a=1#b`);
    assert.equal(countRequests(standIn, PATHS.authorization), 1);

    await loginByRedirect(page);
    standIn.requests.length = 0;
    await open(page, "/launch");
    await leaving(page, "client.getUser()");
    await waitForCallback(page);
    assert.equal((await callInPage(page, "handled")).status, "signed-in");
    assert.equal(countRequests(standIn, PATHS.authorization), 1);
  },
);

browserTest(
  'restore "redirect" makes no loop when the application loads another page after each sign-in',
  async (t) => {
    const { page, context, standIn, app } = await visitAgain(t, "redirect");
    await context.addInitScript(() => {
      const timer = setInterval(async () => {
        if (!window.client) return;
        clearInterval(timer);
        if (!window.handled) return window.client.getUser();
        const result = await window.handled;
        if (result.status === "signed-in") location.replace(result.returnTo);
      }, 10);
    });

    await page.goto(`${app.origin}/launch`);
    while (countRequests(standIn, PATHS.authorization) === 0) await pause(50);
    await page.waitForURL("**/launch");
    await pause(3000);

    assert.equal(countRequests(standIn, PATHS.authorization), 1);
    assert.equal(page.url(), `${app.origin}/launch`);
    assert.equal((await snapshot(page)).status, "signed-out");
  },
);

browserTest('restore "redirect" finds the user after a second reload', async (t) => {
  const { page, context, open } = await visitAgain(t, "redirect");
  for (let minutes = 0; minutes < 3; minutes++) {
    await leaving(page, "client.getUser()");
    await waitForCallback(page);
    assert.equal(
      (await callInPage(page, "handled")).status,
      "signed-in",
      `after ${minutes} minutes`,
    );
    await context.addInitScript(() => {
      const { now } = Date;
      Date.now = () => now() + 60_000;
    });
    await open(page);
  }
});

browserTest(
  'restore "redirect" does not leave the callback page, whose response is handled first',
  async (t) => {
    const { page, standIn, app } = await visit(t, "redirect", { autoHandleCallback: false });
    await startLogin(page);
    await selectUser(page, PEOPLE.pia);
    await waitForCallback(page);
    standIn.requests.length = 0;

    assert.equal(await callInPage(page, "client.getUser()"), null);
    assert.equal((await callInPage(page, "client.handleCallback()")).status, "signed-in");

    assert.equal(page.url(), app.redirectUri);
    assert.equal(countRequests(standIn, PATHS.authorization), 0);
  },
);

browserTest('restore "redirect" waits for a sign-in that is under way', async (t) => {
  const { page, standIn, app } = await visit(t, "redirect", { autoHandleCallback: false });
  await startLogin(page);
  await selectUser(page, PEOPLE.pia);
  await waitForCallback(page);
  standIn.requests.length = 0;

  const [{ status }, user] = await page.evaluate(() =>
    Promise.all([window.client.handleCallback(), window.client.restoreSession()]),
  );

  assert.deepEqual([status, user?.givenName], ["signed-in", "Pia"]);
  assert.equal(page.url(), app.redirectUri);
  assert.equal(countRequests(standIn, PATHS.authorization), 0);
});

browserTest('restore "redirect" does not leave a page inside a frame', async (t) => {
  const { page, standIn } = await visitAgain(t, "redirect");
  await page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.src = "/launch";
    document.body.append(frame);
  });
  await page.waitForFunction("frames[0]?.client");
  assert.equal(await page.evaluate("frames[0].client.restoreSession()"), null);
  assert.deepEqual(standIn.requests, []);
});
