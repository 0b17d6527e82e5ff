/**
 * The projects that `npm run test:packaging` tries the packed package in: what each installs, builds and starts. A
 * project is installed once, and has a trial for each way to use the package in it.
 */

import assert from "node:assert/strict";
import { copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execCapture, run } from "../../tools/lib/run.mjs";
import { install } from "../../tools/lib/temp-project.mjs";
import { createApplication, createTrials } from "./create.mjs";
import { PACKED_FILES } from "./packed-files.mjs";
import { QUICK_START, startQuickStart } from "./quick-start.mjs";
import {
  BUILT,
  files,
  INLINE,
  PRELOADED,
  program,
  SPLIT,
  serverRendered,
  startSite,
  WITH_FILE,
} from "./site.mjs";
import { pinned, VERSIONS } from "./versions.mjs";

/** @import { Trial } from "../../tools/lib/temp-project.mjs" */

const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));
const WASM = "node_modules/classlink-spa/classlink_spa_bg.wasm";

/**
 * The package as it was packed: `pack` in `tools/lib/temp-project.mjs`.
 *
 * @typedef {{ archive: string, files: string[] }} Packed
 *
 * @typedef {object} Project
 * @property {string} name
 * @property {Record<string, string>} [packages] Exact versions, installed beside the packed package.
 * @property {(folder: string, packed: Packed) => Promise<void>} [install] In place of that.
 * @property {string[]} [templates] Folders of `fixtures`, copied into it.
 * @property {(Omit<Trial, "start"> & { start: (folder: string, packed: Packed) => Promise<any> })[]} trials
 */

const NO_REGISTRY = ["--registry", "http://127.0.0.1:9", "--fetch-retries", "0"];

/** The path of a package's own program. */
function programOf(folder, name, program = name) {
  const { resolve } = createRequire(join(folder, "package.json"));
  // Not every package exports its package.json.
  const [nearest] = resolve.paths(name) ?? [];
  const manifest = join(nearest ?? "", name, "package.json");
  const { bin } = createRequire(manifest)(manifest);
  return join(dirname(manifest), typeof bin === "string" ? bin : bin[program]);
}

/** Runs a bundler, as an application's `npm run build` would. */
const runTool = (folder, [name, ...args], env) =>
  run(process.execPath, [programOf(folder, name), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NEXT_TELEMETRY_DISABLED: "1", ...env },
  });

/**
 * Writes the application's client.
 *
 * @param {string} folder
 * @param {{ entry?: string, wasmUrl?: string }} [how]
 */
async function writeClient(folder, { entry = "classlink-spa", wasmUrl } = {}) {
  const more = wasmUrl ? `, wasmUrl: ${JSON.stringify(wasmUrl)}` : "";
  await writeFile(
    join(folder, "client.js"),
    `import { createClient } from "${entry}";\n\n` +
      `export const client = createClient({ ...globalThis.settings${more} });\n`,
  );
}

/** Puts the application's page beside its bundled script. */
async function writePage(folder, change = (page) => page) {
  const page = await readFile(join(folder, "index.html"), "utf8");
  await writeFile(join(folder, "dist/index.html"), change(page));
}

/** A classic script, as webpack and Rspack make it. */
const asClassicScript = (page) =>
  page.replace('type="module" src="./main.js"', 'defer src="/main.js"');

/**
 * An application that is built into `dist`, and served as files.
 *
 * @param {object} how
 * @param {string} how.name
 * @param {(folder: string) => Promise<unknown>} how.build
 * @param {Trial["checks"]} how.checks
 * @param {Parameters<typeof writeClient>[1]} [how.client]
 * @returns {Trial}
 */
function built({ name, build, checks, client }) {
  return {
    name,
    async prepare(folder) {
      await rm(join(folder, "dist"), { recursive: true, force: true });
      await writeClient(folder, client);
      await build(folder);
    },
    start: (folder) => startSite(files(join(folder, "dist")), join(folder, "dist")),
    checks,
  };
}

/** Vite with the package's plugin. */
const WITH_PRELOAD = {
  config: `import { classLinkSpa } from "classlink-spa/vite";

export default { plugins: [classLinkSpa()] };
`,
  checks: { ...BUILT, ...PRELOADED },
};

/**
 * Vite's build and its development server.
 *
 * @param {object} [how]
 * @param {string} [how.tool]
 * @param {string} [how.config] a configuration file's text
 * @param {Trial["checks"]} [how.checks] of the build
 */
