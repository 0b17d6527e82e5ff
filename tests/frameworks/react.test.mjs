/** Sign-in in React applications: what the user sees, in a browser, with React 18 and 19, in StrictMode. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestClient } from "classlink-spa/testing";
import { messages, texts } from "../../pkg/es.js";
import { root } from "../../tools/lib/run.mjs";
import { addFrame, sharedBrowser } from "../support/browser.mjs";
import { skipIn } from "../support/engine.mjs";
import { renderOnServer, serveApp, tell } from "./support.mjs";

/** @import { ClassLinkErrorCode } from "classlink-spa" */

const browser = sharedBrowser();

const REACTS = /** @type {const} */ (["React 19", "React 18"]);
const SIGNED_IN = { user: { name: "Ada" } };

/**
 * Opens a page of the application.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("./support.mjs").Scenario} [scenario]
 * @param {{ path?: string, react?: "React 19" | "React 18", headers?: Record<string, string>, html?: string }} [options]
 */
async function open(t, scenario = {}, { path = "/classes", react = "React 19", ...served } = {}) {
  const app = await serveApp(t, react, served);
  const watched = await browser.newPage(t);
  await tell(watched.context, scenario);
  await watched.page.goto(app.origin + path);
  // React renders a moment after the page is there.
  await watched.page.waitForFunction("'go' in window");
  return { ...app, ...watched, complaints: () => complaintsOf(watched) };
}

/** Returns the complaints of React, the package and the browser. */
const complaintsOf = ({ console, errors }) => [
  ...console.filter((line) => /^(error|warning)/.test(line)),
  ...errors,
];

/** How often a method was called. */
const count = (page, method) => page.evaluate((name) => client.calls[name].length, method);
const logins = (page) => page.evaluate(() => client.calls.startLogin);
/** Long enough for anything that would start by itself. */
const settle = (page) => page.waitForTimeout(150);
const text = (page) => page.locator("#root").innerText();
const who = async (page) => JSON.parse(await page.locator("output").innerText());

for (const react of REACTS) {
  test(`${react}: useClassLink follows the client, with functions that stay the same`, async (t) => {
    const { page, complaints } = await open(
      t,
      { client: { status: "loading" } },
      { path: "/", react },
    );
    const nobody = { isSignedIn: false, name: null, scope: [] };
    assert.deepEqual(await who(page), { status: "loading", isLoading: true, ...nobody });
    await page.evaluate(() => client.signIn({ name: "Ada" }, ["openid"]));
    assert.deepEqual(await who(page), {
      status: "signed-in",
      isLoading: false,
      isSignedIn: true,
      name: "Ada",
      scope: ["openid"],
    });
    await page.evaluate(() => client.setError("network"));
    assert.deepEqual(await who(page), { status: "error", isLoading: false, ...nobody });
    await page.evaluate(() => client.signOut());
    assert.deepEqual(await who(page), { status: "signed-out", isLoading: false, ...nobody });
    for (const status of /** @type {const} */ (["redirecting", "signing-in"])) {
      await page.evaluate((given) => client.setStatus(given), status);
      assert.deepEqual(await who(page), { status, isLoading: true, ...nobody });
    }
    const seen = await page.evaluate(() => seen);
    assert.ok(seen.every(({ sameFunctions }) => sameFunctions));
    assert.deepEqual(complaints(), []);
  });

  test(`${react}: ClassLinkProvider renders "loading" on a server, and hydrates without a complaint`, async (t) => {
    const setup = "client.handleCallback = () => new Promise(() => {});";
    for (const [path, before, after, client] of /** @type {const} */ ([
      ["/", '"status":"loading"', '"name":"Ada"', SIGNED_IN],
      ["/classes", "One moment…", "Classes of Ada", SIGNED_IN],
      ["/callback", "One moment…", "Taking you to ClassLink…", { status: "redirecting" }],
    ])) {
      const scenario = { client, setup };
      const html = await renderOnServer(react, path, scenario);
      assert.ok(html.replaceAll("&quot;", '"').includes(before), html);
      const { page, complaints } = await open(t, scenario, { path, react, html });
      await page.getByText(after).first().waitFor({ state: "attached" });
      assert.deepEqual(complaints(), [], path);
    }
  });

  test(`${react}: RequireSignIn shows its children to a user who is signed in, and starts no login`, async (t) => {
    const { page, complaints } = await open(t, { client: SIGNED_IN }, { react });
    await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
    await settle(page);
    assert.equal(await count(page, "startLogin"), 0);
    assert.deepEqual(complaints(), []);
  });

  test(`${react}: RequireSignIn starts one login, in StrictMode and however many components there are`, async (t) => {
    const loginOptions = { prompt: "login", appState: { from: "here" } };
    const { page, complaints } = await open(t, { guards: 3, loginOptions }, { react });
    await page.getByRole("status").first().waitFor();
    await settle(page);
    assert.deepEqual(await logins(page), [[loginOptions]]);
    assert.equal(await page.getByText("Taking you to ClassLink…").count(), 3);
    assert.deepEqual(complaints(), []);
  });
}

