/**
 * The package's scripts without their WebAssembly: what is validated, what the address bar keeps, and that every call
 * ends. The sources are bundled as they stand, over a fake glue.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL("../../pkg-template/src/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scripts-"));
after(() => rmSync(folder, { recursive: true }));

async function bundle(file) {
  await build({
    stdin: {
      contents: [
        "callback-url",
        "client/create-client",
        "config",
        "core",
        "errors",
        "loader",
        "messages",
        "task",
        "exports",
        "frameworks/arrival",
      ]
        .map((name) => `export * from "./${name}.ts";`)
        .join("\n"),
      resolveDir: source,
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    define: { __VERSION__: '"1.2.3"' },
    outfile: join(folder, file),
  });
  return import(pathToFileURL(join(folder, file)).href);
}

const scripts = await bundle("scripts.mjs");
const { ClassLinkError, isClassLinkError, readConfig, readLoginOptions, stripCallback } = scripts;

const ORIGIN = "https://app.example";
const BASE = { clientId: "c1", redirectUri: `${ORIGIN}/callback` };
const USER = { id: "i|1", sub: "1", name: "Ada", claims: { sub: "1", deep: { list: [1] } } };

/** A browser's globals, as far as the scripts touch them. */
function page(url = `${ORIGIN}/`) {
  const calls = [];
  Object.assign(globalThis, {
    window: globalThis,
    document: {},
    isSecureContext: true,
    location: new URL(url),
    reported: [],
    reportError: (error) => globalThis.reported.push(error),
    history: {
      state: { kept: 1 },
      replaceState(state, _, next) {
        calls.push({ state, next });
        globalThis.location = /** @type {any} */ (new URL(next, globalThis.location.href));
      },
    },
  });
  location.assign = (to) => calls.push({ assigned: to });
  return calls;
}

function noPage() {
  for (const name of ["window", "document", "isSecureContext", "location", "history"]) {
    delete globalThis[name];
  }
}

beforeEach(noPage);

