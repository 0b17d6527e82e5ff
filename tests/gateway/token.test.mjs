// The gateway's token request: what it sends upstream, what it hands on, and what it refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { COOKIE, newLogin, SUPPORT_CODE, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { CLIENT, PERSON } from "../support/upstream.mjs";

/** @import { Handler } from "../support/upstream.mjs" */

test("a sign-in returns the tokens and a sealed session, and nothing else", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  upstream.givesRefreshTokens = true;
  upstream.accessTokenLifetime = 3600;
  upstream.bendResponse = (response) => ({ ...response, scope: "openid profile", junk: "x" });
  const answer = await browser.signIn();

  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.json).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "response_type",
    "scope",
    "session_id",
    "token_type",
  ]);
  assert.equal(answer.json.expires_in, 3600);
  assert.equal(decodeJwt(answer.json.id_token).sub, PERSON.sub);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert(Math.abs(Date.parse(present(answer.headers.get("date"))) - Date.now()) < 5000);
  assert.equal(answer.code, null);
  assert.equal(answer.cookies.length, 2);
  const [name, ...attributes] = answer.cookies[0].split("; ");
  assert(name.startsWith(`${COOKIE}.${answer.json.session_id.slice(0, 8)}.0=`));
  assert.deepEqual(attributes, ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]);

  const session = await browser.whoIsIt();
  assert.equal(session?.user.id, `${upstream.issuer}|8708718`);
  assert.equal(session?.user.role, "student");
  assert.deepEqual(session?.user.tenant, { id: "2284" });
  assert.deepEqual(session?.scope, ["openid", "profile"]);
  assert.deepEqual(session?.user.claims, decodeJwt(answer.json.id_token));

  const requestId = answer.headers.get("x-request-id");
  assert.match(present(requestId), /^[0-9a-f]{32}$/);
  assert.deepEqual(entries, [
    {
      event: "token",
      level: "info",
      status: 200,
      durationMs: 0,
      requestId,
      supportCode: SUPPORT_CODE,
      upstreamStatus: 200,
      session: "sealed",
    },
  ]);
});

test("a sign-in accepts a token response without expires_in, refresh token, scope and nbf, as ClassLink's", async (t) => {
  const { browser } = await setUp(t);
  const { json } = await browser.signIn();
  assert.deepEqual(Object.keys(json).sort(), [
    "access_token",
    "id_token",
    "response_type",
    "session_id",
    "token_type",
  ]);
  assert.equal((await browser.session()).status, 200);
  assert.deepEqual((await browser.whoIsIt())?.scope, []);
});

test("the secret goes into the header, encoded, if metadata allows both or neither", async (t) => {
  for (const methods of [undefined, ["client_secret_post", "client_secret_basic"]]) {
    const { upstream, browser } = await setUp(t);
    upstream.discovery.token_endpoint_auth_methods_supported = methods;
    assert.equal((await browser.signIn()).status, 200);
    const { form, headers } = present(upstream.requests.find(({ path }) => path === "/token"));
    assert.equal(
      Buffer.from(present(headers.authorization).slice(6), "base64").toString(),
      "client-1:s3cret%2B%2F%3A%25+%C3%BC",
    );
    assert.deepEqual([...form.keys()].sort(), [
      "code",
      "code_verifier",
      "grant_type",
      "redirect_uri",
    ]);
    assert.match(present(headers["user-agent"]), /^classlink-spa-gateway /);
    assert.equal(headers.accept, "application/json");
  }
});

test("the secret goes into the form if only that is allowed", async (t) => {
  const { upstream, browser } = await setUp(t);
  upstream.discovery.token_endpoint_auth_methods_supported = ["client_secret_post"];
  assert.equal((await browser.signIn()).status, 200);
  const { form, headers } = present(upstream.requests.find(({ path }) => path === "/token"));
  assert.equal(headers.authorization, undefined);
  assert.equal(form.get("client_secret"), CLIENT.clientSecret);
});

test("a code stolen from another browser is worthless if the provider ignores PKCE", async (t) => {
  const { upstream, browser, another, entries } = await setUp(t);
  const victim = newLogin();
  const attacker = newLogin();
  const code = upstream.authorize({ ...victim });
  const answer = await browser.postToken(browser.form(attacker, code));
  assert.equal(upstream.count("/token"), 1, "the provider took it");
  assert.equal(answer.status, 400);
  assert.equal(answer.code, "id_token_invalid");
  assert.equal(answer.json.error, "invalid_grant");
  assert.equal(answer.json.reason, "nonce");
  assert.deepEqual(answer.cookies, []);
  assert.equal(another().sessionCookies.length, 0);
  assert.equal(entries.at(-1)?.reason, "nonce");
});

