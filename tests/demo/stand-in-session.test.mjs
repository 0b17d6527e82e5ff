// The ClassLink stand-in's switches for what ClassLink is not known to have: all that a session can rest on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJwt } from "jose";
import { startApp } from "../support/app.mjs";
import { addFrame, sharedBrowser } from "../support/browser.mjs";
import { skipIn } from "../support/engine.mjs";
import { PEOPLE, selectUser } from "../support/login.mjs";
import { present } from "../support/present.mjs";
import {
  api,
  authorizationUrl,
  CLIENT,
  exchange,
  HttpUserAgent,
  obtainTokens,
  PAUL,
  PIA,
  postForm,
  renew,
  SECRET_CLIENT,
  standInFor,
} from "../support/stand-in.mjs";

const chromium = sharedBrowser();

/** Shortens a response of the token endpoint to its status and error. */
const outcomeOf = ({ response, body }) => [response.status, body.error];
const REFUSED = [400, "invalid_grant"];

/** Whether an access token still opens profileinfo. */
async function opens(standIn, { access_token }) {
  const { response } = await api(standIn.endpoints.userinfo_endpoint, access_token);
  return response.status === 200;
}

test("a refresh token brings a new access token and a new ID token of the same sign-in", async (t) => {
  const standIn = await standInFor(t, {
    refreshTokens: true,
    expiresIn: true,
    accessTokenLifetime: 30,
    idTokenLifetime: 30,
  });
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const first = await obtainTokens(standIn);
  assert.equal(first.expires_in, 30);
  assert.ok(await opens(standIn, first));

  t.mock.timers.tick(31_000);
  assert.ok(!(await opens(standIn, first)), "the access token has expired");
  const { response, body: second } = await renew(standIn, first.refresh_token);

  assert.equal(response.status, 200);
  assert.deepEqual(Object.keys(second).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "refresh_token",
    "response_type",
    "token_type",
  ]);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  assert.ok(await opens(standIn, second));
  const claims = decodeJwt(second.id_token);
  assert.ok(claims.iat > first.claims.iat);
  assert.deepEqual(
    { ...claims, iat: 0, exp: 0 },
    { ...first.claims, iat: 0, exp: 0 },
    "auth_time and nonce too",
  );
  assert.equal(claims.exp - claims.iat, 30);
  assert.equal((await renew(standIn, second.refresh_token)).response.status, 200);
});

test("a refresh token that is used again ends its grant, and no other", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const browser = new HttpUserAgent();
  const first = await obtainTokens(standIn, { browser });
  const other = await obtainTokens(standIn, { browser });
  const { body: second } = await renew(standIn, first.refresh_token);

  assert.deepEqual(outcomeOf(await renew(standIn, first.refresh_token)), REFUSED);

  assert.deepEqual(outcomeOf(await renew(standIn, second.refresh_token)), REFUSED);
  assert.ok(!(await opens(standIn, second)));
  assert.ok(await opens(standIn, other));
  assert.deepEqual(outcomeOf(await renew(standIn, other.refresh_token)), [200, undefined]);
});

test("a refresh token that is used several times at once succeeds once", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await obtainTokens(standIn);

  const answers = await Promise.all(Array.from({ length: 5 }, () => renew(standIn, refresh_token)));

  const statuses = answers.map(({ response }) => response.status).sort();
  assert.deepEqual(statuses, [200, 400, 400, 400, 400]);
  const { body } = present(answers.find(({ response }) => response.ok));
  assert.deepEqual(outcomeOf(await renew(standIn, body.refresh_token)), REFUSED);
});

test("a refresh token is taken from its own client alone, with its secret if one is demanded", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true, publicClients: false });
  const client = { client_id: SECRET_CLIENT.clientId };
  const secret = { client_secret: SECRET_CLIENT.clientSecret };
  const { callback } = await new HttpUserAgent().arrive(authorizationUrl(standIn, client));
  const code = callback.searchParams.get("code");
  const { body } = await exchange(standIn, code, { ...client, ...secret });
  const attempt = async (params) => outcomeOf(await renew(standIn, body.refresh_token, params));

  assert.deepEqual(await attempt(client), [401, "invalid_client"]);
  assert.deepEqual(await attempt({ ...client, ...secret }), [200, undefined]);

  const open = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await obtainTokens(open);
  assert.deepEqual(outcomeOf(await renew(open, refresh_token, client)), REFUSED);
});

