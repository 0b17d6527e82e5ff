/** `diagnose()`: what a help desk is told, in a browser, of each thing that can stand in the way of a sign-in. */

import assert from "node:assert/strict";
import { sharedBrowser } from "../support/browser.mjs";
import { answering, DOWN, startGatewayApp } from "../support/gateway-app.mjs";
import {
  callInPage,
  loginThroughUi,
  PEOPLE,
  sharedLoginApp,
  snapshot,
  waitForClient,
} from "../support/login.mjs";
import { browserTest, test } from "../support/tiers.mjs";

const browser = sharedBrowser();
const startLoginApp = sharedLoginApp();

/**
 * Has the page's client diagnose itself, and looks at the form of what it says.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<any>} `ok`; `checks`; `complaints`, the status of each check that isn't ok; and each check by its id.
 */
async function diagnose(page) {
  const { error, ok, checks } = await callInPage(page, "client.diagnose()");
  assert.equal(error, undefined);
  for (const { id, status, summary, remedy } of checks) {
    assert.match(summary, /^\S.*[.!]$/, id);
    assert.equal(remedy === undefined, status === "ok", `${id}: a remedy if one is needed`);
  }
  const complaints = Object.fromEntries(
    checks.filter(({ status }) => status !== "ok").map(({ id, status }) => [id, status]),
  );
  assert.equal(ok, !Object.values(complaints).includes("problem"));
  return {
    ...Object.fromEntries(checks.map((check) => [check.id, check])),
    ok,
    checks,
    complaints,
  };
}

/** Diagnoses the client of an application that `options` (of `startLoginApp`) make different. */
async function diagnosed(t, options = {}, path = "/") {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, options);
  await open(page, path);
  return diagnose(page);
}

/** Diagnoses the client of an application with a gateway; `prepare` may change the application first. */
async function diagnosedAtGateway(t, options = {}, prepare = (_gatewayApp) => {}) {
  const { page } = await browser.newPage(t);
  const gatewayApp = await startGatewayApp(t, options);
  await prepare(gatewayApp);
  await gatewayApp.open(page);
  return diagnose(page);
}

test("diagnose finds nothing wrong without a gateway", async (t) => {
  const diagnosis = await diagnosed(t);

  // ClassLink doesn't say that it checks PKCE, and neither does its stand-in.
  assert.deepEqual(diagnosis.complaints, { pkce: "warning" });
  assert.deepEqual(
    diagnosis.checks.map(({ id }) => id),
    [
      ...["secure-context", "web-crypto", "storage", "frame", "webassembly", "configuration"],
      ...["redirect-uri", "clock", "discovery", "deployment", "cors", "registration", "keys"],
      ...["scopes", "pkce"],
    ],
  );
  assert.match(diagnosis.keys.summary, /one key/);
});

test("diagnose finds nothing wrong with a gateway", async (t) => {
  const diagnosis = await diagnosedAtGateway(t);

  assert.deepEqual(diagnosis.complaints, {});
  assert.match(diagnosis.gateway.summary, /answers/);
  assert.match(diagnosis.registration.summary, /takes the gateway's secret/);
  assert.match(diagnosis.deployment.summary, /by the gateway/);
});

test("diagnose keeps the user signed in, and has nothing of the user in its findings", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);

  const diagnosis = await diagnose(page);

  const { status, user } = await snapshot(page);
  assert.equal(status, "signed-in");
  const token = await callInPage(page, "client.getAccessToken()");
  const idToken = await callInPage(page, "client.getIdToken()");
  const written = JSON.stringify(diagnosis);
  for (const secret of [user.name, user.sub, user.familyName, user.sourcedId, token, idToken]) {
    assert(secret && !written.includes(secret), secret);
  }
});

test("diagnose signs no user in, and leaves nothing in the storage", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await open(page);

  await diagnose(page);

  assert.equal((await snapshot(page)).user, null);
  assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);
});

