/**
 * Small applications for the framework tests: bundled from `pages/` against the built package, served under every path,
 * and told by each test what to do.
 *
 * @module
 */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { serve } from "../support/serve.mjs";

/** @import { TestContext } from "node:test" */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGES = join(ROOT, "tests/frameworks/pages");
// Inside node_modules, so that a server's bundle finds the packages it leaves out.
const OUTPUT = join(ROOT, "node_modules/.cache/frameworks-test");

/**
 * Finds React where React 18 is.
 *
 * @type {import("esbuild").Plugin}
 */
const react18 = {
  name: "react-18",
  setup(build) {
    build.onResolve({ filter: /^react(-dom)?(\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === react18
        ? undefined
        : build.resolve(path, {
            kind,
            resolveDir: join(ROOT, "tests/frameworks/react-18"),
            pluginData: react18,
          }),
    );
  },
};

/** The applications: a page of `pages/`, and which framework it gets. */
export const APPS = {
  "React 19": { page: "react-app.jsx", plugins: [] },
  "React 18": { page: "react-app.jsx", plugins: [react18] },
  "Vue 3": { page: "vue-app.js", plugins: [] },
  "React 19 components": { page: "components-react.jsx", plugins: [] },
  "React 18 components": { page: "components-react.jsx", plugins: [react18] },
  "Vue 3 components": { page: "components-vue.js", plugins: [] },
};

/** @typedef {keyof typeof APPS} AppName */

/** With what their makers say to developers, StrictMode's second mount and complaints about hydration included. */
const DEFINE = {
  "process.env.NODE_ENV": '"development"',
  __VUE_OPTIONS_API__: "true",
  __VUE_PROD_DEVTOOLS__: "false",
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true",
};

const scripts = new Map();

/** The application's script for browsers. @param {AppName} name @returns {Promise<string>} */
function browserScript(name) {
  if (!scripts.has(name)) {
    const { page, plugins } = APPS[name];
    const bundled = build({
      entryPoints: [join(PAGES, page)],
      bundle: true,
      write: false,
      format: "esm",
      jsx: "automatic",
      plugins,
      define: DEFINE,
      logLevel: "error",
    });
    scripts.set(
      name,
      bundled.then(({ outputFiles }) => outputFiles[0].text),
    );
  }
  return scripts.get(name);
}

/**
 * Renders a path as on a server. The bundle is imported without a page.
 *
 * @param {AppName} name
 * @param {string} path
 * @param {Scenario} [scenario]
 * @returns {Promise<string>} The HTML inside `#root`.
 */
export async function renderOnServer(name, path, scenario = {}) {
  const { page, plugins } = APPS[name];
  mkdirSync(OUTPUT, { recursive: true });
  const outfile = join(OUTPUT, `${name.replace(" ", "-")}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(PAGES, page)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    jsx: "automatic",
    plugins,
    define: DEFINE,
    // The frameworks' CommonJS asks for Node's modules.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  try {
    const { render } = await import(`${pathToFileURL(outfile).href}?${Math.random()}`);
    return await render(path, scenario);
  } finally {
    rmSync(outfile);
  }
}

/**
 * Serves an application under every path. It ends with the test.
 *
 * @param {TestContext} t
 * @param {AppName} name
 * @param {{ headers?: Record<string, string>, html?: string }} [options] `html`: what a server rendered
 * @returns {Promise<{ origin: string, loads: string[] }>} `loads`: the paths of the pages that were loaded, oldest first
 */
export async function serveApp(t, name, { headers = {}, html = "" } = {}) {
  const script = await browserScript(name);
  const loads = [];
  const { origin } = await serve(t, (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    if (pathname === "/app.js") {
      response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8" });
      return response.end(script);
    }
    loads.push(pathname);
    if (pathname === "/nothing") return response.writeHead(204).end();
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", ...headers });
    response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>Test app</title>
<div id="root">${html}</div>
<script type="module" src="/app.js"></script>
</html>
`);
  });
  return { origin, loads };
}

/**
 * The setup of a page of `pages/`.
 *
 * @typedef {object} Scenario
 * @property {{ [Name in keyof import("classlink-spa/testing").TestClientOptions]: any }} [client] Of `createTestClient`.
 * @property {string} [setup] The text of a function body that is given `client`.
 * @property {boolean} [own] With a fallback, an error page and slots of its own.
 * @property {boolean} [routed] Goes on after a sign-in without loading a page.
 * @property {boolean} [assigned] Goes on after a sign-in by loading a page itself.
 * @property {boolean} [global] The guard stands before all routes.
 * @property {any} [guard] Options of the guard.
 * @property {any} [texts]
 * @property {Readonly<Record<string, string>>} [spanish] The messages of a page in Spanish.
 * @property {boolean} [custom] With listeners of its own.
 * @property {number} [guards] How many guards stand in each other.
 * @property {boolean} [wrapped] All is inside of one more guard.
 * @property {object} [loginOptions] Of the guards.
 */

/**
 * Says what every page of a context is to do, before its scripts run.
 *
 * @param {import("playwright-core").BrowserContext} context
 * @param {Scenario} scenario Of `pages/`: `client` are `createTestClient`'s options, `setup` is the text of a function body
 * that is given `client` and `go`; the rest is the page's own.
 */
export async function tell(context, scenario) {
  await context.addInitScript((given) => {
    window.scenario = given;
  }, scenario);
}