/** A stand-in for the generated module. `cores` are those made; `fails` makes the next loads fail. */
function fakeGlue() {
  /** @type {Record<string, any>} */
  const glue = {
    cores: [],
    loads: 0,
    resets: 0,
    fails: 0,
    wasmUrls: [],
    start: async () => {},
    setPanicListener: (listener) => {
      glue.panic = listener;
    },
    reset: () => glue.resets++,
    Core: class {
      closed = false;
      calls = [];
      constructor(host) {
        this.host = host;
        glue.cores.push(this);
      }
      call(id, kind) {
        const name = scripts.CallKind[kind];
        const text = this.host.argument(id);
        const call = {
          name,
          argument: name === "Login" ? JSON.parse(text) : text,
          resolve: (value) => this.host.resolve(id, value),
          reject: (error, isRetryable) => this.host.reject(id, error, isRetryable),
        };
        this.calls.push(call);
        glue.onCall?.(call, this);
      }
      notify(event) {
        this.closed ||= event === scripts.PageEvent.Closed;
      }
    },
  };
  const runtime = scripts.createRuntime(glue, async (wasmUrl) => {
    glue.loads++;
    glue.wasmUrls.push(wasmUrl);
    if (glue.fails-- > 0) throw new Error("down");
    return new Uint8Array();
  });
  return { glue, runtime, createClient: scripts.clientFactory(runtime) };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
const caught = (promise) =>
  promise.then(
    () => assert.fail("must reject"),
    (error) => {
      assert.ok(isClassLinkError(error), String(error?.stack ?? error));
      return error;
    },
  );
/** @param {() => unknown} run @returns {any} */
function thrown(run) {
  try {
    run();
  } catch (error) {
    assert.ok(isClassLinkError(error), String(error));
    return error;
  }
  return assert.fail("must throw");
}

// Configuration

const cyclic = {};
cyclic.self = cyclic;

for (const [name, patch, pattern] of [
  ["unknown field", { colour: 1 }, /"colour" is not a field of the configuration\.$/],
  ["a prefix", { redirect: 1 }, /Did you mean redirectUri\?/],
  ["another spelling", { client_id: "x" }, /Did you mean clientId\?/],
  ["a letter left out", { isuer: "x" }, /Did you mean issuer\?/],
  ["a wrong letter", { lounch: "x" }, /Did you mean launch\?/],
  ["letters swapped", { cleintId: "x" }, /Did you mean clientId\?/],
  ["a name every object has", { constructor: 1 }, /"constructor" is not a field/],
  ["a prototype", JSON.parse('{"__proto__":{}}'), /"__proto__" is not a field/],
  ["no client id", { clientId: undefined }, /^clientId must be the client id/],
  ["empty client id", { clientId: "" }, /^clientId/],
  ["client id with a line break", { clientId: "c1\n" }, /^clientId .*line breaks/],
  ["client id of a wrong type", { clientId: 12 }, /^clientId/],
  [
    "relative redirect URI",
    { redirectUri: "/callback" },
    /^redirectUri must be an absolute https URL/,
  ],
  ["no redirect URI", { redirectUri: undefined }, /^redirectUri must be an absolute https URL/],
  [
    "http",
    { redirectUri: "http://app.example/" },
    /^redirectUri .* https URL \(or http on localhost/,
  ],
  [
    "http, almost loopback",
    { redirectUri: "http://127.0.0.1.example/" },
    /^redirectUri .* https URL/,
  ],
  [
    "http, localhost as a prefix",
    { redirectUri: "http://localhost.example/" },
    /^redirectUri .* https URL/,
  ],
  ["another scheme", { redirectUri: "javascript://app.example/" }, /^redirectUri .* https URL/],
  ["a fragment", { redirectUri: `${ORIGIN}/#` }, /^redirectUri .*without.* fragment/],
  [
    "user info",
    { redirectUri: "https://user:hidden@app.example/" },
    /without.* user name, password/,
  ],
  ["empty user info", { redirectUri: "https://@app.example/" }, /without.* user name, password/],
  ["a backslash", { redirectUri: "https://app.example\\callback" }, /without.* backslashes/],
  ["a space at the end", { redirectUri: `${ORIGIN}/ ` }, /without spaces/],
  ["scope without openid", { scope: ["profile"] }, /^scope .* with "openid"/],
  ["empty scope", { scope: "" }, /^scope .* with "openid"/],
  ["scope with a quote", { scope: ["openid", 'a"b'] }, /^scope .*RFC 6749/],
  ["scope of two in one item", { scope: ["openid profile"] }, /^scope .*RFC 6749/],
  ["scope with a tab", { scope: "openid\tprofile" }, /^scope .*RFC 6749/],
  ["scope of a wrong type", { scope: 1 }, /^scope must be an array/],
  ["null", { scope: null }, /^scope must be an array/],
  ["issuer with a query", { issuer: "https://i.example/?a" }, /^issuer .*without.* query/],
  ["issuer by http", { issuer: "http://i.example" }, /^issuer .* https URL/],
  ["metadata", { metadata: [] }, /^metadata must be an object/],
  ["metadata, unknown", { metadata: { tokenEndpoint: "" } }, /Did you mean token_endpoint\?/],
  ["metadata, http", { metadata: { jwks_uri: "http://i.example/" } }, /^metadata.jwks_uri must be/],
  [
    "metadata, algorithms",
    { metadata: { id_token_signing_alg_values_supported: "RS256" } },
    /^metadata.id_token_signing_alg_values_supported must be an array/,
  ],
  [
    "metadata, a switch",
    { metadata: { authorization_response_iss_parameter_supported: "yes" } },
    /must be true or false/,
  ],
  ["profile", { profile: "full" }, /^profile must be "id-token" or "userinfo" or "my-info"/],
  ["no tenants", { allowedTenants: [] }, /^allowedTenants .*not an empty one/],
  ["an empty tenant", { allowedTenants: [""] }, /^allowedTenants .*tenant ids/],
  ["a fractional tenant", { allowedTenants: [1.5] }, /^allowedTenants .*whole numbers/],
  ["launch", { launch: "accept" }, /^launch must be "restart" or "reject"/],
  ["gateway, relative", { gateway: "auth" }, /^gateway must be a path that begins with a slash/],
  ["gateway, of another host", { gateway: "//evil.example" }, /^gateway must be/],
  ["gateway, backslash", { gateway: "/\\evil.example" }, /^gateway must be/],
  ["gateway, http", { gateway: "http://app.example/auth" }, /^gateway must be.*https/],
  ["gateway, query", { gateway: "/auth?x" }, /^gateway must be/],
  ["session", { session: 5 }, /^session must be an object/],
  ["session, unknown", { session: { idle: 5 } }, /"session.idle" is not a field/],
  [
    "session.idleTimeout",
    { session: { idleTimeout: 0 } },
    /^session.idleTimeout .*seconds, or false/,
  ],
  ["session.maxAge", { session: { maxAge: true } }, /^session.maxAge .*seconds, or false/],
  ["session.restore", { session: { restore: "cookie" } }, /^session.restore must be "gateway" or/],
  ["session.restore without a gateway", { session: { restore: "gateway" } }, /^session.restore/],
  ["apiOrigins", { apiOrigins: "https://api.example" }, /^apiOrigins must be an array/],
  ["apiOrigins, path", { apiOrigins: ["https://api.example/v1"] }, /^apiOrigins/],
  ["apiOrigins, wildcard", { apiOrigins: ["https://*.example"] }, /^apiOrigins/],
  ["apiOrigins, http", { apiOrigins: ["http://api.example"] }, /^apiOrigins/],
  ["clock tolerance", { clockTolerance: 601 }, /^clockTolerance .* 0 to 600/],
  ["timeout", { timeout: 99 }, /^timeout .* 100 to 300000/],
  ["timeout as text", { timeout: "1000" }, /^timeout/],
  ["messages", { messages: { nettwork: "x" } }, /Did you mean network\?/],
  ["a message", { messages: { network: 1 } }, /^messages.network/],
  ["navigate", { navigate: "x" }, /^navigate must be a function/],
  ["onEvent", { onEvent: {} }, /^onEvent must be a function/],
  ["wasmUrl", { wasmUrl: "" }, /^wasmUrl/],
]) {
  test(`readConfig refuses ${name}`, () => {
    const error = thrown(() => readConfig({ ...BASE, ...patch }));
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /hidden/);
  });
}

for (const value of [undefined, null, "c1", 5, [], () => {}]) {
  test(`readConfig refuses ${typeof value} ${String(value)}`, () => {
    assert.match(thrown(() => readConfig(value)).message, /^the configuration must be an object/);
  });
}

for (const patch of [
  { clientSecret: "hush" },
  { client_secret: "hush" },
  { clientsecret: "hush" },
  { "client-secret": "hush" },
  { CLIENT_SECRET: "hush" },
  { secret: "hush" },
  { metadata: { client_secret: "hush" } },
  { session: { deep: [{ "Client.Secret": "hush" }] } },
  { clientSecret: undefined },
]) {
  test(`readConfig refuses a secret: ${JSON.stringify(patch)}`, () => {
    const error = thrown(() => readConfig({ ...BASE, ...patch }));
    assert.match(error.message, /^clientSecret doesn't belong in a browser.*server.*gateway/);
    assert.doesNotMatch(error.message + error.stack + JSON.stringify(error), /hush/);
  });
}

test("readConfig fills in the defaults", () => {
  assert.deepEqual(readConfig({ ...BASE, scope: undefined }).core, {
    ...BASE,
    scope: ["openid", "profile"],
    issuer: "https://launchpad.classlink.com",
    metadata: { __proto__: null },
    profile: "id-token",
    launch: "restart",
    basePath: "/",
    restore: "none",
    idleTimeout: 1800,
    maxAge: 28800,
    apiOrigins: [],
    clockTolerance: 60,
    timeout: 10000,
  });
});

for (const [given, absolute] of [
  ["/auth", "https://app.example/auth"],
  ["/auth/", "https://app.example/auth"],
  ["/", "https://app.example"],
  ["https://api.example/auth/", "https://api.example/auth"],
]) {
  test(`readConfig takes the gateway ${given}, and restores from it by default`, () => {
    const { gateway, restore } = readConfig({ ...BASE, gateway: given }).core;
    assert.equal(gateway, absolute);
    assert.equal(restore, "gateway");
  });
}

test("readConfig keeps every option", () => {
  const given = {
    clientId: "c 2",
    redirectUri: "http://tenant.localhost:8080/cb?x=1",
    scope: "openid  email openid",
    issuer: "https://I.example/t/",
    metadata: {
      token_endpoint: "http://[::1]:1/t?x",
      id_token_signing_alg_values_supported: ["ES256"],
      authorization_response_iss_parameter_supported: true,
    },
    profile: "my-info",
    allowedTenants: [2284, "x"],
    launch: "reject",
    basePath: "/reading/",
    gateway: "https://auth.example:8443/a/b",
    session: { restore: "none", idleTimeout: false, maxAge: 1 },
    apiOrigins: ["https://API.example/", "http://localhost:3000"],
    clockTolerance: 0,
    timeout: 100,
    messages: { network: "Kein Netz" },
    navigate() {},
    onEvent() {},
    onUserChange() {},
    wasmUrl: new URL("https://cdn.example/x.wasm"),
  };
  const { core, ...rest } = readConfig(given);
  assert.deepEqual(core, {
    clientId: "c 2",
    redirectUri: "http://tenant.localhost:8080/cb?x=1",
    scope: ["openid", "email"],
    issuer: "https://I.example/t/",
    metadata: { __proto__: null, ...given.metadata },
    profile: "my-info",
    allowedTenants: ["2284", "x"],
    launch: "reject",
    basePath: "/reading/",
    gateway: "https://auth.example:8443/a/b",
    restore: "none",
    idleTimeout: undefined,
    maxAge: 1,
    apiOrigins: ["https://api.example", "http://localhost:3000"],
    clockTolerance: 0,
    timeout: 100,
  });
  assert.deepEqual(Object.keys(rest).sort(), [
    "messages",
    "navigate",
    "onEvent",
    "onUserChange",
    "wasmUrl",
  ]);
});

for (const basePath of [
  "reading/",
  "/reading",
  "//evil.example/",
  "/\\evil.example/",
  "/a/..//evil.example/",
  "/a/../",
  "/a?b/",
  "/a#b/",
  "/ü/",
  "",
  5,
]) {
  test(`readConfig refuses the basePath ${JSON.stringify(basePath)}`, () => {
    const error = thrown(() => readConfig({ ...BASE, basePath }));
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, /^basePath must be a path as in the address bar/);
  });
}

/** Members of OpenID Connect Discovery 1.0, RFC 8414 and their registry that the SDK does not use. */
const UNUSED_METADATA = `issuer registration_endpoint scopes_supported response_types_supported
  response_modes_supported grant_types_supported token_endpoint_auth_methods_supported
  token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri
  op_tos_uri revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
  introspection_endpoint introspection_endpoint_auth_methods_supported
  introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported signed_metadata
  device_authorization_endpoint tls_client_certificate_bound_access_tokens mtls_endpoint_aliases
  nfv_token_signing_alg_values_supported nfv_token_encryption_alg_values_supported acr_values_supported
  subject_types_supported id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
  userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported
  userinfo_encryption_enc_values_supported request_object_signing_alg_values_supported
  request_object_encryption_alg_values_supported display_values_supported claim_types_supported
  claims_supported claims_locales_supported claims_parameter_supported request_parameter_supported
  request_uri_parameter_supported require_request_uri_registration require_signed_request_object
  pushed_authorization_request_endpoint require_pushed_authorization_requests check_session_iframe
  frontchannel_logout_supported backchannel_logout_supported backchannel_logout_session_supported
  dpop_signing_alg_values_supported authorization_details_types_supported
  authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
  backchannel_authentication_endpoint prompt_values_supported native_authorization_endpoint`.split(
  /\s+/,
);

test("readConfig takes a provider's whole discovery document as metadata", () => {
  const document = Object.fromEntries(UNUSED_METADATA.map((name) => [name, ["x"]]));
  const { metadata } = readConfig({
    ...BASE,
    metadata: { ...document, jwks_uri: "https://op.example/keys" },
  }).core;
  assert.deepEqual({ ...metadata }, { jwks_uri: "https://op.example/keys" });
});

for (const [name, meant] of [
  ["jwks_url", "jwks_uri"],
  ["jwks", "jwks_uri"],
  ["tokenEndpoint", "token_endpoint"],
  ["authorisation_endpoint", "authorization_endpoint"],
  ["end_session_endpoints", "end_session_endpoint"],
]) {
  test(`readConfig refuses metadata.${name} as a typo of ${meant}`, () => {
    const error = thrown(() => readConfig({ ...BASE, metadata: { [name]: "https://a.example/" } }));
    assert.match(error.message, new RegExp(`Did you mean ${meant}\\?`));
  });
}

test("readConfig refuses a redirect URI of another origin in a secure page", () => {
  const elsewhere = { ...BASE, redirectUri: "https://other.example/" };
  readConfig(elsewhere);
  page();
  assert.match(
    thrown(() => readConfig(elsewhere)).message,
    /^redirectUri must be on the page's own/,
  );
  readConfig(BASE);
  globalThis.isSecureContext = false;
  readConfig(elsewhere);
});

// Options of a login

for (const [name, options, pattern] of [
  [
    "unknown",
    { return_to: "/" },
    /is not a field of startLogin's options\. Did you mean returnTo\?/,
  ],
  ["an event", { preventDefault() {} }, /onClick=\{\(\) => startLogin\(\)\}/],
  ["no object", "x", /must be an object/],
  ["returnTo", { returnTo: 1 }, /^returnTo/],
  ["prompt", { prompt: "" }, /^prompt/],
  ["maxAge", { maxAge: -1 }, /^maxAge .* 0 to 4294967295/],
  ["maxAge, fraction", { maxAge: 0.5 }, /^maxAge/],
  ["mode", { mode: "window" }, /^mode must be "redirect" or "popup"/],
  ["popup", { mode: "popup", popup: "x" }, /^popup must be a window/],
  ["popup, an object", { mode: "popup", popup: {} }, /^popup must be a window/],
  ["popup, an array", { mode: "popup", popup: [] }, /^popup must be a window/],
  ["popup without its mode", { popup: null }, /^popup can be given only with mode: "popup"/],
  ["scope", { scope: ["email"] }, /^scope .* with "openid"/],
  ["locales", { uiLocales: [""] }, /^uiLocales/],
  ["cycle", { appState: cyclic }, /^appState must be JSON/],
  ["function", { appState: { f() {} } }, /^appState must be JSON/],
  ["BigInt", { appState: [1n] }, /^appState must be JSON/],
  ["NaN", { appState: Number.NaN }, /^appState must be JSON/],
  ["symbol", { appState: Symbol("x") }, /^appState must be JSON/],
  ["extraParams", { extraParams: "a=b" }, /^extraParams must be an object/],
  ["extraParams, value", { extraParams: { a: 1 } }, /^extraParams.a must be a string/],
  ...[
    "response_type response_mode client_id redirect_uri scope state nonce code_challenge",
    "code_challenge_method prompt login_hint max_age ui_locales acr_values request request_uri",
    "registration code client_secret code_verifier grant_type",
  ]
    .join(" ")
    .split(" ")
    .map((key) => [key, { extraParams: { [key]: "x" } }, /^extraParams\..* is the protocol's own/]),
]) {
  test(`readLoginOptions refuses ${name}`, () => {
    const error = thrown(() => readLoginOptions(options));
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, /** @type {RegExp} */ (pattern));
  });
}

/** An object whose every member throws. */
const throwing = new Proxy(
  { clientId: 1, returnTo: 1 },
  {
    get() {
      throw new RangeError("by the application");
    },
  },
);

test("createClient refuses a configuration whose getter throws with config_invalid and the cause", () => {
  const { createClient } = fakeGlue();
  for (const given of [throwing, { ...BASE, session: throwing }]) {
    const error = thrown(() => createClient(given));
    assert.equal(error.code, "config_invalid");
    assert.ok(error.cause instanceof RangeError);
  }
});

test("calls refuse options whose getter throws with config_invalid and the cause", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  for (const method of ["startLogin", "getAccessToken", "logout"]) {
    const error = await caught(client[method](throwing));
    assert.equal(error.code, "config_invalid", method);
    assert.ok(error.cause instanceof RangeError, method);
  }
  assert.equal((await caught(client.startLogin({ extraParams: throwing }))).code, "config_invalid");
  assert.equal(glue.cores.length, 0);
});

test("subscribe refuses a listener that is not a function", () => {
  page();
  const { createClient } = fakeGlue();
  const client = createClient(BASE);
  for (const listener of [undefined, null, {}, "x"]) {
    assert.equal(thrown(() => client.subscribe(listener)).code, "config_invalid");
  }
});

test("readLoginOptions keeps every option", () => {
  assert.deepEqual(readLoginOptions(), { core: {} });
  const { core, ...rest } = readLoginOptions({ mode: "popup", popup: null });
  assert.deepEqual(core, {});
  assert.deepEqual(rest, { popup: { window: null } });
  assert.deepEqual(
    readLoginOptions({
      returnTo: "//evil.example",
      appState: { a: [null, "ü"], b: undefined },
      scope: "openid",
      prompt: "login",
      loginHint: "x",
      maxAge: 0,
      uiLocales: ["es", "en"],
      acrValues: "a b",
      district: "d",
      mode: "redirect",
      extraParams: { tenant: "t", codes: "" },
    }).core,
    {
      // Whose origin it is, the WebAssembly decides.
      returnTo: "//evil.example",
      appState: '{"a":[null,"ü"]}',
      scope: ["openid"],
      prompt: "login",
      loginHint: "x",
      maxAge: 0,
      uiLocales: "es en",
      acrValues: "a b",
      district: "d",
      extraParams: [
        ["tenant", "t"],
        ["codes", ""],
      ],
    },
  );
  assert.equal(readLoginOptions({ appState: null }).core.appState, "null");
});

// The address bar

for (const [url, stripped] of [
  ["/cb?code=1&state=2", "/cb"],
  ["/cb?code=1&state=2#/route?code=3", "/cb#/route?code=3"],
  ["/cb?a=%20+b&code=1&b=%c3%BC&state=2&c", "/cb?a=%20+b&b=%c3%BC&c"],
  ["/cb?%63ode=1&x=1", "/cb?x=1"],
  ["/cb?code&x=1", "/cb?x=1"],
  ["/cb?code=&x=1", "/cb?x=1"],
  ["/cb?code=1&code=2&error=x", "/cb"],
  ["/cb?error=x&error_description=a+b&error_uri=u&iss=i&session_state=s&response_type=code", "/cb"],
  ["/cb?a=1&&code=1&b=2", "/cb?a=1&&b=2"],
  ["/cb?&code=1", "/cb"],
  ["/cb?x=a?b&code=1", "/cb?x=a?b"],
  ["/cb?code=a=b&decode=1&code2=2&Code=3", "/cb?decode=1&code2=2&Code=3"],
  ["/cb?co%64e=%ZZ&y=%ZZ", "/cb?y=%ZZ"],
  ["/cb?code=1\n#x", "/cb#x"],
  ["/cb?state=1", null],
  ["/cb?iss=1&x=error", null],
  ["/cb#code=1&state=2", null],
  ["/cb#?code=1", null],
  ["/code?x=1", null],
  ["/cb??code=1", null],
  ["/cb?+code=1", null],
  ["/cb?code%3D=1", null],
  ["/cb", null],
  ["/cb?", null],
]) {
  test(`stripCallback turns ${JSON.stringify(url)} into ${JSON.stringify(stripped)}`, () => {
    assert.equal(stripCallback(ORIGIN + url), stripped === null ? null : ORIGIN + stripped);
  });
}

test("captureCallback keeps the history state, and leaves other URLs alone", () => {
  const calls = page(`${ORIGIN}/cb?code=1&x=1#h`);
  assert.equal(scripts.captureCallback(), `${ORIGIN}/cb?code=1&x=1#h`);
  assert.deepEqual(calls, [{ state: { kept: 1 }, next: `${ORIGIN}/cb?x=1#h` }]);
  assert.equal(scripts.captureCallback(), null);
  assert.equal(calls.length, 1);
});

test("stripState succeeds when the browser refuses to change the address bar", () => {
  page(`${ORIGIN}/cb?state=s1&x=1`);
  history.replaceState = () => {
    throw new DOMException("100 times per 30 seconds", "SecurityError");
  };
  assert.equal(scripts.stripState("s1"), true);
});

// Errors

test("ClassLinkError has its fields and their JSON, and is recognized across copies of the package", async () => {
  const error = new ClassLinkError({
    code: "token_rejected",
    message: "m",
    retryable: true,
    supportCode: "ABCDEFGH",
    status: 400,
    cause: new Error("very private"),
    providerError: { error: "p".repeat(200), description: "d".repeat(900), uri: "u".repeat(900) },
  });
  assert.equal(error instanceof Error, true);
  assert.equal(error.name, "ClassLinkError");
  assert.match(String(error), /^ClassLinkError: m/);
  assert.equal(/** @type {Error} */ (error.cause).message, "very private");
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    code: "token_rejected",
    userMessage: scripts.ENGLISH.token_rejected,
    retryable: true,
    supportCode: "ABCDEFGH",
    status: 400,
  });
  assert.deepEqual(
    Object.values(error.providerError).map(({ length }) => length),
    [100, 500, 500],
  );
  assert.ok(Object.isFrozen(error.providerError));
  const bare = new ClassLinkError({ code: "timeout" });
  assert.deepEqual(Object.keys(bare), ["code", "userMessage", "retryable", "supportCode"]);
  assert.equal("cause" in bare, false);
  assert.match(bare.supportCode, /^[0-9A-HJKMNP-TV-Z]{8}$/);

  const copy = await bundle("copy.mjs");
  assert.notEqual(copy.ClassLinkError, ClassLinkError);
  assert.ok(copy.isClassLinkError(bare));
  assert.ok(bare instanceof copy.ClassLinkError);
  class Own extends ClassLinkError {}
  assert.ok(new /** @type {any} */ (Own)({ code: "timeout" }) instanceof Own);
  assert.equal(bare instanceof Own, false);
  assert.equal(new Error("x") instanceof ClassLinkError, false);
  for (const other of [null, undefined, "x", {}, new Error("x")]) {
    assert.equal(isClassLinkError(other), false);
  }
});

