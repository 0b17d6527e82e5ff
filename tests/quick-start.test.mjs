// The quick start: its files, laid out as the page says, make apps that sign people in. Only the ports are others.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { root } from "../tools/lib/run.mjs";
import { startStandIn } from "../www/stand-in/index.js";
import { freePort, startProgram, untilReady } from "./platforms/world.mjs";
import { sharedBrowser } from "./support/browser.mjs";
import { newKey } from "./support/gateway.mjs";
import { choose, PEOPLE } from "./support/login.mjs";

const browser = sharedBrowser();
const SECRET = "not-a-secret";

/** What `npm create vite` puts there, and the page leaves alone. */
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

/** The page's files beneath one of its folders, by their paths there. */
function filesOf(folder) {
  const page = readFileSync(join(root, "docs/quick-start.md"), "utf8");
  const marked = page.matchAll(/^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$/gms);
  return Object.fromEntries(
    [...marked]
      .filter(([, path]) => path.startsWith(`${folder}/`))
      .map(([, path, text]) => [path.slice(folder.length + 1), text]),
  );
}

/** An app and a stand-in, and what turns the page's ports into theirs. */
async function setUp(t, name, gateway) {
  const folder = join(root, "target/quick-start", `${name}${gateway ? "-gateway" : ""}`);
  rmSync(folder, { recursive: true, force: true });
  const ports = { app: await freePort(), gateway: await freePort() };
  const origin = `http://localhost:${ports.app}`;
  const standIn = await startStandIn({
    clients: [
      {
        clientId: "my-app",
        clientSecret: SECRET,
        redirectUris: [`${origin}/callback`, `${origin}/`],
      },
    ],
    publicClients: !gateway,
    consent: "never",
  });
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
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const moved = text
      .replaceAll("http://localhost:5173", origin)
      .replaceAll("http://localhost:4400", standIn.issuer)
      .replaceAll("5173", String(ports.app))
      .replaceAll("3000", String(ports.gateway));
    writeFileSync(join(folder, path), moved);
  }
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

const greeting = (page) => page.getByText("Hello, Pia");
const signOutButton = (page) => page.getByRole("button", { name: "Sign out" });
const signInButton = (page) => page.getByRole("button", { name: /^Sign in/ });

async function signIn(page, url, { byButton }) {
  await page.goto(url);
  if (byButton) await signInButton(page).click();
  await choose(page, PEOPLE.pia);
  await greeting(page).waitFor();
}

for (const [name, { start }] of Object.entries(APPS)) {
  const byButton = name === "plain";

  test(`${name}: signs in, and forgets with the page`, async (t) => {
    const { origin } = await setUp(t, name, false);
    const { page, errors } = await browser.newPage(t);
    await signIn(page, origin + start, { byButton });
    assert.equal(page.url(), origin + start);
    await page.reload();
    await signInButton(page).waitFor();
    assert.deepEqual(errors, []);
  });

  test(`${name}, with the gateway: signs in, survives a reload, and signs out for good`, async (t) => {
    const { origin } = await setUp(t, name, true);
    const { page, errors } = await browser.newPage(t);
    await signIn(page, origin + start, { byButton });
    await page.reload();
    await greeting(page).waitFor();
    const stored = await page.evaluate(() =>
      [...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((key) =>
        key.startsWith("classlink-spa"),
      ),
    );
    assert.deepEqual(stored, []);
    await signOutButton(page).click();
    await signInButton(page).waitFor();
    await page.reload();
    await signInButton(page).waitFor();
    assert.deepEqual(errors, []);
  });
}
