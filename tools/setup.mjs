/**
 * Checks what must be on the machine before anything is built, installs what can be installed, and says what to do about
 * the rest. Needs nothing but Node; a second run finds all in place and changes nothing.
 *
 * @module
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { BROWSERS, findBrowser } from "./lib/browser.mjs";
import { OPTIONAL, remedyOf } from "./lib/optional.mjs";
import { CliError, execCapture, logStep, root, run, runAsCli, which } from "./lib/run.mjs";

/**
 * Makes the machine ready.
 *
 * @param {{ browser?: boolean | keyof typeof BROWSERS, optional?: boolean }} [options] `browser`: tests are to run, and need
 * Chromium, or the one named; `optional`: with the programs without which some tests are skipped
 * @throws {CliError} with the remedy, when something is missing that can't be installed from here
 */
export async function setUp({ browser = false, optional = false } = {}) {
  checkNode();
  checkLinker();
  await ensureRust();
  await ensureNpmPackages();
  if (!browser) return;
  await ensureBrowser(browser === true ? "chromium" : browser);
  if (optional) await tryOptional();
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [wantMajor, wantMinor] = engines.node.match(/\d+/g).map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new CliError(
    `Node ${engines.node} is needed; this is ${process.version}. Get it from https://nodejs.org.`,
  );
}

/** Rust calls the C compiler as its linker, for every program that runs on this machine. */
function checkLinker() {
  if (process.platform === "win32" || ["cc", "gcc", "clang"].some(which)) return;
  const remedy = {
    darwin: "xcode-select --install",
    linux: "apt-get install build-essential    (or your distribution's gcc)",
  }[process.platform];
  throw new CliError(`No C compiler was found; Rust needs one to link. Install it:\n\n  ${remedy}`);
}

/** The toolchain that `rust-toolchain.toml` names. */
export function wantedRust() {
  const text = readFileSync(join(root, "rust-toolchain.toml"), "utf8");
  const list = (name) =>
    [
      ...(text.match(new RegExp(`^${name}\\s*=\\s*\\[([^\\]]*)\\]`, "m"))?.[1] ?? "").matchAll(
        /"([^"]+)"/g,
      ),
    ].map((match) => match[1]);
  const channel = text.match(/^channel\s*=\s*"([^"]+)"/m)?.[1];
  if (!channel) throw new CliError("rust-toolchain.toml names no channel.");
  return { channel, components: list("components"), targets: list("targets") };
}

async function ensureRust() {
  const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
  // A shell that was open while rustup was installed does not know its folder yet.
  if (!which("cargo") && existsSync(cargoBin)) process.env.PATH += delimiter + cargoBin;

  const wanted = wantedRust();
  const byRustup =
    `  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh    (https://rustup.rs)\n` +
    `  rustup toolchain install ${wanted.channel} --profile minimal` +
    ` --component ${wanted.components.join(",")} --target ${wanted.targets.join(",")}`;
  if (which("rustup")) return ensureRustup(wanted);
  if (!which("cargo")) {
    throw new CliError(
      `Rust was not found. Install it with rustup, then run this again:\n\n${byRustup}`,
    );
  }
  const version = execCapture("rustc", ["--version"]).stdout.trim();
  const missing = wanted.targets.filter((target) => {
    const folder = execCapture("rustc", ["--print", "target-libdir", "--target", target]);
    return !folder.ok || !existsSync(folder.stdout.trim());
  });
  const release = version.split(" ")[1];
  if (release === wanted.channel && missing.length === 0) return;
  throw new CliError(
    `Rust ${wanted.channel} with the target ${wanted.targets.join(", ")} is needed. This machine has ` +
      `${version || "a cargo without rustc"}${missing.length ? `, without ${missing.join(", ")}` : ""}, and no rustup ` +
      `to add what is missing. Install rustup, then run this again:\n\n${byRustup}`,
  );
}

/** Installs by explicit commands: rustup's installing on its own may be switched off. */
async function ensureRustup({ channel, components, targets }) {
  const inRoot = (args) => execCapture("rustup", args).stdout.split("\n");
  if (!inRoot(["toolchain", "list"]).some((line) => line.startsWith(`${channel}-`))) {
    logStep(`Installing Rust ${channel} (some 100 MB)`);
    await run("rustup", [
      ...["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"],
      ...components.flatMap((name) => ["--component", name]),
      ...targets.flatMap((name) => ["--target", name]),
    ]);
    return;
  }
  for (const [kind, names] of Object.entries({ target: targets, component: components })) {
    const installed = inRoot([kind, "list", "--installed", "--toolchain", channel]);
    const missing = names.filter(
      (name) => !installed.some((line) => line === name || line.startsWith(`${name}-`)),
    );
    if (missing.length === 0) continue;
    logStep(`Adding to Rust ${channel}: ${missing.join(", ")}`);
    await run("rustup", [kind, "add", "--toolchain", channel, ...missing]);
  }
}

