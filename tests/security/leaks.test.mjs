/**
 * Searches for what a sign-in leaves behind: at every step all that a page can hold is searched for tokens, codes and personal data.
 * `sessionStorage` may hold the pending login, and nothing else may hold anything.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, forwardRequest, sharedBrowser } from "../support/browser.mjs";
import { engine } from "../support/engine.mjs";
import { collectPageState } from "../support/holdings.mjs";
import {
  CLIENT_ID,
  callInPage,
  completeLogin,
  handleCallback,
  LOGIN_PREFIX,
  PATHS,
  selectUser,
  sharedLoginApp,
  startLogin,
  waitForCallback,
  waitForClient,
} from "../support/login.mjs";
import { present } from "../support/present.mjs";

/** A user whose every field is found again if it turns up anywhere. */
const QUINTESSA = {
  sub: "770077001234",
  userId: 770077001234,
  districtId: 990099,
  firstName: "Quintessa",
  lastName: "Zzyzxberger",
  role: "Student",
  roleLevel: 4,
  sourcedId: "srcd-55-Quokka",
  loginId: "qzz-login-42",
  email: "quintessa.z@wombat.example",
  building: "Wombat Hollow School",
  orgs: ["org-77-Numbat"],
  note: "Nobody",
};
const DISTRICT = { id: 990099, name: "Bandicoot Unified", state: "Tasmania" };
const PERSON = { sub: QUINTESSA.sub, district: String(DISTRICT.id) };
const STAND_IN = { accounts: [QUINTESSA], districts: [DISTRICT] };

const PERSONAL = {
  "the subject": QUINTESSA.sub,
  "the first name": QUINTESSA.firstName,
  "the last name": QUINTESSA.lastName,
  "the SourcedId": QUINTESSA.sourcedId,
  "the login id": QUINTESSA.loginId,
  "the e-mail address": QUINTESSA.email,
  "the school": QUINTESSA.building,
  "the organization": QUINTESSA.orgs[0],
  "the district's name": DISTRICT.name,
  "the state of residence": DISTRICT.state,
};

/** All that a pending login consists of. */
const PENDING_MEMBERS = [
  "algorithms",
  "app_state",
  "client_id",
  "created_at",
  "district",
  "end_session_endpoint",
  "issuer",
  "issuer_promised",
  "jwks_uri",
  "max_age",
  "profile_endpoint",
  "redirect_uri",
  "restores",
  "return_to",
  "revocation_endpoint",
  "scope",
  "support_code",
  "token_endpoint",
  "verifier",
];

const browser = sharedBrowser();
// Cookies belong to a host name: under one of its own the application's can be told from the stand-in's.
const startLoginApp = sharedLoginApp({ host: "127.0.0.1" });

/** @import { SignedIn } from "classlink-spa" */
/** @import { LoginAppOptions } from "../support/login.mjs" */

/**
 * A page whose every step is searched. `bend` changes what the token endpoint answers.
 *
 * @param {import("node:test").TestContext} t
 * @param {LoginAppOptions & { bend?: (tokens: any) => any }} [options]
 */
async function watch(t, { bend = (tokens) => tokens, ...options } = {}) {
  const watched = await browser.newPage(t);
  const login = await startLoginApp(t, { standIn: STAND_IN, ...options });
  const { page, context } = watched;
  /** @type {Record<string, string>} */
  const secrets = { ...PERSONAL };

  context.on("request", async (request) => {
    const { searchParams, pathname } = new URL(request.url());
    if (pathname === PATHS.authorization && searchParams.get("nonce")) {
      secrets["the nonce"] = present(searchParams.get("nonce"));
      // After the callback the state names nothing any more.
      secrets["the state"] = present(searchParams.get("state"));
    }
    if (pathname === "/callback" && searchParams.get("code")) {
      secrets["the code"] = present(searchParams.get("code"));
    }
    if (pathname === PATHS.token) {
      secrets["the verifier"] = present(
        new URLSearchParams(await bodyOf(request)).get("code_verifier"),
      );
    }
  });
  await context.route(login.standIn.issuer + PATHS.token, async (route) => {
    const response = await forwardRequest(route);
    const tokens = bend(await response.json());
    const [, payload, signature] = tokens.id_token.split(".");
    Object.assign(secrets, {
      "the access token": tokens.access_token,
      "the ID token's claims": payload,
      "the ID token's signature": signature,
    });
    await route.fulfill({ response, json: tokens });
  });

  return {
    ...watched,
    ...login,
    secrets,
    /** Everything there is at this moment, by place. */
    async everything() {
      /** @type {Record<string, string>} */
      const places = {
        ...(await page.evaluate(collectPageState, LOGIN_PREFIX)),
        "cookies, all of them": JSON.stringify(await context.cookies(login.app.origin)),
        "the console": watched.console.join("\n"),
        "uncaught errors": watched.errors.join("\n"),
      };
      return places;
    },
  };
}