test("ClassLinkError keeps returnTo and appState out of JSON and enumeration", () => {
  const error = new ClassLinkError({
    code: "access_denied",
    returnTo: "/classes?name=Ada",
    appState: { draft: 1 },
  });
  assert.deepEqual([error.returnTo, error.appState], ["/classes?name=Ada", { draft: 1 }]);
  assert.doesNotMatch(JSON.stringify(error), /Ada|draft/);
  assert.deepEqual(Object.keys(error), ["code", "userMessage", "retryable", "supportCode"]);
  assert.equal("returnTo" in new ClassLinkError({ code: "timeout" }), false);
});

test("user messages are plain sentences, or the application's own", () => {
  for (const [code, text] of Object.entries(scripts.ENGLISH)) {
    assert.match(text, /^[A-Z].*[.]$/, code);
    assert.doesNotMatch(text, /token|oauth|wasm|gateway|redirect|callback|null|undefined/i, code);
  }
  const text = (messages) =>
    scripts.applyMessages(new ClassLinkError({ code: "timeout" }), messages).userMessage;
  assert.equal(text({ timeout: "Zu langsam" }), "Zu langsam");
  assert.equal(
    text((error) => `${error.code}!`),
    "timeout!",
  );
  const english = scripts.ENGLISH.timeout;
  for (const other of [undefined, {}, { network: "x" }, () => 5, () => ""]) {
    assert.equal(text(other), english);
  }
  assert.equal(
    text(() => {
      throw new Error("x");
    }),
    english,
  );
});

