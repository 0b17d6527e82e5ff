/**
 * An application that was built or is served from the packed package, the stand-in it signs in with, a Chromium, and
 * the checks that every application must pass, whichever bundler made it.
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { freePort } from "../../tools/lib/ports.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { launch, openPage } from "../support/browser.mjs";
import { CLIENT_ID, PEOPLE, selectUser } from "../support/login.mjs";
import { PATIENCE_MS } from "../support/patience.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { serveFolder } from "./static.mjs";

/** @import { Page } from "playwright-core" */
/** @import { Watched } from "../support/browser.mjs" */

/**
 * @typedef {object} Site
 * @property {string} origin
 * @property {string} output The folder of what was built for browsers.
 * @property {{ output: string } | undefined} program What its server wrote, if it is a program.
 * @property {(path?: string) => Promise<Watched>} visit Opens a page in a fresh profile, and waits until it has started.
 * @property {() => Promise<void>} stop
 */

/**
 * How a site's files or pages get to the browser.
 *
 * @typedef {object} Serving
 * @property {{ output: string, ended?: string }} [program]
 * @property {() => Promise<void>} stop
 *
 * @typedef {(port: number) => Promise<Serving>} Server
 */

/** @param {string} folder @returns {Server} */
export const files = (folder) => (port) => serveFolder(folder, port);

/**
 * A server of the bundler's or the framework's own.
 *
 * @param {string} folder
 * @param {(port: number) => [program: string, ...args: string[]]} command for Node
 * @param {Record<string, string>} [env]
 * @returns {Server}
 */
export const program = (folder, command, env) => async (port) => {
  const started = startProgram(process.execPath, command(port), {
    cwd: folder,
    env: { HOST: "127.0.0.1", PORT: String(port), ...env },
  });
  return { program: started, stop: started.stop };
};

/**
 * Starts a site, with a stand-in that knows it.
 *
 * @param {Server} serve
 * @param {string} output the folder of what was built for browsers
 * @returns {Promise<Site>}
 */