/** How a value may be written: as it is, in a URL, in base64. */
const spellings = (value) => [
  value,
  encodeURIComponent(value),
  Buffer.from(value).toString("base64").replace(/=+$/, ""),
  Buffer.from(value).toString("base64url"),
];

/** Which secrets are in which places. */
function findings(places, secrets) {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, value]) => spellings(value).some((spelling) => text.includes(spelling)))
      .map(([name]) => `${name} in ${place}`),
  );
}

const NOTHING_STORED = {
  localStorage: "[]",
  sessionStorage: "[]",
  "the pending login": "[]",
  indexedDB: "[]",
  caches: "[]",
  cookies: "",
  "cookies, all of them": "[]",
  "the console": "",
  "uncaught errors": "",
  "the window's name": "",
};

/** That nothing is stored or said anywhere; with `pending`, nothing but one pending login. */
function assertNothingKept(places, { step = "", pending = false } = {}) {
  for (const [place, nothing] of Object.entries(NOTHING_STORED)) {
    if (pending && place === "the pending login") continue;
    assert.equal(places[place], nothing, `${place} ${step}`);
  }
  if (!pending) return;
  const [[, text], ...more] = JSON.parse(places["the pending login"]);
  assert.deepEqual(more, []);
  const others = Object.keys(JSON.parse(text)).filter((name) => !PENDING_MEMBERS.includes(name));
  assert.deepEqual(others, []);
}

const without = (names, all) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

test("a sign-in stores nothing but the pending login at each step", async (t) => {
  const { page, open, secrets, everything, app } = await watch(t);
  const at = async (step, options) => {
    const places = await everything();
    assertNothingKept(places, { step, ...options });
    return places;
  };

  await open(page);
  assert.deepEqual(findings(await at("before"), secrets), []);

  await startLogin(page, {
    loginHint: QUINTESSA.email,
    returnTo: "/classes",
    appState: { page: 2 },
    maxAge: 3600,
    district: "north",
    extraParams: { extra: "of the request alone" },
  });
  // The provider knows whom to expect.
  await page.getByTestId(`person-${PERSON.sub}`).click();
  await waitForCallback(page);

  // On the callback page, before the application asks for anything: the address is as the provider made it.
  const back = await at("back", { pending: true });
  const addresses = ["the address bar", "history"];
  // The state is the pending login's name, until it is used.
  assert.deepEqual(findings(without(addresses, back), without(["the state"], secrets)), []);
  const [[key, pending]] = JSON.parse(back["the pending login"]);
  assert.equal(key, LOGIN_PREFIX + secrets["the state"]);
  assert.ok(!pending.includes("of the request alone"));

  // The moment that handleCallback was called: the address is clean.
  const [address, history] = await page.evaluate(() => {
    window.client.handleCallback().catch(() => {});
    return [
      location.href,
      JSON.stringify(window.navigation?.entries().map(({ url }) => url) ?? []),
    ];
  });
  const now = { "the address bar": address, history };
  assert.deepEqual(findings(now, secrets), []);
  assert.equal(address, app.redirectUri);

  // Signed in.
  const user = await page.evaluate(
    async () => /** @type {SignedIn} */ (await window.client.handleCallback()).user.name,
  );
  assert.equal(user, "Quintessa Zzyzxberger");
  assert.deepEqual(findings(await at("signed in"), secrets), []);

  // The application asks who it is.
  const asked = await page.evaluate(async () => (await window.client.getUser())?.givenName);
  assert.equal(asked, "Quintessa");
  assert.deepEqual(findings(await at("asked"), secrets), []);

  // A bad link, while a user is signed in.
  await handleCallback(page, "/callback?code=1&state=forged");
  assert.deepEqual(findings(await at("after an error"), secrets), []);

  // The page is loaded again.
  await page.reload();
  await waitForClient(page);
  assert.equal(await callInPage(page, "client.getUser()"), null);
  assert.deepEqual(findings(await at("reloaded"), secrets), []);
});