// ---- RequireSignIn never goes in circles ----

test("RequireSignIn waits while the status is unknown", async (t) => {
  const { page } = await open(t, { client: { status: "loading" } });
  assert.equal(await text(page), "One moment…");
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
  await page.evaluate(() => client.setStatus("signed-out"));
  await page.getByText("Taking you to ClassLink…").waitFor();
  assert.equal(await count(page, "startLogin"), 1);
});

const CODES = /** @type {ClassLinkErrorCode[]} */ (Object.keys(messages));

test("RequireSignIn shows any error with its support code, and waits for the user", async (t) => {
  const { page } = await open(t, { client: { error: "network" } });
  for (const code of CODES) {
    const shown = await page.evaluate((given) => client.setError(given).userMessage, code);
    const alert = page.getByRole("alert");
    await alert.getByText(shown).waitFor();
    // A session that ended is not an error to report.
    assert.equal(await alert.getByText("TEST0000").count(), code === "session_expired" ? 0 : 1);
    // What is still under way must not start one either.
    await page.evaluate(() => client.setStatus("signing-in"));
    await page.evaluate(() => client.setStatus("signed-out"));
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    assert.equal(await count(page, "startLogin"), 0, code);
  }
  await page.evaluate(() => client.setError("network"));
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Taking you to ClassLink…").waitFor();
  assert.equal(await count(page, "startLogin"), 1);
});

test("RequireSignIn tries once for each press when every login fails to start", async (t) => {
  const setup = `for (let i = 0; i < 3; i++) client.failNext("startLogin", "config_invalid");`;
  const { page } = await open(t, { setup, guards: 2 });
  for (const attempt of [1, 2, 3]) {
    await page.getByRole("alert").first().waitFor();
    await settle(page);
    assert.equal(await count(page, "startLogin"), attempt);
    await page.getByRole("button", { name: "Try again" }).first().click();
  }
  await page.getByText("Taking you to ClassLink…").first().waitFor();
});

test("RequireSignIn waits when the login began and the page was not left", async (t) => {
  // As when the application's `navigate` goes nowhere.
  const setup = `const { startLogin } = client;
    client.startLogin = (...args) => startLogin(...args).then(() => client.setStatus("signed-out"));`;
  const { page } = await open(t, { setup });
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
  await page.getByRole("button", { name: "Sign in" }).click();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 2);
});

