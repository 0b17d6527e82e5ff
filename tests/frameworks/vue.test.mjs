/** Sign-in in Vue applications: what the user sees, in a browser, with vue-router. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/run.mjs";
import { addFrame, sharedBrowser } from "../support/browser.mjs";
import { renderOnServer, serveApp, tell } from "./support.mjs";

const browser = sharedBrowser();

const SIGNED_IN = { user: { name: "Ada" } };

/**
 * Opens a page of the application.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("./support.mjs").Scenario} [scenario]
 * @param {{ path?: string, html?: string }} [options]
 */
async function open(t, scenario = {}, { path = "/classes", ...served } = {}) {
  const app = await serveApp(t, "Vue 3", served);
  const watched = await browser.newPage(t);
  await tell(watched.context, scenario);
  await watched.page.goto(app.origin + path);
  return {
    ...app,
    ...watched,
    /** Returns the complaints of Vue, the package and the browser. */
    complaints: () => [
      ...watched.console.filter((line) => /^(error|warning)/.test(line)),
      ...watched.errors,
    ],
  };
}

const count = (page, method) => page.evaluate((name) => client.calls[name].length, method);
const logins = (page) => page.evaluate(() => client.calls.startLogin);
/** Long enough for anything that would start by itself. */
const settle = (page) => page.waitForTimeout(150);
const who = async (page) => JSON.parse(await page.locator("output").innerText());
const routerErrors = (page) => page.evaluate(() => window.routerErrors ?? []);
/** A user does something on the page. */
const act = (page) => page.keyboard.press("Shift");

/** A login that begins, and the page is still there. */
const SWALLOWED = {
  "and the client knows": `const { startLogin } = client;
    client.startLogin = (...args) => startLogin(...args).then(() => client.setStatus("signed-out"));`,
  "and the client does not know": "",
};

test("useClassLink follows the client with refs", async (t) => {
  const { page, complaints } = await open(t, { client: { status: "loading" } }, { path: "/" });
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
  for (const status of /** @type {const} */ (["redirecting", "signing-in"])) {
    await page.evaluate((given) => client.setStatus(given), status);
    assert.deepEqual(await who(page), { status, isLoading: true, ...nobody });
  }
  assert.ok(await page.evaluate(() => seen.every(({ refs }) => refs)));
  assert.deepEqual(complaints(), []);
});

test("useClassLink stops following the client when the application is unmounted", async (t) => {
  const setup = `window.following = 0;
    const { subscribe } = client;
    client.subscribe = (listener) => {
      window.following++;
      const stop = subscribe(listener);
      return () => { window.following--; stop(); };
    };`;
  const { page } = await open(t, { setup, guard: {} }, { path: "/" });
  await page.locator("output").waitFor();
  const before = await page.evaluate(() => following);
  await page.evaluate(() => app.unmount());
  assert.equal(before - (await page.evaluate(() => following)), 2);
});

test('useClassLink renders "loading" on a server without a subscription, and hydrates without a complaint', async (t) => {
  const setup = "client.handleCallback = () => new Promise(() => {});";
  for (const [path, before, after, client] of /** @type {const} */ ([
    ["/", '"status":"loading"', '"name":"Ada"', SIGNED_IN],
    ["/classes", "Classes of ", "Classes of Ada", SIGNED_IN],
    ["/callback", "One moment…", "Taking you to ClassLink…", { status: "redirecting" }],
  ])) {
    const scenario = { client, setup };
    const html = await renderOnServer("Vue 3", path, scenario);
    assert.ok(html.replaceAll("&quot;", '"').includes(before), html);
    assert.ok(!html.includes("Ada"));
    const { page, complaints } = await open(t, scenario, { path, html });
    await page.getByText(after).first().waitFor();
    assert.deepEqual(complaints(), [], path);
  }
});

// ---- The guard ----

test("requireSignIn admits a user who is signed in", async (t) => {
  const { page, complaints } = await open(t, { client: SIGNED_IN });
  await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
  assert.deepEqual(complaints(), []);
});

test("requireSignIn waits while the status is unknown", async (t) => {
  const { page } = await open(t, { client: { status: "loading" } });
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
  await page.evaluate(() => client.signIn({ name: "Ada" }));
  await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
});