test("a page that is being left for a login stores nothing but the pending login", async (t) => {
  const { page, open, secrets, everything, requests, settings } = await watch(t, {
    configExpression: "({ ...settings, navigate: (url) => { window.left = true; } })",
  });
  await open(page);
  await callInPage(page, `client.startLogin(${JSON.stringify({ loginHint: QUINTESSA.email })})`);

  const places = await everything();
  const [[key, text]] = JSON.parse(places["the pending login"]);
  const { verifier } = JSON.parse(text);
  const digest = async (value) =>
    Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(value))).toString(
      "base64url",
    );
  const found = findings(without(["the pending login"], places), {
    ...secrets,
    "the state": key.slice(LOGIN_PREFIX.length),
    "the verifier": verifier,
    "the challenge": await digest(verifier),
    "the nonce": await digest(`classlink-spa nonce:${verifier}`),
  });

  assert.equal(await page.evaluate("left"), true);
  assert.deepEqual(found, []);
  assert.deepEqual(findings({ stored: key + text }, secrets), []);
  assert.ok(
    !text.includes(await digest(`classlink-spa nonce:${verifier}`)),
    "the nonce is derived",
  );
  assert.ok(requests.every((request) => !request.url().startsWith(String(settings.issuer))));
});

for (const profile of ["userinfo", "my-info"]) {
  test(`a sign-in with profile "${profile}" leaves nothing in storage`, async (t) => {
    const config = { profile, scope: "openid profile email oneroster" };
    const { page, open, secrets, everything, requests } = await watch(t, { config });
    await open(page);
    await startLogin(page);
    await completeLogin(page, PERSON);
    const email = await page.evaluate(
      async () => /** @type {SignedIn} */ (await window.client.handleCallback()).user.email,
    );

    const places = await everything();
    assert.equal(email, QUINTESSA.email);
    assertNothingKept(places);
    assert.deepEqual(findings(places, secrets), []);

    // On the wire, each secret goes where it must and nowhere else.
    const bearers = [];
    for (const request of requests) {
      const { pathname } = new URL(request.url());
      const { authorization = "", ...headers } = await request.allHeaders();
      const rest = request.url() + JSON.stringify(headers);
      if (authorization) bearers.push(`${pathname} ${authorization}`);
      const sent = rest + (await bodyOf(request));
      const ends = (name) => sent.includes(secrets[name]);
      assert.equal(ends("the verifier"), pathname === PATHS.token);
      for (const name of ["the access token", "the ID token's claims"]) {
        assert.ok(!ends(name), `${name} was sent to ${pathname}`);
      }
    }
    const path = profile === "my-info" ? "/v2/my/info" : "/v2/my/profileinfo";
    assert.deepEqual(bearers, [`${path} Bearer ${secrets["the access token"]}`]);
  });
}

test("a code goes to the token endpoint and nowhere else, not in a referrer either", async (t) => {
  const { page, open, secrets, requests } = await watch(t);
  await open(page);
  await startLogin(page);
  await completeLogin(page, PERSON);
  const before = requests.length;
  await page.evaluate(async () => void (await window.client.handleCallback()));

  const carriers = [];
  for (const request of requests.slice(before)) {
    const sent = [request.url(), await bodyOf(request), JSON.stringify(await request.allHeaders())];
    if (sent.join("\n").includes(secrets["the code"]))
      carriers.push(new URL(request.url()).pathname);
  }
  assert.deepEqual(carriers, [PATHS.token]);
});

