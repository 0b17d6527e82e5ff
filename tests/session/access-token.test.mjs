/** `getAccessToken` and `getIdToken`: tokens that are fresh when they are asked for, or the reason why not. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { KEYS } from "../conformance/keys.mjs";
import { bodyOf, sharedBrowser } from "../support/browser.mjs";
import {
  CLIENT_ID,
  callInPage,
  countRequests,
  loginOverHttp,
  PATHS,
  PEOPLE,
  sharedLoginApp,
  snapshot,
} from "../support/login.mjs";
import {
  accessToken,
  advanceClocks,
  claimsOf,
  eventTypes,
  installClockOffsets,
  rewriteRefreshResponses,
  simulateVisibilityChange,
  waitForEvent,
} from "../support/session.mjs";
import { test } from "../support/tiers.mjs";

const browser = sharedBrowser();

/** How long access tokens live here, in seconds. */
const LIFE = 300;

const startLoginApp = sharedLoginApp(
  {},
  { refreshTokens: true, expiresIn: true, accessTokenLifetime: LIFE },
);

/** A page on which a user has signed in, and nothing has been asked of the provider since. */
async function signedIn(t, options = {}) {
  const { page, context, requests } = await browser.newPage(t);
  await installClockOffsets(context);
  const world = await startLoginApp(t, { interceptNavigation: true, ...options });
  await world.open(page);
  await loginOverHttp(page);
  world.standIn.requests.length = 0;
  return { page, context, requests, ...world };
}

/** Whether the provider takes an access token. */
async function opens({ endpoints }, token) {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(endpoints.userinfo_endpoint, { headers })).ok;
}

/** There is no session any more, and nothing of them is left. */
async function assertWiped(page, code) {
  const { status, user, scope } = await snapshot(page);
  assert.deepEqual({ status, user, scope }, { status: "error", user: null, scope: [] });
  assert.equal(await page.evaluate("client.getSnapshot().error.code"), code);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.ok((await callInPage(page, "client.getIdToken()")).error);
}

// ---- Without renewal ----

test("getAccessToken returns a valid token without a request, and getIdToken the verified one", async (t) => {
  const { page, standIn, app } = await signedIn(t);
  app.requests.length = 0;

  const token = await accessToken(page);
  const again = await accessToken(page);
  const idToken = await callInPage(page, "client.getIdToken()");

  assert.equal(typeof token, "string");
  assert.equal(again, token);
  assert.deepEqual([standIn.requests, app.requests], [[], []]);
  assert.ok(await opens(standIn, token));
  const { aud, sub } = claimsOf(idToken);
  assert.deepEqual({ aud, sub }, { aud: CLIENT_ID, sub: PEOPLE.pia.sub });
});

test("getAccessToken without a session is not_signed_in; with a closed client client_closed", async (t) => {
  const { page } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t);
  await open(page);
  for (const code of ["not_signed_in", "client_closed"]) {
    assert.equal((await accessToken(page)).error.code, code);
    assert.equal((await callInPage(page, "client.getIdToken()")).error.code, code);
    await page.evaluate("client.close()");
  }
  assert.deepEqual(standIn.requests, []);
});

test("a minValidity that is not a number of seconds is config_invalid", async (t) => {
  const { page } = await signedIn(t);
  for (const options of /** @type {any[]} */ ([
    { minValidity: -1 },
    { minValidity: "30" },
    { minvalidity: 30 },
    30,
  ])) {
    assert.equal((await accessToken(page, options)).error?.code, "config_invalid");
  }
});

test("a session without a way to renew lasts as long as its ID token", async (t) => {
  const { page, standIn } = await signedIn(t, {
    standIn: { refreshTokens: false, expiresIn: false, idTokenLifetime: 600 },
    config: { clockTolerance: 0 },
  });
  const token = await accessToken(page);

  await advanceClocks(page, 560);
  assert.equal(await accessToken(page), token);

  await advanceClocks(page, 20);
  const { error } = await accessToken(page);
  assert.equal(error.code, "renewal_unavailable", "not for the 30 seconds that are usual");
  assert.equal(error.retryable, false);
  assert.equal(await accessToken(page, { minValidity: 0 }), token);
  assert.equal((await snapshot(page)).status, "signed-in");

  await advanceClocks(page, 21);
  assert.equal((await accessToken(page)).error.code, "session_expired");
  assert.equal((await callInPage(page, "client.getIdToken()")).error.code, "session_expired");
  await assertWiped(page, "session_expired");
  assert.deepEqual(standIn.requests, []);
});

