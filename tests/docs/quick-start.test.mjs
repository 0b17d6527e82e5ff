// The quick start: its files, laid out as the page says, make apps that sign users in. Only the ports are others. The
// Next.js app is among the trials of the packed package (`packaging/projects.mjs`).

import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../tools/lib/ports.mjs";
import { root } from "../../tools/lib/run.mjs";
import { sharedBrowser } from "../support/browser.mjs";
import { NO_SECURE_COOKIE, skipIn } from "../support/engine.mjs";
import { newKey } from "../support/gateway.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import {
  filesOf,
  keepsItsSession,
  layOut,
  loginAtApp,
  SECRET,
  signInButton,
  startQuickStandIn,
} from "../support/quick-start.mjs";

const browser = sharedBrowser();

/** The files of `npm create vite` that the page leaves alone. */
const template = (framework, main) => ({
  "index.html": `<!doctype html>
<html lang="en">
  <body>
    <div id="${framework === "vue" ? "app" : "root"}"></div>
    <script type="module" src="/src/${main}"></script>
  </body>
</html>
`,
  "vite.config.ts": `
import plugin from "@vitejs/plugin-${framework}";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [plugin()] });
`,
});

const APPS = {
  react: { start: "/classes", template: template("react", "main.tsx") },
  vue: { start: "/classes", template: template("vue", "main.ts") },
  plain: { start: "/", template: {} },
};

/** An app and a stand-in, and what turns the page's ports into theirs. */
async function setUp(t, name, gateway) {
  const folder = join(root, "target/quick-start", `${name}${gateway ? "-gateway" : ""}`);
  rmSync(folder, { recursive: true, force: true });
  const ports = { app: await freePort(), gateway: await freePort() };
  const origin = `http://localhost:${ports.app}`;
  const standIn = await startQuickStandIn(origin, { publicClients: !gateway });
  t.after(() => standIn.close());

  const files = { ...APPS[name].template, ...filesOf(name) };
  if (gateway) {
    const { "server.js": server, "gateway.js": own, ...config } = filesOf("gateway");
    if (name === "plain") files["server.js"] = server;
    else {
      Object.assign(files, config, { "gateway.js": own });
      files["vite.config.ts"] = files["vite.config.ts"].replace("plugin-react", `plugin-${name}`);
    }
    const client = name === "plain" ? "public/app.js" : "src/client.ts";
    if (!files[client].includes("gateway:")) {
      files[client] = files[client].replace(/(\n +issuer: .*)/, '$1\n  gateway: "/auth",');
    }
  }
  layOut(folder, files, { ...ports, issuer: standIn.issuer });
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  // Installed, and not linked: Vite treats those two differently.
  cpSync(join(root, "pkg"), join(folder, "node_modules/classlink-spa"), { recursive: true });
  if (name === "plain") {
    for (const file of ["index.js", "diagnosis.js", "classlink_spa_bg.wasm"]) {
      cpSync(join(root, "pkg", file), join(folder, "public/classlink-spa", file));
    }
  }

  const env = {
    NODE_ENV: "development",
    ...(gateway && { CLASSLINK_CLIENT_SECRET: SECRET, SEALING_KEY: newKey() }),
  };
  const start = async (args, url) => {
    const program = startProgram(process.execPath, args, { cwd: folder, env });
    t.after(() => program.stop());
    await untilReady(program, url);
  };
  if (gateway && name !== "plain") {
    await start(["gateway.js"], `http://localhost:${ports.gateway}/auth/health`);
  }
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const server =
    name === "plain" ? ["server.js"] : [vite, "--port", String(ports.app), "--strictPort"];
  await start(server, `${origin}/`);
  return { origin };
}

for (const [name, { start }] of Object.entries(APPS)) {
  const byButton = name === "plain";

  test(`the quick start for ${name} signs in, and signs out with a reload`, async (t) => {
    const { origin } = await setUp(t, name, false);
    const { page, errors } = await browser.newPage(t);
    await loginAtApp(page, origin + start, { byButton });
    assert.equal(page.url(), origin + start);
    await page.reload();
    await signInButton(page).waitFor();
    assert.deepEqual(errors, []);
  });

  test(`the quick start for ${name} with the gateway signs in, survives a reload, and signs out for good`, async (t) => {
    if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
    const { origin } = await setUp(t, name, true);
    const { page, errors } = await browser.newPage(t);
    await loginAtApp(page, origin + start, { byButton });
    await keepsItsSession(page);
    assert.deepEqual(errors, []);
  });
}

test("vue, with the gateway: a page that stays open after a sign-out in another tab asks to sign in", async (t) => {
  if (skipIn(t, { webkit: NO_SECURE_COOKIE })) return;
  const { origin } = await setUp(t, "vue", true);
  const { page, context, errors } = await browser.newPage(t);
  await loginAtApp(page, `${origin}/classes`);
  const other = await context.newPage();
  await other.goto(`${origin}/classes`);
  await other.getByRole("button", { name: "Sign out" }).click();
  await signInButton(page).waitFor();
  assert.equal(await page.getByText("Hello").count(), 0);
  assert.equal(page.url(), `${origin}/classes`);
  assert.deepEqual(errors, []);
});
