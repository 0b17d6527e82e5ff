/** The types of every entry, as applications use them, and the Spanish texts. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
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
]) {
  test(`the types hold what they promise: ${name}`, async () => {
    const project = join(root, "tests/frameworks/types", config);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    // It prints what is wrong on the standard output.
    const { stdout } = await run(process.execPath, [tsc, "--project", project]).catch(
      (error) => error,
    );
    assert.equal(stdout, "");
  });
}

test("Spanish: a plain sentence for every code, and a text wherever the components speak", async () => {
  const { createTestClient } = await import("classlink-spa/testing");
  const { default: spanish, messages, texts } = await import("classlink-spa/es");
  assert.equal(spanish, messages);
  for (const [code, text] of /** @type {[ClassLinkErrorCode, string][]} */ (
    Object.entries(messages)
  )) {
    assert.match(text, /^[A-ZÁÉÍÓÚ].*[.]$/, code);
    assert.doesNotMatch(text, /token|oauth|wasm|gateway|redirig|callback|usted|su sesión/i, code);
    assert.notEqual(text, createTestClient().setError(code).userMessage, code);
  }
  assert.ok(Object.values(texts).every((text) => text.length > 0));
});
