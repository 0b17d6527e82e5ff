/**
 * Builds the npm package into `pkg/`: Rust to WebAssembly, the loader's glue beside it, then the scripts and their
 * types. A stage whose inputs have not changed is left out.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ownCrate, SBOM } from "./lib/dependencies.mjs";
import { ADDED_TYPES, patchGlue } from "./lib/glue.mjs";
import { CliError, execCapture, logStep, root, run, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";
import { printSizes } from "./sizes.mjs";

const TARGET = "wasm32-unknown-unknown";
const NAME = "classlink_spa";
const WASM = `${NAME}_bg.wasm`;

const template = join(root, "pkg-template");
const wasmFolder = join(template, "src/wasm");
const pkg = join(root, "pkg");
const target = join(root, "target");

const WASM_OPT = join(root, "node_modules/binaryen/bin/wasm-opt");

/** The standard library rebuilt for size: the one that comes with Rust is made for speed. */
const SMALL_STD = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/**
 * A panic traps at once, without a text or a place: formatting those would be a tenth of the module. Small helpers are
 * inlined, as in a build that is made for speed, and that before what waits in an `async` function is laid out: calls to
 * them weigh more than they do. Partial redundancy elimination, which copies code into each way that leads to it, is off:
 * about 700 bytes less (brotli).
 */
const SMALL = [
  "-Zunstable-options",
  "-Zinline-mir=yes",
  "-Cllvm-args=-inline-threshold=25 -enable-pre=false",
  "-Cpanic=immediate-abort",
  "-Zlocation-detail=none",
  "-Zfmt-debug=none",
];

const DIAGNOSIS = "diagnosis.js";

/**
 * The package's entries: a source in `pkg-template/src`, and the file at the package's root that it becomes.
 * `declares` says whether the entry has types of its own, `hasDefault` whether they have a default export, `holdsCore`
 * whether the client and its glue are in the bundle.
 *
 * @type {{ source: string, file: string, platform: import("esbuild").Platform, declares: boolean, hasDefault?: boolean,
 *   holdsCore?: boolean, banner?: string }[]}
 */
const ENTRIES = [
  // No entry of its own: the client loads it when it is asked for a diagnosis.
  { source: "diagnosis.ts", file: DIAGNOSIS, platform: "browser", declares: false },
  { source: "index.ts", file: "index.js", platform: "browser", declares: true, holdsCore: true },
  { source: "index.node.ts", file: "index.node.js", platform: "node", declares: false },
  { source: "inline.ts", file: "inline.js", platform: "browser", declares: true, holdsCore: true },
  {
    source: "react.tsx",
    file: "react.js",
    platform: "browser",
    declares: true,
    // Hooks and context are for the browser's side of Next.js and its like.
    banner: '"use client";',
  },
  { source: "vue.ts", file: "vue.js", platform: "browser", declares: true },
  { source: "router.ts", file: "router.js", platform: "browser", declares: true },
  { source: "testing.ts", file: "testing.js", platform: "neutral", declares: true },
  { source: "devtools.ts", file: "devtools.js", platform: "browser", declares: true },
  { source: "es.ts", file: "es.js", platform: "browser", declares: true, hasDefault: true },
  { source: "gateway.ts", file: "gateway.js", platform: "neutral", declares: true },
  { source: "gateway-node.ts", file: "gateway-node.js", platform: "node", declares: true },
  { source: "next.ts", file: "next.js", platform: "neutral", declares: true },
  { source: "vite.ts", file: "vite.js", platform: "neutral", declares: true },
  {
    source: "cli.ts",
    file: "cli.js",
    platform: "node",
    declares: false,
    banner: "#!/usr/bin/env node",
  },
];

/** Pages about the project itself, which stay in the repository. */
const MAINTAINERS = new Set([
  ...["conformance.md", "dependencies.md", "faults.md", "fuzzing.md", "mutation-testing.md"],
]);

/** The stylesheet, which is copied into the package unchanged. */
const STYLES = "styles.css";

/**
 * Members that only the client's own scripts and its glue use, shortened in the bundles that hold both: they save 170
 * bytes. None may be a name of the public interface or of the platform, or a member of what crosses over as data.
 */
