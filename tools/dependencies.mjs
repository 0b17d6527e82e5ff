/**
 * Writes `docs/dependencies.md`: everything that this project takes from others, why, by which license, and what it weighs.
 *
 *     npm run docs:dependencies
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { crates, npmPackages, ownCrate, SBOM } from "./lib/dependencies.mjs";
import { GATEWAY, SHIPPED, TOOLS } from "./lib/dependency-notes.mjs";
import { CliError, execCapture, logStep, root, runAsCli } from "./lib/run.mjs";
import { weighCrates } from "./lib/wasm-size.mjs";
import { setUp } from "./setup.mjs";

/** Where the page is. */
export const PAGE = join(root, "docs/dependencies.md");

/** How many bytes a crate takes, by name. @typedef {Record<string, number>} Weights */

/** @typedef {{ from: string, name: string, license: string }} Named */

/** The crate of the native gateway server. */
const GATEWAY_CRATE = "classlink-gateway";

/** @param {Named} one @param {Named} other */
const byName = (one, other) => (one.name < other.name ? -1 : 1);

/**
 * Lists the crates that manifests name.
 *
 * @param {string[]} args Of `cargo tree`: whose, and of which kind.
 * @returns {Named[]}
 */
function namedCrates(args) {
  const tree = execCapture("cargo", [
    ...["tree", "--locked", "--all-features", "--depth", "1", ...args],
    ...["--prefix", "depth", "--format", "|{p}|{l}"],
  ]);
  if (!tree.ok) throw new CliError(`cargo can't list the dependencies:\n${tree.stderr}`);
  return [...tree.stdout.matchAll(/^1\|(\S+) [^|]*\|(.*?)(?: \(\*\))?$/gm)].map(
    ([, name = "", license = ""]) => ({ from: "cargo", name, license }),
  );
}

/** Lists the crates that the native gateway server's manifest names, sorted by name. */
const gatewayCrates = () =>
  namedCrates(["--package", GATEWAY_CRATE, "--edges", "normal"])
    .filter(({ name }) => name !== ownCrate().name)
    .sort(byName);

/**
 * Lists what builds and tests the project: what its manifests name, and neither the package nor the native gateway server
 * has.
 *
 * @param {Named[]} inGateway
 * @returns {Named[]} sorted by name
 */
function tools(inGateway) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const manifest = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const npm = ["", ...manifest("").workspaces]
    .flatMap((folder) => {
      const { dependencies, devDependencies } = manifest(folder);
      return Object.keys({ ...dependencies, ...devDependencies });
    })
    .map((name) => {
      const entry = Object.entries(lock.packages).find(([path]) =>
        path.endsWith(`node_modules/${name}`),
      );
      return { from: "npm", name, license: entry?.[1].license };
    });
  // The workspace's own crates depend on each other.
  const shipped = new Set([
    GATEWAY_CRATE,
    ...[ownCrate(), ...crates(), ...inGateway].map(({ name }) => name),
  ]);
  const cargo = namedCrates(["--workspace", "--edges", "normal,build,dev"]).filter(
    ({ name }) => !shipped.has(name),
  );
  const all = new Map([...cargo, ...npm].map((one) => [one.name, one]));
  return [...all.values()].sort(byName);
}

/** @param {Record<string, string>} reasons @param {string[]} names @returns {(name: string) => string} */
function reasonsFor(reasons, names) {
  const without = names.filter((name) => !reasons[name]);
  const idle = Object.keys(reasons).filter((name) => !names.includes(name));
  if (without.length)
    throw new CliError(`tools/lib/dependency-notes.mjs gives no reason for: ${without}.`);
  if (idle.length)
    throw new CliError(`tools/lib/dependency-notes.mjs has a reason too many for: ${idle}.`);
  return (name) => reasons[name];
}

/** A Markdown table. @param {string[]} head @param {(string | number)[][]} rows */
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/**
 * The page as it must be.
 *
 * @param {Weights} weights
 * @returns {string}
 */
