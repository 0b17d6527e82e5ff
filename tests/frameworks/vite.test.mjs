/** `classlink-spa/vite`: which pages of a build ask for the WebAssembly together with their script, and under which URL. */

import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { build } from "vite";
import { classLinkSpa } from "../../pkg/vite.js";
import { root } from "../../tools/lib/run.mjs";
import { newFolder } from "../support/temp-folder.mjs";

/** @import { TestContext } from "node:test" */
/** @import { UserConfig } from "vite" */

const CLIENT = 'import { createClient } from "classlink-spa";\ncreateClient({});\n';

/**
 * Builds pages with the plugin, each with a script of its own.
 *
 * @param {TestContext} t
 * @param {{ scripts?: Record<string, string>, config?: UserConfig }} [application] `scripts`: by the page's path
 * @returns {Promise<{ wasm: string | undefined, preloads: Record<string, string[]> }>} the path of the `.wasm` file below the
 *   output folder, and the URLs that each page preloads
 */
async function buildPages(t, { scripts = { "index.html": CLIENT }, config = {} } = {}) {
  const folder = newFolder(t);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "pkg"), join(folder, "node_modules/classlink-spa"), "junction");
  for (const [page, script] of Object.entries(scripts)) {
    mkdirSync(dirname(join(folder, page)), { recursive: true });
    writeFileSync(
      join(folder, page),
      '<!doctype html><head></head><script type="module" src="./main.js"></script>',
    );
    writeFileSync(join(folder, dirname(page), "main.js"), script);
  }
  const { output } = /** @type {import("vite").Rollup.RollupOutput} */ (
    await build({
      ...config,
      configFile: false,
      logLevel: "error",
      root: folder,
      plugins: [classLinkSpa()],
      build: {
        write: false,
        rolldownOptions: { input: Object.keys(scripts).map((page) => join(folder, page)) },
      },
    })
  );
  const files = output.map(({ fileName }) => fileName);
  const pages = output.filter(({ fileName }) => fileName.endsWith(".html"));
  return {
    wasm: files.find((file) => file.endsWith(".wasm")),
    preloads: Object.fromEntries(
      pages.map((page) => {
        const html = page.type === "asset" ? String(page.source) : "";
        const links = [
          ...html.matchAll(
            /<link rel="preload" href="([^"]*)" as="fetch" type="application\/wasm" crossorigin>/g,
          ),
        ];
        return [page.fileName, links.map(([, href]) => href)];
      }),
    ),
  };
}

test("page preloads the .wasm file that its script asks for", async (t) => {
  const { wasm, preloads } = await buildPages(t);
  assert.deepEqual(preloads, { "index.html": [`/${wasm}`] });
});

test("page preloads the .wasm file under the base of the build", async (t) => {
  const { wasm, preloads } = await buildPages(t, { config: { base: "/app/" } });
  assert.deepEqual(preloads, { "index.html": [`/app/${wasm}`] });
});

for (const base of ["./", ""]) {
  test(`page in a folder preloads the .wasm file by a relative URL when the base is "${base}"`, async (t) => {
    const scripts = { "index.html": CLIENT, "teachers/index.html": CLIENT };
    const { wasm, preloads } = await buildPages(t, { scripts, config: { base } });
    assert.deepEqual(preloads, {
      "index.html": [`./${wasm}`],
      "teachers/index.html": [`../${wasm}`],
    });
  });
}

test("only pages whose script imports the client statically preload the .wasm file", async (t) => {
  const { preloads } = await buildPages(t, {
    scripts: {
      "index.html": CLIENT,
      "later/index.html": `addEventListener("click", () => import("../main.js"));`,
      "legal/index.html": "console.log(1);",
    },
  });
  assert.equal(preloads["index.html"]?.length, 1);
  assert.deepEqual(preloads["later/index.html"], []);
  assert.deepEqual(preloads["legal/index.html"], []);
});

test("page preloads nothing when the application chooses the URLs of its files", async (t) => {
  const renderBuiltUrl = (/** @type {string} */ file) => `https://cdn.example/${file}`;
  const { wasm, preloads } = await buildPages(t, { config: { experimental: { renderBuiltUrl } } });
  assert.ok(wasm);
  assert.deepEqual(preloads, { "index.html": [] });
});

test("page preloads nothing when the WebAssembly is inside the script", async (t) => {
  const scripts = { "index.html": CLIENT.replace("classlink-spa", "classlink-spa/inline") };
  assert.deepEqual(await buildPages(t, { scripts }), {
    wasm: undefined,
    preloads: { "index.html": [] },
  });
});