const INTERNAL_MEMBERS = [
  ...["__wbg_reset_state", "callForFetch", "emitLoginFailure", "forFetch", "freezeResult"],
  ...["handOver", "handleMessage", "isClosed", "isLogin", "isQuiet", "isRetryable", "isSignedIn"],
  ...[
    "knownMetadata",
    "onSnapshot",
    "onStart",
    "openChildWindow",
    "panicked",
    "popupOf",
    "prefetch",
    "rejectAll",
  ],
  ...["rejectLocalized", "recordActivity", "removeListeners", "reuseUser", "setPanicListener"],
  ...["prepareSignIn", "prepareSignOut", "prepareStatus", "settlePrepared", "stripState", "toJson"],
];

/** The imports that the application's own `node_modules` resolves, or another entry's file. */
const EXTERNAL = ["classlink-spa", "jose", "next", "react", "vue", `./${DIAGNOSIS}`];

/** An entry that takes the gateway from its own file. */
const NEXT_EXTERNAL = ["./gateway.js"];

/**
 * Builds what has changed, and prints what users download.
 *
 * @param {{ isDev?: boolean }} [options] `isDev`: a development build, made in seconds after a change: with the standard
 * library that comes with Rust, without link-time optimization, and not made smaller
 * @throws {CliError} when a step fails
 */