browserTest("diagnose names a page that is not secure", async (t) => {
  const { page, context } = await browser.newPage(t);
  const { app } = await startLoginApp(t, { config: { redirectUri: "https://app.test/callback" } });
  await context.route("http://app.test/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: app.origin + pathname }) });
  });
  await page.goto("http://app.test/");
  await waitForClient(page);

  const diagnosis = await diagnose(page);

  assert.equal(diagnosis["secure-context"].status, "problem");
  assert.match(diagnosis["secure-context"].remedy, /https/);
  assert.equal(diagnosis["web-crypto"].status, "problem");
  assert.equal(diagnosis["redirect-uri"].status, "problem");
  assert.match(diagnosis["redirect-uri"].remedy, /Open the app at https:\/\/app\.test/);
});

test("diagnose finds that storage is blocked", async (t) => {
  const { page, context } = await browser.newPage(t);
  await context.addInitScript(() => {
    Object.defineProperty(window, "sessionStorage", {
      get() {
        throw new DOMException("Access is denied", "SecurityError");
      },
    });
  });
  const { open } = await startLoginApp(t);
  await open(page);

  const { complaints, storage } = await diagnose(page);

  assert.equal(complaints.storage, "problem");
  assert.match(storage.remedy, /site data/);
});

browserTest("diagnose warns of a page inside a frame", async (t) => {
  const { page } = await browser.newPage(t);
  const { app, open } = await startLoginApp(t);
  await open(page);
  await page.evaluate((url) => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.src = url;
  }, app.origin);
  await page.waitForFunction("frames[0]?.client");

  const { checks } = await page.evaluate("frames[0].client.diagnose()");

  const { status, remedy } = checks.find(({ id }) => id === "frame");
  assert.equal(status, "warning");
  assert.match(remedy, /popup/);
});

browserTest(
  "diagnose finds that the policy blocks WebAssembly, and skips the checks that need it",
  async (t) => {
    const headers = {
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self' http://localhost:*; img-src data:",
    };

    const { complaints, webassembly } = await diagnosed(t, { app: { headers } });

    assert.deepEqual(complaints, { webassembly: "problem" });
    assert.match(webassembly.summary, /'wasm-unsafe-eval'/);
  },
);

test("diagnose finds what is wrong with the configuration that a function returns", async (t) => {
  const { complaints, configuration } = await diagnosed(t, {
    configExpression: '() => ({ ...settings, redirectUri: "https://other.example/callback" })',
  });

  assert.equal(complaints.configuration, "problem");
  assert.match(configuration.summary, /redirectUri must be on the page's own origin/);
});

for (const [difference, redirectPath, path] of [
  ["capital letters", "/Callback", "/callback"],
  ["a slash at its end", "/callback/", "/callback"],
]) {
  test(`diagnose finds a redirect URI that differs from the callback page's by ${difference}`, async (t) => {
    const { page } = await browser.newPage(t);
    const { app, open } = await startLoginApp(t, {
      configExpression: `{ ...settings, redirectUri: location.origin + ${JSON.stringify(redirectPath)} }`,
    });
    await open(page, path);
    assert.equal(page.url(), app.origin + path);

    const { complaints, "redirect-uri": redirectUri } = await diagnose(page);

    assert.equal(complaints["redirect-uri"], "warning");
    assert.match(redirectUri.summary, /slash at the end or by capital letters/);
  });
}

test("diagnose finds a redirect URI that the browser normalizes", async (t) => {
  const { "redirect-uri": redirectUri } = await diagnosed(t, {
    configExpression:
      '{ ...settings, redirectUri: location.origin.replace("localhost", "LocalHost") + "/callback" }',
  });

  assert.equal(redirectUri.status, "warning");
  assert.match(redirectUri.remedy, /http:\/\/localhost:\d+\/callback$/);
});

test("diagnose finds a redirect URI that the site's server redirects or doesn't know", async (t) => {
  for (const [response, says] of /** @type {const} */ ([
    [{ status: 301, headers: { Location: "/callback/" } }, /redirects/],
    [{ status: 404 }, /no page.*404/],
  ])) {
    const { page } = await browser.newPage(t);
    const { open } = await startLoginApp(t);
    await open(page);
    await page.route("**/callback", (route) => route.fulfill(response));

    const { complaints, "redirect-uri": redirectUri } = await diagnose(page);

    assert.equal(complaints["redirect-uri"], "warning");
    assert.match(redirectUri.summary, says);
  }
});

test("diagnose finds a clock that is fast or slow, and a server without the time", async (t) => {
  const past = (seconds) => ({ head: { date: new Date(Date.now() - seconds * 1000) } });
  for (const [app, says] of /** @type {const} */ ([
    [past(11 * 60), /1[12] minutes fast.*can still sign in/],
    [past(-26 * 3600), /26 hours slow/],
    [past(-90 * 86_400), /90 days slow/],
    [{ head: { date: null } }, /doesn't send the time/],
  ])) {
    const { ok, clock } = await diagnosed(t, { app });

    assert.equal(clock.status, "warning");
    assert.match(clock.summary, says);
    assert(ok, "users can sign in");
  }
});

test("diagnose finds a discovery document of another issuer", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t, { config: { metadata: undefined } });
  await page.route("**/.well-known/openid-configuration", async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), issuer: "https://other.example" };
    await route.fulfill({ response, json });
  });
  await open(page);

  const { complaints, discovery } = await diagnose(page);

  assert.equal(complaints.discovery, "problem");
  assert.match(discovery.summary, /another issuer/);
});

