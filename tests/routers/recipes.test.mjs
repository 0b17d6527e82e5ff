/** The recipes of docs/recipes: another user's data never shows, whatever keeps data in the page. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { root } from "../../tools/lib/run.mjs";
import { sharedBrowser } from "../support/browser.mjs";
import { deferred } from "../support/deferred.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/serve.mjs";

const PAGES = join(root, "tests/routers/pages");
const RECIPES = join(root, "docs/recipes");
const GUIDES = ["caches.md", "loaders.md", "server-components.md"];

const browser = sharedBrowser();

const PIA = { sub: "1", givenName: "Pia" };
const TESS = { sub: "2", givenName: "Tess" };

/** The recipes import the test's client in place of the real one. @type {import("esbuild").Plugin} */
const testClient = {
  name: "test-client",
  setup({ onResolve }) {
    onResolve({ filter: /^classlink-spa$/ }, () => ({ path: join(PAGES, "client-shim.js") }));
    onResolve({ filter: /^\.\/client$/ }, () => ({ path: join(PAGES, "client.js") }));
    onResolve({ filter: /^next\/navigation$/ }, () => ({
      path: join(PAGES, "next-navigation-shim.js"),
    }));
  },
};

/** @type {Map<string, Promise<string>>} */
const bundles = new Map();

function bundle(page) {
  let script = bundles.get(page);
  if (!script) {
    script = build({
      entryPoints: [join(PAGES, page)],
      bundle: true,
      write: false,
      format: "esm",
      jsx: "automatic",
      plugins: [testClient],
      define: {
        "process.env.NODE_ENV": '"production"',
        __VUE_OPTIONS_API__: "true",
        __VUE_PROD_DEVTOOLS__: "false",
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
      },
      logLevel: "error",
    }).then(({ outputFiles }) => present(outputFiles[0]).text);
    bundles.set(page, script);
  }
  return script;
}

/**
 * Opens a recipe's page. Its API says whose classes it returns by the cookie `who`, as a gateway's session would.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} page
 * @param {{ path?: string, user?: object | null }} [options]
 */
async function open(t, page, { path = "/", user = PIA } = {}) {
  const script = await bundle(page);
  /** @type {{ answer?: Promise<unknown> }} */
  const api = {};
  const { origin } = await serve(t, async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    if (pathname === "/app.js") {
      response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8" });
      return response.end(script);
    }
    if (pathname === "/api/classes") {
      const [, who] = /who=(\w+)/.exec(request.headers.cookie ?? "") ?? [];
      await api.answer;
      return response.end(JSON.stringify([`Class of ${who}`]));
    }
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Recipe</title>
<link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/app.js"></script></html>`);
  });
  const watched = await browser.newPage(t);
  await watched.context.addCookies([{ name: "who", value: "Pia", url: origin }]);
  await watched.context.addInitScript(
    (given) => {
      const seen = [];
      Object.assign(window, { scenario: given, seen });
      // Every state that the page shows.
      new MutationObserver(() => seen.push(document.body?.innerText ?? "")).observe(document, {
        childList: true,
        subtree: true,
        characterData: true,
      });
    },
    /** @type {any} */ ({ client: { user } }),
  );
  const load = (to = path) => watched.page.goto(origin + to);
  await load();
  return { ...watched, origin, api, load };
}

/** Another user signs in, as from another tab. */
async function become(page, context, origin, user) {
  await context.addCookies([{ name: "who", value: user.givenName, url: origin }]);
  await page.evaluate((given) => client.signIn(given), user);
}

/** The states of the page in which one user's data stood beside another user's name. */
const mixed = (page) =>
  page.evaluate(() =>
    /** @type {any} */ (window).seen.filter(
      (text) => text.includes("Hello, Tess") && text.includes("Class of Pia"),
    ),
  );

/** The page of each recipe, and the path at which it opens. */
const RECIPES_BY_PAGE = {
  "tanstack-query.jsx": "/",
  "swr.jsx": "/",
  "react-router.jsx": "/app/classes",
  "pinia.js": "/",
  "next-for-user.jsx": "/",
};

