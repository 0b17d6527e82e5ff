/**
 * Checks the form of everything, and changes nothing: all checks run, and the last line names those that failed.
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

/** The name of each check, and the program that does it. @type {[name: string, ...Command][]} */
const CHECKS = [
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
  ["Biome", ...npmTool("@biomejs/biome/bin/biome", "check", "--error-on-warnings")],
  // Biome has such a rule too, which knows no types from node_modules.
  ["Floating promises, layers and cycles", ...npmTool("oxlint/bin/oxlint")],
  // Members of the entries are exported for applications.
  ["Unused exports", ...npmTool("knip/bin/knip.js", "--no-progress", "--no-config-hints")],
  ["TypeScript, tests and tools", ...npmTool("typescript/bin/tsc", "--project", ".")],
  ...["www/app", "www/vue-app"].map(
    (project) =>
      /** @type {[string, ...Command]} */ ([
        `TypeScript, ${project}`,
        ...npmTool("typescript/bin/tsc", "--project", project, "--noEmit"),
      ]),
  ),
  ["Prose", process.execPath, [join(root, "tools/prose.mjs")]],
  ["File names in comments", process.execPath, [join(root, "tools/references.mjs")]],
  ["The API reference", process.execPath, [join(root, "tools/reference/write.mjs")]],
];

await runAsCli(import.meta, async () => {
  await setUp();
  // It checks the package's types, and the demo's rest on what it makes.
  await build();
  const failed = [];
  for (const [name, command, args] of CHECKS) {
    logStep(name);
    await run(command, args).catch((error) => {
      if (!(error instanceof CliError)) throw error;
      failed.push(name);
    });
  }
  if (failed.length > 0) throw new CliError(`Failed: ${failed.join("; ")}.`);
  logStep("All checks passed");
});