test("the stand-in gives out no refresh token without its option, whatever the scope", async (t) => {
  const standIn = await standInFor(t);
  const answer = await obtainTokens(standIn, { scope: "openid offline_access", prompt: "consent" });
  assert.ok(!("refresh_token" in answer) && !("expires_in" in answer));
  assert.deepEqual(outcomeOf(await renew(standIn, "any")), [400, "unsupported_grant_type"]);
});

test("revocation ends the whole grant, and reports success for any token", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true, revocation: true });
  const { body: discovered } = await api(standIn.discoveryUrl);
  const { revocation_endpoint } = standIn.endpoints;
  assert.equal(discovered.revocation_endpoint, revocation_endpoint);
  const revoke = async (token, params = {}) => {
    const fields = { token, client_id: CLIENT.clientId, ...params };
    const headers = { origin: "https://app.example" };
    const { response } = await postForm(present(revocation_endpoint), fields, headers);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    return response.status;
  };
  for (const kind of ["refresh_token", "access_token"]) {
    const tokens = await obtainTokens(standIn);
    assert.equal(await revoke(tokens[kind], { client_id: SECRET_CLIENT.clientId }), 200);
    assert.ok(await opens(standIn, tokens), "another client's stays");

    assert.equal(await revoke(tokens[kind]), 200);

    assert.ok(!(await opens(standIn, tokens)), kind);
    assert.deepEqual(outcomeOf(await renew(standIn, tokens.refresh_token)), REFUSED);
    assert.equal(await revoke(tokens[kind]), 200, "twice is no error (RFC 7009, 2.2)");
  }
  assert.equal(await revoke(undefined), 400);

  const without = await standInFor(t);
  const gone = await postForm(`${without.issuer}/oauth2/v2/revoke`, { token: "any" });
  assert.equal(gone.response.status, 404);
});

const POST_LOGOUT_URI = "http://localhost:4419/bye";

/** A stand-in with an end-session endpoint, Pia's browser signed in there, and a way to ask whether it still is. */
async function signedInWithEndSession(t) {
  const client = { ...CLIENT, postLogoutRedirectUris: [POST_LOGOUT_URI] };
  const standIn = await standInFor(t, { endSession: true, clients: [client] });
  const browser = new HttpUserAgent();
  const { id_token, ...tokens } = await obtainTokens(standIn, { browser });
  const endSessionUrl = (params) =>
    `${standIn.endpoints.end_session_endpoint}?${new URLSearchParams(params)}`;
  /** Requests a silent authentication, and returns `code` or its error. */
  const silently = async () => {
    const { callback } = await browser.arrive(authorizationUrl(standIn, { prompt: "none" }));
    return callback.searchParams.get("error") ?? "code";
  };
  return { standIn, browser, id_token, tokens, endSessionUrl, silently };
}

test("end-session leads back at once with the signed-in user's ID token", async (t) => {
  const { standIn, browser, id_token, tokens, endSessionUrl, silently } =
    await signedInWithEndSession(t);
  const { body: discovered } = await api(standIn.discoveryUrl);
  assert.equal(discovered.end_session_endpoint, standIn.endpoints.end_session_endpoint);
  const request = {
    id_token_hint: id_token,
    post_logout_redirect_uri: POST_LOGOUT_URI,
    state: "bye & hello",
  };

  const { response, left } = await browser.open(endSessionUrl(request));

  assert.equal(response.status, 303);
  assert.equal(present(left).origin + present(left).pathname, POST_LOGOUT_URI);
  assert.deepEqual([...present(left).searchParams], [["state", "bye & hello"]]);
  assert.equal(await silently(), "login_required");
  const launchPad = await browser.open(standIn.launchPadUrl);
  assert.match(launchPad.text, /data-testid="launchpad-nobody"/);
  assert.ok(await opens(standIn, tokens), "the tokens stay alive");

  const again = await browser.open(endSessionUrl(request));
  assert.equal(again.left?.href, left?.href, "no session is not an error");
  const bare = await browser.open(endSessionUrl({}));
  assert.match(bare.text, /data-testid="signed-out"/);
});

