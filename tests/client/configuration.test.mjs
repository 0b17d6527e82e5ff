/** A wrong configuration, page or server: an error that names what is wrong and the remedy, in a browser. */

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  handleCallback,
  loginThroughUi,
  PEOPLE,
  pendingLogins,
  sharedLoginApp,
  snapshot,
  startLogin,
  waitForClient,
} from "../support/login.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/** Returns the error of `createClient` for a configuration: `settings` is a right one. */
const complaint = (page, settings, configuration) =>
  callInPage(
    page,
    `import("/pkg/index.js").then(({ createClient }) => {
      const settings = ${JSON.stringify(settings)};
      createClient(${configuration});
      return { error: { code: "none", message: "" } };
    })`,
  ).then(({ error }) => error);

test("createClient refuses a wrong configuration, and names the field and the remedy", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { open, settings } = await startLoginApp(t);
  await open(page);
  const before = requests.length;

  for (const [configuration, ...says] of /** @type {const} */ ([
    ["{ ...settings, clientId: undefined }", /^clientId /, /developer portal/],
    ["{ ...settings, clientId: '' }", /^clientId /],
    ["undefined", /configuration .*object/],
    ["{ ...settings, redirectUri: undefined }", /^redirectUri .*https/],
    ["{ ...settings, redirectUri: '/callback' }", /^redirectUri .*absolute/],
    [
      "{ ...settings, redirectUri: 'http://app.example/callback' }",
      /^redirectUri .*https.*(localhost|loopback)/,
    ],
    ["{ ...settings, redirectUri: 'https://app.example/callback' }", /^redirectUri .*own origin/],
    ["{ ...settings, redirectUri: settings.redirectUri + '#x' }", /^redirectUri .*fragment/],
    ["{ ...settings, scope: 'profile' }", /^scope .*openid/],
    ["{ ...settings, issuer: 'http://issuer.example' }", /^issuer .*https/],
    ["{ ...settings, clientID: 'x' }", /"clientID"/, /Did you mean clientId\?/],
    ["{ ...settings, redirect_uri: 'x' }", /"redirect_uri"/, /Did you mean redirectUri\?/],
    ["{ ...settings, allowedTenant: [1] }", /"allowedTenant"/, /Did you mean allowedTenants\?/],
    [
      "{ ...settings, metadata: { token_endpont: 'https://a.example' } }",
      /"metadata.token_endpont"/,
      /token_endpoint\?/,
    ],
    ["{ ...settings, launch: 'accept' }", /^launch .*"restart" or "reject"/],
    ["{ ...settings, gateway: '//evil.example' }", /^gateway must be a path/],
    ["{ ...settings, session: { idleTimeout: 0 } }", /^session.idleTimeout must be .*seconds/],
    ["{ ...settings, apiOrigins: ['*'] }", /^apiOrigins must be .*wildcards/],
  ])) {
    const error = await complaint(page, settings, configuration);
    assert.equal(error.code, "config_invalid", configuration);
    for (const words of says) assert.match(error.message, words);
  }
  const asked = requests.slice(before).map((request) => request.url());
  assert.deepEqual(asked, [], "createClient asks for nothing");
});

test("createClient refuses a client secret in any spelling, names the remedy, and never shows the secret", async (t) => {
  const { page, console: lines } = await browser.newPage(t);
  const { open, settings } = await startLoginApp(t);
  await open(page);

  for (const place of [
    "clientSecret: 'hush-1'",
    "client_secret: 'hush-1'",
    "CLIENT_SECRET: 'hush-1'",
    "secret: 'hush-1'",
    "'client-secret': 'hush-1'",
    "metadata: { client_secret: 'hush-1' }",
    "session: { deep: { clientSecret: 'hush-1' } }",
  ]) {
    const error = await complaint(page, settings, `{ ...settings, ${place} }`);
    assert.equal(error.code, "config_invalid", place);
    assert.match(error.message, /^clientSecret .*classlink-spa\/gateway/);
    assert.ok(!JSON.stringify(error).includes("hush"), "the secret is echoed");
  }
  assert.deepEqual(lines, []);
  const error = await callInPage(
    page,
    `client.startLogin({ extraParams: { client_secret: "hush-1" } })`,
  );
  assert.equal(error.error.code, "config_invalid");
  assert.ok(!JSON.stringify(error).includes("hush"));
});