test("RequireSignIn starts one login when it is mounted again or elsewhere", async (t) => {
  const setup = `const { startLogin } = client;
    client.startLogin = (...args) => startLogin(...args).then(() => client.setStatus("signed-out"));`;
  const { page } = await open(t, { setup });
  for (const path of ["/", "/classes", "/", "/classes"]) {
    await page.evaluate((to) => go(to), path);
    await settle(page);
  }
  assert.equal(await count(page, "startLogin"), 1);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("RequireSignIn waits when the page comes from the back/forward cache", async (t) => {
  const setup = `const { startLogin } = client;
    // One whose navigation is under way for good.
    client.startLogin = (...args) => { void startLogin(...args); return new Promise(() => {}); };`;
  const { page } = await open(t, { setup });
  await page.getByText("Taking you to ClassLink…").waitFor();
  await page.evaluate(() => {
    // As the client does.
    client.setStatus("signed-out");
    window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  });
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(await count(page, "startLogin"), 2);
});

test("RequireSignIn does not sign the same user in again by itself after a logout", async (t) => {
  const { page } = await open(t, { client: SIGNED_IN });
  await page.getByText("Classes of Ada").waitFor();
  await page.evaluate(() => client.logout());
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.evaluate(() => go("/"));
  await page.locator("output").waitFor();
  await page.evaluate(() => go("/classes"));
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
});

test("RequireSignIn waits after a logout on a page without it", async (t) => {
  const { page } = await open(t, { client: SIGNED_IN }, { path: "/" });
  await page.evaluate(() => client.logout());
  await page.evaluate(() => go("/classes"));
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
});

test("RequireSignIn waits after a logout while it was not known who is signed in", async (t) => {
  const { page } = await open(t, { client: { status: "loading" } });
  await page.evaluate(() => client.logout());
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
});

test("RequireSignIn starts a login after a page that was left while its requests were under way", async (t) => {
  const { page, origin } = await open(t, {}, { path: "/" });
  await page.evaluate(() => {
    // As the browser ends them: before any other listener is called.
    window.addEventListener("pagehide", () => client.setError("network"), { capture: true });
  });
  await page.goto(`${origin}/classes`);
  await page.getByText("Taking you to ClassLink…").waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
});

test("RequireSignIn waits after a reload", async (t) => {
  const { page } = await open(t);
  await page.getByText("Taking you to ClassLink…").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
});

test("RequireSignIn waits when the back button led to it, so that users can go back further", async (t) => {
  if (skipIn(t, { webkit: "it shows the page from its cache, whatever listens for unload" }))
    return;
  const { page, origin } = await open(t, { setup: `window.addEventListener("unload", () => {});` });
  await page.getByText("Taking you to ClassLink…").waitFor();
  await page.goto(`${origin}/elsewhere`);
  await page.goBack();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
});

test("RequireSignIn waits inside a frame, and its button opens a popup", async (t) => {
  const { page, origin } = await open(t, {}, { path: "/" });
  const frame = await addFrame(page, `${origin}/classes`);

  await frame.getByText("Please sign in to see this page.").waitFor();
  assert.equal(await count(frame, "startLogin"), 0);
  await frame.getByRole("button", { name: "Sign in" }).click();

  await frame.getByRole("heading", { name: /^Classes of/ }).waitFor();
  assert.deepEqual(await logins(frame), [[{ mode: "popup" }]]);
});

/** A provider that answers at once, and a client that forgets the session when a page is loaded. */
const AT_ONCE = `
  const { startLogin } = client;
  client.startLogin = async (...args) => {
    await startLogin(...args);
    location.assign("/callback?code=c&state=s");
  };`;

for (const [name, headers, scenario] of /** @type {const} */ ([
  ["by default", {}, {}],
  ["when pages send no referrer", { "Referrer-Policy": "no-referrer" }, {}],
  ["when the application loads the next page itself", {}, { assigned: true }],
])) {
  test(`RequireSignIn starts one login when the session ends with the callback page, ${name}`, async (t) => {
    const setup = `${AT_ONCE} client.setCallback({ returnTo: "/classes" });`;
    const { page, loads } = await open(t, { setup, ...scenario }, { headers });
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await settle(page);
    assert.deepEqual(loads, ["/classes", "/callback", "/classes"]);
  });
}

test("RequireSignIn starts one login when a server drops the authorization response", async (t) => {
  const setup = `${AT_ONCE}
    client.handleCallback = async () => { client.failNext("getUser", "not_a_callback"); return client.getUser(); };
    if (location.pathname === "/") history.replaceState(null, "", "/classes");`;
  const { page, loads } = await open(t, { setup });
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.deepEqual(loads, ["/classes", "/callback", "/"]);
});

test("RequireSignIn around a whole application starts no login that discards the authorization response", async (t) => {
  const setup = `${AT_ONCE}`;
  const { page, loads, complaints } = await open(t, { setup, wrapped: true });
  await page.waitForURL("**/callback?*");
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await settle(page);
  assert.deepEqual(loads, ["/classes", "/callback"]);
  assert.match(
    complaints().join(),
    /error: classlink-spa: .*Put CallbackPage outside of RequireSignIn/,
  );
});

test("RequireSignIn does not take a `code` parameter of the application for an authorization response", async (t) => {
  const { page } = await open(t, {}, { path: "/classes?code=math" });
  await page.getByText("Taking you to ClassLink…").waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
});

test("RequireSignIn shows an application's own views", async (t) => {
  const setup = `client.failNext("startLogin", "timeout");`;
  const { page } = await open(t, { own: true, setup, client: { status: "loading" } });
  assert.equal(await text(page), "own fallback");
  await page.evaluate(() => client.setStatus("signed-out"));
  await page.getByText("own error timeout").waitFor();
  await page.getByRole("button", { name: "once more" }).click();
  await page.getByText("own fallback").waitFor();
  await page.evaluate(() => client.setStatus("signed-out"));
  await page.getByRole("button", { name: "own sign-in" }).click();
  assert.equal(await count(page, "startLogin"), 3);
});

// ---- CallbackPage ----

test("CallbackPage handles the response once and replaces itself with returnTo", async (t) => {
  const setup = `client.setCallback({ returnTo: "/welcome?x=1#y" });
    const { handleCallback } = client;
    client.handleCallback = (...args) => { sessionStorage.count = 1 + Number(sessionStorage.count ?? 0); return handleCallback(...args); };`;
  const { page, origin, complaints } = await open(
    t,
    { setup },
    { path: "/callback?code=c&state=s" },
  );
  await page.waitForURL(`${origin}/welcome?x=1#y`);
  assert.equal(await page.evaluate(() => sessionStorage.count), "1");
  // As many entries as if this page had been opened at once: "back" doesn't lead to the callback.
  const other = await open(t, {}, { path: "/welcome" });
  const entries = (page) => page.evaluate(() => history.length);
  assert.equal(await entries(page), await entries(other.page));
  assert.deepEqual(complaints(), []);
});

test("CallbackPage passes the result to onSignedIn once", async (t) => {
  const callback = { user: { name: "Ada" }, returnTo: "/classes", appState: { cart: 1 } };
  const { page, loads } = await open(
    t,
    { routed: true, client: { callback } },
    { path: "/callback?code=c&state=s" },
  );
  await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
  const went = await page.evaluate(() => window.went);
  assert.equal(went.length, 1);
  assert.deepEqual([went[0].to, went[0].result.appState], ["/classes", { cart: 1 }]);
  assert.equal(await count(page, "handleCallback"), 1);
  assert.deepEqual(loads, ["/callback"]);
});

test("CallbackPage shows that a sign-in is under way", async (t) => {
  const setup = `client.handleCallback = () => new Promise(() => {});`;
  const { page } = await open(
    t,
    { setup, client: { status: "signing-in" } },
    { path: "/callback" },
  );
  assert.equal(await page.getByRole("status").innerText(), "Signing you in…");
});

test("CallbackPage waits for the application's router after a sign-in", async (t) => {
  const setup = `client.handleCallback = () => new Promise(() => {});`;
  const { page } = await open(t, { setup, client: SIGNED_IN }, { path: "/callback" });
  assert.equal(await page.getByRole("status").innerText(), "One moment…");
});

test("CallbackPage goes home on a visit without a response", async (t) => {
  const client = { callback: { error: "not_a_callback" } };
  const { page, origin, loads } = await open(t, { client }, { path: "/callback" });
  await page.waitForURL(`${origin}/`);
  assert.deepEqual(loads, ["/callback", "/"]);
});

test("CallbackPage goes to basePath on a visit without a response", async (t) => {
  const client = { callback: { error: "not_a_callback" }, basePath: "/?reading" };
  const { page, origin } = await open(t, { client }, { path: "/callback" });
  await page.waitForURL(`${origin}/?reading`);
});

for (const [status, shown] of [
  ["redirecting", "Taking you to ClassLink…"],
  ["handed-over", "Taking you to ClassLink…"],
]) {
  test(`CallbackPage shows the fallback and stays when the result is ${status}`, async (t) => {
    const setup = status === "handed-over" ? `client.setStatus("redirecting");` : "";
    const { page, loads } = await open(
      t,
      { setup, client: { callback: { status } } },
      { path: "/callback?code=c" },
    );
    await page.getByText(shown).waitFor();
    await settle(page);
    assert.deepEqual(loads, ["/callback"]);
    assert.equal(await count(page, "startLogin"), 0);
  });
}

test("CallbackPage shows any error, and waits for the user", async (t) => {
  const { page } = await open(t, {}, { path: "/" });
  for (const code of CODES.filter((code) => code !== "not_a_callback")) {
    await page.evaluate((given) => client.setCallback({ error: given }), code);
    await page.evaluate(() => go("/callback"));
    const alert = page.getByRole("alert");
    await alert.getByText(createTestClient().setError(code).userMessage).waitFor();
    assert.equal(await alert.getByText("TEST0000").count(), code === "session_expired" ? 0 : 1);
    await page.evaluate(() => go("/"));
    await page.locator("output").waitFor();
  }
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
});

test("CallbackPage starts a new login that leads home when the user tries again after a permanent error", async (t) => {
  const client = { callback: { error: "state_unknown" } };
  const { page } = await open(t, { client }, { path: "/callback?code=c&state=s" });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Taking you to ClassLink…").waitFor();
  assert.deepEqual(await logins(page), [[{ returnTo: "/" }]]);
  assert.equal(await count(page, "handleCallback"), 1);
});

test("CallbackPage handles the response once more, then starts a new login, after a transient error", async (t) => {
  const client = { callback: { error: "network" } };
  const { page } = await open(t, { client }, { path: "/callback?code=c&state=s" });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("alert").waitFor();
  await settle(page);
  assert.deepEqual([await count(page, "handleCallback"), await count(page, "startLogin")], [2, 0]);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Taking you to ClassLink…").waitFor();
  assert.deepEqual([await count(page, "handleCallback"), await count(page, "startLogin")], [2, 1]);
});

test("CallbackPage starts a new login at once when handleCallback rejects as before", async (t) => {
  const setup = `const { handleCallback } = client; let answer;
    client.handleCallback = () => answer ??= handleCallback();`;
  const client = { callback: { error: "network" } };
  const { page } = await open(t, { client, setup }, { path: "/callback?code=c&state=s" });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Taking you to ClassLink…").waitFor();
  assert.equal(await count(page, "startLogin"), 1);
});

test("CallbackPage shows why a new login failed to start, and waits", async (t) => {
  const setup = `client.failNext("startLogin", "storage_unavailable");`;
  const client = { callback: { error: "state_unknown" } };
  const { page } = await open(
    t,
    { client, setup, own: true },
    { path: "/callback?code=c&state=s" },
  );
  await page.getByText("own error state_unknown").waitFor();
  await page.getByRole("button", { name: "once more" }).click();
  await page.getByText("own error storage_unavailable").waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
});

// ---- Texts, and the built file ----

test("components show the application's own texts", async (t) => {
  const client = { callback: { error: "state_unknown" }, messages };
  const { page } = await open(t, { client, texts }, { path: "/callback?code=c&state=s" });
  await page.getByRole("alert").getByText(messages.state_unknown).waitFor();
  await page.getByRole("button", { name: "Intentar de nuevo" }).click();
  await page.getByText("Te llevamos a ClassLink…").waitFor();
});

test("useClassLink throws an error that names the provider when there is none", async () => {
  const { createElement } = await import("react");
  const { renderToString } = await import("react-dom/server");
  const { useClassLink } = await import("classlink-spa/react");
  assert.throws(
    () => renderToString(createElement(() => useClassLink() && null)),
    /ClassLinkProvider client=\{client\}/,
  );
});

test("ClassLinkProvider throws config_invalid when it is given no client", async () => {
  const { createElement } = await import("react");
  const { renderToString } = await import("react-dom/server");
  const { ClassLinkProvider } = await import("classlink-spa/react");
  const error = { code: "config_invalid", message: /^ClassLinkProvider has no client/ };
  assert.throws(
    () => renderToString(createElement(/** @type {any} */ (ClassLinkProvider), null, "x")),
    error,
  );
});

test('the React entry begins with "use client", and contains neither React nor the client', () => {
  const built = readFileSync(join(root, "pkg/react.js"), "utf8");
  assert.match(built, /^"use client";\n/);
  const imports = [...built.matchAll(/from\s*"([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(imports)].sort(), ["react", "react/jsx-runtime"]);
  assert.doesNotMatch(built, /\.wasm/);
});
