// The handler on Node, by the contract of all servers.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startRedis } from "../../support/redis.mjs";
import { handler } from "./handler.mjs";
import { playContract } from "./suite.mjs";
import { newAssertionKey } from "./world.mjs";

playContract(handler);

test("handler: takes the configuration that the guide shows", async (t) => {
  const guide = readFileSync(new URL("../../../docs/gateway.md", import.meta.url), "utf8");
  const [, text = ""] = /<!-- run: configuration -->\n```json\n(.*?)```/s.exec(guide) ?? [];
  const config = JSON.parse(text);
  const redis = await startRedis(t);
  config.store.redis = redis.url;
  config.assertions.keys = [newAssertionKey()];
  await (await handler.start(config)).stop();
});