test("end-session asks first without an ID token, or with another user's", async (t) => {
  const { standIn, browser, endSessionUrl, silently } = await signedInWithEndSession(t);
  const { id_token: pauls } = await obtainTokens(standIn, { sub: PAUL });
  const back = { post_logout_redirect_uri: POST_LOGOUT_URI, state: "bye" };
  const requests = [
    {},
    back,
    { ...back, client_id: CLIENT.clientId },
    { ...back, id_token_hint: pauls },
  ];
  for (const request of requests) {
    const asked = await browser.open(endSessionUrl(request));
    assert.equal(asked.left, undefined);
    assert.match(asked.text, /data-testid="end-session-confirm"/);
    assert.match(asked.text, /Pia Pupil/);
    assert.equal(await silently(), "code", "still signed in");
  }

  for (const [answer, after] of /** @type {const} */ ([
    [{}, "code"],
    [{ logout: "yes" }, "login_required"],
  ])) {
    const asked = await browser.open(endSessionUrl(requests.at(-1)));
    const [, action] = present(/action="([^"]+)"/.exec(asked.text));
    const [, xsrf] = present(/name="xsrf" value="([^"]+)"/.exec(asked.text));
    const { left } = await browser.post(action, { xsrf, ...answer });
    assert.equal(left?.href, `${POST_LOGOUT_URI}?state=bye`);
    assert.equal(await silently(), after);
  }
});

test("end-session leads to a registered address alone, and only for a genuine ID token", async (t) => {
  const { browser, id_token, endSessionUrl, silently } = await signedInWithEndSession(t);
  const forged = `${id_token.slice(0, -8)}AAAAAAAA`;
  for (const request of [
    { id_token_hint: id_token, post_logout_redirect_uri: `${POST_LOGOUT_URI}/` },
    { id_token_hint: forged, post_logout_redirect_uri: POST_LOGOUT_URI },
    { id_token_hint: id_token, client_id: "another" },
  ]) {
    const { response, left } = await browser.open(endSessionUrl(request));
    assert.deepEqual([response.status, left], [400, undefined]);
    assert.equal(await silently(), "code");
  }

  const without = await standInFor(t);
  assert.equal(without.endpoints.end_session_endpoint, undefined);
  for (const path of ["", "/confirm", "/success"]) {
    const { status } = await fetch(`${without.issuer}/oauth2/v2/logout${path}`);
    assert.equal(status, 404);
  }
});

test("silent authentication fails if the user would have to be asked, else brings a code", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const browser = new HttpUserAgent();
  const silently = async (params) => {
    const url = authorizationUrl(standIn, { prompt: "none", ...params });
    const { seen, callback } = await browser.arrive(url);
    assert.deepEqual(seen, []);
    assert.equal(callback.searchParams.get("state"), "the-state");
    return callback.searchParams.get("error") ?? "code";
  };
  const { id_token: pauls } = await obtainTokens(standIn, { sub: PAUL });
  assert.equal(await silently(), "login_required");

  const { id_token } = await obtainTokens(standIn, { browser });

  assert.equal(await silently(), "code");
  assert.equal(await silently({ id_token_hint: id_token }), "code");
  assert.equal(await silently({ id_token_hint: pauls }), "login_required", "another is signed in");
  assert.equal(await silently({ scope: "openid oneroster" }), "consent_required");
  assert.equal(await silently({ client_id: SECRET_CLIENT.clientId }), "consent_required");
  assert.equal(await silently({ max_age: "0" }), "login_required");
});

