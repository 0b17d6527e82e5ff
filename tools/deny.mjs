/**
 * Checks what the project takes from others.
 *
 *     npm run audit:licenses                 licenses, sources, bans: without a network, but for fetching the crates the first time
 *     npm run audit:licenses -- advisories   known faults, too, of crates and npm packages: needs one
 *
 * @module
 */

import { join } from "node:path";
import { CliError, logStep, root, run, runAsCli, which } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

await runAsCli(import.meta, async (args) => {
  const unknown = args.filter((arg) => arg !== "advisories");
  if (unknown.length) throw new CliError(`\`${unknown[0]}\` is not known here; \`advisories\` is.`);
  await setUp();
  if (!which("cargo-deny")) {
    logStep("Installing cargo-deny (some minutes, the first time)");
    await run("cargo", ["install", "cargo-deny", "--locked"]);
  }
  // What is checked are the crates of every platform; building fetched this one's.
  await run("cargo", ["fetch", "--locked"]);
  const check = ["check", "licenses", "sources", "bans"];
  logStep("Licences, sources and bans of what users get (cargo deny)");
  await run("cargo", ["deny", "--offline", "--locked", ...check]);
  logStep("The same of the native gateway server");
  await run("cargo", [
    ...["deny", "--manifest-path", "gateway/Cargo.toml", "--offline", "--locked"],
    ...["--config", join(root, "gateway/deny.toml"), ...check],
  ]);
  logStep("The same, by laxer rules, of what builds and tests it");
  const config = join(root, "tools/deny.toml");
  await run("cargo", [
    "deny",
    "--workspace",
    "--offline",
    "--locked",
    "--config",
    config,
    ...check,
  ]);
  if (!args.length) return;
  logStep("Known faults (cargo deny, npm audit)");
  await run("cargo", ["deny", "--workspace", "--locked", "check", "advisories"]);
  await run(process.platform === "win32" ? "npm.cmd" : "npm", ["audit", "--omit=dev"]);
});