// ---- By refresh token ----

test("an expired token is renewed, each time with the refresh token that the last renewal brought", async (t) => {
  const { page, standIn } = await signedIn(t);
  const tokens = [await accessToken(page)];

  for (let renewals = 1; renewals <= 3; renewals++) {
    await advanceClocks(page, LIFE + 1);
    tokens.push(await accessToken(page));
    assert.equal(countRequests(standIn, PATHS.token), renewals);
  }

  assert.equal(new Set(tokens).size, 4);
  // The stand-in ends a grant whose refresh token is used a second time.
  assert.ok(await opens(standIn, tokens[3]));
  assert.ok(
    standIn.requests.every(({ grantType = "refresh_token" }) => grantType === "refresh_token"),
  );
  assert.equal((await snapshot(page)).user.givenName, "Pia");
  const { sub } = claimsOf(await callInPage(page, "client.getIdToken()"));
  assert.equal(sub, PEOPLE.pia.sub);
  assert.deepEqual((await eventTypes(page)).slice(-3), Array(3).fill("token.renewed"));
});

test("a token is renewed before its end by itself", async (t) => {
  const { page, standIn } = await signedIn(t);
  const token = await accessToken(page);
  await advanceClocks(page, LIFE - 61);
  await simulateVisibilityChange(page);
  assert.equal(countRequests(standIn, PATHS.token), 0);

  await advanceClocks(page, 2);
  await simulateVisibilityChange(page);
  await waitForEvent(page, "token.renewed");

  assert.notEqual(await accessToken(page), token);
  assert.equal(countRequests(standIn, PATHS.token), 1);
});

test("fifty calls with an expired token send one request", async (t) => {
  const { page, standIn } = await signedIn(t);
  await advanceClocks(page, LIFE + 1);

  const tokens = await page.evaluate(() =>
    Promise.all(Array.from({ length: 50 }, () => window.client.getAccessToken())),
  );

  assert.equal(new Set(tokens).size, 1);
  assert.equal(tokens.length, 50);
  assert.equal(countRequests(standIn, PATHS.token), 1);
});

test("minValidity renews a token that is too near its end; an unreachable one is reported after one try", async (t) => {
  const { page, standIn } = await signedIn(t);
  const token = await accessToken(page);
  await advanceClocks(page, 100);

  assert.equal(await accessToken(page, { minValidity: LIFE - 110 }), token);
  assert.equal(countRequests(standIn, PATHS.token), 0);
  assert.notEqual(await accessToken(page, { minValidity: LIFE - 90 }), token);
  assert.equal(countRequests(standIn, PATHS.token), 1);

  const { error } = await accessToken(page, { minValidity: LIFE + 10 });
  assert.equal(error.code, "renewal_unavailable");
  assert.equal(countRequests(standIn, PATHS.token), 2);
  assert.equal((await snapshot(page)).status, "signed-in");
});

test("a renewal of a revoked grant is session_expired, and everything is wiped", async (t) => {
  const { page, standIn } = await signedIn(t);
  standIn.revokeGrants(PEOPLE.pia.sub);
  await advanceClocks(page, LIFE + 1);

  const { error } = await accessToken(page);

  assert.equal(error.code, "session_expired");
  assert.equal(error.retryable, false);
  await assertWiped(page, "session_expired");
  assert.equal((await accessToken(page)).error.code, "session_expired");
  assert.equal(countRequests(standIn, PATHS.token), 1, "asked once");
  assert.deepEqual((await eventTypes(page)).slice(-2), ["token.renewal_failed", "session.expired"]);
  await loginOverHttp(page);
  assert.ok(await opens(standIn, await accessToken(page)));
});