test("silent authentication is refused with the error that a test sets, as often as it says", async (t) => {
  const standIn = await standInFor(t, { consent: "never" });
  const browser = new HttpUserAgent();
  await obtainTokens(standIn, { browser });
  standIn.refuse("interaction_required", { times: 2 });
  const errors = [];
  for (const params of [{ prompt: "none" }, {}, { prompt: "none" }]) {
    const { seen, callback } = await browser.arrive(authorizationUrl(standIn, params));
    assert.deepEqual(seen, []);
    assert.equal(callback.searchParams.get("state"), "the-state");
    errors.push(callback.searchParams.get("error"));
  }
  assert.deepEqual(errors, ["interaction_required", "interaction_required", null]);

  standIn.refuse("temporarily_unavailable");
  const page = await browser.open(
    authorizationUrl(standIn, { redirect_uri: "https://evil.example/" }),
  );
  assert.equal(page.response.status, 400, "an address that is not registered gets nothing");
  await browser.open(standIn.launchPadUrl);
  const { callback } = await browser.arrive(authorizationUrl(standIn));
  assert.equal(callback.searchParams.get("error"), "temporarily_unavailable");
});

test("the issParameter option advertises iss in authorization responses, and sends it (RFC 9207)", async (t) => {
  const standIn = await standInFor(t, { issParameter: true });
  const { body } = await api(standIn.discoveryUrl);
  assert.equal(body.authorization_response_iss_parameter_supported, true);
  const browser = new HttpUserAgent();
  for (const [params, member] of /** @type {const} */ ([
    [{ prompt: "none" }, "error"],
    [{}, "code"],
  ])) {
    const { callback } = await browser.arrive(authorizationUrl(standIn, params));
    assert.ok(callback.searchParams.has(member));
    assert.deepEqual(callback.searchParams.getAll("iss"), [standIn.issuer]);
  }
});

test("two stand-ins sign in two users of one browser, and refuse each other's tokens and codes", async (t) => {
  const both = [
    await standInFor(t, { refreshTokens: true }),
    await standInFor(t, { refreshTokens: true }),
  ];
  const browser = new HttpUserAgent();
  const signedIn = [];
  for (const [index, sub] of [PIA, PAUL].entries()) {
    signedIn.push(await obtainTokens(both[index], { sub, browser }));
  }

  for (const [index, sub] of [PIA, PAUL].entries()) {
    const [here, there] = [both[index], both[1 - index]];
    const { callback } = await browser.arrive(authorizationUrl(here, { prompt: "none" }));
    const code = callback.searchParams.get("code");
    assert.deepEqual(outcomeOf(await exchange(there, code)), REFUSED);
    const { body } = await exchange(here, code);
    assert.equal(decodeJwt(body.id_token).sub, sub);
    assert.equal(decodeJwt(body.id_token).iss, here.issuer);
    assert.ok(!(await opens(there, body)));
    assert.deepEqual(outcomeOf(await renew(there, signedIn[index].refresh_token)), REFUSED);
    assert.equal((await renew(here, signedIn[index].refresh_token)).response.status, 200);
  }
});

test("revokeGrants ends a user's tokens and codes, and the user stays signed in", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const browser = new HttpUserAgent();
  const pia = await obtainTokens(standIn, { browser });
  const paul = await obtainTokens(standIn, { sub: PAUL });
  const { callback } = await browser.arrive(authorizationUrl(standIn, { prompt: "none" }));

  standIn.revokeGrants(PIA);

  assert.deepEqual(outcomeOf(await renew(standIn, pia.refresh_token)), REFUSED);
  assert.deepEqual(outcomeOf(await exchange(standIn, callback.searchParams.get("code"))), REFUSED);
  assert.ok(!(await opens(standIn, pia)));
  assert.ok(await opens(standIn, paul));
  const silent = await obtainTokens(standIn, { browser, prompt: "none" });
  assert.equal(silent.claims.sub, PIA);
  assert.equal((await renew(standIn, silent.refresh_token)).response.status, 200);
  assert.throws(() => standIn.revokeGrants("nobody"), TypeError);
});

test("signOut signs a user out of the stand-in, and their tokens stay valid", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const [pias, pauls] = [new HttpUserAgent(), new HttpUserAgent()];
  const pia = await obtainTokens(standIn, { browser: pias });
  await obtainTokens(standIn, { sub: PAUL, browser: pauls });

  standIn.signOut(PIA);

  const silent = authorizationUrl(standIn, { prompt: "none" });
  const { callback } = await pias.arrive(silent);
  assert.equal(callback.searchParams.get("error"), "login_required");
  assert.ok((await pauls.arrive(silent)).callback.searchParams.has("code"));
  assert.ok(await opens(standIn, pia));
  assert.equal((await renew(standIn, pia.refresh_token)).response.status, 200);
  assert.equal((await obtainTokens(standIn, { browser: pias })).claims.sub, PIA, "signs in again");
  assert.throws(() => standIn.signOut("nobody"), TypeError);
});

