/** The applications of `npm create classlink-spa`, made from the packed packages, and the users who sign in to them. */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { freePort } from "../../tools/lib/ports.mjs";
import { execCapture, root, run } from "../../tools/lib/run.mjs";
import { installPackages, pack } from "../../tools/lib/temp-project.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { launch, openPage } from "../support/browser.mjs";
import { PEOPLE, selectUser } from "../support/login.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { keepsItsSession } from "../support/quick-start.mjs";

/** @import { Page } from "playwright-core" */
/** @import { Trial } from "../../tools/lib/temp-project.mjs" */

const SECRET = "not-a-secret";

/** The ports that the templates have. */
const PORTS = /\b(?:5173|3000|4400|4401)\b/g;

/**
 * Makes an application as its user does, from the packed command, and installs it with the packed packages.
 *
 * @param {string} template
 * @param {string} folder an empty one
 * @param {string} archive the packed package
 */
export async function createApplication(template, folder, archive) {
  const packages = join(dirname(folder), `packages-of-${template}`);
  await mkdir(packages);
  const [command, standIn] = ["create", "www/stand-in"].map((path) => pack(packages, path).archive);
  succeeds("tar", ["-xzf", command, "-C", packages]);
  const program = join(packages, "package/index.js");
  const made = succeeds(process.execPath, [program, folder, "--template", template]);
  assert.match(made, /npm run dev/);

  const manifest = join(folder, "package.json");
  const { dependencies, devDependencies, ...rest } = JSON.parse(await readFile(manifest, "utf8"));
  const { "classlink-spa": own } = dependencies;
  const { "classlink-stand-in": ownStandIn } = devDependencies;
  assert.deepEqual([own, ownStandIn], ["^0.1.0", "^0.1.0"], "the versions beside it");
  dependencies["classlink-spa"] = `file:${archive}`;
  devDependencies["classlink-stand-in"] = `file:${standIn}`;
  await writeFile(manifest, JSON.stringify({ ...rest, dependencies, devDependencies }));
  await installPackages(folder, `the application of the template ${template}`);
  await changePorts(folder, template);
}

/** Runs a program that must end well. @param {string} command @param {string[]} args */
function succeeds(command, args) {
  const { ok, stdout, stderr } = execCapture(command, args);
  assert.ok(ok, stderr);
  return stdout;
}

/** @param {string} template */
const secretsOf = (template) => (template === "next" ? ".env.local" : ".env");

/** Gives an application ports that are free. @param {string} folder @param {string} template */
async function changePorts(folder, template) {
  /** @type {Record<string, string>} */
  const ports = {};
  for (const port of ["5173", "4400", "4401"]) ports[port] = String(await freePort());
  ports["3000"] = ports["5173"];
  for (const name of ["package.json", secretsOf(template)]) {
    const path = join(folder, name);
    const text = await readFile(path, "utf8");
    await writeFile(
      path,
      text.replace(PORTS, (port) => ports[port]),
    );
  }
}

/** Where an application and its stand-in are, by its own files. @param {string} folder @param {string} template */
async function placesOf(folder, template) {
  const settings = await readFile(join(folder, secretsOf(template)), "utf8");
  const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const [, origin = ""] = /APP_ORIGIN=(\S+)/.exec(settings) ?? [];
  const [, issuer = ""] = /ISSUER=(\S+)/.exec(settings) ?? [];
  const [, apiPort] = /--api-port (\d+)/.exec(scripts.dev) ?? [];
  return { origin, issuer, apiPort: Number(apiPort) };
}

/**
 * Starts an application by one of its own commands.
 *
 * @param {string} folder
 * @param {string} template
 * @param {"dev" | "start"} command
 */
async function startApplication(folder, template, command) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const { origin, issuer, apiPort } = await placesOf(folder, template);
    if (command === "start") {
      const standIn = await startStandIn({
        port: Number(new URL(issuer).port),
        apiPort,
        publicClients: false,
        clients: [
          { clientId: "my-app", clientSecret: SECRET, redirectUris: [`${origin}/callback`] },
        ],
      });
      ends.push(() => standIn.close());
    }
    const program = startProgram("npm", ["run", command], {
      cwd: folder,
      isGroup: true,
      env: {
        NODE_ENV: command === "dev" ? "development" : "production",
        PORT: new URL(origin).port,
        npm_config_update_notifier: "false",
      },
    });
    ends.push(() => program.stop());
    // A development server compiles each when it is asked for.
    for (const path of ["/", "/auth/health", "/classes"]) await untilReady(program, origin + path);
    const browser = await launch();
    ends.push(() => browser.close());
    return { origin, launchPad: `${issuer}/launchpad`, browser, program, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startApplication>>} Application */

/** @param {Page} page @param {string} name */
const greeting = (page, name) => page.getByRole("heading", { name: `Hello, ${name}` });

/** Signs in on the stand-in's pages, and allows it if that is asked. @param {Page} page @param {keyof typeof PEOPLE} person */
async function signIn(page, person) {
  await selectUser(page, PEOPLE[person]);
  const allow = page.getByTestId("consent-allow");
  await allow.or(page.locator("h1").filter({ hasText: /Hello|Welcome|Reports/ })).waitFor();
  if (await allow.isVisible()) await allow.click();
}

