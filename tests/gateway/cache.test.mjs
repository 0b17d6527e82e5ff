// A value that all requests share: what happens when its load does not end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleGatewayModules } from "../support/bundle.mjs";

const importCache = await bundleGatewayModules(["cache"]);
const { Cached } = await importCache();

test("a request that gives up on a hanging load leaves the next load to be shared", async () => {
  /** @type {((value: string) => void)[]} */
  const loads = [];
  const cached = new Cached(
    () =>
      new Promise((resolve) => {
        loads.push(resolve);
      }),
    { freshForMs: 1000, staleForMs: 1000, failureForMs: 1000, joinTimeoutMs: 20, now: () => 0 },
  );
  const hanging = cached.refresh();
  /** @type {Promise<string> | undefined} */
  let second;
  const first = cached.refresh().catch(() => {
    second = cached.refresh();
  });
  await assert.rejects(cached.refresh(), { code: "upstream_timeout" });
  await first;
  const third = cached.refresh();
  assert.equal(loads.length, 2);
  loads[1]?.("new");
  assert.deepEqual(await Promise.all([second, third]), ["new", "new"]);
  loads[0]?.("old");
  assert.equal(await hanging, "old");
  assert.equal(await cached.get(), "new", "a load that was given up on changes nothing");
});