test("a tile's code, minted without a nonce, is worthless with any verifier", async (t) => {
  const { upstream, browser } = await setUp(t);
  const code = upstream.authorize({});
  const answer = await browser.postToken(browser.form(newLogin(), code));
  assert.equal(answer.json.reason, "nonce");
  assert.deepEqual(answer.cookies, []);
});

test("a failed sign-in leaves the session before it alone", async (t) => {
  const { upstream, browser } = await setUp(t);
  await browser.signIn();
  const before = browser.cookieHeader;
  await browser.postToken(browser.form(newLogin(), upstream.authorize({})));
  assert.equal(browser.cookieHeader, before);
  assert.equal((await browser.session()).status, 200);
});

test("a replayed code is refused with the provider's error code alone", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  const login = newLogin();
  const form = browser.form(login, upstream.authorize(login));
  assert.equal((await browser.postToken(form)).status, 200);
  const answer = await browser.postToken(form);
  assert.equal(answer.status, 400);
  assert.equal(answer.code, null);
  assert.deepEqual(answer.json, { error: "invalid_grant" });
  assert.equal(entries.at(-1)?.code, "provider_refused");
  assert.equal(entries.at(-1)?.providerError, "invalid_grant");
});

test("the provider's error codes are passed on, and its texts are not", async (t) => {
  const { upstream, browser, entries } = await setUp(t);
  const cases = [
    [400, "invalid_scope", 400, "invalid_scope"],
    [200, "invalid_request", 400, "invalid_request"],
    [401, "invalid_client", 400, "invalid_client"],
    [503, "temporarily_unavailable", 503, "temporarily_unavailable"],
    [429, "server_error", 503, "server_error"],
    [400, "Pia Privat may not", 400, "invalid_request"],
  ];
  for (const [
    status,
    error,
    answered,
    passed,
  ] of /** @type {[number, string, number, string][]} */ (cases)) {
    upstream.instead["/token"] = (_, response) =>
      response.writeHead(status).end(JSON.stringify({ error, error_description: "Pia" }));
    const answer = await browser.signIn();
    assert.equal(answer.status, answered, error);
    assert.equal(answer.code, null);
    assert.deepEqual(answer.json, { error: passed });
    assert.equal(
      entries.at(-1)?.level,
      error === "invalid_client" || answered > 499 ? "error" : "warn",
    );
    assert.equal(entries.at(-1)?.upstreamStatus, status);
  }
});

test("only the registered client and redirect URI are accepted, exactly", async (t) => {
  const { upstream, browser } = await setUp(t);
  const cases = [
    [{ client_id: "client-2" }, "unknown_client"],
    [{ client_id: "Client-1" }, "unknown_client"],
    [{ client_id: "__proto__" }, "unknown_client"],
    [{ redirect_uri: "https://app.example/callback/" }, "unknown_redirect_uri"],
    [{ redirect_uri: "https://app.example/Callback" }, "unknown_redirect_uri"],
    [{ redirect_uri: "https://app.example.evil/callback" }, "unknown_redirect_uri"],
    [{ redirect_uri: "https://app.example/callback?x" }, "unknown_redirect_uri"],
  ];
  for (const [changes, code] of /** @type {[Record<string, string>, string][]} */ (cases)) {
    const answer = await browser.signIn(changes);
    assert.equal(answer.status, 400);
    assert.equal(answer.code, code);
  }
  assert.equal(upstream.count("/token"), 0);
});

test("a token request has each parameter exactly once, and no other", async (t) => {
  const { upstream, browser } = await setUp(t);
  const names = ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"];
  const login = newLogin();
  for (const name of names) {
    for (const spoil of [
      (form) => form.append(name, form.get(name)),
      (form) => form.append(name, "other"),
      (form) => form.delete(name),
      (form) => form.set(name, ""),
    ]) {
      const form = browser.form(login, upstream.authorize(login));
      spoil(form);
      const answer = await browser.postToken(form);
      assert.equal(answer.status, 400, name);
      assert.equal(answer.code, "request_invalid", name);
    }
  }
  for (const extra of ["client_secret", "refresh_token", "scope"]) {
    const form = browser.form(login, upstream.authorize(login), { [extra]: "x" });
    assert.equal((await browser.postToken(form)).code, "request_invalid", extra);
  }
  for (const grant of ["refresh_token", "client_credentials", "password"]) {
    assert.equal((await browser.signIn({ grant_type: grant })).code, "unsupported_grant_type");
  }
  for (const verifier of ["a".repeat(42), "a".repeat(129), `${"a".repeat(43)}+`, "ä".repeat(43)]) {
    assert.equal((await browser.signIn({ code_verifier: verifier })).code, "request_invalid");
  }
  assert.equal(upstream.count("/token"), 0);
});

