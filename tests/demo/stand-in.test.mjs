// The ClassLink stand-in, request by request: every quirk and every switch that the SDK's other tests rest on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import * as standInModule from "../../www/stand-in/index.js";
import { startStandIn } from "../../www/stand-in/index.js";
import { deferred } from "../support/deferred.mjs";
import { present } from "../support/present.mjs";
import {
  ADAM,
  api,
  authorizationUrl,
  CLIENT,
  callbackOf,
  exchange,
  HttpUserAgent,
  NILS,
  OLGA,
  obtainTokens,
  PAUL,
  PIA,
  REDIRECT_URI,
  SECRET_CLIENT,
  standInFor,
} from "../support/stand-in.mjs";

const CLI = fileURLToPath(new URL("../../www/stand-in/cli.js", import.meta.url));
const TYPES = new URL("../../www/stand-in/types.d.ts", import.meta.url);

/** No state, no nonce, no challenge: as a tile asks. */
const TILE = {
  state: undefined,
  nonce: undefined,
  code_challenge: undefined,
  code_challenge_method: undefined,
};

test("the package's types declare what the module exports", () => {
  // Checked by TypeScript: the module is what the types say.
  /** @type {typeof import("../../www/stand-in/types.d.ts")} */
  const typed = standInModule;
  const declarations = readFileSync(TYPES, "utf8");
  const declared = declarations.matchAll(/^export declare (?:const|function) (\w+)/gm);
  assert.deepEqual([...declared].map(([, name]) => name).sort(), Object.keys(typed).sort());
});