test("VERSION is put in by the build", () => assert.equal(scripts.VERSION, "1.2.3"));

// The client

test("every call of a client rejects with environment_unsupported on a server", async () => {
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  const { startLogin, handleCallback, getUser, preload, getSnapshot } = client;
  assert.ok(Object.isFrozen(client));
  client.subscribe(() => assert.fail("nothing changes"))();
  client.subscribe(() => assert.fail("nothing changes"));
  for (const run of [startLogin, handleCallback, getUser, preload]) {
    const error = await caught(run());
    assert.equal(error.code, "environment_unsupported");
    assert.match(error.message, /server/);
  }
  assert.equal(getSnapshot().status, "loading");
  assert.equal(glue.loads, 0);
});

test("calls reject with environment_unsupported in an insecure page, and without Web Crypto", async () => {
  page();
  globalThis.isSecureContext = false;
  const { createClient, glue } = fakeGlue();
  const events = [];
  const client = createClient({ ...BASE, onEvent: (event) => events.push(event) });
  const error = await caught(client.startLogin());
  assert.equal(error.code, "environment_unsupported");
  assert.match(error.message, /https.*localhost/);
  assert.deepEqual(
    events.map(({ type, code, supportCode }) => ({ type, code, supportCode })),
    [{ type: "login.failed", code: error.code, supportCode: error.supportCode }],
  );
  assert.equal(client.getSnapshot().status, "error");
  assert.equal(client.getSnapshot().error, error);
  assert.equal(glue.loads, 0);

  globalThis.isSecureContext = true;
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  const other = await caught(client.getUser());
  Object.defineProperty(globalThis, "crypto", /** @type {PropertyDescriptor} */ (real));
  assert.match(other.message, /Web Crypto/);
  assert.match(other.supportCode, /^[0-9A-HJKMNP-TV-Z]{8}$/);
});