export async function build({ isDev = false } = {}) {
  const started = performance.now();
  const wasm = await stage("wasm", {
    inputs: [
      "Cargo.toml",
      "Cargo.lock",
      "rust-toolchain.toml",
      ".cargo",
      "src",
      "tools/wasm-bindgen",
      "tools/lib/glue.mjs",
      "tools/build.mjs",
    ],
    variant: isDev ? "development" : "release",
    outputs: ["pkg-template/src/wasm"],
    work: () => (isDev ? buildDevWasm(wasmFolder) : buildWasm(wasmFolder)),
  });
  const scripts = await stage("package", {
    inputs: [
      "Cargo.toml",
      "Cargo.lock",
      "rust-toolchain.toml",
      "pkg-template",
      "package-lock.json",
      "LICENSE",
      "CHANGELOG.md",
      "docs",
      "tools/build.mjs",
      "tools/lib/dependencies.mjs",
      "tools/lib/sbom.mjs",
    ],
    outputs: ["pkg", `pkg/${SBOM}`, ...ENTRIES.map(({ file }) => `pkg/${file}`)],
    work: buildPackage,
  });
  linkPackage();
  if (wasm || scripts) {
    logStep(`Built pkg/ in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    if (!isDev) printSizes();
  } else {
    logStep("pkg/ is up to date");
  }
}

/**
 * Builds the native gateway server for the tests, and the crates' tests beside it, which share its dependencies. No other
 * command needs them.
 *
 * @throws {CliError} when it does not compile
 */
export async function buildGateway() {
  logStep("Building the crates' tests and the native gateway server (minutes, the first time)");
  await run("cargo", ["test", "--workspace", "--locked", "--no-run", "--quiet"]);
}

/**
 * Does a stage's work unless its outputs were made from the very same inputs.
 *
 * @param {string} name
 * @param {{ inputs: string[], outputs: string[], variant?: string, work: () => Promise<void> }} stage paths are relative
 * to the root; `variant`: which of several ways of making the outputs
 * @returns {Promise<boolean>} whether there was anything to do
 */
async function stage(name, { inputs, outputs, variant = "", work }) {
  const stamp = join(target, `built-${name}.stamp`);
  const digest = digestOf(inputs) + variant;
  const standing = outputs.every((path) => existsSync(join(root, path)));
  if (standing && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return false;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(target, { recursive: true });
  writeFileSync(stamp, digest);
  return true;
}

/** One hash over the contents of files and folders; what is missing counts as empty. */
function digestOf(paths) {
  const hash = createHash("sha256");
  const add = (path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (lstatSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) add(join(path, name));
    } else {
      const bytes = readFileSync(full);
      hash.update(`${path}\0${bytes.length}\0`).update(bytes);
    }
  };
  for (const path of paths) add(path);
  return hash.digest("hex");
}

/**
 * Compiles the crate and makes the loader's glue.
 *
 * @param {string} folder where both go
 * @param {{ features?: string[], isOptimized?: boolean }} [options] `features`: of the crate; `isOptimized`: whether it is
 * made smaller, which takes twice as long
 */
export async function buildWasm(folder, { features = [], isOptimized = true } = {}) {
  // RUSTFLAGS would replace the flags of .cargo/config.toml.
  /** @type {NodeJS.ProcessEnv} */
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, ...env } = {
    ...process.env,
    CARGO_TARGET_DIR: target,
  };
  await buildBindgen(env);
  logStep("Compiling Rust to WebAssembly");
  await run(
    "cargo",
    [
      ...["rustc", "--locked", "--release", "--lib", "--package", "classlink-spa"],
      // Alone: beside an rlib Cargo leaves link-time optimization out.
      ...["--crate-type", "cdylib"],
      ...["--target", TARGET, "--features", features.join(","), ...SMALL_STD],
      ...[
        "--config",
        `target.${TARGET}.rustflags=${JSON.stringify([...SMALL, ...remappedPaths()])}`,
      ],
    ],
    // The pinned release takes the flags above, which are a nightly's otherwise. This one build uses them.
    { env: { ...env, RUSTC_BOOTSTRAP: "1" } },
  );
  const raw = join(target, "wasm-bindgen");
  await bindWasm(raw);
  const bound = join(raw, "bound.wasm");
  if (isOptimized) {
    logStep("Making the WebAssembly smaller (wasm-opt)");
    await optimiseWasm(raw, bound);
  } else {
    renameSync(join(raw, WASM), bound);
  }
  finishWasm(raw, bound, folder);
}

/**
 * Builds the WebAssembly for development.
 *
 * @param {string} folder where both go
 */
async function buildDevWasm(folder) {
  /** @type {NodeJS.ProcessEnv} */
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, ...env } = {
    ...process.env,
    CARGO_TARGET_DIR: target,
  };
  await buildBindgen(env);
  logStep("Compiling Rust to WebAssembly, for development");
  const profile = "development";
  await run(
    "cargo",
    [
      ...["build", "--locked", "--profile", profile, "--lib", "--package", "classlink-spa"],
      ...["--target", TARGET],
    ],
    { env },
  );
  const raw = join(target, "wasm-bindgen-development");
  await bindWasm(raw, profile);
  const plain = join(raw, "plain.wasm");
  renameSync(join(raw, WASM), plain);
  finishWasm(raw, plain, folder);
}

/** @param {NodeJS.ProcessEnv} env */
async function buildBindgen(env) {
  logStep("Building the wasm-bindgen that Cargo.lock pins (half a minute, the first time)");
  // Of the whole workspace, so that Clippy and the tests share what it compiles: the features are the same.
  await run("cargo", ["build", "--locked", "--workspace", "--bin", "wasm-bindgen-runner"], { env });
}

/**
 * Shortens the names of imports and exports, and fits the glue to them.
 *
 * @param {string} raw where the glue is
 * @param {string} bound the WebAssembly; it is removed
 * @param {string} folder where both go
 */
function finishWasm(raw, bound, folder) {
  const names = execCapture(process.execPath, [
    ...[WASM_OPT, bound, "--minify-imports-and-exports-and-modules", "--strip-target-features"],
    ...["--output", join(raw, WASM)],
  ]);
  if (!names.ok) throw new CliError("wasm-opt can't shorten the names of imports and exports.");
  rmSync(bound);
  const glue = join(raw, `${NAME}.js`);
  writeFileSync(glue, patchGlue(readFileSync(glue, "utf8"), JSON.parse(names.stdout)));
  appendFileSync(join(raw, `${NAME}.d.ts`), ADDED_TYPES);
  // It declares the WebAssembly's exports; the scripts import the file itself, as text.
  rmSync(join(raw, `${WASM}.d.ts`));
  rmSync(folder, { recursive: true, force: true });
  cpSync(raw, folder, { recursive: true });
}

/** Gives what cargo compiled last its glue. @param {string} folder where both go @param {string} [profile] cargo's */
export async function bindWasm(folder, profile = "release") {
  rmSync(folder, { recursive: true, force: true });
  const compiled = join(target, TARGET, profile, `${NAME}.wasm`);
  await run(join(target, "debug/wasm-bindgen-runner"), [compiled, folder]);
}

/**
 * Makes smaller what {@link bindWasm} made.
 *
 * @param {string} folder where that is
 * @param {string} output
 * @param {string[]} [more] of wasm-opt's switches
 */
export async function optimiseWasm(folder, output, more = []) {
  await run(process.execPath, [
    // Flat code, read again into loops and branches, is more alike: 400 bytes less after brotli.
    ...[WASM_OPT, "--flatten", "--rereloop"],
    ...["-Oz", "--converge", "--low-memory-unused", "--zero-filled-memory"],
    ...["--skip-pass=local-cse", "--skip-pass=simplify-locals"],
    // A module's functions stand beside each other: 130 bytes less.
    "--reorder-functions-by-name",
    // Large functions compress worse than several small ones.
    "--one-caller-inline-max-function-size=40",
    "--always-inline-max-function-size=4",
    ...[...more, join(folder, WASM), "--output", output],
  ]);
}

/** Flags that keep this machine's paths out of the WebAssembly, so that it is the same wherever it is built. */
function remappedPaths() {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  const version = execCapture("rustc", ["-vV"]).stdout;
  const sysroot = execCapture("rustc", ["--print", "sysroot"]).stdout.trim();
  const commit = version.match(/^commit-hash: (\S+)$/m)?.[1] ?? "unknown";
  const pairs = [
    [root, "."],
    // The standard library's sources, if the component `rust-src` is installed.
    [join(sysroot, "lib/rustlib/src/rust"), `/rustc/${commit}`],
    // Each registry or mirror has a folder of its own.
    ...(existsSync(registry) ? readdirSync(registry) : []).map((name) => [
      join(registry, name),
      "/crates",
    ]),
  ];
  return pairs.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

async function buildPackage() {
  const { version } = ownCrate();
  // The old package stays whole until the new one is.
  const next = join(target, "pkg");
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });

  logStep("Checking the scripts and writing their types (tsc)");
  await run(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    ...["--project", template, "--outDir", join(target, "types")],
  ]);
  copyTypes(join(target, "types"), next);
  logStep("Bundling (esbuild)");
  await bundle(next, version);

  copyFileSync(join(wasmFolder, WASM), join(next, WASM));
  const { name, ...rest } = JSON.parse(readFileSync(join(template, "package.json"), "utf8"));
  writeFileSync(
    join(next, "package.json"),
    `${JSON.stringify({ name, version, ...rest }, null, 2)}\n`,
  );
  for (const path of [
    ...["README.md", STYLES].map((file) => join(template, file)),
    ...["LICENSE", "CHANGELOG.md"].map((file) => join(root, file)),
  ]) {
    if (existsSync(path)) copyFileSync(path, join(next, relative(dirname(path), path)));
  }
  copyGuides(next);
  logStep("Listing what is in it (CycloneDX)");
  // As with esbuild: not before the npm packages are sure to be there.
  const { makeSbom } = await import("./lib/sbom.mjs");
  writeFileSync(join(next, SBOM), makeSbom());
  rmSync(pkg, { recursive: true, force: true });
  renameSync(next, pkg);
}

async function bundle(outdir, version) {
  const esbuild = await import("esbuild");
  for (const { source, file, platform, banner, holdsCore } of ENTRIES) {
    await esbuild
      .build({
        entryPoints: [join(template, "src", source)],
        outfile: join(outdir, file),
        bundle: true,
        // Servers show the line that threw.
        minify: platform === "browser",
        ...(holdsCore && { mangleProps: new RegExp(`^(${INTERNAL_MEMBERS.join("|")})$`) }),
        format: "esm",
        platform,
        jsx: "automatic",
        ...(banner && platform !== "browser" && { banner: { js: banner } }),
        // Safari 16.4 is the oldest whose WebAssembly has reference types without faults.
        target: platform === "node" ? "node20.19" : ["es2022", "safari16.4"],
        // A page's imports must not wait for this one.
        supported: { "top-level-await": false },
        external: file === "next.js" ? [...EXTERNAL, ...NEXT_EXTERNAL] : EXTERNAL,
        // Text, decoded when it is needed: `binary` would decode at import.
        loader: { ".wasm": "base64" },
        define: { __VERSION__: JSON.stringify(version) },
        // No source maps: they would double the package, and the sources are in the repository.
        sourcemap: false,
        charset: "utf8",
        legalComments: "none",
        logLevel: "warning",
      })
      .catch((error) => {
        throw new CliError(`esbuild can't bundle ${source}: ${error.message}`);
      });
    if (platform === "browser") await minify(join(outdir, file), banner);
  }
  // Bundlers look for this very expression.
  const main = readFileSync(join(outdir, "index.js"), "utf8");
  if (
    !new RegExp(`new URL\\("\\./${WASM.replace(".", "\\.")}",\\s*import\\.meta\\.url\\)`).test(main)
  ) {
    throw new CliError(`index.js must contain new URL("./${WASM}", import.meta.url), as written.`);
  }
}

