/**
 * Checks the form of everything, and changes nothing: all checks run, and the last line names those that failed. Those of
 * Rust run beside the package's build and the checks of the scripts, for most of them use one processor alone.
 *
 * @module
 */

import { join } from "node:path";
import { build } from "./build.mjs";
import { CliError, logStep, root, run, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** @typedef {[command: string, args: string[]]} Command */

/** @type {(path: string, ...args: string[]) => Command} */
const npmTool = (path, ...args) => [process.execPath, [join(root, "node_modules", path), ...args]];
/** @type {(...args: string[]) => Command} */
const clippy = (...args) => ["cargo", ["clippy", "--locked", ...args, "--", "-D", "warnings"]];

/** The name of each check, and the program that does it. @typedef {[name: string, ...Command]} Check */

/** The checks of Rust. @type {Check[]} */
const RUST = [
  ["Rust's formatting", "cargo", ["fmt", "--all", "--check"]],
  ["Clippy, native", ...clippy("--workspace", "--all-targets")],
  [
    "Clippy, WebAssembly",
    ...clippy("--package", "classlink-spa", "--lib", "--target", "wasm32-unknown-unknown"),
  ],
  // What the benchmark and a test alone compile.
  [
    "Clippy, WebAssembly with all features",
    ...clippy(
      ...["--package", "classlink-spa", "--lib", "--target", "wasm32-unknown-unknown"],
      "--all-features",
    ),
  ],
];

/** The checks of everything else: of the package's types, and of the demo's, which rest on the package. @type {Check[]} */
const SCRIPTS = [
  ["Biome", ...npmTool("@biomejs/biome/bin/biome", "check", "--error-on-warnings")],
  // Biome has such a rule too, which knows no types from node_modules.
  ["Floating promises, layers and cycles", ...npmTool("oxlint/bin/oxlint")],
  // Members of the entries are exported for applications.
  ["Unused exports", ...npmTool("knip/bin/knip.js", "--no-progress", "--no-config-hints")],
  ["TypeScript, tests and tools", ...npmTool("typescript/bin/tsc", "--project", ".")],
  ...["www/app", "www/vue-app"].map(
    (project) =>
      /** @type {Check} */ ([
        `TypeScript, ${project}`,
        ...npmTool("typescript/bin/tsc", "--project", project, "--noEmit"),
      ]),
  ),
  ["Prose", process.execPath, [join(root, "tools/prose.mjs")]],
  ["Addresses in package-lock.json", process.execPath, [join(root, "tools/lockfile.mjs")]],
  ["File names in comments", process.execPath, [join(root, "tools/references.mjs")]],
  ["The API reference", process.execPath, [join(root, "tools/reference/write.mjs")]],
];

/**
 * Runs checks one after the other.
 *
 * @param {Check[]} checks
 * @returns {Promise<string[]>} the names of those that failed
 */
async function failedOf(checks) {
  const failed = [];
  for (const [title, command, args] of checks) {
    await run(command, args, { title }).catch((error) => {
      if (!(error instanceof CliError)) throw error;
      console.error(`✗ ${error.message}`);
      failed.push(title);
    });
  }
  return failed;
}

await runAsCli(import.meta, async () => {
  await setUp();
  const lanes = await Promise.allSettled([failedOf(RUST), build().then(() => failedOf(SCRIPTS))]);
  const failed = lanes.flatMap((lane) => {
    if (lane.status === "rejected") throw lane.reason;
    return lane.value;
  });
  if (failed.length > 0) throw new CliError(`Failed: ${failed.join("; ")}.`);
  logStep("All checks passed");
});
