/**
 * Runs everything that there is to run: `npm test`, and what is too long for it.
 *
 *     npm run test:all                     everything: some hours
 *     npm run test:all -- chromium faults  the parts whose name contains one of the words
 *
 * Each part is a command of its own; the last lines say how each ended.
 *
 * @module
 */

import { CliError, logStep, run, runAsCli } from "./lib/run.mjs";

/** A command of the repository. @param {string[]} args */
const npm = (args) => () => run("npm", ["run", "--silent", ...args]);

/** The parts, in the order in which they run. @type {Record<string, () => Promise<void>>} */
const PARTS = {
  test: npm(["test"]),
  chromium: npm(["test:browsers", "--", "chromium"]),
  cookies: npm(["test:browsers", "--", "cookies"]),
  firefox: npm(["test:browsers", "--", "firefox"]),
  webkit: npm(["test:browsers", "--", "webkit"]),
  conformance: npm(["test:conformance", "--", "classlink-spa"]),
  faults: npm(["test:fault-injection"]),
  packaging: npm(["test:packaging"]),
  site: npm(["docs:site", "--", "--check"]),
  platforms: npm(["test:platforms"]),
  load: npm(["test:load"]),
  licenses: npm(["audit:licenses"]),
  reproducible: npm(["verify:reproducible"]),
};

await runAsCli(import.meta, async (words) => {
  const names = Object.keys(PARTS).filter(
    (name) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  if (names.length === 0) {
    const all = Object.keys(PARTS).join(", ");
    throw new CliError(`No part is named ${words.join(" or ")}; there are ${all}.`);
  }
  const ends = [];
  for (const name of names) {
    logStep(`Part ${ends.length + 1} of ${names.length}: ${name}`);
    try {
      await PARTS[name]();
      ends.push(`✓ ${name}`);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      process.exitCode = 1;
      ends.push(`✗ ${name}: ${error.message}`);
    }
  }
  console.log(ends.join("\n"));
});