/**
 * Minifies a script that esbuild has minified: Terser saves another 480 of the main entry's bytes.
 *
 * @param {string} path
 * @param {string} [banner] A first line.
 */
async function minify(path, banner) {
  const { minify } = await import("terser");
  const { code = "" } = await minify(readFileSync(path, "utf8"), {
    module: true,
    ecma: 2020,
    // Functions that it moves into others keep closed clients alive.
    compress: { passes: 3, reduce_vars: false },
    format: { preamble: banner },
  });
  writeFileSync(path, code);
}

/**
 * Copies the types that an entry's users can reach, and puts one file for each entry at the package's root.
 */
function copyTypes(from, outdir) {
  const copied = new Set();
  const copy = (path) => {
    if (copied.has(path)) return;
    copied.add(path);
    const source = join(from, path);
    if (!existsSync(source)) {
      throw new CliError(
        `The package's types name ${path}, which is no module of pkg-template/src.`,
      );
    }
    mkdirSync(dirname(join(outdir, "types", path)), { recursive: true });
    copyFileSync(source, join(outdir, "types", path));
    for (const [, imported] of readFileSync(source, "utf8").matchAll(
      /(?:from|import)\s*\(?\s*"(\.[^"]+)\.js"/g,
    )) {
      copy(join(dirname(path), `${imported}.d.ts`));
    }
  };
  for (const { source, file, declares, hasDefault } of ENTRIES) {
    if (!declares) continue;
    const types = source.replace(/\.tsx?$/, ".d.ts");
    copy(types);
    const path = `"./types/${types.replace(/\.d\.ts$/, ".js")}"`;
    writeFileSync(
      join(outdir, file.replace(/\.js$/, ".d.ts")),
      `export * from ${path};\n${hasDefault ? `export { default } from ${path};\n` : ""}`,
    );
  }
}