test("the WebAssembly is loaded once for all clients, and again after a failure", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  glue.onCall = ({ resolve }) => resolve(null);
  glue.fails = 1;
  const [one, two] = [
    createClient({ ...BASE, wasmUrl: "/first.wasm" }),
    createClient({ ...BASE, wasmUrl: "/second.wasm" }),
  ];
  assert.equal((await caught(one.getUser())).code, "wasm_unavailable");
  assert.equal(one.getSnapshot().status, "error");
  await one.preload();
  assert.equal(await two.getUser(), null);
  assert.equal(await one.getUser(), null);
  assert.deepEqual(glue.wasmUrls, ["/first.wasm", "/first.wasm"]);
  assert.equal(glue.cores.length, 2);
});

test("clients that share a failed load have errors of their own", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  glue.fails = 1;
  const clients = [
    createClient({ ...BASE, messages: { wasm_unavailable: "Weg" } }),
    createClient(BASE),
  ];
  const [one, two] = await Promise.all(clients.map(({ getUser }) => caught(getUser())));
  assert.equal(glue.loads, 1);
  assert.equal(one.userMessage, "Weg");
  assert.equal(two.userMessage, scripts.ENGLISH.wasm_unavailable);
  assert.notEqual(one.supportCode, two.supportCode);
  for (const error of [one, two]) {
    assert.equal(error.code, "wasm_unavailable");
    assert.ok(error.retryable);
    assert.equal(error.cause.message, "down");
  }
});

test("login.failed has the error's reason, if it has one", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const events = [];
  const client = createClient({ ...BASE, onEvent: (event) => events.push(event) });
  glue.Core = /** @type {any} */ (
    class {
      constructor(host) {
        throw host.error("tenant_not_allowed", "m", false, undefined, "tenant_other");
      }
    }
  );
  const { supportCode } = await caught(client.startLogin());
  glue.fails = 1;
  glue.Core = undefined;
  await caught(client.startLogin());
  const [{ at, ...first }, second] = events;
  assert.deepEqual(first, {
    type: "login.failed",
    supportCode,
    code: "tenant_not_allowed",
    reason: "tenant_other",
  });
  assert.equal("reason" in second, false);
});

const ADA = { id: "i|1", name: "Ada" };
const BEN = { id: "i|2", name: "Ben" };

/** A client whose user changes as `host` publishes it, and what `onUserChange` and the listeners saw, in order. */
async function watchUsers(config = {}) {
  page();
  const { createClient, glue } = fakeGlue();
  const seen = [];
  const client = createClient({
    ...BASE,
    onUserChange(user, previous) {
      const shown = client.getSnapshot().user?.name ?? null;
      seen.push([previous?.name ?? null, user?.name ?? null, `shows ${shown}`]);
    },
    ...config,
  });
  await client.preload();
  client.subscribe(() => seen.push(client.getSnapshot().user?.name ?? null));
  const { host } = glue.cores[0];
  /** @param {string} status @param {object | null} [user] @param {unknown} [error] */
  const publish = (status, user = null, error = null) => host.publish(status, user, [], error);
  return { client, seen, publish, host };
}

