/**
 * Lists what the package contains besides the code in this repository: the crates inside the WebAssembly, and the npm
 * packages that are installed beside it. Read from the lock files and from cargo, so that it is what was built.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, execCapture, root } from "./run.mjs";

/** The name, in the package, of the list of all this: see `sbom.mjs`. */
export const SBOM = "sbom.cdx.json";

/**
 * A dependency that users get.
 *
 * @typedef {object} Dependency
 * @property {"cargo" | "npm"} from The registry it comes from.
 * @property {string} name
 * @property {string} version
 * @property {string} license An SPDX expression.
 * @property {{ algorithm: "SHA-256" | "SHA-512", hex: string }} digest Of what the registry hands out, from the lock file.
 * @property {string[]} needs The names of those that it rests on, sorted.
 * @property {boolean} direct Whether this project names it itself.
 */

/** The name and the version of this project's own crate. */
export function ownCrate() {
  const text = readFileSync(join(root, "Cargo.toml"), "utf8");
  const [name, version] = ["name", "version"].map(
    (key) => text.match(new RegExp(`^${key} = "([^"]+)"`, "m"))?.[1],
  );
  if (!name || !version) throw new CliError("Cargo.toml names no package and version.");
  return { name, version };
}

/**
 * The crates whose code may be in the WebAssembly: cargo's own answer for the target, without what only runs while it
 * compiles.
 *
 * @returns {Dependency[]} sorted by name
 */
export function crates() {
  const own = ownCrate().name;
  const tree = execCapture("cargo", [
    ...["tree", "--locked", "--package", own, "--target", "wasm32-unknown-unknown"],
    ...["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "|{p}|{l}"],
  ]);
  if (!tree.ok) throw new CliError(`cargo can't list the dependencies:\n${tree.stderr}`);
  const digests = crateDigests();

  /** @type {Map<string, Dependency>} */
  const found = new Map();
  /** @type {string[]} The names above the present line, by depth. */
  const above = [];
  for (const line of tree.stdout.trim().split("\n")) {
    const [, depth, name, version, license] =
      line.match(/^(\d+)\|(\S+) v(\S+)[^|]*\|(.*?)(?: \(\*\))?$/) ?? [];
    if (name === undefined)
      throw new CliError(`cargo tree wrote a line that is not known: ${line}`);
    above.splice(Number(depth), Infinity, name);
    if (name === own) continue;
    const hex = digests.get(`${name} ${version}`);
    if (!hex) throw new CliError(`Cargo.lock has no checksum for ${name} ${version}.`);
    const dependency = found.get(name) ?? {
      ...{ from: /** @type {const} */ ("cargo"), name, version, license },
      digest: { algorithm: /** @type {const} */ ("SHA-256"), hex },
      ...{ needs: [], direct: false },
    };
    found.set(name, dependency);
    const parent = above[Number(depth) - 1];
    if (parent === own) dependency.direct = true;
    const needs = found.get(parent)?.needs;
    if (needs && !needs.includes(name)) needs.push(name);
  }
  for (const { needs } of found.values()) needs.sort();
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The entry of each archive in crates.io's index, by name and version. */
function crateDigests() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const entries = lock.matchAll(
    /name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]{64})"/g,
  );
  return new Map([...entries].map(([, name, version, hex]) => [`${name} ${version}`, hex]));
}

/**
 * The npm packages that come with the package, by its own manifest.
 *
 * @returns {Dependency[]} sorted by name
 * @throws {CliError} if one of them has dependencies of its own: this project takes none that has
 */
export function npmPackages() {
  const manifest = JSON.parse(readFileSync(join(root, "pkg-template/package.json"), "utf8"));
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.keys(manifest.dependencies)
    .sort()
    .map((name) => {
      const { version, license, integrity, dependencies } = lock.packages[`node_modules/${name}`];
      if (dependencies) throw new CliError(`${name} brings dependencies of its own.`);
      const hex = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
      return {
        ...{ from: "npm", name, version, license },
        digest: { algorithm: "SHA-512", hex },
        ...{ needs: [], direct: true },
      };
    });
}
