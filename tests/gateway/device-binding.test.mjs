// Device-bound sessions in Chromium, whose key is one in software here: what the browser registers, proves and forgets.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import { test } from "node:test";
import { importEntry } from "../support/bundle.mjs";
import { certificateFor } from "../support/certificate.mjs";
import { launchChromium } from "../support/chromium.mjs";
import { deferred } from "../support/deferred.mjs";
import { APP, GatewayClient, newLogin, SUPPORT_CODE, setUp } from "../support/gateway.mjs";
import { CLIENT } from "../support/upstream.mjs";

/** @import { Page } from "playwright-core" */

const { toNodeHandler } = await importEntry("gateway-node");
const CALLBACK = CLIENT.redirectUris[0];

/** An application with the gateway at `/auth`, `/api` for its own route, and a Chromium that takes its certificate. */
async function start(t, gatewayOptions = {}) {
  const world = await setUp(t, gatewayOptions);
  const { gateway } = world;
  const handle = toNodeHandler(gateway);
  const requests = [];
  const identity = await certificateFor([new URL(APP).hostname]);
  const server = createServer(identity, async (request, response) => {
    const path = String(request.url);
    requests.push(`${request.method} ${path.replace(/\?.*/, "")}`);
    if (path.startsWith("/auth/")) return handle(request, response);
    const headers = new Headers({ cookie: request.headers.cookie ?? "" });
    const session = await gateway.getSession(new Request(APP + path, { headers }));
    if (path === "/api" && !session) response.statusCode = 401;
    response.setHeader("Content-Type", "text/html").end("<link rel=icon href=data:,>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const publicKey = new X509Certificate(identity.cert).publicKey;
  const spki = publicKey.export({ type: "spki", format: "der" });
  const browser = await launchChromium({
    thirdPartyCookies: true,
    // The headless shell has no device-bound sessions.
    pageCache: true,
    args: [
      "--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
      `--host-resolver-rules=MAP ${new URL(APP).host}:443 127.0.0.1:${port}`,
      // Chromium binds no session of a server whose certificate has an error, ignored or not.
      `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`,
    ],
  });
  t.after(() => browser.close());
  const [context] = browser.contexts();
  const page = await context.newPage();
  const devTools = await context.newCDPSession(page);
  const events = [];
  let next = deferred();
  devTools.on("Network.deviceBoundSessionEventOccurred", (event) => {
    events.push(event);
    next.resolve();
    next = deferred();
  });
  await devTools.send("Network.enable");
  await devTools.send("Network.enableDeviceBoundSessions", { enable: true });
  await page.goto(`${APP}/`);
  return {
    ...world,
    page,
    context,
    requests,
    events,
    /** Waits for what the browser did with a device-bound session. */
    async event(kind) {
      for (;;) {
        const found = events.find((event) => event[kind]);
        if (found) return found;
        await next.promise;
      }
    },
    /** The browser's cookies. */
    async cookies() {
      const all = await context.cookies();
      return new Map(all.map(({ name, value }) => [name, value]));
    },
    /** Drops the proof, as the browser does when its time is over. */
    dropProof: () => context.clearCookies({ name: /\.proof-/ }),
  };
}

/** Sends a request as the SDK does. @param {Page} page */
const ask = (page, method, path, body = "") =>
  page.evaluate(
    async ([method, path, code, body]) => {
      const headers = {
        "X-ClassLink-SPA": code,
        ...(body && { "Content-Type": "application/x-www-form-urlencoded" }),
      };
      const response = await fetch(path, { method, headers, ...(body && { body }) });
      return { status: response.status, text: await response.text() };
    },
    [method, path, SUPPORT_CODE, body],
  );

/** Signs a user in, in the page. */
async function signIn({ page, browser, upstream }) {
  const login = newLogin();
  const code = upstream.authorize({ ...login, redirectUri: CALLBACK });
  const answer = await ask(page, "POST", "/auth/token", String(browser.form(login, code)));
  assert.equal(answer.status, 200, answer.text);
}

test("Chromium binds a session, and a copied cookie is useless when its minutes are over", async (t) => {
  const world = await start(t);
  const { page, gateway, upstream, requests } = world;
  await signIn(world);
  assert.equal((await world.event("creationEventDetails")).succeeded, true);

  const copied = new GatewayClient(gateway, upstream);
  copied.jar = await world.cookies();
  assert((await copied.whoIsIt()) !== null, "for its minutes it is as good as the browser's");
  world.pass(331);
  assert.equal(await copied.whoIsIt(), null);
  assert.equal((await copied.session()).status, 204);

  await world.dropProof();
  requests.length = 0;
  assert.equal((await ask(page, "GET", "/api")).status, 200, "the browser's own goes on");
  assert.deepEqual(requests, ["POST /auth/device", "POST /auth/device", "GET /api"]);
  assert.equal(await copied.whoIsIt(), null);
});

test("Chromium refreshes before it loads a page, and once for all requests", async (t) => {
  const world = await start(t);
  const { page, requests } = world;
  await signIn(world);
  await world.event("creationEventDetails");
  world.pass(331);
  await world.dropProof();
  requests.length = 0;
  const response = await page.goto(`${APP}/api`);
  assert.equal(response?.status(), 200);
  assert.equal(requests.at(-1), "GET /api");
  await world.dropProof();
  requests.length = 0;
  const statuses = await page.evaluate(() =>
    Promise.all([1, 2, 3].map(async () => (await fetch("/api")).status)),
  );
  assert.deepEqual(statuses, [200, 200, 200]);
  assert.equal(requests.filter((line) => line === "POST /auth/device").length, 2);
});

test("Chromium forgets the device-bound session after a sign-out", async (t) => {
  const world = await start(t);
  const { page, requests } = world;
  await signIn(world);
  await world.event("creationEventDetails");
  assert.equal(
    (await ask(page, "DELETE", `/auth/session?client_id=${CLIENT.clientId}`)).status,
    204,
  );
  assert.equal((await ask(page, "GET", "/api")).status, 401);
  await world.event("terminationEventDetails");
  requests.length = 0;
  await ask(page, "GET", "/api");
  assert.deepEqual(requests, ["GET /api"]);
});

test("with `deviceBound: false` Chromium registers nothing", async (t) => {
  const world = await start(t, { deviceBound: false });
  await signIn(world);
  assert.equal((await ask(world.page, "GET", "/api")).status, 200);
  assert.deepEqual(
    world.requests.filter((line) => line.includes("/auth/device")),
    [],
  );
});