test("onUserChange is not called for the first result", async () => {
  for (const [status, user] of /** @type {const} */ ([["signed-in", ADA], ["signed-out"]])) {
    const { seen, publish } = await watchUsers();
    publish("signing-in");
    publish(status, user);
    assert.ok(!seen.some(Array.isArray), String(seen));
  }
});

test("onUserChange is called once, between two users, while the snapshot has none", async () => {
  const { client, seen, publish } = await watchUsers();
  publish("signed-in", ADA);
  publish("signed-in", BEN);
  assert.deepEqual(seen, ["Ada", ["Ada", "Ben", "shows null"], null, "Ben"]);
  assert.equal(client.getSnapshot().status, "signed-in");
});

test("onUserChange is called when a user signs out, is signed out, or signs in", async () => {
  const { seen, publish } = await watchUsers();
  publish("signed-in", ADA);
  publish("signed-out");
  publish("signing-in");
  publish("signed-in", BEN);
  publish("error", null, new ClassLinkError({ code: "session_expired" }));
  assert.deepEqual(seen.filter(Array.isArray), [
    ["Ada", null, "shows null"],
    [null, "Ben", "shows null"],
    ["Ben", null, "shows null"],
  ]);
});

test("onUserChange is not called when the same user signs in again or is renewed", async () => {
  const { seen, publish } = await watchUsers();
  publish("signed-in", ADA);
  publish("signing-in");
  publish("signed-in", ADA);
  publish("signed-in", { ...ADA, name: "Ada L." });
  publish("redirecting");
  publish("signed-in", ADA);
  assert.ok(!seen.some(Array.isArray), String(seen));
});

test("onUserChange that throws or closes the client shows no user after it", async () => {
  const { seen, publish } = await watchUsers({
    onUserChange() {
      throw new Error("own");
    },
  });
  publish("signed-in", ADA);
  publish("signed-in", BEN);
  assert.equal(seen.at(-1), "Ben");
  assert.equal(globalThis.reported.length, 1);

  const closing = await watchUsers({ onUserChange: () => closing.client.close() });
  closing.publish("signed-in", ADA);
  closing.publish("signed-in", BEN);
  assert.equal(closing.client.getSnapshot().user, null);
  assert.equal(closing.client.getSnapshot().status, "signed-out");
});

test("logout with a gateway sets the sign-out mark when the WebAssembly cannot be loaded", async () => {
  const marks = async (config) => {
    page();
    const stored = new Map();
    const localStorage = { setItem: (key, value) => stored.set(key, value) };
    Object.assign(globalThis, { localStorage });
    const { createClient, glue } = fakeGlue();
    glue.fails = 1;
    const error = await caught(createClient(config).logout());
    Reflect.deleteProperty(globalThis, "localStorage");
    assert.equal(error.code, "wasm_unavailable");
    return [...stored];
  };
  for (const config of [{ ...BASE, gateway: "/auth" }, () => ({ ...BASE, gateway: "/auth" })]) {
    const [[key, session], ...more] = await marks(config);
    assert.match(
      key,
      /^classlink-spa\.sign-out\.[0-9A-Z]{8}\.classlink-spa https:\/\/launchpad\.classlink\.com c1$/,
    );
    assert.equal(session, "", "whichever session there is");
    assert.deepEqual(more, []);
  }
  assert.deepEqual(await marks(BASE), []);
});

test("a failed preload leaves the snapshot alone", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  glue.fails = 1;
  const client = createClient(BASE);
  assert.equal((await caught(client.preload())).code, "wasm_unavailable");
  assert.equal(client.getSnapshot().status, "loading");
});

test("wasm_unavailable names the reason", async () => {
  page();
  const said = async (cause, response) => {
    const runtime = scripts.createRuntime(
      { start: () => Promise.reject(cause), setPanicListener() {}, reset() {} },
      async () => response ?? new Uint8Array(),
    );
    const error = await caught(runtime.load());
    assert.equal(error.code, "wasm_unavailable");
    return error.message;
  };
  const csp =
    "WebAssembly.instantiateStreaming(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because neither 'wasm-eval' nor 'unsafe-eval' is an allowed source";
  assert.match(await said(new WebAssembly.CompileError(csp)), /'wasm-unsafe-eval'/);
  const magic = "expected magic word 00 61 73 6d, found 3c 21 64 6f @+0";
  const html = new Response("", { headers: { "content-type": "text/html" } });
  assert.match(await said(new WebAssembly.CompileError(magic), html), /MIME type: text\/html/);
  assert.match(await said(new TypeError("network error")), /network/);

  const fetched = () => caught(scripts.createRuntime(fakeGlue().glue, () => fetch("/x")).load());
  const realFetch = globalThis.fetch;
  globalThis.fetch = async () => new Response("", { status: 404 });
  assert.match((await fetched()).message, /answered 404.*wasmUrl/);
  globalThis.fetch = async () => new Response("", { status: 503 });
  assert.ok((await fetched()).retryable);
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  assert.match((await fetched()).message, /network.*connect-src.*CORS/);
  globalThis.fetch = realFetch;

  const realWasm = globalThis.WebAssembly;
  globalThis.WebAssembly = /** @type {any} */ (undefined);
  const { createClient } = fakeGlue();
  const error = await caught(createClient(BASE).getUser());
  globalThis.WebAssembly = realWasm;
  assert.match(error.message, /no WebAssembly/);
});