function viteTrials({ tool = "vite", config = "export default {};\n", checks = BUILT } = {}) {
  const prepare = async (folder) => {
    await writeClient(folder);
    await writeFile(join(folder, "vite.config.js"), config);
  };
  return [
    built({
      name: `${tool} build`,
      async build(folder) {
        await prepare(folder);
        await viteBuild(folder, tool);
      },
      checks,
    }),
    { name: `${tool} dev`, prepare, start: (folder) => viteDev(folder, tool), checks: WITH_FILE },
  ];
}

const viteBuild = (folder, tool = "vite") =>
  run(process.execPath, [programOf(folder, tool, "vite"), "build"], { cwd: folder });

const viteDev = (folder, tool = "vite") =>
  startSite(
    program(
      folder,
      (port) => [
        programOf(folder, tool, "vite"),
        ...["--host", "127.0.0.1", "--port", String(port), "--strictPort"],
      ],
      { NODE_ENV: "development" },
    ),
    folder,
  );

/**
 * The three ways for bundlers that don't follow `new URL`, as the documentation shows them.
 *
 * @param {string} tool
 * @param {(folder: string) => Promise<unknown>} build
 */
function trialsOfOtherWays(tool, build) {
  const copyTo = (to) => async (folder) => {
    await build(folder);
    await copyFile(join(folder, WASM), join(folder, "dist", to));
    await writePage(folder);
  };
  return [
    built({
      name: `${tool}, classlink-spa/inline`,
      client: { entry: "classlink-spa/inline" },
      async build(folder) {
        await build(folder);
        await writePage(folder);
      },
      checks: INLINE,
    }),
    built({
      name: `${tool}, the file beside the bundle`,
      build: copyTo("classlink_spa_bg.wasm"),
      checks: BUILT,
    }),
    built({
      name: `${tool}, the file elsewhere`,
      client: { wasmUrl: "/sign-in.wasm" },
      build: copyTo("sign-in.wasm"),
      checks: BUILT,
    }),
  ];
}

/**
 * A framework's components, built by Vite with the framework's plugin.
 *
 * @param {"react" | "vue"} framework
 * @param {...(Parameters<typeof pinned>[number])} packages
 */
const withPlugin = (framework, ...packages) => ({
  name: framework,
  packages: pinned("vite", `@vitejs/plugin-${framework}`, framework, ...packages),
  templates: [framework],
  trials: viteTrials({
    config: `import plugin from "@vitejs/plugin-${framework}";\n\nexport default { plugins: [plugin()] };\n`,
  }).map((trial) => ({ ...trial, name: `${framework}, ${trial.name}` })),
});

/**
 * webpack, and Rspack that is like it.
 *
 * @param {string} name
 * @param {[tool: string, program?: string]} tools
 * @param {Record<string, string>} packages
 */
function webpackLike(name, [tool, program], packages) {
  return {
    name,
    packages,
    templates: ["app", "webpack"],
    trials: [
      built({
        name: `${name} build`,
        async build(folder) {
          await run(
            process.execPath,
            [programOf(folder, tool, program), "build", "--config", "bundler.config.mjs"],
            { cwd: folder },
          );
          await writePage(folder, asClassicScript);
        },
        checks: BUILT,
      }),
    ],
  };
}

/** Next.js with one of its bundlers. */
const nextTrial = (bundler, flag) => ({
  name: `next, ${bundler}`,
  async prepare(folder) {
    await rm(join(folder, ".next"), { recursive: true, force: true });
    await runTool(folder, ["next", "build", flag]);
  },
  start: (folder) =>
    startSite(
      program(folder, (port) => [
        programOf(folder, "next"),
        ...["start", "--port", String(port), "--hostname", "127.0.0.1"],
      ]),
      join(folder, ".next/static"),
    ),
  checks: { ...BUILT, ...PRELOADED, ...serverRendered("/guarded") },
});

/** A framework's development server. */
const devTrial = (name, command, ...guarded) => ({
  name: `${name} dev`,
  start: (folder) =>
    startSite(
      program(folder, (port) => [programOf(folder, name), "dev", ...command(String(port))], {
        NODE_ENV: "development",
      }),
      folder,
    ),
  checks: { ...WITH_FILE, ...serverRendered(...guarded) },
});

/** The quick start's Next.js app, with one of Next's servers. @param {"dev" | "start"} server */
const quickStartTrial = (server) => ({
  name: `quick start, Next.js, next ${server}`,
  async prepare(folder) {
    // Of the trial before, whose secrets a build must not find.
    for (const name of [".next", ".env.local"]) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  },
  start: (folder) =>
    startQuickStart(folder, {
      command: [programOf(folder, "next"), server],
      mode: server === "dev" ? "development" : "production",
      build: server === "dev" ? undefined : () => runTool(folder, ["next", "build"]),
    }),
  checks: QUICK_START,
});

/**
 * An application of `npm create classlink-spa`.
 *
 * @param {string} template
 * @returns {Project}
 */
