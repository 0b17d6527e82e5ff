/** Every adapter of the bench signs in with its provider, so that `npm run bench` measures sign-ins and not errors. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LIBRARIES } from "../../bench/libraries.js";
import { countSerialRoundTrips, startServers } from "../../bench/servers.js";
import { signIn } from "../../bench/sign-in.js";
import { quartiles } from "../../bench/statistics.js";
import { sharedBrowser } from "../support/browser.mjs";

const browser = sharedBrowser();

describe("each adapter signs the user in", () => {
  /** @type {Awaited<ReturnType<typeof startServers>>} */
  let servers;
  before(async () => {
    servers = await startServers();
    servers.set({ metadata: "uncached" });
  });
  after(() => servers.close());

  for (const library of LIBRARIES) {
    test(library.id, async (t) => {
      const { page } = await browser.newPage(t);
      const { startMs, callbackMs, startRoundTrips, callbackRoundTrips } = await signIn(
        page,
        servers,
        library,
      );
      assert.ok(startMs > 0 && callbackMs > 0);
      assert.ok(startRoundTrips > 0 && callbackRoundTrips > 0);
    });
  }
});

test("serial round trips are the longest chain of requests that wait for one another", () => {
  /** @param {number} startedAt @param {number} endedAt */
  const request = (startedAt, endedAt) => ({ method: "GET", path: "/", startedAt, endedAt });
  assert.equal(countSerialRoundTrips([]), 0);
  assert.equal(countSerialRoundTrips([request(0, 4), request(1, 9), request(2, 3)]), 1);
  assert.equal(
    countSerialRoundTrips([request(0, 4), request(1, 9), request(5, 8), request(8, 9)]),
    3,
  );
});

test("quartiles are interpolated between the neighboring values", () => {
  assert.deepEqual(quartiles([4, 1, 3, 2, 5]), { lower: 2, median: 3, upper: 4 });
  assert.deepEqual(quartiles([1, 2]), { lower: 1.25, median: 1.5, upper: 1.75 });
});