test("the stand-in has ClassLink's responses in a sign-in from end to end", async (t) => {
  const standIn = await standInFor(t);
  const browser = new HttpUserAgent();
  const { callback, seen, response } = await browser.arrive(authorizationUrl(standIn));

  assert.deepEqual(seen, ["sign-in", "consent"]);
  assert.equal(response.status, 200, "the last hop is made by script");
  assert.equal(callback.origin + callback.pathname, REDIRECT_URI);
  assert.deepEqual([...callback.searchParams.keys()].sort(), ["code", "response_type", "state"]);
  assert.equal(callback.searchParams.get("response_type"), "code");
  assert.equal(callback.searchParams.get("state"), "the-state");

  const code = callback.searchParams.get("code");
  const token = await exchange(standIn, code);
  assert.equal(token.response.status, 200);
  assert.deepEqual(Object.keys(token.body).sort(), [
    "access_token",
    "id_token",
    "response_type",
    "token_type",
  ]);
  assert.equal(token.body.access_token.split(".").length, 1, "opaque");

  const keys = createRemoteJWKSet(new URL(standIn.endpoints.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(token.body.id_token, keys, {
    issuer: standIn.issuer,
    audience: CLIENT.clientId,
  });
  assert.equal(protectedHeader.alg, "RS256");
  assert.equal(new URL(standIn.issuer).href, `${standIn.issuer}/`, "the issuer is an origin");
  assert.equal(payload.exp - payload.iat, 86_400);
  assert.ok(Math.abs(payload.auth_time - payload.iat) < 10);
  const { iat, exp, auth_time, ...rest } = payload;
  assert.deepEqual(rest, {
    iss: standIn.issuer,
    sub: PIA,
    aud: CLIENT.clientId,
    nonce: "the-nonce",
    login_hint: "pia.pupil",
    email: "pia.pupil@sample-creek.example",
    email_verified: true,
    name: "Pia Pupil",
    given_name: "Pia",
    family_name: "Pupil",
    profile: "Student",
    address: { locality: "Sample Creek Unified", region: "New Jersey" },
    classLink_tenant_id: 2284,
    classLink_tenant_id_string: "2284",
    classLink_role: "Student",
    classLink_role_level: 4,
    classLink_sourcedId: "5678_S-1001",
    classLink_org_sourcedids: ["5678_O-1"],
  });

  const again = await exchange(standIn, code);
  assert.equal(again.response.status, 400, "a code works once");
  assert.equal(again.body.error, "invalid_grant");
});

test("the stand-in's discovery document has ClassLink's members and no other", async (t) => {
  const standIn = await standInFor(t);
  const { body } = await api(standIn.discoveryUrl);
  assert.equal(body.issuer, standIn.issuer);
  assert.equal(body.authorization_endpoint, `${standIn.issuer}/oauth2/v2/auth`);
  assert.equal(body.token_endpoint, `${standIn.issuer}/oauth2/v2/token`);
  assert.equal(body.jwks_uri, `${standIn.issuer}/oauth2/v2/jwks`);
  assert.equal(body.userinfo_endpoint, `${standIn.apiOrigin}/v2/my/profileinfo`);
  assert.notEqual(standIn.apiOrigin, standIn.issuer);
  assert.deepEqual(body.token_endpoint_auth_methods_supported, [
    "client_secret_post",
    "client_secret_basic",
  ]);
  assert.deepEqual(body.id_token_signing_alg_values_supported, ["RS256"]);
  for (const absent of [
    "code_challenge_methods_supported",
    "end_session_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "authorization_response_iss_parameter_supported",
  ]) {
    assert.ok(!(absent in body), absent);
  }
  const { body: keys } = await api(standIn.endpoints.jwks_uri);
  assert.deepEqual([keys.keys.length, keys.keys[0].alg, "d" in keys.keys[0]], [1, "RS256", false]);
  const elsewhere = await fetch(`${standIn.issuer}/oauth2/v2/.well-known/openid-configuration`);
  assert.equal(elsewhere.status, 404);
});

test("the authorization endpoint compares the redirect URI exactly, and honors state, prompt, max_age and login_hint", async (t) => {
  const standIn = await standInFor(t);
  const browser = new HttpUserAgent();

  for (const redirect_uri of [`${REDIRECT_URI}/`, undefined]) {
    const page = await browser.open(authorizationUrl(standIn, { redirect_uri }));
    assert.equal(page.response.status, 400);
    assert.match(page.text, /data-testid="stand-in-error"/);
    assert.throws(() => callbackOf(page.text), /does not lead to a callback/);
  }

  const none = await browser.arrive(authorizationUrl(standIn, { prompt: "none" }));
  assert.equal(none.callback.searchParams.get("error"), "login_required");
  assert.equal(none.callback.searchParams.get("state"), "the-state");
  assert.ok(!none.callback.searchParams.has("iss"));
  assert.ok(!none.callback.searchParams.has("response_type"));

  await browser.arrive(authorizationUrl(standIn));
  const silent = await browser.arrive(
    authorizationUrl(standIn, { prompt: "none", state: undefined }),
  );
  assert.deepEqual(silent.seen, []);
  assert.ok(silent.callback.searchParams.has("code"));
  assert.ok(!silent.callback.searchParams.has("state"));

  const login = await browser.arrive(authorizationUrl(standIn, { prompt: "login" }));
  assert.deepEqual(login.seen, ["sign-in"]);
  const age = await browser.arrive(authorizationUrl(standIn, { max_age: "0" }));
  assert.deepEqual(age.seen, ["sign-in"]);

  const hinted = await new HttpUserAgent().open(
    authorizationUrl(standIn, { login_hint: "paul.placeholder@example-valley.example" }),
  );
  assert.match(hinted.text, new RegExp(`data-testid="person-${PAUL}"`));
  assert.match(hinted.text, /Expected by the app/);
  assert.match(new URL(hinted.url).search, /code_challenge=/, "kept in the URL");
});

test("the sign-in page finds districts, then their users", async (t) => {
  const standIn = await standInFor(t);
  const browser = new HttpUserAgent();
  const first = await browser.open(authorizationUrl(standIn));
  for (const { id } of standIn.districts) assert.match(first.text, new RegExp(`"district-${id}"`));

  const { origin, pathname } = new URL(first.url);
  const found = await browser.open(`${origin}${pathname}?q=VALLEY`);
  assert.match(found.text, /"district-3391"/);
  assert.doesNotMatch(found.text, /"district-2284"/);
  const nothing = await browser.open(`${origin}${pathname}?q=%3Cb%3E`);
  assert.match(nothing.text, /“&#60;b&#62;”/, "escaped");

  const people = await browser.open(`${origin}${pathname}?district=3391`);
  assert.match(people.text, new RegExp(`"person-${PAUL}"`));
  assert.doesNotMatch(people.text, new RegExp(`"person-${PIA}"`));
  assert.equal((await browser.post(first.url, { account: "nobody" })).response.status, 400);
  assert.equal((await new HttpUserAgent().open(first.url)).response.status, 400, "another browser");
});

test("two sign-ins of one browser both complete, also as two users", async (t) => {
  const standIn = await standInFor(t, { consent: "never" });
  const browser = new HttpUserAgent();
  const pages = [];
  for (const state of ["one", "two"]) {
    pages.push(await browser.open(authorizationUrl(standIn, { state })));
  }
  for (const [index, sub] of [PIA, PAUL].entries()) {
    const { text } = await browser.post(pages[index].url, { account: sub });
    const callback = callbackOf(text);
    assert.equal(callback.searchParams.get("state"), ["one", "two"][index]);
    const { body } = await exchange(standIn, callback.searchParams.get("code"));
    assert.equal(decodeJwt(body.id_token).sub, sub);
  }
});

test("the consent page remembers a consent and no refusal, and follows the consent option", async (t) => {
  const standIn = await standInFor(t);
  const browser = new HttpUserAgent();
  const refused = await browser.arrive(authorizationUrl(standIn), { answer: "refuse" });
  assert.equal(refused.callback.searchParams.get("error"), "access_denied");
  assert.equal(refused.callback.searchParams.get("state"), "the-state");
  assert.ok(!refused.callback.searchParams.has("code"));

  const seen = async (params) => (await browser.arrive(authorizationUrl(standIn, params))).seen;
  assert.deepEqual(await seen(), ["consent"], "a refusal is not remembered");
  assert.deepEqual(await seen(), []);
  assert.deepEqual(await seen({ scope: "openid oneroster" }), ["consent"], "more is asked for");
  assert.deepEqual(await seen({ client_id: "secret-app" }), ["consent"], "another client");

  const always = await standInFor(t, { consent: "always" });
  const never = await standInFor(t, { consent: "never" });
  for (const expected of [["sign-in", "consent"], ["consent"]]) {
    assert.deepEqual((await browser.arrive(authorizationUrl(always))).seen, expected);
  }
  assert.deepEqual((await browser.arrive(authorizationUrl(never))).seen, ["sign-in"]);
});

test("a LaunchPad tile brings a genuine code without a state", async (t) => {
  const standIn = await standInFor(t);
  const browser = new HttpUserAgent();
  const empty = await browser.open(standIn.launchPadUrl);
  assert.match(empty.text, /data-testid="launchpad-sign-in"/);
  assert.doesNotMatch(empty.text, /data-testid="tile-/);

  const link = (text, id) => {
    const href = new RegExp(`href="([^"]*)" data-testid="${id}"`).exec(text)?.[1];
    return new URL(present(href).replaceAll("&#38;", "&"), standIn.issuer).href;
  };
  const pad = await browser.arrive(link(empty.text, "launchpad-sign-in"));
  assert.equal(pad.url, standIn.launchPadUrl);
  assert.match(pad.text, new RegExp(`data-sub="${PIA}"`));
  assert.equal(link(pad.text, "launch-tile-test-app"), CLIENT.launchUrl);

  const { callback } = await browser.arrive(link(pad.text, "tile-test-app"));
  assert.deepEqual([...callback.searchParams.keys()].sort(), ["code", "response_type"]);
  const code = callback.searchParams.get("code");
  const guessed = await exchange(standIn, code);
  assert.equal(guessed.body.error, "invalid_grant", "no verifier fits it");
  const { callback: second } = await browser.arrive(link(pad.text, "tile-test-app"));
  const bare = await exchange(standIn, second.searchParams.get("code"), {
    code_verifier: undefined,
  });
  const claims = decodeJwt(bare.body.id_token);
  assert.equal(claims.sub, PIA);
  assert.ok(!("nonce" in claims));

  const switched = await browser.arrive(link(pad.text, "launchpad-switch"), { sub: PAUL });
  assert.match(switched.text, new RegExp(`data-sub="${PAUL}"`));
  const after = await browser.arrive(authorizationUrl(standIn));
  assert.deepEqual(after.seen, ["consent"]);
  const { body } = await exchange(standIn, after.callback.searchParams.get("code"));
  assert.equal(decodeJwt(body.id_token).sub, PAUL);

  const out = await browser.post(`${standIn.launchPadUrl}/sign-out`, {});
  assert.match(out.text, /data-testid="launchpad-nobody"/);
  const { callback: gone } = await browser.arrive(authorizationUrl(standIn, { prompt: "none" }));
  assert.equal(gone.searchParams.get("error"), "login_required");
  const info = await api(standIn.endpoints.my_info_endpoint, body.access_token);
  assert.equal(info.response.status, 200, "applications stay signed in");
});

test("the stand-in checks PKCE, or ignores it when told to", async (t) => {
  const codeFrom = async (standIn, params) => {
    const url = authorizationUrl(standIn, params);
    return (await new HttpUserAgent().arrive(url)).callback.searchParams.get("code");
  };
  const wrong = { code_verifier: randomBytes(32).toString("base64url") };
  const missing = { code_verifier: undefined };

  const honoured = await standInFor(t);
  for (const params of [wrong, missing]) {
    const { response, body } = await exchange(honoured, await codeFrom(honoured), params);
    assert.deepEqual([response.status, body.error], [400, "invalid_grant"]);
  }

  const ignored = await standInFor(t, { pkce: "ignored" });
  for (const [request, params] of [
    [{}, wrong],
    [{}, missing],
    [{}, { code_verifier: "short" }],
    [TILE, wrong],
    [{ code_challenge_method: "plain" }, {}],
  ]) {
    const { response, body } = await exchange(ignored, await codeFrom(ignored, request), params);
    assert.equal(response.status, 200, JSON.stringify(body));
  }
});

test("the token endpoint takes a client secret, does without, or demands it, as it is told", async (t) => {
  const open = await standInFor(t);
  const strict = await standInFor(t, { publicClients: false });
  const asked = { client_id: SECRET_CLIENT.clientId };
  const basic = (secret) => ({
    authorization: `Basic ${Buffer.from(`secret-app:${secret}`).toString("base64")}`,
  });
  const attempt = async (standIn, params, headers, request = asked) => {
    const { callback } = await new HttpUserAgent().arrive(authorizationUrl(standIn, request));
    const code = callback.searchParams.get("code");
    const { response, body } = await exchange(standIn, code, { ...request, ...params }, headers);
    return [response.status, body.error];
  };
  for (const standIn of [open, strict]) {
    assert.deepEqual(await attempt(standIn, { client_secret: "s3cret" }), [200, undefined]);
    assert.deepEqual(await attempt(standIn, {}, basic("s3cret")), [200, undefined]);
    assert.deepEqual(await attempt(standIn, { client_secret: "no" }), [401, "invalid_client"]);
    assert.deepEqual(await attempt(standIn, {}, basic("no")), [401, "invalid_client"]);
  }
  assert.deepEqual(await attempt(open, {}), [200, undefined]);
  assert.deepEqual(await attempt(strict, {}), [401, "invalid_client"]);
  const publicRequest = { client_id: CLIENT.clientId };
  assert.deepEqual(await attempt(strict, {}, {}, publicRequest), [401, "invalid_client"]);
});

test("the stand-in allows other origins at five endpoints, or at none when told to", async (t) => {
  const headers = { origin: "https://app.example" };
  const preflight = (url) =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        ...headers,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-classlink-spa",
      },
    });
  const names = (response) =>
    [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));

  for (const cors of [true, false]) {
    const standIn = await standInFor(t, { cors });
    const { authorization_endpoint, token_endpoint, ...rest } = standIn.endpoints;
    const urls = [...Object.values(rest), standIn.discoveryUrl];
    const refused = await exchange(standIn, "no-such-code", {}, headers);
    assert.equal(refused.response.status, 400);
    const responses = [refused.response];
    for (const url of urls) responses.push(await fetch(url, { headers }));
    for (const response of responses) {
      if (cors) assert.equal(response.headers.get("access-control-allow-origin"), "*");
      else assert.deepEqual(names(response), [], response.url);
    }
    for (const url of [...urls, token_endpoint]) {
      const response = await preflight(url);
      if (!cors) {
        assert.deepEqual([response.status, names(response)], [405, []]);
        continue;
      }
      assert.equal(response.status, 204);
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      const allowed = response.headers.get("access-control-allow-headers")?.toLowerCase();
      for (const name of ["authorization", "content-type", "x-classlink-spa"]) {
        assert.ok(allowed?.includes(name), name);
      }
    }
    assert.deepEqual(names(await fetch(authorization_endpoint, { headers })), []);
  }
});

