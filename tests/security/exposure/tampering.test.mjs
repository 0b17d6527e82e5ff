/**
 * A script on the page that tampers with the platform: before the SDK loads, once it has, and after the sign-in. What each
 * way yields is what docs/security.md says.
 *
 * For Chromium alone, whose DevTools drive the page without a script in it that would be tampered with, too.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { KEYS, signToken } from "../../conformance/keys.mjs";
import { sharedBrowser } from "../../support/browser.mjs";
import { onlyInChromium } from "../../support/engine.mjs";
import { PATHS, PEOPLE, sharedLoginApp } from "../../support/login.mjs";
import { claimsOf, installClockOffsets } from "../../support/session.mjs";
import { HttpUserAgent } from "../../support/stand-in.mjs";
import { makeAttackerScript } from "./attacker-script.mjs";
import { recordSecrets } from "./secrets.mjs";
import { assertTable } from "./table.mjs";

/** @import { Page } from "playwright-core" */

/** Why other engines are left out. */
const OTHER_TABLE = "its driver asks the page by scripts, which are tampered with, too";

const browser = sharedBrowser();

const API = "https://api.example";

/** Everything that can be captured is there: without a gateway the refresh token, too. */
const startLoginApp = sharedLoginApp(
  {},
  { refreshTokens: true, expiresIn: true, accessTokenLifetime: 300 },
);

/** When the script starts. */
const MOMENTS = ["before the SDK loads", "once it has loaded", "after the sign-in"];

/** How docs/security.md calls what is captured. */
const LETTERS = { code: "C", verifier: "V", access: "A", refresh: "R", id: "I", name: "N" };

/**
 * Returns what a script captures that starts to tamper at this moment.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} moment
 * @returns {Promise<Record<string, string[]>>}
 */
