// `classlink-gateway check`: what is wrong with a deployment, before it serves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startStandIn } from "../../www/stand-in/index.js";
import { createGateway, memoryStore, newKey } from "../support/gateway.mjs";
import { runNativeGateway } from "../support/native-gateway.mjs";
import { CLIENT, startUpstream } from "../support/upstream.mjs";
import { newAssertionKey } from "./contract/world.mjs";

/** Runs the command; resolves with what it printed and whether it found a problem. */
async function check(config, args = []) {
  try {
    return { stdout: await runNativeGateway(config, ["check", ...args]), isOk: true, stderr: "" };
  } catch (error) {
    const { code, stdout, stderr } = /** @type {any} */ (error);
    assert.equal(code, 1, stderr);
    return { stdout, isOk: false, stderr };
  }
}

/** Formats checks as the command prints them. */
const print = (checks) =>
  checks
    .map(({ id, status, summary, remedy }) => {
      const line = `${status.padEnd(7)}  ${id}: ${summary}\n`;
      return remedy ? `${line}${" ".repeat(9)}${remedy}\n` : line;
    })
    .join("");

/** A provider, and its configuration for both servers. */
async function setUp(t) {
  const upstream = await startUpstream(t);
  const config = { issuer: upstream.issuer, clients: [CLIENT], sealingKeys: [newKey()] };
  return { upstream, config };
}

test("check before the stand-in finds nothing wrong with a right configuration", async (t) => {
  const client = { ...CLIENT, clientSecret: "s3cret+/:%" };
  const standIn = await startStandIn({ clients: [client], publicClients: false, pkce: "ignored" });
  t.after(() => standIn.close());
  const { stdout, isOk } = await check({
    issuer: standIn.issuer,
    clients: [client],
    sealingKeys: [newKey()],
    assertions: { issuer: standIn.issuer, audience: standIn.issuer, keys: [newAssertionKey()] },
    store: { memory: true },
  });
  assert.equal(
    stdout,
    `The configuration is valid: 1 registration(s).
ok       metadata: The provider's endpoints are known.
ok       keys: The provider's key set has a key for ID tokens.
ok       clock: This server's clock agrees with the provider's.
ok       clients[0]: The provider knows the client id and its secret.
ok       store: The store works.
ok       assertions: The keys for assertions can be used.
`,
  );
  assert(isOk);
});

test("check prints what the handler's gateway.check() returns, whatever the provider does", async (t) => {
  const { upstream, config } = await setUp(t);
  const assertions = {
    issuer: "https://app.example/auth",
    audience: "https://app.example",
    keys: [newAssertionKey()],
  };
  const respond = (path, status, body, secondsAgo = 0) => {
    upstream.instead[path] = (_, response) => {
      const date = new Date(Date.now() - secondsAgo * 1000).toUTCString();
      response.writeHead(status, { Date: date }).end(JSON.stringify(body));
    };
  };
  const keys = { keys: upstream.keys };
  for (const [what, statuses, prepare, changes = {}] of /** @type {any[]} */ ([
    ["nothing", "ok ok ok ok ok ok", () => undefined],
    [
      "a wrong secret",
      "ok ok ok ok problem ok ok",
      () => undefined,
      { clients: [CLIENT, { ...CLIENT, clientId: "client-2", clientSecret: "hunter2" }] },
    ],
    ["a clock ahead", "ok ok warning ok ok ok", () => respond("/jwks", 200, keys, 40)],
    ["a clock behind", "ok ok problem ok ok ok", () => respond("/jwks", 200, keys, -90)],
    ["no key", "ok problem ok ok ok ok", () => respond("/jwks", 200, { keys: [] })],
    ["no key set", "ok problem ok ok ok ok", () => respond("/jwks", 500, keys)],
    [
      "keys for other algorithms",
      "ok problem ok ok ok ok",
      () => {
        upstream.discovery = { id_token_signing_alg_values_supported: ["ES256", "HS256"] };
      },
    ],
    ["no token endpoint", "ok ok ok warning ok ok", () => respond("/token", 503, "<html>")],
    [
      "no metadata",
      "problem ok ok",
      () => respond("/.well-known/openid-configuration", 200, { issuer: "https://other.example" }),
    ],
  ])) {
    upstream.instead = {};
    upstream.discovery = {};
    prepare();
    const options = { ...config, assertions, ...changes };
    const { stdout, isOk, stderr } = await check({ ...options, store: { memory: true } });
    const expected = await createGateway({ ...options, store: memoryStore() }).check();
    const [first, ...lines] = stdout.split(/(?<=\n)/);
    assert.match(first, /^The configuration is valid: \d registration/);
    const withoutSeconds = (text) => text.replace(/is \d+ s /, "is N s ");
    assert.equal(withoutSeconds(lines.join("")), withoutSeconds(print(expected.checks)), what);
    const found = expected.checks.map(({ status }) => status);
    assert.equal(found.join(" "), statuses, what);
    assert.equal(isOk, expected.ok, what);
    assert.doesNotMatch(stdout + stderr, /hunter2|client-[12]/, what);
  }
});

test("check does not check the clock if the provider's response has no Date", async (t) => {
  const { upstream, config } = await setUp(t);
  upstream.instead["/jwks"] = (_, response) => {
    response.sendDate = false;
    response.end(JSON.stringify({ keys: upstream.keys }));
  };
  const { stdout, isOk } = await check(config);
  assert.match(stdout, /^ok {7}keys: /m);
  assert.doesNotMatch(stdout, /clock/);
  assert(isOk);
});

test("check --offline reads the configuration, and sends no request", async (t) => {
  const { upstream, config } = await setUp(t);
  const { stdout, isOk } = await check(config, ["--offline"]);
  assert.equal(stdout, "The configuration is valid: 1 registration(s).\n");
  assert(isOk);
  assert.equal(upstream.requests.length, 0);
});