for (const [name, fail, cause] of /** @type {const} */ ([
  [
    "a provider that is down",
    ({ standIn }) => standIn.fail("token", { times: Infinity }),
    { code: "provider_response_invalid", status: 503, retryable: true },
  ],
  [
    "a network that is down",
    ({ context }) => context.setOffline(true),
    { code: "network", status: undefined, retryable: true },
  ],
])) {
  test(`${name} is renewal_unavailable with its cause, and keeps the session`, async (t) => {
    const world = await signedIn(t);
    const { page, standIn, context } = world;
    await fail(world);
    await advanceClocks(page, LIFE + 1);

    const [error, why] = await page.evaluate(() =>
      window.client.getAccessToken().catch(({ code, retryable, cause }) => [
        { code, retryable },
        { code: cause.code, status: cause.status, retryable: cause.retryable },
      ]),
    );

    assert.deepEqual(error, { code: "renewal_unavailable", retryable: true });
    assert.deepEqual(why, cause);
    assert.equal((await snapshot(page)).user.givenName, "Pia");
    assert.equal((await callInPage(page, "client.getUser()")).givenName, "Pia");

    standIn.fail("token", { times: 0 });
    await context.setOffline(false);
    await waitForEvent(page, "token.renewed");
    assert.ok(await opens(standIn, await accessToken(page)));
  });
}

test("a renewal that failed is tried again, each time after twice as long", async (t) => {
  const { page, standIn } = await signedIn(t);
  standIn.fail("token", { times: 3 });
  await advanceClocks(page, LIFE + 1);
  await simulateVisibilityChange(page);

  await waitForEvent(page, "token.renewed");

  const times = standIn.requests.filter(
    ({ path, method }) => path === PATHS.token && method === "POST",
  );
  const waits = times.slice(1).map(({ at }, i) => Math.floor((at - times[i].at + 50) / 1000));
  assert.equal(times.length, 4);
  assert.ok(waits[0] >= 1 && waits[1] >= 2 && waits[2] >= 4, String(waits));
  assert.deepEqual(
    (await eventTypes(page)).filter((type) => type.startsWith("token.")),
    [...Array(3).fill("token.renewal_failed"), "token.renewed"],
  );
});

test("close ends a call that waits for a renewal", async (t) => {
  const { page, standIn } = await signedIn(t);
  standIn.delay("token", 1000);
  await advanceClocks(page, LIFE + 1);

  const answers = await page.evaluate(() => {
    const waiting = window.client.getAccessToken().catch(({ code }) => code);
    setTimeout(() => window.client.close(), 100);
    return waiting.then(async (code) => [
      code,
      await window.client.getAccessToken().catch(({ code }) => code),
    ]);
  });

  assert.deepEqual(answers, ["client_closed", "client_closed"]);
  assert.equal((await snapshot(page)).user, null);
});

test("a renewal that can't be judged now has used up its refresh token all the same, and the next one counts", async (t) => {
  const { page, context, standIn } = await signedIn(t, { standIn: {} });
  const before = await accessToken(page);
  await context.route(standIn.issuer + PATHS.keys, (route) => route.abort(), { times: 2 });
  // Within a second the provider would sign the very same ID token, which needs no second look.
  await pause(1100);
  await advanceClocks(page, LIFE + 1);

  const { error } = await accessToken(page);
  assert.equal(error.code, "renewal_unavailable");
  await waitForEvent(page, "token.renewed");

  // The stand-in ends a grant whose refresh token is used a second time.
  const token = await accessToken(page);
  assert.notEqual(token, before);
  assert.ok(await opens(standIn, token));
});

// ---- What a renewal brings ----

test("a renewal without an ID token keeps the user's", async (t) => {
  const { page, context, standIn } = await signedIn(t);
  const before = await callInPage(page, "client.getIdToken()");
  await page.evaluate("window.before = client.getSnapshot()");
  await rewriteRefreshResponses(context, standIn, (answer) => {
    delete answer.id_token;
  });
  await advanceClocks(page, LIFE + 1);

  assert.ok(await opens(standIn, await accessToken(page)));

  assert.equal(await callInPage(page, "client.getIdToken()"), before);
  assert.equal(await page.evaluate("client.getSnapshot() === before"), true, "nothing to render");
});