test("requireSignIn starts a login that comes back to the route", async (t) => {
  const guard = { loginOptions: { prompt: "login" } };
  const { page } = await open(t, { guard }, { path: "/classes?period=2#today" });
  await settle(page);
  assert.deepEqual(await logins(page), [
    [{ returnTo: "/classes?period=2#today", prompt: "login" }],
  ]);
});

test("requireSignIn waits for the user inside a frame, and opens a popup", async (t) => {
  const { page, origin } = await open(t, { guard: { signedOut: "/signed-out" } }, { path: "/" });
  const frame = await addFrame(page, `${origin}/classes`);

  await frame.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await count(frame, "startLogin"), 0);
  await frame.getByRole("button", { name: "Sign in" }).press("a");
  await frame.evaluate(() => go("/classes"));

  await frame.getByRole("heading", { name: /^Classes of/ }).waitFor();
  assert.deepEqual(await logins(frame), [[{ returnTo: "/classes", mode: "popup" }]]);
});

test("requireSignIn on every route admits the callback page with a response", async (t) => {
  const client = { callback: { user: { name: "Ada" }, returnTo: "/classes" } };
  const { page } = await open(
    t,
    { global: true, routed: true, client },
    { path: "/callback?code=c&state=s" },
  );
  await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
});

for (const [how, setup] of Object.entries(SWALLOWED)) {
  test(`requireSignIn waits for the user when the login began and the page was not left, ${how}`, async (t) => {
    const { page } = await open(t, { setup }, { path: "/" });
    await page.locator("output").waitFor();
    for (let i = 0; i < 3; i++) await page.evaluate(() => go("/classes"));
    assert.equal(await count(page, "startLogin"), 1);
    await act(page);
    await page.evaluate(() => go("/classes"));
    assert.equal(await count(page, "startLogin"), 2);
  });
}

test("requireSignIn starts one login when it is called again meanwhile", async (t) => {
  const setup = `const { startLogin } = client;
    client.startLogin = (...args) => { void startLogin(...args); client.setStatus("signed-out"); return new Promise(() => {}); };`;
  const { page } = await open(t, { setup }, { path: "/" });
  await page.locator("output").waitFor();
  await page.evaluate(() => {
    for (const path of ["/classes", "/classes?a", "/classes?b"]) void go(path);
  });
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
});

test("requireSignIn does not sign the same user in again when the application navigates after a logout", async (t) => {
  const { page } = await open(t, { client: SIGNED_IN }, { path: "/" });
  await page.locator("output").click();
  await page.evaluate(async () => {
    await client.logout();
    await go("/classes");
  });
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
  await act(page);
  await page.evaluate(() => go("/classes"));
  assert.equal(await count(page, "startLogin"), 1);
});

test("requireSignIn tries once and rejects the navigation when every login fails to start", async (t) => {
  const setup = `for (let i = 0; i < 3; i++) client.failNext("startLogin", "config_invalid");`;
  const { page } = await open(t, { setup }, { path: "/" });
  await page.locator("output").waitFor();
  for (let i = 0; i < 3; i++) await page.evaluate(() => go("/classes"));
  assert.equal(await count(page, "startLogin"), 1);
  assert.deepEqual(await routerErrors(page), Array(3).fill("config_invalid"));
});

test("requireSignIn leads to the signedOut page after an error, which lets the user try again", async (t) => {
  const { page } = await open(t, {
    client: { error: "gateway_error" },
    guard: { signedOut: "/signed-out" },
  });
  await page.getByRole("alert").getByText("gateway_error").waitFor();
  assert.equal(await count(page, "startLogin"), 0);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(await count(page, "startLogin"), 1);
});

test("requireSignIn with a signedOut page waits there after a reload", async (t) => {
  const { page } = await open(t, { guard: { signedOut: "/signed-out" } });
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await count(page, "startLogin"), 0);
});

test("requireSignIn without a signedOut page starts a login after a reload", async (t) => {
  const { page } = await open(t);
  await settle(page);
  await page.reload();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 1);
});