/** Installs the npm packages, unless exactly those of the lock file are there. */
async function ensureNpmPackages() {
  if (npmIsReady()) return;
  logStep("Installing the npm packages (npm ci)");
  await run(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"]);
}

/** npm keeps its own record of what it installed: it is compared with the lock file. */
function npmIsReady() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return false;
  const installed = read("node_modules/.package-lock.json");
  return Object.entries(read("package-lock.json")).every(([path, wanted]) => {
    if (!path.includes("node_modules/") || wanted.extraneous) return true;
    const found = installed[path];
    // Optional packages are those of other systems.
    if (!found) return wanted.optional || wanted.devOptional || wanted.peer;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/**
 * Installs a browser, unless there is one.
 *
 * @param {keyof typeof BROWSERS} name
 * @throws {CliError} with the remedy, if it can't be installed from here
 */
async function ensureBrowser(name) {
  if (findBrowser(name)) return;
  const { title, variable, debian, homebrew } = BROWSERS[name];
  if (process.platform === "darwin" && !homebrew) {
    throw new CliError(`There is no ${title} for macOS: these tests run on Linux.`);
  }
  const advice =
    `No ${title} was found; the browser tests need one. Install it, or name it:\n\n` +
    (process.platform === "darwin"
      ? `  brew install ${homebrew}\n`
      : `  sudo apt-get install ${debian.join(" ")}    (or your distribution's package)\n`) +
    `  ${variable}=/path/to/it in the environment`;
  if (!(await installPackages(debian)) || !findBrowser(name)) throw new CliError(advice);
}

/** The optional packages that this system does not have, one a line: they are looked for again once the file is removed. */
const UNKNOWN = join(root, "target/unknown-packages.txt");

/** Installs the programs that some tests need, and says what is left out without those that cannot be installed. */
async function tryOptional() {
  const missing = () => Object.values(OPTIONAL).filter(({ find }) => !find());
  const unknown = existsSync(UNKNOWN) ? readFileSync(UNKNOWN, "utf8").split("\n") : [];
  const packages = missing()
    .flatMap(({ debian }) => debian)
    .filter((name) => !unknown.includes(name));
  if (packages.length > 0) await installPackages(packages, { isOptional: true });
  for (const program of missing()) {
    const { title, without } = program;
    logStep(`Without ${title}, ${without}. To install it: ${remedyOf(program)}`);
  }
}

let hasUpdated = false;

/**
 * Installs Debian's packages with `apt-get`, whose lists are updated once per run.
 *
 * @param {string[]} packages
 * @param {{ isOptional?: boolean }} [options] `isOptional`: only those that there are, and a failure is not an error
 * @returns {Promise<boolean>} whether that was possible: there is an `apt-get`, and the user may run it
 */
async function installPackages(packages, { isOptional = false } = {}) {
  const apt = findApt();
  if (!apt) return false;
  try {
    if (!hasUpdated) await apt("update", "--quiet");
    hasUpdated = true;
    const isKnown = (/** @type {string} */ name) => execCapture("apt-cache", ["show", name]).ok;
    const unknown = isOptional ? packages.filter((name) => !isKnown(name)) : [];
    if (unknown.length > 0) {
      mkdirSync(dirname(UNKNOWN), { recursive: true });
      appendFileSync(UNKNOWN, `${unknown.join("\n")}\n`);
    }
    const known = packages.filter((name) => !unknown.includes(name));
    if (known.length === 0) return false;
    logStep(`Installing ${known.join(" ")} with apt-get`);
    await apt("install", "--yes", "--no-install-recommends", ...known);
    return true;
  } catch (error) {
    if (!isOptional || !(error instanceof CliError)) throw error;
    return false;
  }
}

/** Runs `apt-get` as root; `undefined` if there is none, or the user may not. */
function findApt() {
  if (!which("apt-get")) return undefined;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !(which("sudo") && execCapture("sudo", ["-n", "true"]).ok)) return undefined;
  // In this run level no service is started: each test starts a server of its own.
  const settings = ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];
  const [command, ...before] = [...(isRoot ? [] : ["sudo", "-n"]), "env", ...settings, "apt-get"];
  return (/** @type {string[]} */ ...args) => run(command, [...before, ...args]);
}

await runAsCli(import.meta, (args) =>
  setUp({ browser: args.includes("--browser"), optional: args.includes("--browser") }),
);