test("a renewal without a refresh token keeps the one before (RFC 6749, 6)", async (t) => {
  const { page, context, requests, standIn } = await signedIn(t);
  requests.length = 0;
  await rewriteRefreshResponses(context, standIn, (answer) => {
    delete answer.refresh_token;
  });
  for (let renewals = 0; renewals < 2; renewals++) {
    await advanceClocks(page, LIFE + 1);
    await accessToken(page);
  }

  const bodies = await Promise.all(requests.map(bodyOf));
  const sent = bodies.map((body) => new URLSearchParams(body).get("refresh_token"));
  const [first, second] = sent.filter(Boolean);
  assert.ok(first);
  assert.equal(second, first);
});

test("a valid renewed ID token by another key and without a nonce is accepted", async (t) => {
  const { page, context, standIn } = await signedIn(t);
  await rewriteRefreshResponses(context, standIn, (_, claims) => {
    delete claims.nonce;
    claims.name = "Pia Renamed";
  });
  await advanceClocks(page, LIFE + 1);

  assert.ok(await opens(standIn, await accessToken(page)));

  assert.equal((await snapshot(page)).user.name, "Pia Renamed");
});

for (const [name, rewrite, code, reason] of /** @type {const} */ ([
  ["another user's", (_, claims) => Object.assign(claims, { sub: "8708719" }), "user_mismatch"],
  [
    "one with a wrong nonce",
    (_, claims) => Object.assign(claims, { nonce: "x" }),
    "id_token_invalid",
    "nonce",
  ],
  ["one by a foreign key", () => KEYS.foreign, "id_token_invalid", "signature"],
  [
    "another issuer's",
    (_, claims) => Object.assign(claims, { iss: "https://evil.example" }),
    "id_token_invalid",
    "issuer",
  ],
  [
    "one for another client",
    (_, claims) => Object.assign(claims, { aud: "other" }),
    "id_token_invalid",
    "audience",
  ],
  [
    "one of another sign-in",
    (_, claims) => Object.assign(claims, { auth_time: claims.auth_time - 9 }),
    "id_token_invalid",
    "auth_time",
  ],
  [
    "one of yesterday",
    (_, claims) => Object.assign(claims, { exp: claims.iat - 86_400 }),
    "id_token_invalid",
    "expired",
  ],
  [
    "what is no token",
    (answer) => Object.assign(answer, { id_token: "a.b" }),
    "id_token_invalid",
    "malformed",
  ],
])) {
  test(`a renewed ID token that is ${name} ends the session: ${reason ?? code}`, async (t) => {
    const { page, context, standIn } = await signedIn(t);
    await rewriteRefreshResponses(context, standIn, (answer, claims) => {
      const key = rewrite(answer, claims);
      return "jwk" in key ? key : undefined;
    });
    await advanceClocks(page, LIFE + 1);

    const { error } = await accessToken(page);

    assert.equal(error.code, code);
    assert.equal(error.reason, reason);
    await assertWiped(page, code);
    assert.equal((await accessToken(page)).error.code, "not_signed_in");
    await advanceClocks(page, LIFE + 1);
    await simulateVisibilityChange(page);
    assert.equal(
      countRequests(standIn, PATHS.token),
      1,
      "nothing is asked for a session that is over",
    );
  });
}

test("keys are fetched again for a token that they don't verify, but once a minute", async (t) => {
  const { page, context, standIn } = await signedIn(t);
  let keyRequests = 0;
  await context.route(standIn.issuer + PATHS.keys, async (route) => {
    keyRequests += 1;
    await route.fulfill({ response: await route.fetch(), json: { keys: [KEYS.foreign.jwk] } });
  });
  const signInAgain = async () => {
    keyRequests = 0;
    await assert.rejects(loginOverHttp(page), /key_not_found/);
    return keyRequests;
  };

  const requests = [await signInAgain(), await signInAgain()];
  await advanceClocks(page, 61);
  requests.push(await signInAgain());

  assert.deepEqual(requests, [2, 1, 2]);
});