test("the stand-in counts token requests by their grant type", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await obtainTokens(standIn);
  await renew(standIn, refresh_token);
  await renew(standIn, refresh_token);
  const renewals = standIn.requests.filter(({ grantType }) => grantType === "refresh_token");
  assert.deepEqual(
    renewals.map(({ path }) => path),
    ["/oauth2/v2/token", "/oauth2/v2/token"],
  );
  assert.ok(!JSON.stringify(standIn.requests).includes(refresh_token));
});

test("an endpoint that a test lets fail shows its status to a page of another origin", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await obtainTokens(standIn);
  const headers = { origin: "https://app.example" };
  const attempt = async () => {
    const { response, body } = await renew(standIn, refresh_token, {}, headers);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    return [response.status, body];
  };
  standIn.fail("token", { times: 2 });
  standIn.fail("jwks", { status: 500 });
  await fetch(standIn.endpoints.token_endpoint, { method: "OPTIONS", headers });
  for (let time = 0; time < 2; time += 1) {
    const [status, body] = await attempt();
    assert.equal(status, 503);
    assert.equal(typeof body, "string", "as from a proxy on the way");
  }
  standIn.fail("token", { status: 400, body: { error: "invalid_request" } });
  assert.deepEqual(await attempt(), [400, { error: "invalid_request" }]);
  assert.equal((await attempt())[0], 200, "the refresh token is unused");

  const renewals = standIn.requests.filter(({ grantType }) => grantType === "refresh_token");
  assert.equal(renewals.length, 4, "failures count");
  const statuses = [];
  for (let time = 0; time < 2; time += 1) {
    statuses.push((await fetch(standIn.endpoints.jwks_uri)).status);
  }
  assert.deepEqual(statuses, [500, 200]);
  standIn.fail("myInfo", { times: Number.POSITIVE_INFINITY });
  const info = () => fetch(standIn.endpoints.my_info_endpoint);
  assert.deepEqual([(await info()).status, (await info()).status], [503, 503]);
  standIn.fail("myInfo", { times: 0 });
  assert.equal((await info()).status, 401);
  assert.throws(
    () => standIn.fail(/** @type {any} */ ("tokens")),
    /tokens: must be one of authorization, token/,
  );
  assert.throws(() => standIn.fail("token", { status: 99 }), /^TypeError: status/);
  assert.throws(() => standIn.fail("token", { times: -1 }), /^TypeError: times/);
});

test("the stand-in delays a response as a test says, and closes without waiting for it", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await obtainTokens(standIn);
  const seen = async (count) => {
    const renewals = () =>
      standIn.requests.filter(({ grantType }) => grantType === "refresh_token");
    while (renewals().length < count) await pause(5);
  };
  const order = [];
  standIn.delay("token", 2000);
  const late = renew(standIn, refresh_token).then((answer) => {
    order.push("late");
    return answer;
  });
  await seen(1);
  await exchange(standIn, "a-code");
  order.push("next");
  assert.equal((await late).response.status, 200);
  assert.deepEqual(order, ["next", "late"]);

  standIn.delay("token", 60_000);
  const waiting = renew(standIn, "any").catch((error) => error.name);
  await seen(2);
  await standIn.close();
  assert.equal(await waiting, "TypeError", "the connection has ended");
});

/** An application of one page, and a stand-in where it is registered. */
async function appAndStandIn(t, options, appOptions) {
  const app = await startApp(t, appOptions);
  const client = { ...CLIENT, redirectUris: [app.redirectUri] };
  const standIn = await standInFor(t, { consent: "never", clients: [client], ...options });
  const urlWith = (params) =>
    authorizationUrl(standIn, { redirect_uri: app.redirectUri, ...params });
  return { app, standIn, urlWith };
}

