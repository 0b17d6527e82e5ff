/** The client for applications' tests: in plain Node, and under Vitest and Jest with jsdom. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as main from "classlink-spa";
import { createTestClient, isClassLinkError } from "classlink-spa/testing";
import { root } from "../../tools/lib/run.mjs";
import { present } from "../support/present.mjs";

/** @import { SignedIn } from "classlink-spa" */

const run = promisify(execFile);
const RUNNERS = fileURLToPath(new URL("runners/", import.meta.url));

/** Rejects with an error of this code; returns it. */
async function rejected(promise, code) {
  const error = await promise.then(
    () => assert.fail(`must reject with ${code}`),
    (cause) => cause,
  );
  assert.ok(isClassLinkError(error), String(error));
  assert.equal(error.code, code);
  return error;
}

// ---- Who is signed in ----

test("createTestClient signs no user in unless the test names one", async () => {
  const client = createTestClient();
  assert.deepEqual(client.getSnapshot(), {
    status: "signed-out",
    user: null,
    scope: [],
    error: null,
  });
  assert.equal(await client.getUser(), null);
  await rejected(client.getAccessToken(), "not_signed_in");
  await rejected(client.getIdToken(), "not_signed_in");
  await rejected(client.fetch("/api"), "not_signed_in");
});

test("createTestClient completes a user whose fields the test gives in part", async () => {
  const user = await createTestClient({
    user: {},
  }).getUser();
  const { id, sub, name, givenName, role, tenant, rosterId, claims } = present(user);
  assert.equal(id, `https://launchpad.classlink.com|${sub}`);
  assert.deepEqual(
    [name, givenName, role, tenant, rosterId],
    ["Sam Student", "Sam", "student", { id: "2284", name: "Test District" }, undefined],
  );
  assert.equal(claims.sub, sub);

  const ada = await createTestClient({
    user: { sub: "a|b%", name: "Ada", role: "teacher", email: undefined, sourcedId: "x/y" },
  }).getUser();
  assert.deepEqual(
    [ada?.id, ada?.rosterId, ada?.name, ada?.role],
    ["https://launchpad.classlink.com|a%7Cb%25", "2284/x%2Fy", "Ada", "teacher"],
  );
  // Another's first name would be odd beside it, and a student may have no address.
  for (const field of ["givenName", "familyName", "email", "roleName"])
    assert.ok(!(field in present(ada)), field);
});

test("createTestClient returns the tokens and the scope that the test gives", async () => {
  const client = createTestClient({ user: {}, scope: ["openid"], accessToken: "a", idToken: "i" });
  assert.deepEqual(client.getSnapshot().scope, ["openid"]);
  assert.equal(await client.getAccessToken(), "a");
  assert.equal(await client.getIdToken(), "i");
});

test("test client: getUser waits while the status is loading or signing-in", async () => {
  const client = createTestClient({ status: "loading" });
  /** @type {any} */
  let user = "waiting";
  const waiting = client.getUser().then((found) => {
    user = found;
  });
  client.setStatus("signing-in");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(user, "waiting");
  client.signIn({ name: "Ada" });
  await waiting;
  assert.equal(/** @type {any} */ (user).name, "Ada");
});

// ---- The snapshot, as the real client's ----

test("test client: the snapshot is deeply frozen, and the same object while nothing changes", () => {
  const client = createTestClient({ user: { name: "Ada" } });
  const before = client.getSnapshot();
  for (const value of [
    before,
    before.user,
    before.user?.tenant,
    before.user?.claims,
    before.scope,
  ]) {
    assert.ok(Object.isFrozen(value));
  }
  let heard = 0;
  const stop = client.subscribe(() => heard++);
  client.signIn({ name: "Ada" });
  assert.equal(client.getSnapshot(), before);
  assert.equal(heard, 0);
  client.signIn({ name: "Ada" }, ["openid"]);
  assert.equal(heard, 1);
  assert.notEqual(client.getSnapshot(), before);
  assert.equal(client.getSnapshot().user, before.user);
  stop();
  client.signOut();
  assert.equal(heard, 1);
});

test("test client: a listener that throws is reported, and the others are called", (t) => {
  const report = t.mock.method(console, "error", () => {});
  const client = createTestClient();
  const heard = [];
  client.subscribe(() => {
    throw new Error("mine");
  });
  const stop = client.subscribe(() => {
    heard.push("one");
    stop();
  });
  client.subscribe(() => heard.push("two"));
  client.signIn();
  client.signOut();
  assert.deepEqual(heard, ["one", "two", "two"]);
  assert.equal(report.mock.callCount(), 2);
});

