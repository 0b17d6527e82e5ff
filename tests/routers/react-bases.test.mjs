/**
 * React Router under a base and in hash mode, with the real client, the gateway and the stand-in: where a deep link, a
 * reload, LaunchPad's tiles and a visit to the callback without a response lead.
 */

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { root } from "../../tools/lib/run.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { sharedBrowser } from "../support/browser.mjs";
import { importEntry } from "../support/bundle.mjs";
import { NO_SECURE_COOKIE, skipIn } from "../support/engine.mjs";
import { newKey } from "../support/gateway.mjs";
import { PEOPLE, selectUser } from "../support/login.mjs";
import { present } from "../support/present.mjs";
import { serve } from "../support/serve.mjs";

const { createGateway } = await importEntry("gateway");
const { toNodeHandler } = await importEntry("gateway-node");

const browser = sharedBrowser();
let script;

/** The client is the package's own module, beside its `.wasm` file. @type {import("esbuild").Plugin} */
const ownClient = {
  name: "own-client",
  setup({ onResolve }) {
    onResolve({ filter: /^classlink-spa$/ }, () => ({ path: "/pkg/index.js", external: true }));
  },
};

function bundle() {
  script ??= build({
    entryPoints: [join(root, "tests/routers/pages/react-bases.jsx")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    plugins: [ownClient],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  }).then(({ outputFiles }) => present(outputFiles[0]).text);
  return script;
}

/** Starts an application that is served under every path, its gateway, and a stand-in. */
async function start(t, { base, isHash }) {
  const text = await bundle();
  let answer;
  const { origin } = await serve(t, (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    if (pathname.startsWith("/auth/")) return answer(request, response);
    if (pathname.startsWith("/pkg/")) {
      const type = pathname.endsWith(".wasm") ? "application/wasm" : "text/javascript";
      response.setHeader("Content-Type", type);
      return createReadStream(join(root, "pkg", basename(pathname))).pipe(response);
    }
    const isScript = pathname === "/app.js";
    response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    response.end(
      isScript
        ? text
        : '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/app.js"></script>',
    );
  });
  const registration = {
    clientId: "my-app",
    clientSecret: "the secret of the test app",
    redirectUris: [origin + (isHash ? base : `${base}callback`)],
  };
  const standIn = await startStandIn({
    consent: "never",
    publicClients: false,
    clients: [{ ...registration, launchUrl: `${origin}${base}${isHash ? "#/" : ""}launch` }],
  });
  t.after(() => standIn.close());
  answer = toNodeHandler(
    createGateway({ issuer: standIn.issuer, clients: [registration], sealingKeys: [newKey()] }),
  );
  const watched = await browser.newPage(t);
  await watched.context.addInitScript(
    (given) => {
      window.scenario = given;
    },
    /** @type {any} */ ({ base, isHash, issuer: standIn.issuer }),
  );
  return { ...watched, origin, standIn };
}

const heading = (page, name) => page.getByRole("heading", { name, exact: true });

/** Signs in on LaunchPad and presses a tile. */
async function pressTile(page, standIn, tile) {
  await page.goto(standIn.launchPadUrl);
  await page.getByTestId("launchpad-sign-in").click();
  await selectUser(page, PEOPLE.pia);
  await page.getByTestId(tile).click();
}

for (const { name, base, isHash, route } of [
  { name: "a basename", base: "/app/", isHash: false, route: "/app/classes?week=2" },
  { name: "hash mode", base: "/", isHash: true, route: "/#/classes?week=2" },
  { name: "hash mode under a base", base: "/app/", isHash: true, route: "/app/#/classes?week=2" },
]) {
  const home = isHash ? `${base}#/` : base;
  /** A hash router gives a page without a hash its own at the first navigation. */
  const homes = [base, home];

  test(`React Router with ${name}: a deep link signs in and leads back, and a reload stays there`, async (t) => {
    if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
    const { page, origin, errors } = await start(t, { base, isHash });
    await page.goto(origin + route);
    await selectUser(page, PEOPLE.pia);
    await heading(page, "Classes of Pia").waitFor();
    await page.waitForURL(origin + route);
    await page.reload();
    await heading(page, "Classes of Pia").waitFor();
    await page.waitForURL(origin + route);
    assert.deepEqual(errors, []);
  });

  test(`React Router with ${name}: a link within the page signs in and leads to its route`, async (t) => {
    if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
    const { page, origin } = await start(t, { base, isHash });
    await page.goto(origin + home);
    await page.getByRole("link", { name: "My classes" }).click();
    await selectUser(page, PEOPLE.pia);
    await heading(page, "Classes of Pia").waitFor();
    await page.waitForURL(origin + route.replace("week=2", "week=3"));
  });

  for (const [kind, tile] of [
    ["brings a code", "tile-my-app"],
    ["opens the launch URL", "launch-tile-my-app"],
  ]) {
    test(`React Router with ${name}: a tile that ${kind} leads to the start page`, async (t) => {
      if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
      const { page, origin, standIn, errors } = await start(t, { base, isHash });
      await pressTile(page, standIn, tile);
      await heading(page, "Home of Pia").waitFor();
      await page.waitForURL(({ href }) => homes.includes(href.slice(origin.length)));
      assert.deepEqual(errors, []);
    });
  }

  test(`React Router with ${name}: the callback without a response leads to the start page`, async (t) => {
    const { page, origin, errors } = await start(t, { base, isHash });
    await page.goto(origin + (isHash ? base : `${base}callback`));
    await heading(page, "Home").waitFor();
    await page.waitForURL(({ href }) => homes.includes(href.slice(origin.length)));
    assert.deepEqual(errors, []);
  });
}
