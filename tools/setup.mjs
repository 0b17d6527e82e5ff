/**
 * Checks what must be on the machine before anything is built, installs what can be installed, and says what to do about
 * the rest. Needs nothing but Node; a second run finds all in place and changes nothing.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { BROWSERS, findBrowser } from "./lib/browser.mjs";
import { CliError, execCapture, logStep, root, run, runAsCli, which } from "./lib/run.mjs";

/**
 * Makes the machine ready.
 *
 * @param {{ browser?: boolean | keyof typeof BROWSERS }} [options] `browser`: tests are to run, and need Chromium, or
 * the one named
 * @throws {CliError} with the remedy, when something is missing that can't be installed from here
 */
export async function setUp({ browser = false } = {}) {
  checkNode();
  checkLinker();
  await ensureRust();
  await ensureNpmPackages();
  if (!browser) return;
  await ensureBrowser(browser === true ? "chromium" : browser);
  if (browser === true) await tryHeadlessShell();
  await ensureRedis();
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
 * @throws {CliError} with the remedy, where it can't be installed from here
 */
async function ensureBrowser(name) {
  if (findBrowser(name)) return;
  const { title, variable, debian, homebrew } = BROWSERS[name];
  if (process.platform === "darwin" && !homebrew) {
    throw new CliError(`There is no ${title} for macOS: these tests run on Linux.`);
  }
  const packages = debian.join(" ");
  const advice =
    `No ${title} was found; the browser tests need one. Install it, or name it:\n\n` +
    (process.platform === "darwin"
      ? `  brew install ${homebrew}\n`
      : `  sudo apt-get install ${packages}    (or your distribution's package)\n`) +
    `  ${variable}=/path/to/it in the environment`;
  const apt = findApt();
  if (!apt) throw new CliError(advice);
  logStep(`Installing ${packages} with apt-get (some 100 MB)`);
  await apt(["apt-get", "update", "--quiet"]);
  await apt(["apt-get", "install", "--yes", "--no-install-recommends", ...debian]);
  if (!findBrowser(name)) throw new CliError(advice);
}

/** Installs Chromium's headless shell if this system has one: tests are quicker in it. */
async function tryHeadlessShell() {
  try {
    await ensureBrowser("headlessShell");
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    logStep(
      "Chromium's headless shell cannot be installed: the tests use Chromium, which takes longer",
    );
  }
}

/** Installs Redis, which the tests of several gateways start; where it cannot be installed, they say what to do. */
async function ensureRedis() {
  if (which("redis-server")) return;
  const apt = findApt();
  if (!apt) return;
  logStep("Installing redis-server with apt-get");
  // Its service is not started: each test starts a server of its own.
  const env = { RUNLEVEL: "1" };
  await apt(["apt-get", "update", "--quiet"], env);
  await apt(["apt-get", "install", "--yes", "--no-install-recommends", "redis-server"], env);
}

/** Runs `apt-get` as root; `undefined` if there is none, or the user may not. */
function findApt() {
  if (!which("apt-get")) return undefined;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !(which("sudo") && execCapture("sudo", ["-n", "true"]).ok)) return undefined;
  return ([command, ...args], more = {}) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", ...more };
    return isRoot ? run(command, args, { env }) : run("sudo", ["-n", command, ...args], { env });
  };
}

await runAsCli(import.meta, (args) => setUp({ browser: args.includes("--browser") }));