test("a WebAssembly that does not load within the time-out is given up, and fetched again", async () => {
  page();
  const { glue } = fakeGlue();
  let asked = 0;
  const runtime = scripts.createRuntime(glue, (_, { signal }) => {
    if (asked++ > 0) return Promise.resolve(new Uint8Array());
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const awake = setInterval(() => {}, 1000);
  const error = await caught(runtime.load(undefined, 20));
  clearInterval(awake);
  assert.equal(error.code, "wasm_unavailable");
  assert.ok(error.retryable);
  assert.match(error.message, /`timeout`/);
  assert.equal(error.cause.name, "TimeoutError");
  await runtime.load(undefined, 20);
  assert.equal(asked, 2);
});

test("snapshots are frozen, the same object while nothing changes, and reach every listener when one throws", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  glue.onCall = ({ resolve }) => resolve(structuredClone(USER));
  const { getUser, subscribe, getSnapshot } = createClient(BASE);
  let heard = 0;
  subscribe(() => {
    throw new Error("listener");
  });
  const stop = subscribe(() => heard++);
  await tick();
  const [core] = glue.cores;
  assert.deepEqual(
    core.calls.map(({ name }) => name),
    ["User"],
    "subscribing restores, once",
  );
  /** @type {(status: string, user?: unknown, scope?: string[]) => void} */
  const say = (status, user = null, scope = []) =>
    core.host.publish(status, structuredClone(user), scope, null);
  say("signed-in", USER, ["openid"]);
  const first = getSnapshot();
  assert.deepEqual(first, { status: "signed-in", user: USER, scope: ["openid"], error: null });
  for (const part of [first, first.user, first.user.claims.deep.list, first.scope]) {
    assert.ok(Object.isFrozen(part));
  }
  say("signed-in", USER, ["openid"]);
  assert.equal(getSnapshot(), first);
  assert.equal(heard, 1);
  assert.equal(globalThis.reported.length, 1);
  assert.equal(await getUser(), first.user);
  say("signed-in", { ...USER, name: "Eve" }, ["openid"]);
  assert.notEqual(getSnapshot(), first);
  assert.equal(heard, 2);
  stop();
  say("signed-out");
  assert.equal(heard, 2);
});

test("startLogin passes on its options, and navigates with the application's function", async () => {
  const calls = page();
  const { createClient, glue } = fakeGlue();
  glue.onCall = ({ resolve }, core) => core.host.navigate("https://p.example/").then(resolve);
  const away = [];
  await createClient(BASE).startLogin({ appState: 1 });
  await createClient({ ...BASE, navigate: (url) => void away.push(url) }).startLogin();
  assert.deepEqual(calls, [{ assigned: "https://p.example/" }]);
  assert.deepEqual(away, ["https://p.example/"]);
  assert.deepEqual(glue.cores[0].calls[0].argument, { appState: "1" });
  assert.deepEqual(JSON.parse(await glue.cores[0].host.config()).clientId, "c1");
  const own = createClient({
    ...BASE,
    navigate() {
      throw new Error("router");
    },
  });
  await own.preload();
  const error = await caught(glue.cores[2].host.navigate("x"));
  assert.equal(error.cause.message, "router");
  const refused = await caught(own.startLogin({ returnTo: 1 }));
  assert.equal(refused.code, "config_invalid");
  assert.equal(own.getSnapshot().status, "loading");
});

test("a client reports an onEvent that throws, and goes on", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const client = createClient({
    ...BASE,
    onEvent() {
      throw new Error("monitoring");
    },
  });
  await client.preload();
  glue.cores[0].host.emit("logout", "ABCD1234", undefined, undefined);
  assert.equal(globalThis.reported.length, 1);
});

// Handling the callback

const CALLBACK = `${ORIGIN}/cb?code=1&state=2`;
const SIGNED_IN = { status: "signed-in", user: USER, returnTo: "/" };

test("handleCallback returns one promise until the URL has a new response", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  glue.onCall = ({ name, resolve }) => resolve(name === "Callback" ? SIGNED_IN : undefined);
  const { handleCallback, startLogin } = createClient(BASE);
  const one = handleCallback();
  assert.equal(location.href, `${ORIGIN}/cb`, "stripped before anything loads");
  assert.equal(handleCallback(), one);
  assert.equal(handleCallback(location.href), one, "the page's own URL, stripped by now");
  assert.equal(handleCallback(new URL(CALLBACK)), one);
  assert.deepEqual(await one, SIGNED_IN);
  assert.equal(handleCallback(), one);
  assert.equal(glue.cores[0].calls.length, 1);
  assert.equal(glue.cores[0].calls[0].argument, CALLBACK);

  globalThis.location = /** @type {any} */ (new URL(`${ORIGIN}/cb?code=9&state=2`));
  const two = handleCallback(`/cb?code=9&state=2`);
  assert.notEqual(two, one);
  assert.equal(location.href, `${ORIGIN}/cb`, "an explicit URL that is the page's is stripped too");
  await two;
  assert.equal(glue.cores[0].calls[1].argument, `${ORIGIN}/cb?code=9&state=2`);
  assert.equal(handleCallback(), two);

  const three = handleCallback(`/cb?error=x`);
  assert.notEqual(three, two);
  assert.equal(handleCallback(), three);

  await startLogin();
  assert.equal((await caught(handleCallback())).code, "not_a_callback");
});

test("handleCallback does not resolve with a user who has signed out", async () => {
  page(`${ORIGIN}/cb?code=1&state=2`);
  const { glue, createClient } = fakeGlue();
  const client = createClient(BASE);
  const result = { status: "signed-in", user: USER, returnTo: "/" };
  glue.onCall = (call, { host }) => {
    host.publish("signed-in", USER, [], null);
    call.resolve(result);
  };
  assert.equal((await client.handleCallback()).user.id, USER.id);
  assert.equal((await client.handleCallback()).user.id, USER.id, "StrictMode calls twice");

  glue.cores[0].host.publish("signed-out", null, [], null);

  assert.equal((await caught(client.handleCallback())).code, "not_a_callback");
});

test("handleCallback without a response rejects with not_a_callback", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const { handleCallback, getSnapshot } = createClient(BASE);
  const one = handleCallback();
  const two = handleCallback();
  assert.notEqual(one, two);
  for (const promise of [one, two, handleCallback("/cb?x=1"), handleCallback("/cb#code=1")]) {
    assert.equal((await caught(promise)).code, "not_a_callback");
  }
  assert.equal((await caught(handleCallback("https://["))).code, "config_invalid");
  assert.equal(glue.loads, 0);
  assert.equal(getSnapshot().status, "loading");
});

test("handleCallback can be called again after a failure before the code was sent", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  const { handleCallback } = createClient(BASE);
  glue.fails = 1;
  const one = handleCallback();
  assert.equal((await caught(one)).code, "wasm_unavailable");

  glue.onCall = (call, core) => {
    call.reject(core.host.error("network", "m", true), true);
  };
  const two = handleCallback();
  assert.notEqual(two, one);
  assert.equal((await caught(two)).code, "network");

  glue.onCall = (call, core) => {
    call.reject(core.host.error("token_rejected", "m", false), false);
  };
  const three = handleCallback();
  assert.notEqual(three, two);
  assert.equal((await caught(three)).code, "token_rejected");
  assert.equal(handleCallback(), three, "the code was sent: the failure stands");
  assert.deepEqual(
    glue.cores[0].calls.map(({ argument }) => argument),
    [CALLBACK, CALLBACK],
  );
});

test("a subscription's getUser comes after a handleCallback of the same task", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  client.subscribe(() => {});
  client.handleCallback().catch(() => {});
  await tick();
  assert.deepEqual(
    glue.cores[0].calls.map(({ name }) => name),
    ["Callback", "User"],
  );
});

// Districts