test("profileinfo and my/info return the user that the ID token is about", async (t) => {
  const standIn = await standInFor(t);
  const { userinfo_endpoint, my_info_endpoint } = standIn.endpoints;
  const pia = await obtainTokens(standIn);

  const { body: info } = await api(userinfo_endpoint, pia.access_token);
  const { iss, aud, iat, exp, auth_time, nonce, ...claims } = pia.claims;
  assert.deepEqual(info, claims);
  const { body: mine } = await api(my_info_endpoint, pia.access_token);
  assert.equal(mine.UserId, 8708718);
  assert.equal(mine.TenantId, 2284);
  assert.equal(mine.SourcedId, "5678_S-1001");
  assert.equal(mine.Role, "Student");
  assert.equal(mine.Role_Level, 4);
  assert.deepEqual(mine.OrgId, ["5678_O-1"]);

  const narrow = await obtainTokens(standIn, { scope: "openid" });
  assert.deepEqual((await api(userinfo_endpoint, narrow.access_token)).body, { sub: PIA });
  assert.ok(!("email" in narrow.claims) && !("profile" in narrow.claims));

  for (const url of [userinfo_endpoint, my_info_endpoint]) {
    for (const token of [undefined, "not-a-token"]) {
      const { response, body } = await api(url, token);
      assert.equal(response.status, 401);
      assert.deepEqual(Object.keys(body), ["message"]);
    }
  }
  const failing = await standInFor(t, { myInfoError: 503 });
  const { access_token } = await obtainTokens(failing);
  const { response, body } = await api(failing.endpoints.my_info_endpoint, access_token);
  assert.deepEqual([response.status, body.status], [200, 503]);
  assert.equal((await api(failing.endpoints.my_info_endpoint, "no")).response.status, 401);
});

