/** The types of every entry, as applications use them, and the Spanish texts. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../tools/lib/run.mjs";

/** @import { ClassLinkErrorCode } from "classlink-spa" */

const run = promisify(execFile);

for (const [name, config] of [
  ["the client, React 19 and the test client", "tsconfig.json"],
  ["React 18", "tsconfig.react-18.json"],
  ["Vue 3 and vue-router", "tsconfig.vue.json"],
  ["a client that the application has registered", "tsconfig.register.json"],
]) {
  test(`the public types accept and refuse what their test file says: ${name}`, async () => {
    const project = join(root, "tests/frameworks/types", config);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    // It prints what is wrong on the standard output.
    const { stdout } = await run(process.execPath, [tsc, "--project", project]).catch(
      (error) => error,
    );
    assert.equal(stdout, "");
  });
}

test("messages have a text for every error code in every language", async () => {
  const declared = readFileSync(join(root, "pkg/types/types.d.ts"), "utf8");
  const union = /type ClassLinkErrorCode =(.*?);/s.exec(declared)?.[1] ?? "";
  const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code).sort();
  assert.ok(codes.length > 40);
  const { createTestClient } = await import("classlink-spa/testing");
  // A new language goes in here, by its entry.
  for (const { messages, texts } of [await import("classlink-spa/es")]) {
    assert.deepEqual(Object.keys(messages).sort(), codes);
    for (const [name, text] of Object.entries(texts)) {
      assert.ok(typeof text === "function" ? text(2).includes("2") : text.trim(), name);
    }
  }
  for (const code of codes) {
    const { userMessage } = createTestClient().setError(/** @type {ClassLinkErrorCode} */ (code));
    assert.match(userMessage, /^[A-Z].*[.]$/, code);
  }
});

test("the Spanish texts have a plain sentence for every error code, and every text of the components", async () => {
  const { createTestClient } = await import("classlink-spa/testing");
  const { default: spanish, messages } = await import("classlink-spa/es");
  assert.equal(spanish, messages);
  for (const [code, text] of /** @type {[ClassLinkErrorCode, string][]} */ (
    Object.entries(messages)
  )) {
    assert.match(text, /^[A-ZÁÉÍÓÚ].*[.]$/, code);
    assert.doesNotMatch(text, /token|oauth|wasm|gateway|redirig|callback|usted|su sesión/i, code);
    assert.notEqual(text, createTestClient().setError(code).userMessage, code);
  }
});