test("a configuration function is called, and its result validated, for each login", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const asked = [];
  const events = [];
  const client = createClient(async (district) => {
    asked.push(district);
    if (district === "bad") throw new Error("no such district");
    if (district === "odd") return { ...BASE, client_secret: "hush" };
    return {
      ...BASE,
      clientId: `c-${district}`,
      wasmUrl: "/d.wasm",
      onEvent: (e) => events.push(e),
    };
  });
  glue.onCall = async (call, core) => {
    call.config = JSON.parse(await core.host.config(call.argument.district));
    call.resolve();
  };
  await client.startLogin({ district: "a" });
  await client.startLogin({ district: "a" });
  assert.deepEqual(asked, ["a", "a"]);
  assert.deepEqual(glue.wasmUrls, ["/d.wasm"]);
  assert.equal(glue.cores[0].calls[1].config.clientId, "c-a");

  const error = await caught(client.startLogin({ district: "bad" }));
  assert.equal(error.code, "config_invalid");
  assert.match(error.message, /district function failed/);
  assert.equal(error.cause.message, "no such district");
  assert.deepEqual([events[0].type, events[0].code], ["login.failed", "config_invalid"]);
  assert.equal(client.getSnapshot().error, error);

  const odd = await caught(client.startLogin({ district: "odd" }));
  assert.match(odd.message, /district function returned an invalid configuration: clientSecret/);
  assert.doesNotMatch(odd.message, /hush/);
  assert.equal((await caught(glue.cores[0].host.config("bad"))).code, "config_invalid");
});

test("handleCallback completes when the configuration function throws without a district", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  const client = createClient((district) => {
    if (!district) throw new Error("which?");
    return BASE;
  });
  glue.onCall = async (call, core) => {
    await core.host.config("a");
    call.resolve(SIGNED_IN);
  };
  assert.equal((await client.handleCallback()).status, "signed-in");
});

// The end

test("close rejects every call, and may be called again", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  let heard = 0;
  client.subscribe(() => heard++);
  await client.preload();
  const calls = [client.startLogin(), client.handleCallback(`${ORIGIN}/?code=1`), client.getUser()];
  const ended = Promise.all(calls.map(caught));
  await tick();
  const [core] = glue.cores;
  core.host.publish("signed-in", USER, [], null);
  client.close();
  client.close();
  assert.ok(core.closed);
  assert.deepEqual(
    (await ended).map(({ code }) => code),
    Array(3).fill("client_closed"),
  );
  assert.equal(client.getSnapshot().user, null);
  assert.equal(client.getSnapshot().status, "signed-out");
  assert.equal(heard, 2);
  core.host.publish("signed-in", USER, [], null);
  assert.equal(client.getSnapshot().user, null, "a closed core isn't heard");
  for (const method of ["startLogin", "handleCallback", "getUser", "preload"]) {
    assert.equal((await caught(client[method]())).code, "client_closed", method);
  }
  assert.equal((await caught(core.host.navigate("x"))).code, "client_closed");
});

test("close rejects a call that waits for the WebAssembly", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  const pending = caught(client.getUser());
  client.close();
  assert.equal((await pending).code, "client_closed");
  await tick();
  assert.equal(glue.cores.length, 0);
  assert.equal(client.getSnapshot().status, "signed-out");
});

test("a panic rejects every call of every client, and the next call gets a new instance", async () => {
  page(CALLBACK);
  const { createClient, glue } = fakeGlue();
  const events = [];
  const one = createClient({ ...BASE, onEvent: (event) => events.push(event.code) });
  const two = createClient(BASE);
  const calls = [one.handleCallback(), one.getUser(), two.getUser()];
  const ended = Promise.all(calls.map(caught));
  await tick();
  const [first, second] = glue.cores;
  first.host.publish("signed-in", USER, ["openid"], null);

  glue.panic();
  assert.equal(glue.resets, 0, "not while the stack stands");
  const errors = await ended;
  assert.deepEqual(
    errors.map(({ code }) => code),
    Array(3).fill("internal"),
  );
  assert.deepEqual(events, ["internal"]);
  assert.notEqual(errors[0], errors[2], "each client has an error of its own");
  assert.deepEqual(one.getSnapshot(), { status: "signed-out", user: null, scope: [], error: null });
  first.host.publish("signed-in", USER, ["openid"], null);
  assert.equal(one.getSnapshot().user, null, "a dead core isn't heard");

  await tick();
  assert.equal(glue.resets, 1);
  assert.equal(glue.loads, 1);
  glue.onCall = ({ name, resolve }) => resolve(name === "User" ? null : SIGNED_IN);
  assert.equal(await two.getUser(), null);
  assert.equal((await one.handleCallback()).status, "signed-in");
  assert.equal(glue.cores.length, 4);
  assert.equal(second.calls.length, 1);

  glue.onCall = undefined;
  const again = caught(two.getUser());
  await tick();
  glue.panic();
  assert.equal((await again).code, "internal");
  await tick();
  assert.equal(glue.resets, 2);
});

test("a panic that throws is reported once; any other throw leaves the instance alone", async () => {
  page();
  const { createClient, glue } = fakeGlue();
  const client = createClient(BASE);
  glue.onCall = () => {
    glue.panic();
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.equal((await caught(client.startLogin())).code, "internal");
  await tick();
  assert.equal(glue.resets, 1);
  glue.onCall = ({ resolve }) => resolve(null);
  assert.equal(await client.getUser(), null);

  glue.onCall = () => {
    throw new Error("odd");
  };
  const odd = await caught(client.getUser());
  assert.equal(odd.code, "internal");
  assert.equal(odd.cause.message, "odd");
  assert.equal(glue.resets, 1, "any other throw leaves the instance alone");
});

test("a call of the WebAssembly gets the result or the error of each promise that it awaits", async () => {
  const steps = [];
  const failure = new Error("failed");
  const waits = [Promise.resolve("one"), Promise.reject(failure)];
  const task = {
    step: (settled, failed) => {
      steps.push([settled, failed]);
      return waits.shift() ?? "the end";
    },
  };
  const ended = scripts.run(task);
  assert.deepEqual(steps, [], "nothing begins under its caller");
  assert.equal(await ended, "the end");
  assert.deepEqual(steps, [
    [null, false],
    ["one", false],
    [failure, true],
  ]);

  const broken = {
    step: () => {
      throw failure;
    },
  };
  await assert.rejects(scripts.run(broken), failure);
});

test("Symbol.dispose closes the client, if the platform has it", async () => {
  page();
  const { createClient } = fakeGlue();
  const client = createClient(BASE);
  if (Symbol.dispose) client[Symbol.dispose]();
  else client.close();
  assert.equal((await caught(client.getUser())).code, "client_closed");
});