export function dependenciesPage(weights) {
  const inside = crates();
  const beside = npmPackages();
  const direct = inside.filter((one) => one.direct);
  const others = inside.filter((one) => !one.direct);
  const inGateway = gatewayCrates();
  const behind = tools(inGateway);
  const why = reasonsFor(
    SHIPPED,
    [...direct, ...beside].map(({ name }) => name),
  );
  const whyInGateway = reasonsFor(
    GATEWAY,
    inGateway.map(({ name }) => name),
  );
  const whyHere = reasonsFor(
    TOOLS,
    behind.map(({ name }) => name),
  );
  const neededBy = (name) =>
    inside
      .filter(({ needs }) => needs.includes(name))
      .map((one) => one.name)
      .join(", ");
  const row = (one, reason) => [one.name, reason, one.license, weights[one.name] ?? 0];
  const own = ownCrate().name;

  return `# Dependencies

What this project takes from others, and why. \`npm run docs:dependencies\` writes this page from the lock files, from what was
built, and from the reasons in \`tools/lib/dependency-notes.mjs\`; the tests compare. Exact versions and the archives' hashes are in
the package's own \`${SBOM}\` (CycloneDX).

## In the WebAssembly

Nothing else is in what a page loads: the scripts have no dependencies. The weight is in bytes of machine code before
compression, after wasm-opt, by the names of the functions. What was inlined counts where it went (most of sha2 did), so a
weight is where the bytes are and not what would be saved. Of crates that weigh nothing, types or constants are used.

${table(
  ["crate", "why", "license", "bytes"],
  [
    [own, "this project", "Apache-2.0", weights[own]],
    ["Rust's standard library", "strings, lists, maps", "MIT OR Apache-2.0", weights.std],
    [
      "calls from JavaScript",
      "written by wasm-bindgen for each exported function",
      "",
      weights.other,
    ],
    ...direct.map((one) => row(one, why(one.name))),
  ],
)}

Those need these:

${table(
  ["crate", "needed by", "license", "bytes"],
  others.map((one) => row(one, neededBy(one.name))),
)}

## Installed beside the package

${table(
  ["package", "why", "license"],
  beside.map((one) => [one.name, why(one.name), one.license]),
)}

React and Vue are optional peers: an application that uses \`classlink-spa/react\` or \`classlink-spa/vue\` has its own.

## In the native gateway server

\`classlink-gateway\` is a program of its own, outside of the package. It is built with these crates and what they need:
\`Cargo.lock\` has the versions, and \`npm run audit:licenses\` checks every license.

${table(
  ["crate", "why", "license"],
  inGateway.map((one) => [one.name, whyInGateway(one.name), one.license]),
)}

## For building and testing

These are neither in the package nor in the native gateway server.

${table(
  ["", "registry", "for", "license"],
  behind.map(({ from, name, license }) => [name, from, whyHere(name), license]),
)}

## Checking

| command | what it does |
|---|---|
| \`npm run audit:licenses\` | [cargo-deny](https://embarkstudios.github.io/cargo-deny/): only the licenses and the registry that \`deny.toml\` allows, no crate in two versions, nothing banned; for what builds and tests the project \`tools/deny.toml\`. Needs no network, once it is installed and has fetched the crates |
| \`npm run audit:licenses -- advisories\` | the same tool against RustSec's list of known faults, and \`npm audit\`: both need a network |
| \`npm run verify:reproducible\` | builds the package again in a clean clone of the last commit, in another folder, and compares every file byte by byte |
`;
}

/**
 * The weights that a page tells.
 *
 * @param {string} page
 * @returns {Weights}
 */
export function weightsOf(page) {
  const weights = Object.fromEntries(
    [...page.matchAll(/^\| ([^|]+) \|.*\| (\d+) \|$/gm)].map(([, name, bytes]) => [
      name,
      Number(bytes),
    ]),
  );
  const { "Rust's standard library": std, "calls from JavaScript": other, ...crates } = weights;
  return { ...crates, std, other };
}

await runAsCli(import.meta, async () => {
  await setUp();
  await build();
  logStep("Weighing the WebAssembly's crates");
  const weights = await weighCrates([...crates().map(({ name }) => name), ownCrate().name]);
  writeFileSync(PAGE, dependenciesPage(weights));
  logStep("Wrote docs/dependencies.md");
});
