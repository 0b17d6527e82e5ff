/**
 * Checks that `package-lock.json` has the address of each package on npm's own registry (`npm run lint` does it, too).
 * Without it, `npm ci` downloads and reads the metadata of all versions of each package, which takes three times the
 * processor's time. If another registry is configured, npm replaces the host.
 *
 *     node tools/lockfile.mjs            checks
 *     node tools/lockfile.mjs --write    writes the addresses, for an npm that omits them (`omit-lockfile-registry-resolved`)
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CliError, root, runAsCli } from "./lib/run.mjs";

const FOLDER = "node_modules/";

await runAsCli(import.meta, (args) => {
  const { values } = parseArgs({ args, options: { write: { type: "boolean" } } });
  const path = join(root, "package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8"));
  const wrong = [];
  for (const [place, entry] of Object.entries(lock.packages)) {
    // Workspaces are folders of this repository.
    if (!place.includes(FOLDER) || entry.link || !entry.version) continue;
    const { name: alias, version, resolved, ...rest } = entry;
    const name = alias ?? place.slice(place.lastIndexOf(FOLDER) + FOLDER.length);
    const file = `${name.split("/").at(-1)}-${version}.tgz`;
    const wanted = `https://registry.npmjs.org/${name}/-/${file}`;
    if (resolved === wanted) continue;
    wrong.push(place);
    // In npm's own order.
    lock.packages[place] = { ...(alias && { name: alias }), version, resolved: wanted, ...rest };
  }
  if (wrong.length === 0) return;
  if (values.write) {
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
    return;
  }
  throw new CliError(
    `package-lock.json lacks the address on npm's registry of ${wrong.length} packages (${wrong.slice(0, 3).join(", ")}); ` +
      "run `node tools/lockfile.mjs --write`.",
  );
});