/** Checks of every application's sources. */
const SOURCES = {
  /** @param {{ folder: string }} where */
  async "the application passes typescript-eslint's strict rules"({ folder }) {
    const lint = join(root, "tests/samples/lint");
    const args = [
      ...[
        "--require",
        join(lint, "typescript.cjs"),
        join(root, "node_modules/eslint/bin/eslint.js"),
      ],
      ...["--config", join(lint, "templates.config.mjs"), "."],
    ];
    const { ok, stdout, stderr } = execCapture(process.execPath, args, { cwd: folder });
    assert.ok(ok, stdout + stderr);
  },
};

/** Checks of every application. */
const EVERYWHERE = {
  /** @param {Application} application */
  async "a student signs in, sees their classes, stays over a reload, and signs out for good"({
    browser,
    origin,
  }) {
    const visit = await openPage(browser);
    const { page } = visit;
    await page.goto(`${origin}/classes`);
    await signIn(page, "pia");
    await greeting(page, "Pia").waitFor();
    assert.equal(page.url(), `${origin}/classes`);
    await page.getByText("History 1").waitFor();
    await keepsItsSession(page);
    assert.deepEqual(visit.errors, []);
    await visit.context.close();
  },

  /** @param {Application} application */
  async "an address without a page leads to the start page"({ browser, origin }) {
    const { page, context } = await openPage(browser);
    await page.goto(`${origin}/no-such-page`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await page.getByRole("link", { name: "Go to the start page" }).click();
    await page.getByRole("heading", { name: "Welcome" }).waitFor();
    await context.close();
  },

  /** @param {Application} application */
  async "an open page follows when another user comes from LaunchPad, with their classes"({
    browser,
    origin,
    launchPad,
  }) {
    const visit = await openPage(browser);
    const { page, context } = visit;
    await page.goto(`${origin}/classes`);
    await signIn(page, "pia");
    await page.getByText("History 1").waitFor();

    const other = await context.newPage();
    await other.goto(launchPad);
    await other.getByTestId("launchpad-switch").click();
    await selectUser(other, PEOPLE.tess);
    await other.getByTestId("tile-my-app").click();
    await signInAgain(other);

    await greeting(page, "Tess").waitFor();
    await page.getByText("Science club").waitFor();
    assert.equal(await page.getByText("History 1").count(), 0);
    assert.deepEqual(visit.errors, []);
    await context.close();
  },
};

/** Allows what a tile's restarted login asks, and waits for the application. @param {Page} page */
async function signInAgain(page) {
  const allow = page.getByTestId("consent-allow");
  const home = page.getByRole("heading", { name: "Welcome" });
  // The tile asks first, then the login that it is restarted as; an answer is remembered.
  await allow.or(home).waitFor();
  if (await allow.isVisible()) await allow.click();
  await home.waitFor();
}

/** Checks of the application for Next.js. */
const NEXT = {
  /** @param {Application} application */
  async "a server component shows the user, and nothing personal without one"({ browser, origin }) {
    const visit = await openPage(browser);
    const { page } = visit;
    const without = await (await fetch(`${origin}/classes`)).text();
    assert.ok(!/Hello|History/.test(without));
    await page.goto(`${origin}/classes`);
    await signIn(page, "pia");
    await greeting(page, "Pia").waitFor();
    const response = await page.reload();
    assert.ok(/<h1>Hello, (?:<!-- -->)?Pia/.test((await response?.text()) ?? ""), "as HTML");
    assert.deepEqual(visit.errors, []);
    await visit.context.close();
  },

  /** @param {Application} application */
  async "proxy.ts shows a guarded page after a login, and to a user who comes from another site"({
    browser,
    origin,
  }) {
    const visit = await openPage(browser);
    const { page, context } = visit;
    const report = page.getByText("For Pia Pupil.");
    const without = await (await fetch(`${origin}/reports`)).text();
    assert.ok(without.includes("<title>Signing in</title>"), "in place of the page");
    await page.goto(`${origin}/reports?year=1`);
    await signIn(page, "pia");
    await report.waitFor();
    assert.equal(page.url(), `${origin}/reports?year=1`);

    // The session's cookie stays away from the navigation that another site begins.
    const body = `<a href="${origin}/reports">Reports</a>`;
    await context.route("http://other.example/", (route) =>
      route.fulfill({ contentType: "text/html", body }),
    );
    await page.waitForFunction("document.title === 'My classes'");
    await page.goto("http://other.example/");
    const [response] = await Promise.all([
      page.waitForResponse(`${origin}/reports`),
      page.getByRole("link").click(),
    ]);
    // Those of the stand-in, which is on the same host, are not strict.
    const { cookie = "" } = await response.request().allHeaders();
    assert.doesNotMatch(cookie.replace(/stand-in-[\w.-]+=[^;]*;? ?/g, ""), /./);
    await report.waitFor();
    assert.deepEqual(visit.errors, []);
    await context.close();
  },
};

/** The trials of an application. @param {string} template @returns {Trial[]} */
export const createTrials = (template) => {
  const checks = template === "next" ? { ...EVERYWHERE, ...NEXT } : EVERYWHERE;
  return [
    {
      name: `${template} template, its sources`,
      start: async (folder) => ({ folder, stop: async () => {} }),
      checks: SOURCES,
    },
    {
      name: `${template} template, npm run dev`,
      start: (folder) => startApplication(folder, template, "dev"),
      checks,
    },
    {
      name: `${template} template, npm run build and npm start`,
      prepare: (folder) =>
        run("npm", ["run", "build"], {
          cwd: folder,
          env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
        }),
      start: (folder) => startApplication(folder, template, "start"),
      checks,
    },
  ];
};
