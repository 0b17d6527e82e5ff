// `classlink-gateway check`: what is wrong with a deployment, before it serves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { newKey } from "../support/gateway.mjs";
import { runNativeGateway } from "../support/native-gateway.mjs";
import { CLIENT, startUpstream } from "../support/upstream.mjs";

/** A provider, and what the command says of a configuration. */
async function setUp(t) {
  const upstream = await startUpstream(t);
  const config = { issuer: upstream.issuer, clients: [CLIENT], sealingKeys: [newKey()] };
  return {
    upstream,
    check: (changes = {}) => runNativeGateway({ ...config, ...changes }, ["check"]),
  };
}

test("check confirms endpoints, keys and each registration", async (t) => {
  const { check } = await setUp(t);
  assert.match(await check(), /clients\[0\]: The provider knows the client id and its secret/);
});

test("check names the registration whose secret the provider refuses, and no value", async (t) => {
  const { check } = await setUp(t);
  const clients = [CLIENT, { ...CLIENT, clientId: "client-2", clientSecret: "hunter2" }];
  await assert.rejects(check({ clients }), ({ stderr }) => {
    assert.match(stderr, /clients\[1\]: The provider refuses the client id or its secret/);
    assert.doesNotMatch(stderr, /clients\[0\]|hunter2|client-2/);
    return true;
  });
});

test("check reports what a provider fails with", async (t) => {
  const { upstream, check } = await setUp(t);
  upstream.instead["/token"] = (_, response) => response.writeHead(503).end("<html>");
  assert.match(await check(), /clients\[0\]: The token endpoint neither confirms nor refuses/);
  upstream.instead["/jwks"] = (_, response) => response.writeHead(500).end();
  await assert.rejects(check(), /key set cannot be read: keys_unavailable/);
});
