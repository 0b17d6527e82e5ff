/**
 * Ports to listen on.
 *
 * @module
 */

import { createServer } from "node:net";
import { CliError } from "./run.mjs";

/**
 * The port wished for, or a free one where it is taken. `localhost` may be either loopback address: both count.
 *
 * @param {string | number} wish
 * @returns {Promise<number>}
 * @throws {CliError} if it is not a port number
 */
export async function freePort(wish) {
  const port = Number(wish);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CliError(`${wish} is no port number.`);
  }
  for (const host of ["127.0.0.1", "::1"]) {
    if (!(await canListen(port, host))) return freePort(0);
  }
  return port || canListen(0, "127.0.0.1");
}

/** The port, or 0 if it is taken; a machine without the address at all takes nothing. @param {number} port @param {string} host @returns {Promise<number>} */
function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ { code }) =>
      resolve(code === "EADDRINUSE" || code === "EACCES" ? 0 : -1),
    );
    server.listen(port, host, () => {
      const { port: taken } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(taken));
    });
  });
}