for (const [page_, path] of Object.entries(RECIPES_BY_PAGE)) {
  const name = page_.replace(/\..*/, "");

  test(`${name}: never shows one user's data to the next, and shows the next one's own`, async (t) => {
    const { page, context, origin, errors } = await open(t, page_, { path });
    await page.getByText("Class of Pia").waitFor();
    await become(page, context, origin, TESS);
    await page.getByText("Class of Tess").waitFor();
    assert.equal(await page.getByText("Class of Pia").count(), 0);
    assert.deepEqual(await mixed(page), []);
    assert.deepEqual(errors, []);
  });

  test(`${name}: never shows an answer for one user that comes after the next has signed in`, async (t) => {
    const { page, context, origin, api, load } = await open(t, page_, { path, user: null });
    const held = deferred();
    api.answer = held.promise;
    await context.addInitScript((user) => {
      window.scenario = { client: { user } };
    }, PIA);
    const asked = page.waitForRequest("**/api/classes");
    await load();
    await asked;
    await become(page, context, origin, TESS);
    held.resolve(undefined);
    await page.getByText("Class of Tess").waitFor();
    assert.equal(await page.getByText("Class of Pia").count(), 0);
    assert.deepEqual(await mixed(page), []);
  });

  test(`${name}: shows nothing of a user who has signed out`, async (t) => {
    const { page } = await open(t, page_, { path });
    await page.getByText("Class of Pia").waitFor();
    await page.evaluate("client.signOut()");
    await page.getByText("Class of Pia").waitFor({ state: "detached" });
    if (page_ === "tanstack-query.jsx") assert.equal(await page.evaluate("cached()"), 0);
  });
}

test("react-router: a loader starts one login that leads back beneath the base, and none after a sign-out", async (t) => {
  const { page } = await open(t, "react-router.jsx", { path: "/app/classes?week=2", user: null });
  await page.waitForFunction("client.calls.startLogin.length > 0");
  assert.deepEqual(await page.evaluate("client.calls.startLogin"), [
    [{ returnTo: "/app/classes?week=2" }],
  ]);
  await page.evaluate((user) => client.signIn(user), PIA);
  await page.getByRole("heading", { name: "Hello, Pia" }).waitFor();
  await page.evaluate("client.signOut()");
  await page.getByRole("heading", { name: "Please sign in" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(await page.evaluate("client.calls.startLogin"), []);
});

test("react-router: a page that asks to sign in shows the user who signs in in another tab", async (t) => {
  const { page, context, origin, errors } = await open(t, "react-router.jsx", {
    path: "/app/classes",
  });
  await page.getByText("Class of Pia").waitFor();
  await page.evaluate("client.signOut()");
  await page.getByRole("heading", { name: "Please sign in" }).waitFor();
  await become(page, context, origin, TESS);
  await page.getByRole("heading", { name: "Hello, Tess" }).waitFor();
  await page.getByText("Class of Tess").waitFor();
  assert.deepEqual(await mixed(page), []);
  assert.deepEqual(errors, []);
});

test("react-router: the callback leads to the route beneath the base, and a bare visit to the base", async (t) => {
  const { page, origin, context, load } = await open(t, "react-router.jsx", {
    path: "/app/elsewhere",
  });
  await context.addInitScript((user) => {
    window.scenario = { client: { callback: { user, returnTo: "/app/classes?week=2#top" } } };
  }, PIA);
  await load("/app/callback?code=c&state=s");
  await page.getByText("Class of Pia").waitFor();
  assert.equal(page.url(), `${origin}/app/classes?week=2#top`);
  await context.addInitScript(() => {
    window.scenario = { client: { callback: { error: "not_a_callback" } } };
  });
  await load("/app/callback");
  await page.waitForURL(`${origin}/app/`);
});

test("next-for-user: shows nothing of a user who has signed out while the next login begins", async (t) => {
  const { page } = await open(t, "next-for-user.jsx");
  await page.getByText("Class of Pia").waitFor();
  await page.evaluate("client.signOut()");
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.evaluate("seen.length = 0");
  for (const status of /** @type {const} */ (["redirecting", "signing-in"])) {
    await page.evaluate((given) => client.setStatus(given), status);
  }
  await page.getByText("Signing you in…").waitFor();
  assert.ok(!(await page.evaluate("seen.join()")).includes("Class of Pia"));
});

test("next-for-user: keeps nothing of a user who has signed out in a route that is hidden", async (t) => {
  const { page } = await open(t, "next-for-user.jsx");
  await page.getByText("Class of Pia").waitFor();
  await page.evaluate("hide(true)");
  await page.waitForFunction("!hasEffects");
  await page.evaluate("client.signOut()");
  await page.waitForFunction("!document.body.textContent.includes('Class of Pia')");
});

test("the recipe for Next.js server components is the file of its template", () => {
  const [recipe, template] = [
    "docs/recipes/next-for-user.tsx",
    "create/templates/next/app/for-user.tsx",
  ];
  assert.equal(
    readFileSync(join(root, recipe), "utf8"),
    readFileSync(join(root, template), "utf8"),
  );
});

test("the guides show every recipe exactly as it is tested", () => {
  const guides = GUIDES.map((name) => readFileSync(join(root, "docs", name), "utf8")).join("\n");
  for (const name of readdirSync(RECIPES)) {
    const code = readFileSync(join(RECIPES, name), "utf8");
    assert.ok(guides.includes(`\n${code}\`\`\``), `${name} is not in ${GUIDES}`);
  }
});
