/**
 * Where the tokens are: Chromium's heap snapshots, the WebAssembly's memory and everything a page keeps, searched after
 * sign-in, use, renewal and sign-out. What is found is what docs/security.md says, count by count.
 *
 * For Chromium alone: no other browser lets a test see its heap.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sharedBrowser } from "../../support/browser.mjs";
import { onlyInChromium } from "../../support/engine.mjs";
import { startGatewayApp } from "../../support/gateway-app.mjs";
import { collectPageState } from "../../support/holdings.mjs";
import {
  callInPage,
  LOGIN_PREFIX,
  loginThroughUi,
  PEOPLE,
  sharedLoginApp,
} from "../../support/login.mjs";
import {
  advanceClocks,
  installClockOffsets,
  simulateVisibilityChange,
  waitForEvent,
} from "../../support/session.mjs";
import { copiesOf, memoryOf, WHOLE_STRINGS } from "./heap.mjs";
import { recordSecrets } from "./secrets.mjs";
import { assertTable } from "./table.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */
/** @import { Memory } from "./heap.mjs" */

/** Why other engines are left out. */
const NO_SNAPSHOTS = "no other browser lets a test see its heap";

const browser = sharedBrowser([WHOLE_STRINGS]);

/** A provider with refresh tokens, whose tokens live five minutes. */
const RENEWING = {
  refreshTokens: true,
  expiresIn: true,
  accessTokenLifetime: 300,
  idTokenLifetime: 3600,
};

const API = "https://api.example";

const startLoginApp = sharedLoginApp({}, RENEWING);

/** The secrets of a sign-in, as docs/security.md calls them. */
const [ACCESS, REFRESH, ID, BEFORE, CODE, VERIFIER, NONCE] = [
  "access token",
  "refresh token (never, with a gateway)",
  "ID token",
  "the tokens before the renewal",
  "authorization code, used",
  "code verifier",
  "nonce, a claim of the ID token",
];
const NAMES = [ACCESS, REFRESH, ID, BEFORE, CODE, VERIFIER, NONCE];

/**
 * Learns the secrets of a sign-in where they go over the wire.
 *
 * @param {BrowserContext} context
 * @returns {Promise<Record<string, string[]>>} by {@link NAMES}
 */
async function learnSecrets(context) {
  /** @type {Record<string, string[]>} */
  const secrets = Object.fromEntries(NAMES.map((name) => [name, []]));
  const names = {
    access: ACCESS,
    refresh: REFRESH,
    id: ID,
    code: CODE,
    verifier: VERIFIER,
    nonce: NONCE,
  };
  await recordSecrets(context, (what, value) => {
    const name = names[what];
    if (secrets[name].includes(value)) return;
    if ([ACCESS, REFRESH, ID].includes(name)) secrets[BEFORE].push(...secrets[name]);
    secrets[name] = [value];
  });
  return secrets;
}

/** All that a page can store or show, and what it reports about its own loading. @param {Page} page */
const everything = async (page) => ({
  ...(await page.evaluate(collectPageState, LOGIN_PREFIX)),
  ...(await page.evaluate(() => ({
    "performance entries": JSON.stringify(performance.getEntries()),
    "the referrer": document.referrer,
  }))),
  "cookies, all of them": JSON.stringify(await page.context().cookies()),
});

/**
 * How often some secrets are in a page's memory, as docs/security.md writes it: `1 W` in the WebAssembly's, `1 J` in the
 * JavaScript heap, out of scripts' reach, `1 S` within it.
 *
 * @param {Memory} memory
 * @param {string[]} secrets
 */
function written(memory, secrets) {
  const sum = { W: 0, J: 0, S: 0 };
  for (const secret of secrets) {
    const { wasm, heap, buffers, script } = copiesOf(memory, secret);
    sum.W += wasm;
    sum.J += heap + buffers;
    sum.S += script;
  }
  const counts = Object.entries(sum).filter(([, count]) => count > 0);
  return counts.map(([place, count]) => `${count} ${place}`).join(", ") || "–";
}

for (const gateway of [false, true]) {
  test(`docs/security.md counts every copy of a token, ${gateway ? "with" : "without"} a gateway`, async (t) => {
    if (onlyInChromium(t, NO_SNAPSHOTS)) return;
    const { page, context } = await browser.newPage(t);
    await installClockOffsets(context);
    const secrets = await learnSecrets(context);
    await context.route(`${API}/**`, (route) =>
      route.fulfill({
        headers: { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" },
      }),
    );
    const config = { apiOrigins: [API] };
    const app = gateway
      ? await startGatewayApp(t, { standIn: RENEWING, config })
      : await startLoginApp(t, { config });
    const { open } = app;
    const passThere = "passThere" in app ? app.passThere : undefined;
    /** @type {Record<string, string[]>} */
    const table = Object.fromEntries(NAMES.map((name) => [name, []]));
    /** @type {string[]} */
    const kept = [];
    const look = async (/** @type {string} */ step) => {
      const memory = await memoryOf(page);
      assert.equal(memory.wasm.length, 1, "the WebAssembly's memory is looked into");
      const places = await everything(page);
      for (const name of NAMES) {
        table[name].push(written(memory, secrets[name]));
        for (const [place, text] of Object.entries(places)) {
          if (secrets[name].some((secret) => text.includes(secret))) {
            kept.push(`${step}: the ${name} in ${place}`);
          }
        }
      }
    };

    await open(page);
    const { user } = await loginThroughUi(page, PEOPLE.pia);
    assert.equal(user.name, "Pia Pupil");
    await look("signed in");

    const status = await callInPage(page, `client.fetch("${API}/").then(({ status }) => status)`);
    assert.equal(status, 200);
    await look("used");

    await page.evaluate("client.getAccessToken().then((token) => { window.held = token; })");
    await look("given");

    await page.evaluate("delete window.held");
    // So that the renewed ID token is another: it is issued in another second.
    await pause(1100);
    passThere?.(290);
    await advanceClocks(page, 290);
    await simulateVisibilityChange(page);
    await waitForEvent(page, "token.renewed");
    await look("renewed");

    const { sessionEnded } = await callInPage(page, "client.logout()");
    assert.equal(sessionEnded, true);
    await look("signed out");

    const rotated = gateway ? 2 : 3;
    assert.equal(secrets[BEFORE].length, rotated, "every token was renewed");
    if (gateway) {
      assert.deepEqual(secrets[REFRESH], []);
      // The row is about the other way.
      delete table[REFRESH];
    }
    assertTable("counted: where the tokens are", table);
    assert.deepEqual(kept, [
      `signed in: the ${CODE} in performance entries`,
      `used: the ${CODE} in performance entries`,
      `given: the ${ACCESS} in globals`,
      `given: the ${CODE} in performance entries`,
      `renewed: the ${CODE} in performance entries`,
      `signed out: the ${CODE} in performance entries`,
    ]);
  });
}

test("a sign-out right after the sign-in leaves no name in memory, though getUser was not called", async (t) => {
  if (onlyInChromium(t, NO_SNAPSHOTS)) return;
  const { page } = await browser.newPage(t);
  const { open } = await startLoginApp(t);
  const name = ["pia.pupil"];
  await open(page);
  await loginThroughUi(page, PEOPLE.pia);
  assert.match(
    written(await memoryOf(page), name),
    /W.*J/,
    "it is found while the user is signed in",
  );

  await callInPage(page, "client.logout()");

  assert.equal(written(await memoryOf(page), name), "–");
});
