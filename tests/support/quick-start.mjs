/**
 * The apps of the quick start: the page's files, laid out as it says, and the user who uses them. Only the ports are
 * others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../../tools/lib/run.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { PEOPLE, selectUser } from "./login.mjs";

/** @import { Page } from "playwright-core" */

/** The client secret that the page uses with the stand-in. */
export const SECRET = "not-a-secret";

/**
 * The page's files beneath one of its folders, by their paths there.
 *
 * @param {string} folder
 * @returns {Record<string, string>}
 */
export function filesOf(folder) {
  const page = readFileSync(join(root, "docs/quick-start.md"), "utf8");
  const marked = page.matchAll(/^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$/gms);
  return Object.fromEntries(
    [...marked]
      .filter(([, path]) => path.startsWith(`${folder}/`))
      .map(([, path, text]) => [path.slice(folder.length + 1), text]),
  );
}

/**
 * The page's stand-in, for an app at another port.
 *
 * @param {string} origin of the app
 * @param {{ publicClients?: boolean }} [switches]
 */
export const startQuickStandIn = (origin, switches) =>
  startStandIn({
    clients: [
      {
        clientId: "my-app",
        clientSecret: SECRET,
        redirectUris: [`${origin}/callback`, `${origin}/`],
      },
    ],
    consent: "never",
    ...switches,
  });

/**
 * Writes files into a folder, with the ports that this run has in place of the page's.
 *
 * @param {string} folder
 * @param {Record<string, string>} files
 * @param {{ app: number, issuer: string, gateway?: number }} places
 */
export function layOut(folder, files, { app, issuer, gateway = 3000 }) {
  /** @type {Record<string, string>} */
  const moved = { "http://localhost:4400": issuer, 5173: String(app), 3000: String(gateway) };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(
      join(folder, path),
      text.replace(/http:\/\/localhost:4400|5173|3000/g, (place) => moved[place]),
    );
  }
}

/** The first, because Next.js reads a new page's heading out, in an element of its own. @param {Page} page */
export const greeting = (page) => page.getByText("Hello, Pia").first();

/** @param {Page} page */
export const signInButton = (page) => page.getByRole("button", { name: /^Sign in/ });

/**
 * Signs in at an app of the quick start.
 *
 * @param {Page} page
 * @param {string} url
 * @param {{ byButton?: boolean }} [how]
 */
export async function loginAtApp(page, url, { byButton } = {}) {
  await page.goto(url);
  if (byButton) await signInButton(page).click();
  await selectUser(page, PEOPLE.pia);
  await greeting(page).waitFor();
}

/**
 * Checks the promises of the quick start about an app with the gateway: its session survives a reload, nothing of it is in the page's
 * storage, and it is gone for good after signing out.
 *
 * @param {Page} page where a user is signed in
 */
export async function keepsItsSession(page) {
  await page.reload();
  await greeting(page).waitFor();
  const stored = await page.evaluate(() =>
    [...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((key) =>
      key.startsWith("classlink-spa"),
    ),
  );
  assert.deepEqual(stored, []);
  await page.getByRole("button", { name: "Sign out" }).click();
  await signInButton(page).waitFor();
  await page.reload();
  await signInButton(page).waitFor();
}
