/** HTTP servers that end with a test. */

import { once } from "node:events";
import { createServer } from "node:http";

/** @import { RequestListener, Server } from "node:http" */
/** @import { Server as SecureServer } from "node:https" */
/** @import { AddressInfo } from "node:net" */
/** @import { TestContext } from "node:test" */

/**
 * Closes a server and its open connections.
 *
 * @param {Server | SecureServer} server
 */
export async function closeServer(server) {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/**
 * Listens on a free loopback port until the test ends. Browsers try both loopback addresses for the name `localhost`.
 *
 * @param {TestContext} t
 * @param {Server | SecureServer} server
 * @returns {Promise<number>} the port
 */
export async function listen(t, server) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => closeServer(server));
  return /** @type {AddressInfo} */ (server.address()).port;
}

/**
 * Serves a listener until the test ends.
 *
 * @param {TestContext} t
 * @param {RequestListener} listener
 */
export async function serve(t, listener) {
  const port = await listen(t, createServer(listener));
  return { port, origin: `http://localhost:${port}` };
}
