/**
 * Compares the validation of ID tokens with the signature check inside it. The validation is exported by a build for
 * this purpose: the package has no such function.
 *
 * @module
 */

import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { SignJWT } from "jose";
import { buildWasm } from "../tools/build.mjs";
import { root } from "../tools/lib/run.mjs";
import { median } from "./statistics.js";

/** @import { Browser } from "playwright-core" */

/** Validations a second, by what validates: medians of the rounds. @typedef {Record<"webCrypto" | "classlink-spa" | "jose", number>} ValidationRates */

/**
 * Holds an ID token and what it is validated against.
 *
 * @typedef {object} Sample
 * @property {string} idToken
 * @property {string} accessToken
 * @property {string} keySet JSON.
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} nonce
 */

/** @returns {Promise<Sample>} */
async function createSample() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const [issuer, clientId, nonce] = ["https://provider.example", "bench", randomUUID()];
  const accessToken = randomUUID();
  const digest = createHash("sha256").update(accessToken).digest();
  const claims = {
    nonce,
    at_hash: digest.subarray(0, 16).toString("base64url"),
    name: "Pia Pupil",
  };
  const idToken = await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", kid: "bench" })
    .setIssuer(issuer)
    .setAudience(clientId)
    .setSubject("8708718")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(privateKey);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" };
  return { idToken, accessToken, keySet: JSON.stringify({ keys: [jwk] }), issuer, clientId, nonce };
}

/**
 * Builds the page's script.
 *
 * @returns {Promise<string>}
 */
async function buildScript() {
  const folder = join(root, "target/benchmark");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, "wasm");
  await buildWasm(wasm, { features: ["benchmark"] });
  const { outputFiles } = await bundle({
    entryPoints: [fileURLToPath(new URL("validations-page.js", import.meta.url))],
    alias: { "benchmark-wasm": wasm },
    bundle: true,
    write: false,
    format: "iife",
    loader: { ".wasm": "base64" },
    logLevel: "error",
  });
  return outputFiles[0].text;
}

/**
 * @param {Browser} browser
 * @param {string} secureUrl A page with Web Crypto.
 * @param {{ rounds: number, validations: number }} options
 * @returns {Promise<ValidationRates>}
 */
export async function measureValidations(browser, secureUrl, { rounds, validations }) {
  const script = await buildScript();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(secureUrl);
    await page.addScriptTag({ content: script });
    /** @type {Record<string, number[]>} */
    const seen = { webCrypto: [], "classlink-spa": [], jose: [] };
    const sample = await createSample();
    for (let round = 0; round <= rounds; round++) {
      for (const name of Object.keys(seen)) {
        const seconds = await page.evaluate(
          ({ name, sample, validations }) =>
            /** @type {any} */ (window).measureValidations(name, sample, validations),
          { name, sample, validations },
        );
        // The first round compiles.
        if (round > 0) seen[name].push(validations / seconds);
      }
    }
    return /** @type {ValidationRates} */ (
      Object.fromEntries(Object.entries(seen).map(([name, rates]) => [name, median(rates)]))
    );
  } finally {
    await context.close();
  }
}
