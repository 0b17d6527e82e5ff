/**
 * Shows that the package can be made again from its sources: builds the last commit in a clean clone, in another folder,
 * and compares every file with this checkout's package, byte by byte.
 *
 *     npm run verify:reproducible
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "./build.mjs";
import { CliError, execCapture, logStep, root, run, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** The SHA-256 of every file in a folder, by its path there. @param {string} folder */
function digests(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [
        relative(folder, path),
        createHash("sha256").update(readFileSync(path)).digest("hex"),
      ]),
  );
}

await runAsCli(import.meta, async () => {
  await setUp();
  const changed = execCapture("git", ["status", "--porcelain"]);
  if (!changed.ok) throw new CliError(`git can't tell what has changed:\n${changed.stderr}`);
  if (changed.stdout) {
    throw new CliError(
      "There are changes that no commit holds; a clean clone would be without them. Commit or stash them:\n\n" +
        changed.stdout,
    );
  }
  await build();

  const folder = mkdtempSync(join(tmpdir(), "classlink-verify-"));
  try {
    const clone = join(folder, "another-place");
    logStep(
      "Cloning the last commit, and building there: npm packages, Rust and all (some minutes)",
    );
    await run("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
    // Nothing of this checkout's: its own npm packages, its own target folder.
    const { CARGO_TARGET_DIR, ...env } = process.env;
    await run(process.execPath, ["tools/build.mjs"], { cwd: clone, env });

    const [here, there] = [root, clone].map((place) => digests(join(place, "pkg")));
    const differing = [...new Set([...here.keys(), ...there.keys()])].filter(
      (path) => here.get(path) !== there.get(path),
    );
    if (differing.length > 0) {
      throw new CliError(`Not the same in the clean clone: ${differing.join(", ")}.`);
    }
    const wasm = [...here].find(([path]) => path.endsWith(".wasm"));
    logStep(`All ${here.size} files are byte-identical. SHA-256 of ${wasm?.[0]}:\n  ${wasm?.[1]}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
