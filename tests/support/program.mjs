/** Programs that tests start. */

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { PATIENCE_MS } from "./patience.mjs";

/**
 * Starts a program, and keeps all that it writes.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: Record<string, string>, isGroup?: boolean }} options `isGroup`: the program starts others, as
 * npm does, and is stopped with them, as at a terminal
 */
export function startProgram(command, args, { cwd, env = {}, isGroup = false }) {
  const child = spawn(command, args, {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: isGroup,
  });
  const kill = (/** @type {NodeJS.Signals} */ signal) => {
    if (!isGroup || !child.pid) return child.kill(signal);
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  const program = {
    output: "",
    /** @type {string | undefined} */
    ended: undefined,
    stop: async () => {},
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      program.output += text;
    });
  }
  const closed = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    child.once("error", (error) => {
      program.ended = error.message;
      resolve();
    });
    child.once("close", (code, signal) => {
      program.ended ??= `ended with ${code ?? signal}`;
      resolve();
    });
  });
  program.stop = async () => {
    kill("SIGTERM");
    const late = setTimeout(() => kill("SIGKILL"), 5000);
    await closed;
    clearTimeout(late);
  };
  return program;
}

/**
 * Waits until a program responds to a URL.
 *
 * @param {{ output?: string, ended?: string }} program
 * @param {string} url
 * @param {{ anyStatus?: boolean }} [options] `anyStatus`: it need not be 200
 */
export async function untilReady(program, url, { anyStatus = false } = {}) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => undefined,
    );
    if (anyStatus ? status !== undefined : status === 200) return;
    if (program.ended || Date.now() > deadline) {
      throw new Error(`${url} does not respond (${program.ended ?? status}):\n${program.output}`);
    }
    await pause(100);
  }
}
