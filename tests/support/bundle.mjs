/** The package's server entries, for tests: from the built package if there is one, else from their sources. */

import { existsSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
// Inside node_modules, so that the bundle finds the packages it leaves out.
const OUTPUT = `${ROOT}node_modules/.cache/gateway-test`;

/**
 * Bundles inner modules of the gateway, which its entry does not export.
 *
 * @param {readonly string[]} names Of files in `pkg-template/src/gateway`, without their ending.
 * @returns {Promise<(variant?: string) => Promise<any>>} Imports them as one module; a new copy for each variant.
 */
export async function bundleGatewayModules(names) {
  const outfile = `${OUTPUT}/${names.join("-")}-${process.pid}.mjs`;
  await build({
    stdin: {
      contents: names.map((name) => `export * from "./${name}.ts";`).join("\n"),
      resolveDir: `${ROOT}pkg-template/src/gateway`,
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    logLevel: "error",
  });
  process.once("exit", () => rmSync(outfile, { force: true }));
  return (variant = "") => import(`${pathToFileURL(outfile).href}${variant && `?${variant}`}`);
}

/**
 * @typedef {object} Entries
 * @property {typeof import("classlink-spa/gateway")} gateway
 * @property {typeof import("classlink-spa/gateway-node")} gateway-node
 */

/**
 * Imports an entry of the package.
 *
 * @template {keyof Entries} E
 * @param {E} entry
 * @returns {Promise<Entries[E]>} The module.
 */
export async function importEntry(entry) {
  const built = `${ROOT}pkg/${entry}.js`;
  if (existsSync(built) && !process.env.TEST_SOURCES) return import(pathToFileURL(built).href);
  const outfile = `${OUTPUT}/${entry}-${process.pid}.mjs`;
  await build({
    entryPoints: [`${ROOT}pkg-template/src/${entry}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    // What web standards have, and nothing of Node's: the gateway's own entry must not need more.
    platform: entry === "gateway" ? "neutral" : "node",
    target: "es2022",
    external: ["jose"],
    logLevel: "error",
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
}
