/** The handler of `classlink-spa/gateway` on Node, as the contract's suite starts it. */

import { once } from "node:events";
import { createServer } from "node:http";
import { createClient } from "redis";
import { importEntry } from "../../support/bundle.mjs";
import { deferred } from "../../support/deferred.mjs";
import { createGateway, redisStore } from "../../support/gateway.mjs";

/** @import { Gateway } from "classlink-spa/gateway" */
/** @import { ServerAdapter } from "./world.mjs" */

const { stopOnSignal, toNodeHandler } = await importEntry("gateway-node");

/** A client of Redis that fails at once while the server is away, and comes back with it. */
async function connect(url) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: 20 },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/**
 * Starts the handler.
 *
 * @param {import("./world.mjs").Config} config
 * @param {(gateway: Gateway) => Gateway} [wrap]
 */
async function startHandler({ store, remoteAddressHeader, ...options }, wrap = (one) => one) {
  /** @type {import("classlink-spa/gateway").LogEntry[]} */
  const entries = [];
  const redis = store && (await connect(store.redis));
  const gateway = createGateway({
    ...options,
    log: (entry) => void entries.push(entry),
    ...(redis && { store: redisStore(redis, { prefix: store.prefix }) }),
  });
  const name = remoteAddressHeader?.toLowerCase();
  const listener = toNodeHandler(
    wrap(gateway),
    name ? { remoteAddress: (request) => String(request.headers[name]) } : {},
  );
  const server = createServer(listener);
  const ended = deferred();
  const stop = stopOnSignal(server, { signals: [], onStopped: () => ended.resolve() });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    logs: async () => entries,
    async stop() {
      stop();
      await ended.promise;
      redis?.destroy();
    },
  };
}

/** As it is. @type {ServerAdapter} */
export const handler = {
  name: "handler",
  start: (config) => startHandler(config),
  async revoke({ store, remoteAddressHeader: _, ...options }, target) {
    const redis = await connect(store?.redis);
    const gateway = createGateway({
      ...options,
      store: redisStore(redis, { prefix: store?.prefix }),
    });
    await gateway.revoke(/** @type {import("classlink-spa/gateway").RevokeTarget} */ (target));
    redis.destroy();
  },
};

/** By `Request` and `Response`, as on every other runtime. @type {ServerAdapter} */
export const webHandler = {
  name: "handler by Request",
  start: (config) =>
    startHandler(config, (gateway) => ({
      ...gateway,
      handle: (request, context) => gateway.handle(request, context),
    })),
};
