// The native server, by the contract of all servers; and a fleet of both, by what the contract says of several instances.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { native } from "../../support/native-gateway.mjs";
import { startRedis } from "../../support/redis.mjs";
import { handler } from "./handler.mjs";
import { instanceTests } from "./instances.mjs";
import { playContract } from "./suite.mjs";
import { newAssertionKey } from "./world.mjs";

playContract(native);

instanceTests(handler, native);
instanceTests(native, handler);

test("native: takes the configuration that the guide shows", async (t) => {
  const guide = readFileSync(new URL("../../../docs/gateway.md", import.meta.url), "utf8");
  const [, text = ""] = /<!-- run: configuration -->\n```json\n(.*?)```/s.exec(guide) ?? [];
  const config = JSON.parse(text);
  const redis = await startRedis(t);
  config.store.redis = redis.url;
  config.assertions.keys = [newAssertionKey()];
  await (await native.start(config)).stop();
});