test("requireSignIn starts one login when the session ends with the callback page", async (t) => {
  const setup = `const { startLogin } = client;
    client.startLogin = async (...args) => { await startLogin(...args); location.assign("/callback?code=c&state=s"); };
    client.setCallback({ returnTo: "/classes" });`;
  const { page, loads, complaints } = await open(t, { setup });
  while (loads.length < 3) await settle(page);
  await settle(page);
  assert.deepEqual(loads, ["/classes", "/callback", "/classes"]);
  assert.equal(await count(page, "startLogin"), 0);
  assert.match(complaints().join(), /Give requireSignIn a "signedOut" page/);
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

test("CallbackPage emits signed-in once, in place of loading a page", async (t) => {
  const callback = { user: { name: "Ada" }, returnTo: "/classes", appState: { cart: 1 } };
  const { page, loads } = await open(
    t,
    { routed: true, client: { callback } },
    { path: "/callback?code=c&state=s" },
  );
  await page.getByRole("heading", { name: "Classes of Ada" }).waitFor();
  const went = await page.evaluate(() => window.went);
  assert.deepEqual(
    went.map(({ to, result }) => [to, result.appState]),
    [["/classes", { cart: 1 }]],
  );
  assert.deepEqual(loads, ["/callback"]);
});

test("CallbackPage goes home on a visit without a response", async (t) => {
  const client = { callback: { error: "not_a_callback" } };
  const { page, origin } = await open(t, { client }, { path: "/callback" });
  await page.waitForURL(`${origin}/`);
});

for (const status of ["redirecting", "handed-over"]) {
  test(`CallbackPage shows the fallback and stays when the result is ${status}`, async (t) => {
    const client = { callback: { status }, status: "signing-in" };
    const { page, loads } = await open(t, { client, own: true }, { path: "/callback?code=c" });
    await page.getByText(/own fallback/).waitFor();
    await settle(page);
    assert.deepEqual(loads, ["/callback"]);
    assert.equal(await count(page, "startLogin"), 0);
  });
}

test("CallbackPage shows an error with its support code, and waits for the user", async (t) => {
  const { texts, messages } = await import("../../pkg/es.js");
  const client = { callback: { error: "access_denied" }, messages };
  const { page } = await open(t, { client, texts }, { path: "/callback?code=c&state=s" });
  const alert = page.getByRole("alert");
  await alert.getByText(messages.access_denied).waitFor();
  await alert.getByText("TEST0000").waitFor();
  await settle(page);
  assert.equal(await count(page, "startLogin"), 0);
  await page.getByRole("button", { name: "Intentar de nuevo" }).click();
  await page.getByText("Te llevamos a ClassLink…").waitFor();
  assert.deepEqual(await logins(page), [[{ returnTo: "/" }]]);
});

test("CallbackPage with slots shows why a new login failed to start", async (t) => {
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
});

// ---- Elsewhere ----

test("useClassLink throws an error that names the plugin when it is not installed", async () => {
  const { createSSRApp } = await import("vue");
  const { renderToString } = await import("vue/server-renderer");
  const { useClassLink } = await import("classlink-spa/vue");
  const app = createSSRApp({ setup: () => () => useClassLink().status.value });
  app.config.warnHandler = () => {};
  await assert.rejects(renderToString(app), /app\.use\(createClassLink\(client\)\)/);
});

test("createClassLink and requireSignIn throw config_invalid when they are given no client", async () => {
  const { createClassLink, requireSignIn } = await import("classlink-spa/vue");
  for (const given of /** @type {any[]} */ ([undefined, null, {}, { client: undefined }])) {
    const ofPlugin = { code: "config_invalid", message: /^createClassLink has no client/ };
    assert.throws(() => createClassLink(given), ofPlugin);
    const ofGuard = { code: "config_invalid", message: /^requireSignIn has no client/ };
    assert.throws(() => requireSignIn(given), ofGuard);
  }
});

test("the Vue entry contains neither Vue nor the client", () => {
  const built = readFileSync(join(root, "pkg/vue.js"), "utf8");
  const imports = [...built.matchAll(/from\s*"([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(imports)], ["vue"]);
  assert.doesNotMatch(built, /\.wasm/);
});
