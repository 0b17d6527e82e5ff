/** The configuration in the guide (`docs/gateway.md`), which every server takes. */

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { skipWithoutRedis, startRedis } from "../../support/redis.mjs";
import { newAssertionKey } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const GUIDE = new URL("../../../docs/gateway.md", import.meta.url);

/** @param {ServerAdapter} adapter */
export function configurationTests(adapter) {
  const name = `${adapter.name}: starts with the configuration that the guide shows`;
  void test(name, { skip: skipWithoutRedis }, async (t) => {
    const shown = /<!-- run: configuration -->\n```json\n(.*?)```/s.exec(
      readFileSync(GUIDE, "utf8"),
    );
    const config = JSON.parse(shown?.[1] ?? "");
    const redis = await startRedis(t);
    config.store.redis = redis.url;
    config.assertions.keys = [newAssertionKey()];
    await (await adapter.start(config)).stop();
  });
}
