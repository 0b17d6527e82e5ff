/** The native gateway server (`gateway/`), as a program that tests start and stop. */

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { deferred } from "./deferred.mjs";

const folder = fileURLToPath(new URL("../../target/", import.meta.url));

/** The program: what `npm run build` made, or the one that the environment names. */
export const NATIVE_GATEWAY =
  process.env.CLASSLINK_GATEWAY ?? join(folder, "debug/classlink-gateway");

/** The server's message when it listens. */
const LISTENING = /Listening on http:\/\/127\.0\.0\.1:(\d+)/;

/** Writes a configuration into a folder of its own. @param {Record<string, unknown>} config */
function writeConfig(config) {
  const directory = mkdtempSync(join(tmpdir(), "classlink-gateway-"));
  const path = join(directory, "gateway.json");
  writeFileSync(path, JSON.stringify({ listen: "127.0.0.1:0", ...config }));
  return { directory, path };
}

/**
 * Runs another of its commands with a configuration.
 *
 * @param {Record<string, unknown>} config
 * @param {string[]} args
 * @returns {Promise<string>} What it printed.
 * @throws with its message if it fails.
 */
export async function runNativeGateway(config, [command = "", ...args]) {
  const { directory, path } = writeConfig(config);
  try {
    const { stdout } = await promisify(execFile)(NATIVE_GATEWAY, [
      ...[command, "--config", path],
      ...args,
    ]);
    return stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Starts the server with a configuration (`docs/gateway.md`, One configuration for both), on a port that is free.
 *
 * @param {Record<string, unknown>} config
 * @throws if the configuration is refused, with the server's own message
 */
async function startNativeGateway(config) {
  const { directory, path } = writeConfig(config);
  const child = spawn(NATIVE_GATEWAY, ["serve", "--config", path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  let said = "";
  /** @type {ReturnType<typeof deferred>} */
  const listening = deferred();
  child.stdout.setEncoding("utf8").on("data", (text) => {
    log += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
    const [, port] = LISTENING.exec(said) ?? [];
    if (port) listening.resolve(port);
  });
  const ended = once(child, "close").then(() => rmSync(directory, { recursive: true }));
  const port = await Promise.race([listening.promise, ended]);
  if (port === undefined) throw new Error(said);
  const baseUrl = `http://127.0.0.1:${port}`;
  const entries = () =>
    log
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const probes = new Set();
  return {
    baseUrl,
    /** The log entries until now: the server writes them in order, so those of earlier requests come before a probe's. */
    async logs() {
      const probe = randomBytes(16).toString("hex");
      probes.add(probe);
      await fetch(`${baseUrl}/`, { headers: { "X-Request-Id": probe } });
      while (!log.includes(probe)) await once(child.stdout, "data");
      return entries().filter(({ requestId }) => !probes.has(requestId));
    },
    /** Stops the server by SIGTERM; resolves when it has ended. */
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** As the contract's suite starts it. */
export const native = {
  name: "native",
  start: startNativeGateway,
  /** @param {Record<string, any>} config @param {{ sessionId?: string, userId?: string }} target */
  async revoke(config, { sessionId, userId = "" }) {
    const target = sessionId ? ["--session-id", sessionId] : ["--user-id", userId];
    await runNativeGateway(config, ["revoke", ...target]);
  },
};