test("the stand-in has users with a shared SourcedId, without one, and without an e-mail address", async (t) => {
  const standIn = await standInFor(t);
  const person = async (sub) => {
    const { access_token, claims } = await obtainTokens(standIn, { sub });
    const { body } = await api(standIn.endpoints.my_info_endpoint, access_token);
    assert.equal(claims.sub, sub);
    assert.equal(String(body.UserId), sub);
    return { claims, info: body };
  };
  const [pia, paul, olga, nils, adam] = await Promise.all(
    [PIA, PAUL, OLGA, NILS, ADAM].map(person),
  );
  assert.equal(pia.info.SourcedId, paul.info.SourcedId);
  assert.equal(pia.info.LoginId, paul.info.LoginId);
  assert.notEqual(String(pia.info.TenantId), String(paul.info.TenantId));
  assert.equal(typeof pia.info.UserId, "number");
  assert.equal(typeof paul.info.UserId, "string");
  assert.equal(typeof paul.info.TenantId, "string");
  assert.equal(olga.info.SourcedId, "");
  assert.equal(olga.info.OrgId, "");
  assert.ok(!("Email" in nils.info) && !("email" in nils.claims));
  assert.equal(adam.info.Role, "Teacher");
  assert.equal(adam.claims.profile, "Teacher");
});