export async function startSite(serve, output) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    await Promise.all(ends.map((end) => end()));
  };
  try {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const redirectUri = `${origin}/callback`;
    const standIn = await startStandIn({
      consent: "never",
      clients: [{ clientId: CLIENT_ID, redirectUris: [redirectUri] }],
    });
    ends.push(() => standIn.close());
    const server = await serve(port);
    ends.push(() => server.stop());
    await untilReady(server.program ?? {}, `${origin}/`);
    const browser = await launch();
    ends.push(() => browser.close());
    const settings = {
      clientId: CLIENT_ID,
      redirectUri,
      issuer: standIn.issuer,
      metadata: standIn.endpoints,
    };
    return {
      origin,
      output,
      program: server.program,
      async visit(path = "/") {
        const visit = await openPage(browser);
        await visit.context.addInitScript(`globalThis.settings = ${JSON.stringify(settings)};`);
        await visit.page.goto(origin + path);
        await shows(visit.page, "signed-out");
        return visit;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the page says something. @param {Page} page @param {string} text */
async function shows(page, text) {
  const status = page.getByRole("status");
  await status
    .filter({ hasText: text })
    .waitFor({ timeout: PATIENCE_MS })
    .catch(async (error) => {
      const shown = await page.locator("body").innerText();
      assert.equal(shown, text, `${page.url()} does not show it (${error.name})`);
    });
}

/** Nothing was thrown, and the console has neither errors nor warnings. @param {Watched} visit */
function undisturbed(visit) {
  assert.deepEqual(visit.errors, []);
  assert.deepEqual(
    visit.console.filter((line) => /^(?:error|warning):/.test(line)),
    [],
  );
}

/**
 * The addresses of what a page used, without repetition. What is fetched for later alone (Nuxt does so with every lazy
 * script) doesn't count.
 *
 * @param {Watched} visit
 * @param {string} extension
 */
const askedFor = (visit, extension) => [
  ...new Set(
    visit.requests
      .filter((request) => !/prefetch/.test(request.headers()["sec-purpose"] ?? ""))
      .map((request) => request.url())
      .filter((url) => new URL(url).pathname.endsWith(extension)),
  ),
];

/** @param {Watched} visit @returns the checks of the diagnosis, as the page lists them */
async function diagnose({ page }) {
  await page.getByRole("button", { name: "Diagnose" }).click();
  await page.getByRole("listitem").last().waitFor({ timeout: PATIENCE_MS });
  return page.getByRole("listitem").allInnerTexts();
}

/** The `.wasm` files in a folder, at any depth. @param {string} folder */
async function wasmIn(folder) {
  const paths = await readdir(folder, { recursive: true });
  return paths.filter((path) => path.endsWith(".wasm"));
}

/** Checks of every application. */
const EVERYWHERE = {
  /** @param {Site} site */
  async "a student signs in and is greeted"(site) {
    const visit = await site.visit();
    await visit.page.getByRole("button", { name: "Sign in" }).click();
    await selectUser(visit.page, PEOPLE.pia);
    await shows(visit.page, "Hello, Pia");
    assert.equal(new URL(visit.page.url()).search, "", "the answer is still in the address bar");
    undisturbed(visit);
    await visit.context.close();
  },

  /** @param {Site} site */
  async "the diagnosis comes, and finds no problem"(site) {
    const visit = await site.visit();
    const checks = await diagnose(visit);
    assert.ok(checks.includes("webassembly: ok"), checks.join());
    assert.deepEqual(
      checks.filter((check) => check.endsWith(": problem")),
      [],
    );
    // The console may have errors: it asks the token endpoint for what that must refuse.
    assert.deepEqual(visit.errors, []);
    await visit.context.close();
  },
};

/** With the main entry: the `.wasm` is a file. */
export const WITH_FILE = {
  ...EVERYWHERE,

  /** @param {Site} site */
  async "a page loads one .wasm file, in the type that browsers compile while it comes"(site) {
    const visit = await site.visit();
    const urls = askedFor(visit, ".wasm");
    assert.equal(urls.length, 1, urls.join());
    const request = visit.requests.find((one) => one.url() === urls[0]);
    const response = await request?.response();
    assert.equal(response?.status(), 200);
    assert.equal(response?.headers()["content-type"], "application/wasm");
    await visit.context.close();
  },
};

/** Of an application whose pages preload the `.wasm` file. */
export const PRELOADED = {
  /** @param {Site} site */
  async "a page's head asks for the .wasm file, which the script then has without another request"(
    site,
  ) {
    const visit = await site.visit();
    const links = await visit.page
      .locator("link[rel=preload][as=fetch]")
      .evaluateAll((found) => found.map((link) => /** @type {HTMLLinkElement} */ (link).href));
    const requests = visit.requests.map((request) => request.url());
    assert.equal(links.length, 1);
    assert.deepEqual(
      requests.filter((url) => url.endsWith(".wasm")),
      links,
    );
    undisturbed(visit);
    await visit.context.close();
  },
};

/** With `classlink-spa/inline`. */
export const INLINE = {
  ...EVERYWHERE,

  /** @param {Site} site */
  async "a page asks for no .wasm file"(site) {
    const visit = await site.visit();
    assert.deepEqual(askedFor(visit, ".wasm"), []);
    await visit.context.close();
  },

  /** @param {Site} site */
  async "the build holds no .wasm file"({ output }) {
    assert.deepEqual(await wasmIn(output), []);
  },
};

/** The diagnosis is not part of what every page loads. */
export const SPLIT = {
  /** @param {Site} site */
  async "the diagnosis is a script of its own, loaded when it is asked for"(site) {
    const visit = await site.visit();
    await visit.page.waitForLoadState("networkidle");
    const before = askedFor(visit, ".js");
    await diagnose(visit);
    const late = askedFor(visit, ".js").filter((url) => !before.includes(url));
    assert.equal(late.length, 1, late.join());
    await visit.context.close();
  },
};

/** Checks of the output of a bundler that follows `new URL`, or is configured to copy the file. */
export const BUILT = {
  ...WITH_FILE,
  ...SPLIT,

  /** @param {Site} site */
  async "the build holds exactly one .wasm file"({ output }) {
    const paths = await wasmIn(output);
    assert.equal(paths.length, 1, paths.join());
  },
};

/** The checks of an application whose pages a server renders first. @param {...string} guarded paths of pages for members alone */
export const serverRendered = (...guarded) => ({
  /** @param {Site} site */
  async "the server renders the loading state, and reports no error"(site) {
    for (const path of ["/", "/callback?code=c&state=s", ...guarded]) {
      const response = await fetch(site.origin + path);
      assert.equal(response.status, 200, path);
      assert.match(await response.text(), /<p[^>]*role="status"[^>]*>loading<\/p>/, path);
    }
    assert.doesNotMatch(site.program?.output ?? "", /error|warn/i);
  },
});
