/** The platforms that `npm run test:platforms` runs the gateway on: what each installs, builds and starts. */

import { existsSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CliError, run } from "../../tools/lib/run.mjs";
import { NATIVE_GATEWAY } from "../support/native-gateway.mjs";
import { NGINX_CHECKS, startReverseProxy } from "./nginx.mjs";
import { CHECKS, WITHOUT_FETCH_METADATA } from "./suite.mjs";
import { startWorld } from "./world.mjs";

const NATIVE_PROGRAM = fileURLToPath(new URL("native-program.mjs", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../docs/examples/", import.meta.url));

/**
 * @typedef {object} Platform
 * @property {string} name
 * @property {Record<string, string>} [packages] Exact versions, installed beside the packed package. Without it nothing
 * is installed.
 * @property {(folder: string) => Promise<void>} [prepare] Copies and builds the application.
 * @property {(folder: string) => Promise<any>} start Returns the world that the checks ask; `world.stop()` ends it.
 * @property {Record<string, (world: any) => Promise<void>>} checks
 */

/** Copies examples into the throwaway project. */
const copy =
  (...names) =>
  async (folder) => {
    for (const name of names) await cp(join(EXAMPLES, name), join(folder, name));
  };

/** A program for Node that listens on `PORT`. */
const onNode = (name, file, packages) => ({
  name,
  packages,
  prepare: copy("gateway.js", file),
  start: (folder) => startWorld(() => [process.execPath, [file]], folder),
  checks: { ...CHECKS, ...WITHOUT_FETCH_METADATA },
});

/** @type {readonly Platform[]} */
export const PLATFORMS = [
  onNode("node", "node.js", {}),
  onNode("express", "express.js", { express: "5.3.0" }),
  onNode("hono", "hono.js", { hono: "4.13.19", "@hono/node-server": "2.1.9" }),
  {
    name: "next",
    packages: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
    async prepare(folder) {
      await cp(join(EXAMPLES, "next"), folder, { recursive: true });
      // Without a secret in the environment, as a build server is.
      await run(process.execPath, [nextIn(folder), "build"], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, NEXT_TELEMETRY_DISABLED: "1" },
      });
    },
    start: (folder) =>
      startWorld(
        (port) => [
          process.execPath,
          [nextIn(folder), "start", "--port", String(port), "--hostname", "127.0.0.1"],
        ],
        folder,
      ),
    // Its `request.url` has the host that it was started with.
    checks: CHECKS,
  },
  {
    name: "workerd",
    packages: { workerd: "1.20261117.1" },
    async prepare(folder) {
      await copy("worker.js")(folder);
      await cp(new URL("workerd.capnp", import.meta.url), join(folder, "workerd.capnp"));
      // As Wrangler bundles: these conditions, and nothing of Node's.
      await build({
        entryPoints: [join(folder, "worker.js")],
        outfile: join(folder, "bundle.js"),
        bundle: true,
        format: "esm",
        platform: "neutral",
        conditions: ["workerd", "worker", "browser"],
        target: "es2022",
        logLevel: "error",
      });
      // What runs is the bundle alone.
      await rm(join(folder, "worker.js"));
    },
    start: (folder) =>
      startWorld(
        (port) => [
          createRequire(join(folder, "package.json"))("workerd").default,
          ["serve", "workerd.capnp", "--socket-addr", `http=127.0.0.1:${port}`],
        ],
        folder,
      ),
    checks: { ...CHECKS, ...WITHOUT_FETCH_METADATA },
  },
  { name: "nginx", start: startReverseProxy, checks: NGINX_CHECKS },
  {
    name: "native",
    async prepare() {
      if (existsSync(NATIVE_GATEWAY)) return;
      throw new CliError(
        "The native server is not built; run this without --as-built, or cargo build -p classlink-gateway.",
      );
    },
    start: (folder) => startWorld(() => [process.execPath, [NATIVE_PROGRAM]], folder),
    checks: { ...CHECKS, ...WITHOUT_FETCH_METADATA },
  },
];

function nextIn(folder) {
  return join(folder, "node_modules/next/dist/bin/next");
}
