/** A defect of the WebAssembly: every call ends, and the client works again. By a build that panics on request. */

import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build as bundle } from "esbuild";
import { buildWasm } from "../../tools/build.mjs";
import { root } from "../../tools/lib/run.mjs";
import { startApp } from "../support/app.mjs";
import { sharedBrowser } from "../support/browser.mjs";

const browser = sharedBrowser();

/** The inline entry with a WebAssembly that panics if the page's `forcePanic` is true, as text. */
async function panickingEntry() {
  const folder = join(root, "target/forced-panic");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, "wasm");
  await buildWasm(wasm, { features: ["forced-panic"], isOptimized: false });
  const { outputFiles } = await bundle({
    entryPoints: [join(root, "pkg-template/src/inline.ts")],
    bundle: true,
    write: false,
    format: "esm",
    define: { __VERSION__: '"0"' },
    loader: { ".wasm": "base64" },
    plugins: [
      {
        name: "the WebAssembly that panics",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/wasm\// }, ({ path }) => ({
            path: join(wasm, path.slice("./wasm/".length)),
          })),
      },
    ],
  });
  return outputFiles[0].text;
}

test("a panic after an await ends every outstanding call with `internal`, and the next call works", async (t) => {
  const { page, errors } = await browser.newPage(t);
  const app = await startApp(t);
  const entry = await panickingEntry();
  await page.route("**/entry.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body: entry }),
  );
  await page.goto(app.origin);

  const seen = await page.evaluate(async (redirectUri) => {
    // @ts-expect-error: served by the application.
    const { createClient } = await import("/entry.js");
    const events = [];
    let leaving;
    const client = createClient({
      clientId: "test-app",
      redirectUri,
      navigate: () => new Promise((resolve) => leaving?.(resolve)),
      onEvent: ({ type, code }) => events.push({ type, code }),
    });
    const outcome = (promise) =>
      promise.then(
        (value) => ({ value }),
        ({ code, message }) => ({ code, message }),
      );

    const before = await outcome(client.getUser());
    // On its way for ever: the application's own navigation doesn't come back.
    const login = outcome(client.startLogin());
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.forcePanic = true;
    const panicked = await outcome(client.getUser());
    const outstanding = await login;
    const status = client.getSnapshot().status;

    globalThis.forcePanic = false;
    const after = await outcome(client.getUser());
    const left = new Promise((resolve) => {
      leaving = resolve;
    });
    const again = outcome(client.startLogin());
    (await left)();
    return { before, panicked, outstanding, status, after, again: await again, events };
  }, app.redirectUri);

  assert.deepEqual(seen.before, { value: null });
  assert.equal(seen.panicked.code, "internal");
  assert.equal(seen.outstanding.code, "internal");
  assert.equal(seen.status, "signed-out");
  assert.deepEqual(seen.after, { value: null });
  assert.deepEqual(seen.again, { value: undefined });
  assert.deepEqual(
    seen.events.filter(({ type }) => type === "login.failed"),
    [{ type: "login.failed", code: "internal" }],
  );
  // The trap itself is the browser's to report; nothing else is.
  assert.ok(
    errors.every((error) => /unreachable/.test(error)),
    errors.join("\n"),
  );
});