async function captureAt(t, moment) {
  const { page, context, errors } = await browser.newPage(t);
  await installClockOffsets(context);
  /** @type {[string, string][]} */
  const secrets = [["name", "Pia"]];
  await recordSecrets(context, (what, value) => {
    if (what !== "nonce") secrets.push([what, value]);
  });
  await context.route(`${API}/**`, (route) =>
    route.fulfill({
      headers: { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" },
    }),
  );
  await context.addInitScript(makeAttackerScript);
  if (moment === MOMENTS[0]) await context.addInitScript("attackerScript.install()");
  const { open } = await startLoginApp(t, {
    interceptNavigation: true,
    config: { apiOrigins: [API] },
  });

  await open(page);
  const cdp = await context.newCDPSession(page);
  const run = async (/** @type {string} */ expression) => {
    const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
      expression: `(async () => { ${expression} })()`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
    return result.value;
  };

  await run("await client.preload()");
  if (moment === MOMENTS[1]) await run("attackerScript.install()");
  await run("await client.startLogin()");
  const { callback } = await new HttpUserAgent().arrive(await run("return left"), PEOPLE.pia);
  await run(`await client.handleCallback(${JSON.stringify(callback.href)})`);
  if (moment === MOMENTS[2]) await run("attackerScript.install()");
  await run("await client.getUser()");
  await run(`await client.fetch("${API}/")`);
  // So that the renewed ID token is another: it is issued in another second.
  await pause(1100);
  await run(`
    const renewed = new Promise((resolve) => {
      events.push = (event) => event.type === "token.renewed" && resolve();
    });
    clocks.wall += 290_000;
    clocks.monotonic += 290_000;
    document.dispatchEvent(new Event("visibilitychange"));
    await renewed;
  `);
  await run("attackerScript.look()");
  await run("await client.logout()");
  await run("await new Promise((resolve) => setTimeout(resolve)); attackerScript.stop()");
  assert.deepEqual(errors, [], "the tampering breaks nothing");
  return run(`return attackerScript.found(${JSON.stringify(secrets)})`);
}

test("docs/security.md lists what a script that tampers with the platform sees", async (t) => {
  if (onlyInChromium(t, OTHER_TABLE)) return;
  /** @type {Record<string, string[]>} */
  const table = {};
  for (const moment of MOMENTS) {
    for (const [tampering, captured] of Object.entries(await captureAt(t, moment))) {
      const letters = Object.entries(LETTERS).filter(([what]) => captured.includes(what));
      table[tampering] ??= [];
      table[tampering].push(letters.map(([, letter]) => letter).join(" ") || "–");
    }
  }
  assertTable("tried: tampering", table);
});

/**
 * Scripts that try to have a forged token accepted, run once the SDK has loaded. In them `jwk` is the attacker's key,
 * `keySet` a key set of it, and `n` the modulus of the provider's.
 */
const FORGERIES = {
  "nothing is tampered with": "",
  "`crypto.subtle.verify` returns `true`": "SubtleCrypto.prototype.verify = async () => true;",
  "`crypto.subtle.importKey` imports another key": `
    const { importKey } = SubtleCrypto.prototype;
    SubtleCrypto.prototype.importKey = function (format, key, ...rest) {
      return importKey.call(this, format, { kty: "RSA", n: jwk.n, e: jwk.e }, ...rest);
    };`,
  "`fetch` returns another key set": `
    const { fetch } = window;
    window.fetch = (url, init) => String(url).endsWith("/jwks")
      ? Promise.resolve(new Response(JSON.stringify(keySet)))
      : fetch(url, init);`,
  "`ReadableStreamDefaultReader.prototype.read` returns another key set": `
    const { read } = ReadableStreamDefaultReader.prototype;
    ReadableStreamDefaultReader.prototype.read = async function () {
      const step = await read.call(this);
      const text = new TextDecoder().decode(step.value);
      return text.includes('"keys"')
        ? { done: false, value: new TextEncoder().encode(JSON.stringify(keySet)) }
        : step;
    };`,
  "`TextDecoder.prototype.decode` returns another key": `
    const { decode } = TextDecoder.prototype;
    TextDecoder.prototype.decode = function (bytes) {
      const text = decode.call(this, bytes);
      return text === n ? jwk.n : text;
    };`,
  "`JSON.parse` returns another algorithm": `
    const { parse } = JSON;
    JSON.parse = (text) => {
      const value = parse(text);
      return value?.name?.startsWith("RSA") ? { name: "HMAC", hash: "SHA-256" } : value;
    };`,
  "`Promise.prototype.then` replaces `false` by `true`": `
    const { then } = Promise.prototype;
    Promise.prototype.then = function (fulfilled, rejected) {
      const yes = (value) => fulfilled(value === false || value);
      return then.call(this, typeof fulfilled === "function" ? yes : fulfilled, rejected);
    };`,
  "`Array.prototype[Symbol.iterator]` replaces `false` by `true`": `
    const iterate = Array.prototype[Symbol.iterator];
    Array.prototype[Symbol.iterator] = function () {
      const values = iterate.call(this);
      const next = values.next.bind(values);
      values.next = () => {
        const { done, value } = next();
        return { done, value: value === false || value };
      };
      return values;
    };`,
  "members of `Object.prototype`: `alg`, `kid`, `n`, `keys`": `
    Object.assign(Object.prototype, { alg: "none", kid: jwk.kid, n: jwk.n, keys: [jwk] });`,
};

test("docs/security.md lists what a script must tamper with for a forged ID token to be accepted", async (t) => {
  if (onlyInChromium(t, OTHER_TABLE)) return;
  const { page, context } = await browser.newPage(t);
  const { open, standIn } = await startLoginApp(t, { interceptNavigation: true });
  const keys = await (await fetch(standIn.issuer + PATHS.keys)).json();
  const { n } = keys.keys.find(({ kty }) => kty === "RSA");
  const { jwk } = KEYS.foreign;
  await context.route(standIn.issuer + PATHS.token, async (route) => {
    const response = await route.fetch();
    const tokens = await response.json();
    const header = JSON.parse(Buffer.from(tokens.id_token.split(".")[0], "base64url").toString());
    const claims = { ...claimsOf(tokens.id_token), given_name: "Forged", name: "Forged" };
    tokens.id_token = signToken(header, claims, KEYS.foreign);
    await route.fulfill({ response, json: tokens });
  });

  /** @type {Record<string, string[]>} */
  const table = {};
  for (const [name, script] of Object.entries(FORGERIES)) {
    await open(page);
    await page.evaluate("client.startLogin()");
    const left = await page.evaluate("left");
    const { callback } = await new HttpUserAgent().arrive(left, PEOPLE.pia);
    // Told to the window before anything is tampered with, and read as text after it.
    await page.evaluate(
      ([url, n, jwk]) => Object.assign(window, { url, n, jwk, keySet: { keys: [jwk] } }),
      [callback.href, n, { ...jwk, kid: keys.keys[0].kid }],
    );
    const cdp = await context.newCDPSession(page);
    const { result } = await cdp.send("Runtime.evaluate", {
      expression: `(async () => {
        await client.preload();
        { ${script} }
        return client.handleCallback(url).then(
          ({ status }) => status,
          ({ code, reason }) => [code, reason].join(" "),
        );
      })()`,
      awaitPromise: true,
    });
    table[name] = [result.value === "signed-in" ? "accepted" : "refused"];
    // Or it breaks: the iterator serves every call's arguments.
    const ends = /^(signed-in|id_token_invalid (signature|key_not_found)|internal )$/;
    assert.match(result.value, ends, name);
    await cdp.detach();
  }
  assertTable("tried: forging", table);
});
