/** A Redis server of a test's own, which the test may stop and start again. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { OPTIONAL, skipWithout } from "../../tools/lib/optional.mjs";
import { freePort } from "../../tools/lib/ports.mjs";

/** Why tests with a Redis server are skipped, if they are. */
export const skipWithoutRedis = skipWithout("redis");

/**
 * Starts a Redis server on loopback that ends with the test. It keeps nothing on disk.
 *
 * @param {import("node:test").TestContext} t
 */
export async function startRedis(t) {
  const program = OPTIONAL.redis.find();
  if (!program) throw new Error(String(skipWithoutRedis));
  const folder = mkdtempSync(join(tmpdir(), "classlink-redis-"));
  const port = await freePort();
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;

  const start = async () => {
    const settings = ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
    child = spawn(program, settings.map(String), { stdio: "ignore" });
    while (!(await isUp(port))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      await pause(20);
    }
  };
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  await start();
  return { url: `redis://127.0.0.1:${port}`, start, stop };
}

/** Whether something answers `PING` at this port. */
async function isUp(port) {
  const socket = createConnection({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [answer] = await once(socket, "data");
    return String(answer).startsWith("+PONG");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