const created = (template) => ({
  name: `create-${template}`,
  install: (folder, { archive }) => createApplication(template, folder, archive),
  trials: createTrials(template),
});

/** Runs a program of the project, and returns what it prints. */
function printed(folder, args) {
  const { ok, stdout, stderr } = execCapture(process.execPath, args, { cwd: folder });
  assert.ok(ok, `${stdout}\n${stderr}`);
  return stdout;
}

/** A trial without a page: its checks get the folder and the packed package. */
const inFolder = (name, checks) => ({
  name,
  start: async (folder, packed) => ({ folder, ...packed, stop: async () => {} }),
  checks,
});

/** How an application's TypeScript may find the package's types; the latter two as Node does. */
const RESOLUTIONS = { bundler: "esnext", node16: "node16", nodenext: "nodenext" };

/**
 * The programs of applications, with the compiler's options. Each has the types of its own platform and no others, and the package's are
 * checked with it.
 */
const PROGRAMS = {
  "browser.ts": ["--lib", "es2022,dom"],
  "react.tsx": ["--lib", "es2022,dom"],
  "vue.ts": ["--lib", "es2022,dom"],
  "testing.ts": ["--lib", "es2022,dom"],
  "server.ts": ["--lib", "es2022", "--types", "node"],
};

/** A check for each way that one compiler may find the types. */
const typeChecks = (compiler) =>
  Object.fromEntries(
    Object.entries(RESOLUTIONS).map(([resolution, module]) => [
      `${compiler} finds them by ${resolution}`,
      async ({ folder }) => {
        for (const [file, flags] of Object.entries(PROGRAMS)) {
          printed(folder, [
            programOf(folder, compiler, "tsc"),
            ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"],
            ...["--target", "es2022", "--module", module, "--moduleResolution", resolution],
            ...["--jsx", "react-jsx", ...flags, file],
          ]);
        }
      },
    ]),
  );