/** Signs Pia in on the stand-in's pages. */
async function signInByHand(page, url) {
  await page.goto(url);
  await selectUser(page, PEOPLE.pia);
  await page.waitForURL("**/callback?*");
}

/** Why WebKit's tests can't hear that a frame was refused. */
const NO_REFUSALS = "its driver tells nothing of what the browser itself writes on the console";

/** Loads a URL in a hidden frame of a page; returns the frame. */
const inHiddenFrame = (page, url) => addFrame(page, url, { hidden: true });

/** Waits until the browser refuses to show a page in a frame. @param {import("playwright-core").Page} page */
const refusal = (page) =>
  page.waitForEvent("requestfailed", (request) =>
    /BLOCKED_BY_RESPONSE|FRAME_ANCESTOR/.test(request.failure()?.errorText ?? ""),
  );

/** The parameters that a frame came back to the application with. */
async function callbackIn(frame) {
  await frame.waitForURL("**/callback?*");
  return new URL(frame.url()).searchParams;
}

test("a hidden frame gets an error without a session, and a code with one", async (t) => {
  const { page } = await chromium.newPage(t);
  const { app, standIn, urlWith } = await appAndStandIn(t, { framing: true });
  const silent = urlWith({ prompt: "none" });
  await page.goto(app.origin);
  const nobody = await callbackIn(await inHiddenFrame(page, silent));
  assert.equal(nobody.get("error"), "login_required");
  await signInByHand(page, urlWith());
  await page.goto(app.origin);

  const somebody = await callbackIn(await inHiddenFrame(page, silent));

  const { body } = await exchange(standIn, somebody.get("code"), { redirect_uri: app.redirectUri });
  assert.equal(decodeJwt(body.id_token).sub, PIA);
});

test("the sign-in page can be framed by the application, and by no other page", async (t) => {
  if (skipIn(t, { webkit: NO_REFUSALS })) return;
  const { page } = await chromium.newPage(t);
  const { app, urlWith } = await appAndStandIn(t, { framing: true });
  const stranger = await startApp(t);
  for (const [origin, shown] of /** @type {const} */ ([
    [app.origin, true],
    [stranger.origin, false],
  ])) {
    await page.goto(origin);
    const refused = refusal(page);
    refused.catch(() => {});
    const frame = await inHiddenFrame(page, urlWith());
    if (shown) await frame.getByTestId("district-2284").waitFor({ state: "attached" });
    else await refused;
  }
});

test("no page of the stand-in can be framed when framing is off, the last redirect included", async (t) => {
  if (skipIn(t, { webkit: NO_REFUSALS })) return;
  const { page } = await chromium.newPage(t);
  const { app, urlWith } = await appAndStandIn(t);
  await signInByHand(page, urlWith());
  await page.goto(app.origin);
  const refused = refusal(page);

  const frame = await inHiddenFrame(page, urlWith({ prompt: "none" }));

  await refused;
  assert.ok(!frame.url().startsWith(app.origin));
});

test("a hidden frame in another site's page has no cookies and no session", async (t) => {
  const { page } = await chromium.newPage(t);
  const { app, urlWith } = await appAndStandIn(t, { framing: true }, { host: "127.0.0.1" });
  await signInByHand(page, urlWith());
  await page.goto(app.origin);

  const answer = await callbackIn(await inHiddenFrame(page, urlWith({ prompt: "none" })));

  assert.equal(answer.get("error"), "login_required");
});

test("an opener policy of same-origin cuts a popup off from its opener for good", async (t) => {
  for (const [openerPolicy, cut] of /** @type {const} */ ([
    ["same-origin", true],
    [undefined, false],
  ])) {
    const { page } = await chromium.newPage(t);
    const { app, urlWith } = await appAndStandIn(t, { openerPolicy });
    await page.goto(app.origin);
    const opened = page.waitForEvent("popup");
    await page.evaluate((url) => {
      window.popup = /** @type {Window} */ (open(url));
    }, urlWith());
    const popup = await opened;
    await selectUser(popup, PEOPLE.pia);
    await popup.waitForURL("**/callback?*");

    assert.equal(await popup.evaluate(() => opener === null), cut);
    assert.equal(await page.evaluate(() => window.popup.closed), cut);
  }
});