test("a LaunchPad tile's code is kept nowhere", async (t) => {
  // Stays on the page that restarts, so that it can be searched.
  const { page, standIn, secrets, everything } = await watch(t, {
    configExpression: "({ ...settings, navigate: () => {} })",
  });
  await page.goto(standIn.launchPadUrl);
  await page.getByTestId("launchpad-sign-in").click();
  await selectUser(page, PERSON);
  await page.getByTestId(`tile-${CLIENT_ID}`).click();
  await waitForCallback(page);
  const code = secrets["the code"];

  assert.deepEqual(await handleCallback(page), { status: "redirecting" });

  const { sessionStorage, ...places } = await everything();
  assert.deepEqual(findings({ ...places, sessionStorage }, { ...PERSONAL, "the code": code }), []);
  const [[mark, text], ...more] = JSON.parse(sessionStorage);
  assert.equal(mark, `classlink-spa.launch.classlink-spa ${standIn.issuer} ${CLIENT_ID}`);
  assert.deepEqual(Object.keys(JSON.parse(text)).sort(), ["created_at", "state"]);
  assert.deepEqual(more, []);
});

/** Everything of an error that can get into a log, its causes included. Runs in the page. */
const ERROR_TEXTS = `(error) => {
  const texts = [];
  for (let depth = 0; error && depth < 5; error = error.cause, depth++) {
    texts.push(String(error), error.message ?? "", error.stack ?? "", JSON.stringify(error));
    for (const key in error) texts.push(key, String(error[key]));
    texts.push(error.userMessage ?? "");
  }
  return texts.join("\\n");
}`;

const GOSSIP = `Quintessa Zzyzxberger <${QUINTESSA.email}> of Bandicoot Unified`;

/** Ways to bring about each error, by its code. */
const FAILURES = {
  access_denied: { query: `error=access_denied&error_description=${encodeURIComponent(GOSSIP)}` },
  provider_error: { query: `error=${encodeURIComponent(QUINTESSA.lastName)}` },
  state_unknown: { query: "code={code}&state=forged" },
  callback_malformed: { query: "code={code}&state={state}&code={code}" },
  issuer_mismatch: { query: `code={code}&state={state}&iss=${QUINTESSA.lastName}` },
  token_rejected: {
    answer: { status: 400, json: { error: "invalid_grant", error_description: GOSSIP } },
  },
  provider_response_invalid: { answer: { status: 200, body: `<h1>${GOSSIP}</h1>` } },
  id_token_invalid: {
    bend: (tokens) => ({ ...tokens, id_token: tokens.id_token.replace(/.{10}$/, "AAAAAAAAAA") }),
  },
  tenant_not_allowed: { config: { allowedTenants: ["1"] } },
  userinfo_rejected: {
    config: { profile: "my-info" },
    profile: { status: 401, json: { message: GOSSIP } },
  },
  user_mismatch: {
    config: { profile: "userinfo" },
    profile: { status: 200, json: { sub: "somebody else", name: GOSSIP } },
  },
  keys_unavailable: { keys: { status: 200, body: GOSSIP } },
  network: { abort: true },
};

