// `gateway.check()`, and secrets from files: what is wrong is found before anything is served.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { importEntry } from "../support/bundle.mjs";
import { memoryStore, setUp } from "../support/gateway.mjs";
import { newFolder } from "../support/temp-folder.mjs";
import { CLIENT } from "../support/upstream.mjs";

const { readSecret } = await importEntry("gateway-node");

const statusOf = ({ checks }) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));

test("gateway.check() finds nothing wrong with a right configuration", async (t) => {
  const { gateway, upstream } = await setUp(t, { store: memoryStore() });
  const result = await gateway.check();
  assert.equal(result.ok, true, JSON.stringify(result));
  assert.deepEqual(statusOf(result), {
    metadata: "ok",
    keys: "ok",
    clock: "ok",
    "clients[0]": "ok",
    store: "ok",
  });
  assert.equal(upstream.count("/token"), 1);
});

test("gateway.check() finds a wrong secret, and shows no value of it", async (t) => {
  const clients = [CLIENT, { ...CLIENT, clientId: "client-2", clientSecret: "wr0ng-secret" }];
  const { gateway } = await setUp(t, { clients });
  const result = await gateway.check();
  assert.equal(result.ok, false);
  assert.equal(statusOf(result)["clients[0]"], "ok");
  assert.equal(statusOf(result)["clients[1]"], "problem");
  assert(!JSON.stringify(result).includes("wr0ng-secret"));
});

test("gateway.check() finds a provider, a key set, a clock and a store that fail", async (t) => {
  const { gateway, upstream, pass, another } = await setUp(t);
  pass(45);
  assert.equal(statusOf(await gateway.check()).clock, "warning");
  pass(45);
  const late = await gateway.check();
  assert.deepEqual([late.ok, statusOf(late).clock], [false, "problem"]);
  assert(late.checks.some(({ summary }) => /9\d s ahead/.test(summary)));
  upstream.keys = [];
  assert.equal(statusOf(await gateway.check()).keys, "problem");
  upstream.instead["/.well-known/openid-configuration"] = (_, response) => response.end("{}");
  const down = () => Promise.reject(new Error("down"));
  const store = { get: down, set: down, setIfAbsent: down, delete: down, increment: down };
  const without = await another({ store }).gateway.check();
  assert.deepEqual(statusOf(without), { metadata: "problem", store: "problem" });
  for (const { remedy } of without.checks) assert(remedy);
});

test("gateway.metrics() returns Prometheus' text format, also if no path serves it", async (t) => {
  const { gateway, browser } = await setUp(t);
  await browser.signIn();
  assert.match(gateway.metrics(), /^classlink_gateway_sessions_begun_total 1$/m);
  assert.equal((await browser.send("GET", "/auth/metrics")).status, 404);
});

test("readSecret takes the variable, or the file that the other one names", (t) => {
  const folder = newFolder(t);
  const file = join(folder, "secret");
  writeFileSync(file, "from-file\n");
  assert.equal(readSecret("S", { S: "from-env" }), "from-env");
  assert.equal(readSecret("S", { S_FILE: file }), "from-file");
  assert.equal(readSecret("S", { S: "", S_FILE: file }), "from-file");
  assert.equal(readSecret("S", {}), "");
  assert.throws(() => readSecret("S", { S: "x", S_FILE: file }), /both set/);
  assert.throws(() => readSecret("S", { S_FILE: folder }), /cannot be read: EISDIR/);
});

test("the dashboard and the alert rules query metrics that exist", async (t) => {
  const folder = new URL("../../docs/examples/monitoring/", import.meta.url);
  const { gateway } = await setUp(t);
  const [, ...known] = gateway.metrics().split(/^# TYPE (?=\w+ )/m);
  const names = known.map((text) => text.slice(0, text.indexOf(" ")));
  for (const file of ["grafana-dashboard.json", "alerts.yml"]) {
    const text = readFileSync(new URL(file, folder), "utf8");
    const asked = new Set(text.match(/classlink_gateway_\w+/g));
    assert(asked.size >= 4);
    for (const name of asked) {
      assert(names.includes(name.replace(/_bucket$/, "")), `${file}: ${name}`);
    }
  }
});