/** @type {readonly Project[]} */
export const PROJECTS = [
  {
    name: "files",
    packages: {},
    trials: [
      inFolder("the packed files", {
        async "the packed files are those of the reviewed list"({ files }) {
          assert.deepEqual(files, PACKED_FILES);
        },
        async "npm would publish the package, the stand-in and the templates"() {
          const args = ["publish", "--dry-run", "--ignore-scripts", "--access", "public"];
          for (const folder of ["pkg", "www/stand-in", "create"]) {
            // No registry is asked what it has.
            const { ok, stderr } = execCapture("npm", [...args, ...NO_REGISTRY], {
              cwd: fileURLToPath(new URL(`../../${folder}/`, import.meta.url)),
            });
            assert.ok(ok, stderr);
            assert.doesNotMatch(stderr, /auto-corrected|npm pkg fix/i);
          }
        },
      }),
    ],
  },
  {
    name: "linters",
    packages: pinned("publint", "@arethetypeswrong/cli"),
    trials: [
      inFolder("the linters of packages", {
        async "publint finds no fault"({ folder, archive }) {
          printed(folder, [programOf(folder, "publint"), "run", "--strict", archive]);
        },
        async "attw finds every entry's types"({ folder, archive }) {
          printed(folder, [
            programOf(folder, "@arethetypeswrong/cli", "attw"),
            ...[archive, "--profile", "esm-only"],
            // Files for bundlers and servers, not modules: they have no types.
            ...["--exclude-entrypoints", "./classlink_spa_bg.wasm", "./styles.css"],
          ]);
        },
      }),
    ],
  },
  {
    name: "types",
    packages: pinned("typescript", "typescript-5", "@types/node", "@types/react", "react", "vue"),
    templates: ["types"],
    trials: [
      inFolder("the types under strict", {
        ...typeChecks("typescript"),
        ...typeChecks("typescript-5"),
      }),
    ],
  },
  {
    name: "node",
    packages: {},
    templates: ["node"],
    trials: [
      inFolder("node", {
        async "a server may import and require it, and make a client that stays loading"({
          folder,
        }) {
          assert.deepEqual(JSON.parse(printed(folder, ["server.mjs"])), {
            status: "loading",
            startLogin: "environment_unsupported",
            diagnose: "environment_unsupported",
            required: "function",
            inline: "function",
            devtools: "function",
            testing: "function",
            spanish: "object",
            vite: "function",
            gateway: "function",
          });
        },
      }),
    ],
  },
  {
    name: "plain",
    packages: {},
    templates: ["app"],
    trials: [
      {
        name: "plain <script type=module>",
        async prepare(folder) {
          await writeClient(folder);
          const page = await readFile(join(folder, "index.html"), "utf8");
          const imports = { "classlink-spa": "/node_modules/classlink-spa/index.js" };
          const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
          await writeFile(join(folder, "index.html"), page.replace("<title>", `${map}<title>`));
        },
        start: (folder) => startSite(files(folder), folder),
        checks: { ...WITH_FILE, ...SPLIT },
      },
    ],
  },
  { name: "vite", packages: pinned("vite"), templates: ["app"], trials: viteTrials() },
  {
    name: "vite-preload",
    packages: pinned("vite"),
    templates: ["app"],
    trials: viteTrials(WITH_PRELOAD),
  },
  {
    name: "vite-7",
    packages: pinned("vite-7"),
    templates: ["app"],
    // Its development server needs the plugin.
    trials: viteTrials({ tool: "vite-7", ...WITH_PRELOAD }),
  },
  withPlugin("react", "react-dom"),
  withPlugin("vue", "vue-router"),
  webpackLike("webpack", ["webpack-cli"], pinned("webpack", "webpack-cli")),
  webpackLike("rspack", ["@rspack/cli", "rspack"], pinned("@rspack/core", "@rspack/cli")),
  {
    name: "parcel",
    packages: pinned("parcel"),
    templates: ["app"],
    trials: [
      built({
        name: "parcel build",
        build: (folder) => runTool(folder, ["parcel", "build", "index.html", "--no-cache"]),
        checks: BUILT,
      }),
    ],
  },
  {
    name: "rollup",
    packages: pinned("rollup", "@rollup/plugin-node-resolve"),
    templates: ["app"],
    trials: trialsOfOtherWays("rollup", (folder) =>
      runTool(folder, [
        "rollup",
        ...["--input", "main.js", "--dir", "dist", "--format", "es"],
        ...["--plugin", "node-resolve={browser:true}"],
      ]),
    ),
  },
  {
    name: "esbuild",
    packages: pinned("esbuild"),
    templates: ["app"],
    trials: trialsOfOtherWays("esbuild", (folder) =>
      runTool(folder, [
        "esbuild",
        ...["main.js", "--bundle", "--format=esm", "--splitting", "--outdir=dist"],
      ]),
    ),
  },
  {
    name: "next",
    packages: pinned("next", "react", "react-dom"),
    templates: ["next"],
    trials: [
      nextTrial("Turbopack", "--turbopack"),
      nextTrial("webpack", "--webpack"),
      devTrial("next", (port) => ["--port", port, "--hostname", "127.0.0.1"], "/guarded"),
    ],
  },
  {
    name: "quick-start-next",
    packages: {
      ...pinned("next", "react", "react-dom", "@types/node", "@types/react"),
      // As `create-next-app` has it, by the name that Next.js looks for.
      typescript: VERSIONS["typescript-5"],
    },
    trials: [quickStartTrial("dev"), quickStartTrial("start")],
  },
  created("react"),
  created("vue"),
  created("next"),
  {
    name: "nuxt",
    packages: pinned("nuxt", "vue", "vue-router"),
    templates: ["nuxt"],
    trials: [
      {
        name: "nuxt",
        prepare: (folder) => runTool(folder, ["nuxt", "build"]),
        start: (folder) =>
          startSite(
            program(folder, () => [".output/server/index.mjs"]),
            join(folder, ".output/public"),
          ),
        checks: { ...BUILT, ...serverRendered() },
      },
      devTrial("nuxt", (port) => ["--port", port, "--host", "127.0.0.1", "--no-fork"]),
    ],
  },
  {
    name: "vitest",
    packages: pinned("vitest", "jsdom"),
    templates: ["vitest"],
    trials: [
      inFolder("vitest with jsdom", {
        async "an application's tests may use the package itself"({ folder }) {
          printed(folder, [programOf(folder, "vitest"), "run"]);
        },
      }),
    ],
  },
  {
    name: "jest",
    packages: pinned("jest", "jest-environment-jsdom"),
    templates: ["jest"],
    trials: [
      inFolder("jest with jsdom", {
        async "an application's tests may use the test client"({ folder }) {
          // For ES modules, as Jest's documentation says.
          printed(folder, ["--experimental-vm-modules", programOf(folder, "jest")]);
        },
      }),
    ],
  },
];

/**
 * Lays a project out in a new folder, with all that it installs.
 *
 * @param {Project} project
 * @param {string} folder
 * @param {Packed} packed
 */
export async function layOutProject(
  { packages = {}, install: installOwn, templates = [] },
  folder,
  packed,
) {
  await mkdir(folder);
  if (installOwn) await installOwn(folder, packed);
  else await install(folder, packed.archive, packages);
  for (const name of templates) await cp(join(FIXTURES, name), folder, { recursive: true });
}