test("startLogin refuses wrong options before anything is stored", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, standIn, open } = await startLoginApp(t);
  await open(page);

  for (const [options, words] of /** @type {const} */ ([
    ["{ returnto: '/' }", /"returnto".*Did you mean returnTo\?/],
    ["{ scope: 'profile' }", /^scope .*openid/],
    ["{ maxAge: -1 }", /^maxAge /],
    ["{ appState: { f() {} } }", /^appState must be JSON/],
    ["{ extraParams: { state: 'x' } }", /^extraParams.state .*protocol/],
    ["{ extraParams: { code_challenge: 'x' } }", /^extraParams.code_challenge .*protocol/],
    ["{ mode: 'frame' }", /^mode /],
    ["new MouseEvent('click')", /was given an event/],
  ])) {
    const answer = await callInPage(page, `client.startLogin(${options})`);
    assert.equal(answer?.error?.code, "config_invalid", options);
    assert.match(answer.error.message, words);
  }
  assert.equal(page.url(), `${app.origin}/`);
  assert.equal(standIn.requests.length, 0);
  assert.deepEqual(await pendingLogins(page), []);
});

test("startLogin refuses a maxAge that is too large to be sent", async (t) => {
  const { page, requests } = await browser.newPage(t);
  const { standIn, open } = await startLoginApp(t);
  await open(page);

  const answer = await callInPage(page, "client.startLogin({ maxAge: 2 ** 40 })");

  if (answer?.error) return assert.equal(answer.error.code, "config_invalid");
  await page.waitForURL(`${standIn.issuer}/**`);
  const sent = requests.map((request) => new URL(request.url()).searchParams.get("max_age"));
  assert.ok(sent.includes(String(2 ** 40)), "the login began without max_age");
});

test("the first call rejects with the reason when the configuration function throws or returns a wrong configuration", async (t) => {
  const { page } = await browser.newPage(t);
  for (const [configExpression, words] of /** @type {const} */ ([
    [`() => { throw new Error("no such district: hush-hush"); }`, /^The district function failed/],
    [`async () => ({ ...settings, clientId: "" })`, /^The district function .*clientId/],
    ["() => null", /^The district function .*object/],
  ])) {
    const { app, open } = await startLoginApp(t, { configExpression });
    await open(page);

    const { error } = await callInPage(page, "client.startLogin({ district: 'north' })");

    assert.equal(error.code, "config_invalid", configExpression);
    assert.match(error.message, words);
    assert.ok(!JSON.stringify(error).includes("hush"), "its own words are the cause alone");
    assert.equal((await snapshot(page)).status, "error");
    assert.equal(page.url(), `${app.origin}/`);
  }
});

test("an error has as its cause what the configuration function threw", async (t) => {
  const { page } = await browser.newPage(t);
  const configExpression = `() => { throw new Error("no such district"); }`;
  const { open } = await startLoginApp(t, { configExpression });
  await open(page);

  const cause = await page.evaluate(() =>
    window.client.startLogin().catch((error) => error.cause.message),
  );

  assert.equal(cause, "no such district");
});

test("calls reject with environment_unsupported and the remedy in an insecure page", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app } = await startLoginApp(t, {
    // What an application that should be there by https would have configured.
    config: { redirectUri: "https://app.test/callback" },
  });
  await context.route("http://app.test/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: app.origin + pathname }) });
  });
  await page.goto("http://app.test/");
  await waitForClient(page);

  for (const call of ["startLogin()", "getUser()", "preload()", "handleCallback('/?code=1')"]) {
    const { error } = await callInPage(page, `client.${call}`);
    assert.equal(error.code, "environment_unsupported", call);
    assert.match(error.message, /secure context.*https/);
  }
  assert.match((await callInPage(page, "client.startLogin()")).error.userMessage, /browser/);
  assert.equal(page.url(), "http://app.test/");
});