for (const [code, { query, config, answer, bend, profile, keys, abort }] of Object.entries(
  FAILURES,
)) {
  test(`an error contains no secret and nothing personal: ${code}`, async (t) => {
    const watched = await watch(t, { config, bend });
    const { page, context, app, standIn, open, secrets, everything } = watched;
    const cors = { "Access-Control-Allow-Origin": "*" };
    const fulfil = (url, body) =>
      context.route(url, (route) => {
        if (route.request().method() === "OPTIONS") return route.continue();
        return route.fulfill({ headers: cors, ...body });
      });
    if (answer) await fulfil(standIn.issuer + PATHS.token, answer);
    if (keys) await fulfil(standIn.issuer + PATHS.keys, keys);
    if (profile) await fulfil(`${standIn.apiOrigin}/v2/my/*`, profile);
    if (abort) await context.route(standIn.issuer + PATHS.token, (route) => route.abort());
    await open(page);
    await startLogin(page);
    await completeLogin(page, PERSON);
    const url =
      query &&
      `${app.redirectUri}?${query
        .replaceAll("{code}", secrets["the code"])
        .replaceAll("{state}", secrets["the state"])}`;
    await page.evaluate(() => history.replaceState(null, "", "/callback-seen"));
    const back = `${app.redirectUri}?code=${secrets["the code"]}&state=${secrets["the state"]}`;

    const seen = await page.evaluate(`client.handleCallback(${JSON.stringify(url ?? back)}).then(
      () => ({}),
      (error) => ({ code: error.code, text: (${ERROR_TEXTS})(error), keys: Object.keys(error),
        providerError: error.providerError }),
    )`);

    assert.equal(seen.code, code);
    assert.ok(!seen.keys.includes("providerError"));
    const places = without(query ? ["the pending login"] : [], await everything());
    assert.deepEqual(findings({ ...places, "the error": seen.text }, secrets), []);
    // Words of the provider's are there for a developer who asks for them by name.
    if (answer?.json) assert.equal(seen.providerError.description, GOSSIP);
  });
}

test("an error's stack names the calling page, and not the code in its URL", async (t) => {
  const { page, open, secrets } = await watch(t, {
    configExpression: `(() => {
      try {
        createClient({});
      } catch (error) {
        window.failed = error;
      }
      return settings;
    })()`,
  });
  await open(page);
  await startLogin(page);
  await completeLogin(page, PERSON);

  const { code, stack, keys } = await page.evaluate(() => ({
    code: window.failed.code,
    stack: window.failed.stack,
    keys: Object.keys(window.failed),
  }));

  assert.equal(code, "config_invalid");
  // WebKit leaves queries out by itself, and the question mark, too.
  assert.match(present(stack), engine === "webkit" ? /\/callback:\d/ : /\/callback\?\s/);
  assert.ok(!keys.includes("stack"));
  assert.deepEqual(findings({ stack }, secrets), []);
});

test("the search for secrets finds what is put anywhere a page can store", async (t) => {
  const { page, open, secrets, everything } = await watch(t);
  await open(page);
  const secret = "t0ken-that-was-kept";
  secrets["the token"] = secret;
  assert.deepEqual(findings(await everything(), secrets), []);

  const uncaught = page.waitForEvent("pageerror");
  await page.evaluate(
    async ([secret, prefix]) => {
      localStorage.setItem("a", secret);
      sessionStorage.setItem(secret, "a");
      sessionStorage.setItem(`${prefix}x`, JSON.stringify({ token: secret }));
      // biome-ignore lint/suspicious/noDocumentCookie: what an application may do
      document.cookie = `a=${btoa(secret)}`;
      await new Promise((resolve) => {
        indexedDB.open(secret).onsuccess = resolve;
      });
      await caches.open(secret);
      history.replaceState({ secret }, "", `?a=${secret}`);
      window.name = secret;
      document.body.append(secret);
      console.log({ secret });
      window.events.push(/** @type {any} */ ({ type: secret }));
      await fetch(`/${secret}`).catch(() => {});
      const memory = new WebAssembly.Memory({ initial: 1 });
      new TextEncoder().encodeInto(secret, new Uint8Array(memory.buffer, 1000));
      window.kept = new Map([[{}, { deep: [memory] }]]);
      setTimeout(() => {
        throw new Error(secret);
      });
    },
    [secret, LOGIN_PREFIX],
  );
  await uncaught;

  const found = findings(await everything(), { "the token": secret });
  assert.deepEqual(
    found.sort(),
    [
      "caches",
      "cookies",
      "cookies, all of them",
      "events",
      "globals",
      "history",
      "indexedDB",
      "localStorage",
      "requests",
      "sessionStorage",
      "the address bar",
      "the console",
      "the document",
      "the pending login",
      "the window's name",
      "uncaught errors",
    ].map((place) => `the token in ${place}`),
  );
});
