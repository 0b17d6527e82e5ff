/** Vue Router under a base and in hash mode: where a login leads back to, and where the callback goes. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { root } from "../../tools/lib/run.mjs";
import { sharedBrowser } from "../support/browser.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/serve.mjs";

const browser = sharedBrowser();
let script;

function bundle() {
  script ??= build({
    entryPoints: [join(root, "tests/routers/pages/vue-bases.js")],
    bundle: true,
    write: false,
    format: "esm",
    define: {
      __VUE_OPTIONS_API__: "true",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    logLevel: "error",
  }).then(({ outputFiles }) => present(outputFiles[0]).text);
  return script;
}

/** Opens a page of an application that is served under every path. */
async function open(t, scenario, path) {
  const text = await bundle();
  const { origin } = await serve(t, (request, response) => {
    const isScript = request.url === "/app.js";
    response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    response.end(
      isScript
        ? text
        : '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/app.js"></script>',
    );
  });
  const { page, context } = await browser.newPage(t);
  await context.addInitScript((given) => {
    window.scenario = given;
  }, scenario);
  await page.goto(origin + path);
  await page.waitForFunction("window.client");
  return { page, origin };
}

const loginsOf = async (page) => {
  await page.waitForFunction("client.calls.startLogin.length > 0");
  return page.evaluate("client.calls.startLogin");
};

for (const [name, scenario, path, returnTo] of /** @type {const} */ ([
  ["a base", { base: "/app/" }, "/app/classes?week=2#top", "/app/classes?week=2#top"],
  ["no base", { base: "/" }, "/classes", "/classes"],
  ["hash mode", { hash: true, base: "/" }, "/#/classes?week=2", "/#/classes?week=2"],
  ["hash mode under a base", { hash: true, base: "/app/" }, "/app/#/classes", "/app/#/classes"],
  ["a base, without the plugin", { base: "/app/", bare: true }, "/app/classes", "/app/classes"],
])) {
  test(`requireSignIn with ${name} leads back to the address of the route`, async (t) => {
    const { page } = await open(t, scenario, path);
    assert.deepEqual(await loginsOf(page), [[{ returnTo }]]);
  });
}

test("requireSignIn under a base leads a deep link within the page to the address of its route", async (t) => {
  const { page } = await open(t, { base: "/app/" }, "/app/");
  await page.evaluate("void router.push('/classes?week=3')");
  assert.deepEqual(await loginsOf(page), [[{ returnTo: "/app/classes?week=3" }]]);
});

for (const [name, scenario, path, returnTo] of /** @type {const} */ ([
  ["under a base", { base: "/app/" }, "/app/callback", "/app/classes?week=2#top"],
  ["in hash mode", { hash: true, base: "/app/" }, "/app/#/callback", "/app/#/classes?week=2"],
])) {
  test(`CallbackPage ${name} leads to the route of returnTo`, async (t) => {
    const callback = { user: { givenName: "Ada" }, returnTo };
    const { page, origin } = await open(t, { ...scenario, callback }, path);
    await page.getByText("Classes of Ada").waitFor();
    assert.equal(page.url(), origin + returnTo);
  });
}

test("CallbackPage under a base leads a visit without a response to the base", async (t) => {
  const callback = { error: "not_a_callback" };
  const { page, origin } = await open(t, { base: "/app/", callback }, "/app/callback");
  await page.waitForURL(`${origin}/app/`);
});