test("the stand-in leaves out tenant claims and ends codes and tokens as it is told", async (t) => {
  const standIn = await standInFor(t, {
    tenantClaims: false,
    idTokenLifetime: 60,
    accessTokenLifetime: 30,
    codeLifetime: 30,
  });
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const { access_token, claims } = await obtainTokens(standIn);
  const { body } = await api(standIn.endpoints.userinfo_endpoint, access_token);
  for (const name of [...Object.keys(claims), ...Object.keys(body)]) {
    assert.doesNotMatch(name, /^classLink_/);
  }
  assert.equal(claims.exp - claims.iat, 60);

  const { callback } = await new HttpUserAgent().arrive(authorizationUrl(standIn));
  t.mock.timers.tick(31_000);
  const late = await exchange(standIn, callback.searchParams.get("code"));
  assert.deepEqual([late.response.status, late.body.error], [400, "invalid_grant"]);
  const { response } = await api(standIn.endpoints.userinfo_endpoint, access_token);
  assert.equal(response.status, 401);
});

test("the stand-in counts requests, and keeps nothing secret of them", async (t) => {
  const standIn = await standInFor(t);
  const { access_token } = await obtainTokens(standIn);
  standIn.requests.length = 0;
  await api(standIn.discoveryUrl, undefined, { origin: "https://app.example" });
  await api(`${standIn.endpoints.my_info_endpoint}?x=1`, access_token);
  await exchange(standIn, "a-code");
  await exchange(standIn, "a-code", { grant_type: "a-secret" });
  assert.deepEqual(
    standIn.requests.map(({ at, ...rest }) => rest),
    [
      { method: "GET", path: "/.well-known/openid-configuration", origin: "https://app.example" },
      { method: "GET", path: "/v2/my/info", origin: undefined },
      {
        method: "POST",
        path: "/oauth2/v2/token",
        origin: undefined,
        grantType: "authorization_code",
      },
      { method: "POST", path: "/oauth2/v2/token", origin: undefined },
    ],
  );
  assert.ok(standIn.requests.every(({ at }) => Math.abs(Date.now() - at) < 10_000));
});