/**
 * Copies the guides for users, with the samples and the images that they show. A link that leads out of the package becomes
 * plain text.
 *
 * @param {string} outdir
 */
function copyGuides(outdir) {
  const docs = join(root, "docs");
  const guides = readdirSync(docs).filter((name) => name.endsWith(".md") && !MAINTAINERS.has(name));
  const copied = new Set(guides);
  mkdirSync(join(outdir, "docs"), { recursive: true });
  for (const name of guides) {
    const text = readFileSync(join(docs, name), "utf8").replace(
      /(!?)\[([^\]\n]+)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g,
      (link, image, label, path) => {
        if (image) copyFileSync(join(docs, path), join(outdir, "docs", path));
        return image || copied.has(path) || /^(recipes|examples)\//.test(path) ? link : label;
      },
    );
    writeFileSync(join(outdir, "docs", name), text);
  }
  for (const folder of ["recipes", "examples"]) {
    cpSync(join(docs, folder), join(outdir, "docs", folder), { recursive: true });
  }
}

/** Lets the demo and the tests import the package by its name. */
function linkPackage() {
  const link = join(root, "node_modules/classlink-spa");
  if (existsSync(join(link, "package.json"))) return;
  rmSync(link, { recursive: true, force: true });
  symlinkSync(process.platform === "win32" ? pkg : "../pkg", link, "junction");
}

await runAsCli(import.meta, async (args) => {
  const { values } = parseArgs({ args, options: { dev: { type: "boolean" } } });
  await setUp();
  await build({ isDev: values.dev });
});