test("diagnose finds that the key set is missing or empty", async (t) => {
  for (const [failure, says] of /** @type {const} */ ([
    [{ status: 500 }, /can't be fetched/],
    [{ status: 200, body: { keys: [] } }, /has no key/],
  ])) {
    const { page } = await browser.newPage(t);
    const { open, standIn } = await startLoginApp(t, { standIn: {} });
    standIn.fail("jwks", { ...failure, times: Infinity });
    await open(page);

    const { complaints, keys } = await diagnose(page);

    assert.deepEqual(complaints, { keys: "problem", pkce: "warning" });
    assert.match(keys.summary, says);
  }
});

test("diagnose finds endpoints without CORS headers", async (t) => {
  const { complaints, cors, keys, discovery } = await diagnosed(t, {
    standIn: { cors: false },
    config: { profile: "userinfo" },
  });

  assert.deepEqual(complaints, { cors: "problem", keys: "problem" });
  assert.match(cors.summary, /localhost:\d+, localhost:\d+\.$/);
  assert.match(cors.remedy, /gateway.*CORS.*connect-src/);
  assert.match(keys.remedy, /gateway/);
  assert.match(discovery.summary, /isn't needed/);
});

test("diagnose finds that the token endpoint demands the secret", async (t) => {
  const { complaints, registration } = await diagnosed(t, { standIn: { publicClients: false } });

  assert.equal(complaints.registration, "problem");
  assert.match(registration.summary, /demands the client secret/);
  assert.match(registration.remedy, /classlink-spa\/gateway/);
});

test("diagnose finds a client id that the provider doesn't know", async (t) => {
  const { complaints } = await diagnosed(t, { config: { clientId: "unheard-of" } });

  assert.equal(complaints.registration, "problem");
});

test("diagnose finds a scope that the provider doesn't know", async (t) => {
  const { ok, complaints, scopes } = await diagnosed(t, {
    config: { scope: ["openid", "profile", "roster.read"] },
  });

  assert.equal(complaints.scopes, "warning");
  assert.match(scopes.summary, /: roster\.read\.$/);
  assert(ok);
});

test("diagnose accepts a provider that supports PKCE", async (t) => {
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  await page.route("**/.well-known/openid-configuration", async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), code_challenge_methods_supported: ["S256"] };
    await route.fulfill({ response, json });
  });
  await open(page);

  assert.deepEqual((await diagnose(page)).complaints, {});
});

test("diagnose asks for a gateway with ClassLink's own issuer", async (t) => {
  const { page, context } = await browser.newPage(t);
  // Nothing but this test answers for ClassLink here.
  await context.route(/classlink\.com/, (route) => route.abort());
  const { open } = await startLoginApp(t, { config: { issuer: undefined, metadata: undefined } });
  await open(page);

  const { complaints, cors, deployment } = await diagnose(page);

  assert.deepEqual(complaints, { cors: "problem", deployment: "warning", keys: "problem" });
  assert.match(deployment.summary, /client secret/);
  assert.match(cors.summary, /launchpad\.classlink\.com/);
});