test("test client: close signs out, rejects every call, and notifies no listener again", async () => {
  const client = createTestClient({ status: "loading" });
  const waiting = client.getUser();
  client.close();
  await rejected(waiting, "client_closed");
  assert.equal(client.getSnapshot().status, "signed-out");
  client.subscribe(() => assert.fail("nothing is heard"));
  client.signIn();
  for (const method of ["startLogin", "handleCallback", "getUser", "getAccessToken", "logout"]) {
    await rejected(client[method](), "client_closed");
  }
});

// ---- Signing in and out ----

test("test client: startLogin is recorded, and the status is redirecting", async () => {
  const client = createTestClient();
  const { startLogin } = client;
  assert.equal(await startLogin({ returnTo: "/x" }), undefined);
  await startLogin();
  assert.deepEqual(client.calls.startLogin, [[{ returnTo: "/x" }], []]);
  assert.equal(client.getSnapshot().status, "redirecting");
  client.clearCalls();
  assert.deepEqual(client.calls.startLogin, []);
});

test("test client: startLogin signs in at once if the test names a user; a popup always does", async () => {
  const client = createTestClient({ loginAs: { name: "Ada" } });
  await client.startLogin();
  assert.equal((await client.getUser())?.name, "Ada");

  const result = await createTestClient().startLogin({ mode: "popup", appState: 5 });
  assert.deepEqual(
    [result.status, result.appState, result.user.name],
    ["signed-in", 5, "Sam Student"],
  );
});

test("test client: handleCallback resolves with the login that was started", async () => {
  const client = createTestClient();
  await client.startLogin({ returnTo: "/x", appState: { a: 1 }, district: "d" });
  const result = /** @type {SignedIn} */ (await client.handleCallback("/callback?code=1&state=2"));
  assert.deepEqual(
    [result.status, result.returnTo, result.appState, result.district],
    ["signed-in", "/x", { a: 1 }, "d"],
  );
  assert.equal(result.user, client.getSnapshot().user);
  assert.deepEqual(client.calls.handleCallback, [["/callback?code=1&state=2"]]);
});

test("test client: handleCallback rejects with the returnTo and appState of the login", async () => {
  const client = createTestClient({ callback: { error: "access_denied" } });
  await client.startLogin({ returnTo: "/x", appState: { draft: 1 } });
  const error = await rejected(client.handleCallback(), "access_denied");
  assert.deepEqual([error.returnTo, error.appState], ["/x", { draft: 1 }]);

  client.setCallback({ error: { code: "access_denied", returnTo: "/y" } });
  assert.equal((await rejected(client.handleCallback(), "access_denied")).returnTo, "/y");

  client.setCallback({ error: "state_unknown" });
  assert.equal("returnTo" in (await rejected(client.handleCallback(), "state_unknown")), false);
});

test("test client: handleCallback resolves with the result that the test gives", async () => {
  const client = createTestClient({ callback: { user: { name: "Ada" }, returnTo: "/y" } });
  const result = /** @type {SignedIn} */ (await client.handleCallback());
  assert.deepEqual([result.user.name, result.returnTo], ["Ada", "/y"]);

  client.signOut();
  client.setCallback({ status: "redirecting" });
  assert.deepEqual(await client.handleCallback(), { status: "redirecting" });
  assert.equal(client.getSnapshot().status, "redirecting");

  client.setCallback({ status: "handed-over" });
  assert.deepEqual(await client.handleCallback(), { status: "handed-over" });

  client.setCallback({ error: "access_denied" });
  const error = await rejected(client.handleCallback(), "access_denied");
  assert.equal(client.getSnapshot().error, error);
});

test("test client: logout signs out, and reports that the provider's session may remain", async () => {
  const client = createTestClient({ user: {}, logoutResult: { sessionEnded: false } });
  assert.deepEqual(await client.logout({ postLogoutRedirectUri: "https://app.example/" }), {
    sessionEnded: false,
    providerSessionMayRemain: true,
  });
  assert.equal(client.getSnapshot().status, "signed-out");
  assert.equal(client.calls.logout.length, 1);
});

