/**
 * A SOCKS 5 server (RFC 1928) that leads every connection to a server of the tests' own, whatever host was asked for. By
 * an HTTP proxy WebKitGTK asks for https in a TLS connection whose certificate it can't be told to accept.
 *
 * @module
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @import { Server, Socket } from "node:net" */

/** The first byte of a TLS connection (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 22;

/** Lets a server listen at a free port. @param {Server} server @returns {Promise<number>} the port */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

/**
 * Starts one.
 *
 * @param {(isTls: boolean) => number | undefined} lead The port that a connection is led to; none cuts it.
 * @returns {Promise<{ address: string, close: () => Promise<void> }>} `address`: host and port
 */
export async function startSocks(lead) {
  /** @type {Set<Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serve(socket, lead).catch(() => socket.destroy());
  });
  const port = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** @param {Socket} socket @param {(isTls: boolean) => number | undefined} lead */
async function serve(socket, lead) {
  const [, methods] = await take(socket, 2);
  await take(socket, methods);
  // No authentication.
  socket.write(Buffer.from([5, 0]));
  const [, , , kind] = await take(socket, 4);
  // An IPv4 address, an IPv6 address, or a name after its length; then the port.
  const length = { 1: 4, 4: 16 }[kind] ?? (await take(socket, 1))[0];
  await take(socket, length + 2);
  socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));

  const first = await take(socket, 1);
  const port = lead(first[0] === TLS_HANDSHAKE);
  if (port === undefined) return void socket.destroy();
  const inner = connect(port, "127.0.0.1");
  inner.on("error", () => socket.destroy());
  inner.on("close", () => socket.destroy());
  socket.on("close", () => inner.destroy());
  inner.write(first);
  socket.pipe(inner);
  inner.pipe(socket);
}

/** So many bytes, once they have come. @param {Socket} socket @param {number} count @returns {Promise<Buffer>} */
async function take(socket, count) {
  for (;;) {
    const bytes = socket.read(count);
    if (bytes?.length === count) return bytes;
    if (bytes || socket.readableEnded || socket.destroyed) throw new Error("the connection ended");
    await once(socket, "readable");
  }
}