test("diagnose finds that the gateway is down", async (t) => {
  const { complaints, gateway } = await diagnosedAtGateway(t, {}, ({ gateway }) => {
    gateway.instead = DOWN;
  });

  assert.deepEqual(complaints, { gateway: "problem", keys: "problem" });
  assert.match(gateway.summary, /can't be reached/);
});

test("diagnose finds a proxy without a gateway behind it, and a page in the gateway's place", async (t) => {
  const down = await diagnosedAtGateway(t, {}, ({ gateway }) => {
    gateway.instead = answering(502, "Bad Gateway");
  });
  assert.equal(down.complaints.gateway, "problem");
  assert.match(down.gateway.summary, /502/);

  const page = await diagnosedAtGateway(t, {}, ({ gateway }) => {
    gateway.instead = answering(200, "<!doctype html>", { "Content-Type": "text/html" });
  });
  assert.equal(page.complaints.gateway, "warning");
  assert.match(page.gateway.remedy, /base path/);
  assert.equal(page.complaints.registration, "problem");
});

test("diagnose finds a gateway that doesn't know this client, or has a wrong secret", async (t) => {
  for (const [client, says] of /** @type {const} */ ([
    [{ clientId: "another-app" }, /doesn't know this client id/],
    [{ redirectUris: ["http://localhost:1/callback"] }, /doesn't know exactly this redirect URI/],
    [{ clientSecret: "a wrong one" }, /secret is wrong/],
  ])) {
    const { complaints, registration } = await diagnosedAtGateway(t, { client });

    assert.equal(complaints.registration, "problem");
    assert.match(registration.summary, says);
  }
});

test("diagnose gives the support code when the gateway can't reach the provider", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, gateway, standIn } = await startGatewayApp(t);
  standIn.fail("token", { status: 503, times: Infinity });
  await open(page);

  const { registration } = await diagnose(page);

  assert.equal(registration.status, "problem");
  const [, code] = /support code ([0-9A-Z]{8})\.$/.exec(registration.remedy) ?? [];
  assert(gateway.log.some(({ supportCode }) => supportCode === code));
});

test("diagnose finds a gateway on another origin that doesn't allow this page's", async (t) => {
  const other = await startGatewayApp(t);

  const { complaints, gateway } = await diagnosedAtGateway(t, {
    config: { gateway: `${other.app.origin}/auth` },
  });

  assert.deepEqual(complaints, { gateway: "problem", keys: "problem" });
  assert.match(gateway.remedy, /allowedOrigins/);
});

test("diagnose finds a proxy that hides the gateway's own origin from it", async (t) => {
  const { registration } = await diagnosedAtGateway(t, {}, ({ gateway }) => {
    const refusal = { "X-ClassLink-Gateway-Error": "forbidden_origin" };
    gateway.instead = answering(403, '{"error":"invalid_request"}', refusal);
  });

  assert.equal(registration.status, "problem");
  assert.match(registration.remedy, /allowedOrigins.*proxy/);
});

test("diagnose rejects in time when its script never comes or is another file", async (t) => {
  for (const answer of [
    () => {},
    (route) => route.fulfill({ contentType: "text/javascript", body: "[]" }),
  ]) {
    const { page, context } = await browser.newPage(t);
    const { open } = await startLoginApp(t, { config: { timeout: 500 } });
    await context.route("**/diagnosis.js", answer);
    await open(page);

    const { error } = await callInPage(page, "client.diagnose()");

    assert.equal(error.code, "network");
    assert.match(error.message, /reload/);
  }
});

test("diagnose on a server is environment_unsupported", async () => {
  const { createClient } = await import("classlink-spa");
  const client = createClient({
    clientId: "test-app",
    redirectUri: "https://app.example/callback",
  });

  await assert.rejects(client.diagnose(), { code: "environment_unsupported" });
});
