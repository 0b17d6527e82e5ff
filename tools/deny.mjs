/**
 * Checks what the project takes from others.
 *
 *     npm run deny                 licences, sources, bans: without a network
 *     npm run deny -- advisories   known faults, too, of crates and npm packages: needs one
 *
 * @module
 */

import { asProgram, Problem, run, say, which } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

await asProgram(import.meta, async (args) => {
  const unknown = args.filter((arg) => arg !== "advisories");
  if (unknown.length) throw new Problem(`\`${unknown[0]}\` is not known here; \`advisories\` is.`);
  await setUp();
  if (!which("cargo-deny")) {
    say("Installing cargo-deny (some minutes, the first time)");
    await run("cargo", ["install", "cargo-deny", "--locked"]);
  }
  say("Licences, sources and bans (cargo deny)");
  await run("cargo", ["deny", "--offline", "--locked", "check", "licenses", "sources", "bans"]);
  if (!args.length) return;
  say("Known faults (cargo deny, npm audit)");
  await run("cargo", ["deny", "--locked", "check", "advisories"]);
  await run(process.platform === "win32" ? "npm.cmd" : "npm", ["audit", "--omit=dev"]);
});
