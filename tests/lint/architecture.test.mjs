// The layers of the Rust crate: which module may import which, and what the pure ones may not use. The folders of the
// package's TypeScript have such rules in `.oxlintrc.json`.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/run.mjs";

/** The modules that each top-level module of the crate may import, by a path of its own: no `use crate::{…}`. */
const LAYERS = /** @type {Record<string, string[]>} */ ({
  benchmark: ["browser", "error", "protocol"],
  error: ["protocol"],
  protocol: ["error"],
  config: ["error", "protocol"],
  session: ["protocol"],
  browser: ["error", "protocol"],
  host: ["browser", "error"],
  driver: ["browser", "config", "error", "host", "protocol", "session"],
  bindings: ["driver", "host", "protocol", "session"],
});

/** Modules without a browser, a clock, randomness and I/O. */
const PURE = ["protocol", "session"];
const IMPURE =
  /\b(?:wasm_bindgen|js_sys|web_sys|gloo_\w+|getrandom|std::(?:fs|io|net|time|thread|env))\b/;

/** Rust without comments, strings and the tests in it. @param {string} text */
const codeOf = (text) =>
  text
    .replace(/^#\[cfg\(test\)\]\n(?:pub\(crate\) )?mod tests \{[\s\S]*/m, "")
    .replace(/"(?:\\.|[^"\\])*"/g, '""')
    .replace(/\/\/.*$/gm, "");

const src = join(root, "src");
const modules = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".rs") && path !== "lib.rs")
  .filter((path) => !/(?:^|[\\/])(?:tests(?:\.rs$|[\\/])|simulation[\\/])/.test(path))
  .map((path) => {
    const [top = ""] = path.replace(/\.rs$/, "").split(sep);
    const name = `src/${relative(src, join(src, path)).replaceAll(sep, "/")}`;
    return { name, top, code: codeOf(readFileSync(join(src, path), "utf8")) };
  });

test("every module of the crate belongs to a layer", () => {
  const tops = [...new Set(modules.map(({ top }) => top))].sort();
  assert.deepEqual(tops, Object.keys(LAYERS).sort());
});

for (const [layer, allowed] of Object.entries(LAYERS)) {
  test(`src/${layer} imports ${allowed.join(", ")} and no other module`, () => {
    const broken = modules
      .filter(({ top }) => top === layer)
      .flatMap(({ name, code }) =>
        [...code.matchAll(/\bcrate::(\w+|\{)/g)]
          .map(([, used = ""]) => used)
          .filter((used) => used !== layer && !allowed.includes(used))
          .map((used) => `${name} imports crate::${used}`),
      );
    assert.deepEqual(broken, []);
  });
}

test("src/protocol and src/session use no browser, clock, randomness and I/O", () => {
  const broken = modules
    .filter(({ top }) => PURE.includes(top))
    .flatMap(({ name, code }) => (IMPURE.exec(code) ?? []).map((found) => `${name} uses ${found}`));
  assert.deepEqual(broken, []);
});