test("a token request's body is a form of 8 KiB at most, in UTF-8", async (t) => {
  const { upstream, browser } = await setUp(t);
  const login = newLogin();
  const form = browser.form(login, "code");
  for (const type of [
    null,
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded2",
  ]) {
    const answer = await browser.postToken(form, { "Content-Type": type });
    assert.equal(answer.status, 415, String(type));
    assert.equal(answer.code, "unsupported_media_type");
  }
  const large = await browser.postToken(browser.form(login, "c".repeat(8192)));
  assert.equal(large.status, 413);
  assert.equal(large.code, "body_too_large");
  // Without a length, and without an end: only as much is read as is allowed.
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 1024;
      controller.enqueue(new Uint8Array(1024).fill(97));
    },
  });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await browser.send("POST", "/auth/token", { headers, body: endless });
  assert.equal(answer.status, 413);
  assert(sent < 32 * 1024);
  const latin = Uint8Array.from(Buffer.from(`${form}&x=\xff`, "latin1"));
  const strange = await browser.send("POST", "/auth/token", { headers, body: latin });
  assert.equal(strange.code, "request_invalid");
  assert.equal(upstream.count("/token"), 0);
});

test("a body that never comes ends in time", async (t) => {
  const { browser } = await setUp(t, { timeout: 100 });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await browser.send("POST", "/auth/token", { headers, body: new ReadableStream() });
  assert.equal(answer.code, "request_invalid");
});

/** Ways for a provider to fail, and what the gateway makes of them. */
/** @type {Record<string, [Handler, number, string]>} */
const FAULTS = {
  html: [(_, response) => response.writeHead(200).end("<h1>Pia</h1>"), 502, "upstream_invalid"],
  "html, 500": [
    (_, response) => response.writeHead(500).end("<h1>Pia</h1>"),
    502,
    "upstream_error",
  ],
  "html, 404": [
    (_, response) => response.writeHead(404).end("<h1>Pia</h1>"),
    502,
    "upstream_invalid",
  ],
  "500, JSON": [(_, response) => response.writeHead(500).end("{}"), 502, "upstream_error"],
  "truncated JSON": [(_, response) => response.end('{"access_token":"a'), 502, "upstream_invalid"],
  "an array": [(_, response) => response.end("[]"), 502, "upstream_invalid"],
  null: [(_, response) => response.end("null"), 502, "upstream_invalid"],
  "10 MiB": [
    (_, response) => response.end(`{"x":"${"x".repeat(10 * 1024 * 1024)}"}`),
    502,
    "upstream_invalid",
  ],
  "a redirect": [
    (_, response) => response.writeHead(307, { Location: "/elsewhere" }).end(),
    502,
    "upstream_invalid",
  ],
  silence: [() => {}, 504, "upstream_timeout"],
  "a body that stalls": [(_, response) => response.write('{"access'), 504, "upstream_timeout"],
  "a cut connection": [(request) => request.socket.destroy(), 502, "upstream_unreachable"],
  "no ID token": [
    (_, response) => response.end('{"access_token":"a","token_type":"Bearer"}'),
    502,
    "upstream_invalid",
  ],
  "wrong types": [
    (_, response) => response.end('{"access_token":1,"token_type":"Bearer","id_token":{}}'),
    502,
    "upstream_invalid",
  ],
  "another token type": [
    (_, response) => response.end('{"access_token":"a","token_type":"mac","id_token":"a.b.c"}'),
    502,
    "upstream_invalid",
  ],
};

for (const [name, [handler, status, code]] of Object.entries(FAULTS)) {
  test(`a token response with ${name} is ${code}`, async (t) => {
    const { upstream, browser, entries } = await setUp(t, status === 504 ? { timeout: 300 } : {});
    upstream.instead["/token"] = handler;
    const answer = await browser.signIn();
    assert.equal(answer.status, status);
    assert.equal(answer.code, code);
    assert.deepEqual(answer.cookies, []);
    assert(!answer.text.includes("Pia"));
    assert.equal(upstream.count("/elsewhere"), 0);
    assert.equal(entries.at(-1)?.code, code);
    assert.equal(entries.at(-1)?.level, "error");
  });
}

