/**
 * Ports to listen on.
 *
 * @module
 */

import { createServer } from "node:net";
import { CliError } from "./run.mjs";

/**
 * The ports to choose from lie below those that systems give to outgoing connections and to servers that ask for
 * port 0 (from 32768 on Linux, from 49152 elsewhere): between choosing and listening, none of those can take one.
 * Browsers refuse none of them either.
 */
const FIRST_PORT = 11_000;
const LAST_PORT = 32_000;

/** Ports that one process asks for, as a rule. Processes with neighboring ids begin so far from each other. */
const PORTS_PER_PROCESS = 20;

/** Where this process looks next. */
let next = (process.pid * PORTS_PER_PROCESS) % (LAST_PORT - FIRST_PORT);

/** Both loopback addresses, since `localhost` may be either. */
const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Returns a port that nothing listens on, and that this process has not returned before.
 *
 * @returns {Promise<number>}
 * @throws {CliError} if all are taken
 */
export async function freePort() {
  for (let tried = FIRST_PORT; tried < LAST_PORT; tried += 1) {
    const port = FIRST_PORT + next;
    next = (next + 1) % (LAST_PORT - FIRST_PORT);
    if (await isFree(port)) return port;
  }
  throw new CliError(`All ports from ${FIRST_PORT} to ${LAST_PORT} are taken.`);
}

/**
 * Returns the port asked for, or another if that is taken or 0.
 *
 * @param {string} asked
 * @returns {Promise<number>}
 * @throws {CliError} if it is not a port number
 */
export async function freePortLike(asked) {
  const port = Number(asked);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CliError(`${asked} is no port number.`);
  }
  return port !== 0 && (await isFree(port)) ? port : freePort();
}

/** @param {number} port @returns {Promise<boolean>} */
async function isFree(port) {
  const results = await Promise.all(LOOPBACK.map((host) => canListen(port, host)));
  return results.every(Boolean);
}

/**
 * Whether the port can be used. An address that this machine does not have uses no port.
 *
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ { code }) =>
      resolve(code !== "EADDRINUSE" && code !== "EACCES"),
    );
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
