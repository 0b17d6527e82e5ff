/**
 * The demo as `npm run demo` starts it, on free ports, for a whole test file.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../tools/demo.mjs", import.meta.url));

/**
 * @typedef {object} Demo
 * @property {string} app The app's origin.
 * @property {string} launchPad LaunchPad's address.
 * @property {string[]} lines What it has printed so far, on either stream.
 * @property {() => Promise<number | null>} close Interrupts it; returns its exit code.
 */

/**
 * Starts the demo, and waits until it says where it is.
 *
 * @param {string[]} [flags] Of `npm run demo`, besides the ports.
 * @returns {Promise<Demo>}
 * @throws {Error} with what it printed, if it ends before that
 */
export async function startDemo(flags = []) {
  const ports = ["--port", "--bookmarks-port", "--issuer-port", "--api-port"].flatMap((name) => [
    name,
    "0",
  ]);
  const child = spawn(process.execPath, [SCRIPT, ...ports, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(([code]) => code);
  const lines = /** @type {string[]} */ ([]);
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));

  const addresses = /** @type {Record<string, string>} */ ({});
  const found = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const [, name, address] = /^\s*(The app|LaunchPad)\s+(http\S+)/.exec(line) ?? [];
      if (name && address) addresses[name] = address;
      if (/Ctrl-C/.test(line)) resolve(true);
    });
  });
  if ((await Promise.race([found, ended])) !== true) {
    throw new Error(`The demo ended before it was there:\n${lines.join("\n")}`);
  }
  return {
    app: addresses["The app"] ?? "",
    launchPad: addresses.LaunchPad ?? "",
    lines,
    close() {
      child.kill("SIGINT");
      return ended;
    },
  };
}