test("a failure to fetch discovery is remembered for some seconds, and then forgotten", async (t) => {
  let asked = 0;
  let down = true;
  const { browser, pass } = await setUp(t, {
    fetch: (url, init) => {
      asked += 1;
      return down ? Promise.reject(new TypeError("fetch failed: Pia")) : fetch(url, init);
    },
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.signIn()));
  assert(answers.every(({ code, status }) => code === "upstream_unreachable" && status === 502));
  assert.equal(asked, 1, "discovery is asked once for all");
  assert.equal((await browser.signIn()).code, "upstream_unreachable");
  assert.equal(asked, 1, "and not again at once");
  down = false;
  pass(6);
  assert.equal((await browser.signIn()).status, 200);
});

test("a discovery document of another issuer, or without an endpoint, is refused", async (t) => {
  for (const discovery of [
    { issuer: "https://other.example" },
    { token_endpoint: undefined },
    { jwks_uri: "http://keys.example/jwks" },
    { token_endpoint: 7 },
  ]) {
    const { upstream, browser } = await setUp(t);
    Object.assign(upstream.discovery, discovery);
    assert.equal((await browser.signIn()).code, "discovery_invalid");
    assert.equal(upstream.count("/token"), 0);
  }
});

test("known metadata is not discovered", async (t) => {
  const { upstream, options } = await setUp(t);
  const { issuer } = upstream;
  const metadata = { token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  const { createGateway, GatewayClient } = await import("../support/gateway.mjs");
  const browser = new GatewayClient(createGateway({ ...options, metadata }), upstream);
  assert.equal((await browser.signIn()).status, 200);
  assert.equal(upstream.count("/.well-known/openid-configuration"), 0);
});

test("ClassLink's own issuer is known, with the secret in the form", async (t) => {
  const asked = [];
  const { browser } = await setUp(t, {
    issuer: undefined,
    fetch: async (url, init) => {
      asked.push([url, String(init.body ?? "")]);
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    },
  });
  assert.deepEqual((await browser.signIn()).json, { error: "invalid_grant" });
  const [, body] = asked.find(([url]) => url === "https://launchpad.classlink.com/oauth2/v2/token");
  assert.equal(new URLSearchParams(body).get("client_secret"), CLIENT.clientSecret);
});

test("the tenant is the ID token's, else UserInfo's, else my-info's", async (t) => {
  const clients = [{ ...CLIENT, allowedTenants: [2284, "2285"], district: "north" }];
  const { upstream, browser, entries } = await setUp(t, { clients });
  const refused = (answer, reason) => {
    assert.equal(answer.status, 403);
    assert.equal(answer.code, "tenant_not_allowed");
    assert.equal(answer.json.reason, reason);
    assert.deepEqual(answer.cookies, []);
  };
  const unknown = { classLink_tenant_id: undefined };

  assert.equal((await browser.signIn()).status, 200);
  assert.equal(upstream.count("/userinfo"), 0);
  assert.equal(entries.at(-1)?.district, "north");
  refused(await browser.signIn({ claims: { classLink_tenant_id: 9999 } }), "tenant_other");

  assert.equal((await browser.signIn({ claims: unknown })).status, 200, "UserInfo says 2284");
  assert.equal((await browser.whoIsIt())?.user.tenant?.id, "2284");
  assert.equal((await browser.session()).status, 200);
  upstream.userInfo = { ...PERSON, classLink_tenant_id: 9999 };
  refused(await browser.signIn({ claims: unknown }), "tenant_other");
  upstream.userInfo = { ...PERSON, sub: "other" };
  assert.equal((await browser.signIn({ claims: unknown })).code, "user_mismatch");

  upstream.userInfo = { sub: PERSON.sub };
  assert.equal((await browser.signIn({ claims: unknown })).status, 200, "my-info says 2284");
  assert.deepEqual((await browser.whoIsIt())?.user.tenant, { id: "2284", name: "Springfield" });
  upstream.myInfo = { UserId: "1", TenantId: 2284 };
  assert.equal((await browser.signIn({ claims: unknown })).code, "user_mismatch");
  upstream.myInfo = { UserId: 8708718 };
  refused(await browser.signIn({ claims: unknown }), "tenant_unknown");
  upstream.myInfo = { status: 401, message: "Pia" };
  assert.equal((await browser.signIn({ claims: unknown })).code, "upstream_invalid");
});

test("a tenant that is no longer served has no session", async (t) => {
  const { browser, another } = await setUp(t);
  await browser.signIn();
  const stricter = another({ clients: [{ ...CLIENT, allowedTenants: ["1"] }] });
  assert.equal(await stricter.whoIsIt(), null);
  assert.equal((await stricter.session()).status, 204);
});