const csp = (script) => ({
  "Content-Security-Policy": `default-src 'none'; script-src 'self' 'unsafe-inline'${script}; connect-src 'self' http://localhost:*; img-src data:`,
});

browserTest(
  "wasm_unavailable names 'wasm-unsafe-eval' when the policy lacks it, and the page works once it is there",
  async (t) => {
    const { page } = await browser.newPage(t);
    const { app, answers, open } = await startLoginApp(t, { app: { headers: csp("") } });
    await open(page);

    const { error } = await callInPage(page, "client.startLogin()");

    assert.equal(error.code, "wasm_unavailable");
    assert.match(error.message, /Content Security Policy.*'wasm-unsafe-eval'.*script-src/);
    assert.equal(page.url(), `${app.origin}/`);

    answers.headers = csp(" 'wasm-unsafe-eval'");
    await open(page);
    assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
  },
);

browserTest(
  "a sign-in is network, and its code spent, when the policy blocks the provider's endpoints",
  async (t) => {
    const { page } = await browser.newPage(t);
    const policy = { "Content-Security-Policy": "connect-src 'self'" };
    const { open } = await startLoginApp(t, { app: { headers: policy } });
    await open(page);

    assert.equal((await loginThroughUi(page, PEOPLE.pia)).error.code, "network");
    assert.deepEqual(await pendingLogins(page), []);
  },
);

test("wasm_unavailable names the server's response and the remedy when the .wasm file is missing", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { app: { wasm: "missing" } });
  await open(page);

  const { error } = await callInPage(page, "client.startLogin()");

  assert.equal(error.code, "wasm_unavailable");
  assert.match(error.message, /404.*wasmUrl.*classlink-spa\/inline/);
  assert.equal(error.retryable, false);
});

test("the client works when the .wasm file has the wrong MIME type", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { app: { wasm: "wrong-type" } });
  await open(page);

  assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
});

test("wasm_unavailable names the MIME type of another file in place of the .wasm file", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await context.route("**/*.wasm", (route) =>
    route.fulfill({ contentType: "text/html", body: "<h1>Log in to the school's network</h1>" }),
  );
  await open(page);

  const { error } = await callInPage(page, "client.startLogin()");

  assert.equal(error.code, "wasm_unavailable");
  assert.match(error.message, /MIME type: text\/html.*application\/wasm/);
});

test("a .wasm file that failed to load once is fetched again at the next attempt", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { app: { wasm: "fail-once" } });
  await open(page);

  const { error } = await callInPage(page, "client.startLogin()");
  assert.equal(error.code, "wasm_unavailable");
  assert.equal(error.retryable, true);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  assert.equal((await handleCallback(page)).status, "signed-in");
});

test("wasmUrl is the URL from which the .wasm file is fetched", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t, { config: { wasmUrl: "/assets/sdk.wasm" } });
  await context.route("**/assets/sdk.wasm", async (route) => {
    const url = `${app.origin}/pkg/classlink_spa_bg.wasm`;
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  await open(page);

  assert.equal((await loginThroughUi(page, PEOPLE.pia)).status, "signed-in");
  const files = app.requests.filter(({ path }) => path.endsWith("_bg.wasm"));
  assert.equal(files.length, 2, "once for each page, by the other name alone");
});

test("errors have the application's own texts as user messages", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    config: { messages: { access_denied: "Schade." } },
  });
  await open(page, "/callback?error=access_denied");
  assert.equal((await handleCallback(page)).error.userMessage, "Schade.");
  assert.equal(
    (await handleCallback(page, "/callback?code=1&state=s")).error.code,
    "state_unknown",
  );
});

test("a login succeeds when onEvent and a subscriber throw", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, {
    configExpression: `({ ...settings, onEvent() { throw new Error("of the application's own"); } })`,
  });
  await open(page);
  await startLogin(page);
  await completeLogin(page, PEOPLE.pia);
  await page.evaluate(() => {
    window.client.subscribe(() => {
      throw new Error("of the application's own");
    });
  });

  const result = await handleCallback(page);

  assert.equal(result.status, "signed-in");
  assert.equal(result.user.claims.aud, CLIENT_ID);
});