test("startStandIn names the option that is wrong", async () => {
  const client = { clientId: "a", redirectUris: ["https://a.example/"] };
  for (const [options, message] of /** @type {const} */ ([
    [{ consent: "sometimes" }, /^consent: /],
    [{ port: "4400" }, /^port: /],
    [{ publicClient: false }, /^publicClient: there is no such option/],
    [{ clients: [client, client] }, /repeated/],
    [{ clients: [{ ...client, redirectUris: ["/callback"] }] }, /redirectUris of a/],
    [{ clients: [{ ...client, launchUrl: "javascript:alert(1)" }] }, /launchUrl of a/],
    [{ clients: [{ ...client, postLogoutRedirectUris: ["/bye"] }] }, /postLogoutRedirectUris of a/],
    [{ refreshTokens: "yes" }, /^refreshTokens: /],
    [{ openerPolicy: "strict" }, /^openerPolicy: must be one of/],
    [{ accounts: [{ sub: "1", districtId: 9 }] }, /^accounts: /],
  ])) {
    await assert.rejects(startStandIn(/** @type {any} */ (options)), {
      name: "TypeError",
      message,
    });
  }
});

test("the stand-in takes districts and accounts from its options", async (t) => {
  const standIn = await standInFor(t, {
    districts: [{ id: 1, name: "One", state: "Two" }],
    accounts: [
      {
        sub: "x1",
        userId: "x1",
        districtId: 1,
        firstName: "Ann",
        lastName: "Other",
        role: "Student",
        roleLevel: 4,
        sourcedId: "",
        loginId: "ann",
        note: "",
      },
    ],
  });
  const { claims } = await obtainTokens(standIn, { sub: "x1" });
  assert.equal(claims.address.locality, "One");
});

/** Runs the command line. */
function cli(t, ...args) {
  const child = spawn(process.execPath, [CLI, ...args]);
  t.after(() => child.kill("SIGKILL"));
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    output.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.err += chunk;
  });
  return { child, output, ended: once(child, "close").then(([code]) => code) };
}

test("the stand-in's command line takes every option, and names one that is wrong", async (t) => {
  const args = ["--client-id", "a", "--redirect-uri", REDIRECT_URI];
  const wrong = /** @type {const} */ ([
    [["--prot", "1"], /'--prot'/],
    [["--redirect-uri", REDIRECT_URI], /--client-id is missing/],
    [[...args, "--port", "no"], /--port must be a number/],
    [[...args, "--consent", "maybe"], /consent: must be one of/],
    [[...args, "--tls-key", "x"], /belong together/],
    [[...args, "--cross-site-cookies"], /crossSiteCookies: needs tls/],
    [[...args, "vite"], /Unexpected argument 'vite'/],
    [[...args, "--"], /--: the command after it is missing/],
  ]).map(async ([given, message]) => {
    const { output, ended } = cli(t, ...given);
    assert.equal(await ended, 2, output.err);
    assert.match(output.err, message);
    assert.match(output.err, /--help/);
    assert.equal(output.out, "");
  });
  const help = cli(t, "--help");

  const switches = ["--no-cors", "--refresh-tokens", "--expires-in", "--revocation"];
  switches.push("--end-session", "--post-logout-redirect-uri", "http://localhost:4419/bye");
  switches.push("--iss-parameter", "--framing", "--opener-policy", "same-origin");
  const { child, output, ended } = cli(t, ...args, "--port", "0", "--api-port", "0", ...switches);
  while (!output.out.includes("Theo Tryout")) await once(child.stdout, "data");
  const [, discovery] = present(/discovery\s+(\S+)/.exec(output.out));
  const response = await fetch(discovery, { headers: { origin: "https://app.example" } });
  assert.equal(response.status, 200);
  assert.ok(!response.headers.has("access-control-allow-origin"));
  assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
  assert.match(present(response.headers.get("content-security-policy")), /frame-ancestors http:/);
  const metadata = await response.json();
  assert.deepEqual(metadata.grant_types_supported, ["authorization_code", "refresh_token"]);
  assert.ok(metadata.revocation_endpoint && metadata.end_session_endpoint);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  const signedOut = new URL(metadata.end_session_endpoint);
  signedOut.search = String(
    new URLSearchParams({
      client_id: "a",
      post_logout_redirect_uri: "http://localhost:4419/bye",
    }),
  );
  assert.equal((await new HttpUserAgent().open(signedOut.href)).left?.pathname, "/bye");
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
  assert.equal(output.err, "", "no warnings");

  assert.equal(await help.ended, 0);
  assert.match(help.output.out, /Usage: classlink-stand-in/);
  await Promise.all(wrong);
});