test("test client: fetch is the test's own, or rejects and says how to give one", async () => {
  const asked = [];
  const client = createTestClient({
    user: {},
    fetch: async (...given) => {
      asked.push(given);
      return new Response("[]");
    },
  });
  assert.deepEqual(await (await client.fetch("/api", { method: "POST" })).json(), []);
  assert.deepEqual(asked, [["/api", { method: "POST" }]]);

  const error = await rejected(createTestClient({ user: {} }).fetch("/api"), "config_invalid");
  assert.match(error.message, /createTestClient\(\{ fetch:/);
});

// ---- Errors ----

test("test client: failNext rejects the next call of that method, once", async () => {
  const client = createTestClient({ user: {} });
  const error = client.failNext("getAccessToken", "renewal_unavailable");
  client.failNext("getAccessToken", "network");
  assert.equal(await client.getAccessToken().catch((cause) => cause), error);
  assert.equal((await rejected(client.getAccessToken(), "network")).retryable, true);
  assert.equal(await client.getAccessToken(), "test-access-token");
  // A user who is signed in stays so.
  assert.equal(client.getSnapshot().status, "signed-in");
});

test("test client: a session that ended rejects every call, and is in the snapshot", async () => {
  const client = createTestClient({ user: {} });
  const error = client.failNext("getAccessToken", "session_expired");
  await rejected(client.getAccessToken(), "session_expired");
  assert.equal(client.getSnapshot().error, error);
  await rejected(client.getIdToken(), "session_expired");
  assert.equal(await client.getUser(), null);
});

test("test client: the snapshot has the error of a failed login, and none of a visit without a response", async () => {
  const client = createTestClient();
  client.failNext("handleCallback", "not_a_callback");
  await rejected(client.handleCallback(), "not_a_callback");
  assert.equal(client.getSnapshot().status, "signed-out");
  const error = client.failNext("startLogin", "storage_unavailable");
  await rejected(client.startLogin(), "storage_unavailable");
  assert.equal(client.getSnapshot().error, error);
});

test("test client: errors are the package's own, and the same in every run", async () => {
  const client = createTestClient({ error: { code: "id_token_invalid", reason: "nonce" } });
  const { error } = client.getSnapshot();
  assert.ok(main.isClassLinkError(error));
  assert.ok(error instanceof main.ClassLinkError);
  assert.deepEqual(
    [error.code, error.reason, error.supportCode, error.retryable],
    ["id_token_invalid", "nonce", "TEST0000", false],
  );
  const { messages } = await import("classlink-spa/es");
  const spanish = createTestClient({ messages });
  assert.equal(spanish.setError("timeout").userMessage, messages.timeout);
});

test("test client: has every method of the real client, and they work without the object", async () => {
  const real = main.createClient({ clientId: "c", redirectUri: "https://app.example/callback" });
  const client = createTestClient({ user: {} });
  for (const name of Object.keys(real)) assert.equal(typeof client[name], "function", name);
  const { restoreSession, handleLaunch, diagnose, preload, stayActive, getUser } = client;
  assert.equal(await restoreSession(), await getUser());
  assert.deepEqual(await diagnose(), { ok: true, checks: [] });
  await preload();
  stayActive();
  await handleLaunch("/launch");
  assert.equal(client.getSnapshot().status, "redirecting");
  assert.deepEqual(client.calls.handleLaunch, [["/launch"]]);
});

test("test client: methods can be spied on", async (t) => {
  const client = createTestClient();
  t.mock.method(client, "startLogin", async () => {});
  await client.startLogin();
  assert.deepEqual(client.calls.startLogin, []);
});

test("test client: onUserChange is called as by the real client", async () => {
  const seen = [];
  const client = createTestClient({
    user: { sub: "1" },
    onUserChange: (user, previous) =>
      seen.push([previous?.sub, user?.sub, client.getSnapshot().user]),
  });
  client.signIn({ sub: "1", givenName: "Ada" });
  assert.deepEqual(seen, [], "the same user");
  client.signIn({ sub: "2" });
  client.signOut();
  client.signIn({ sub: "1" });
  assert.deepEqual(seen, [
    ["1", "2", null],
    ["2", undefined, null],
    [undefined, "1", null],
  ]);
});

test("test client: a login without returnTo leads to basePath", async () => {
  const client = createTestClient({ basePath: "/reading/" });
  const result = await client.handleCallback();
  assert.equal("returnTo" in result && result.returnTo, "/reading/");
});

// ---- Test runners ----

for (const [name, program, args, options] of /** @type {const} */ ([
  ["Vitest", "vitest/vitest.mjs", ["run", "--reporter=json"], ""],
  ["Jest", "jest/bin/jest.js", ["--json", "--watchman=false"], ""],
  [
    "Jest with ES modules",
    "jest/bin/jest.js",
    ["--json", "--watchman=false"],
    "--experimental-vm-modules --no-warnings",
  ],
])) {
  test(`createTestClient runs in an application's test under ${name}, with jsdom`, async () => {
    const { stdout } = await run(process.execPath, [`${root}/node_modules/${program}`, ...args], {
      cwd: RUNNERS,
      env: { ...process.env, NODE_OPTIONS: options },
    });
    const { numPassedTests, success } = JSON.parse(stdout.slice(stdout.indexOf("{")));
    assert.deepEqual({ numPassedTests, success }, { numPassedTests: 5, success: true });
  });
}