/** The command line with a command of its own, which is a program for Node. */
const besides = (t, program) =>
  cli(
    t,
    ...["--client-id", "a", "--redirect-uri", REDIRECT_URI, "--port", "0", "--api-port", "0"],
    ...["--", process.execPath, "--eval", program, "--", "--port", "5173"],
  );

test("the stand-in's command line runs a command beside it, and ends with its status", async (t) => {
  const { output, ended } = besides(
    t,
    "console.log(process.argv.slice(1).join(' ')); process.exitCode = 3;",
  );
  assert.equal(await ended, 3);
  assert.match(output.out, /issuer .*^--port 5173$/ms, "after what the stand-in prints itself");
  assert.equal(output.err, "");
});

test("the stand-in's command line passes SIGTERM to the command, and waits until it has ended", async (t) => {
  const { child, output, ended } = besides(
    t,
    "process.once('SIGTERM', () => { console.log('stopped'); clearInterval(alive); });" +
      "const alive = setInterval(() => {}, 1000); console.log('ready');",
  );
  while (!output.out.includes("ready")) await once(child.stdout, "data");
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
  assert.match(output.out, /^stopped$/m);
});

test("the stand-in's command line names a command that was not found", async (t) => {
  const { output, ended } = cli(
    t,
    ...["--client-id", "a", "--redirect-uri", REDIRECT_URI, "--port", "0", "--api-port", "0"],
    ...["--", "no-such-command"],
  );
  assert.equal(await ended, 1);
  assert.match(output.err, /the command no-such-command was not found/);
});

test("the stand-in signs every token with a key that was made at start", async (t) => {
  const [one, two] = await Promise.all([standInFor(t), standInFor(t)]);
  const kid = async (standIn) => decodeProtectedHeader((await obtainTokens(standIn)).id_token).kid;
  assert.notEqual(await kid(one), await kid(two));
});

test("a test's handler responds in the stand-in's place, or leaves the request to it", async (t) => {
  const standIn = await standInFor(t);
  const asked = [];
  standIn.instead = (request, response, usual) => {
    asked.push(request.url);
    if (asked.length > 1) return usual();
    response.writeHead(418).end();
  };

  assert.equal((await fetch(standIn.discoveryUrl)).status, 418);
  assert.equal((await fetch(standIn.discoveryUrl)).status, 200);

  assert.equal(asked.length, 2);
  assert.equal(standIn.requests.length, 1, "what it didn't answer it has not seen");
});

test("the stand-in reports a handler that fails, and not a browser that hangs up", async (t) => {
  const standIn = await standInFor(t);
  const reports = t.mock.method(console, "error", () => {}).mock;
  const { hostname, port } = new URL(standIn.issuer);
  const arrived = deferred();
  const closed = deferred();
  standIn.instead = (request, _response, usual) => {
    request.once("close", closed.resolve);
    arrived.resolve();
    return usual();
  };
  const socket = connect(Number(port), hostname);
  socket.write("POST /oauth2/v2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ncode=");
  await arrived.promise;
  socket.resetAndDestroy();
  await closed.promise;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(reports.callCount(), 0);

  standIn.instead = () => {
    throw new Error("a defect");
  };
  assert.equal((await fetch(standIn.discoveryUrl)).status, 500);
  assert.equal(reports.callCount(), 1);
});
