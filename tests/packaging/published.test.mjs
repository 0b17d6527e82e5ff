// The package as its users' tools see it: its manifest and types, and the reviewed report of its interface.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { compileEntries, typedEntries } from "../../tools/api-report.mjs";
import { root } from "../../tools/lib/run.mjs";

const pkg = join(root, "pkg");
const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
/** @type {Buffer} */
let archive;
before(() => {
  const folder = join(root, "target/packed");
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", pkg, "--json", "--pack-destination", folder]);
  archive = readFileSync(join(folder, JSON.parse(packed.toString())[0].filename));
});

test("publint finds no fault in the package", async () => {
  const tarball = new Uint8Array(archive).buffer;
  const { messages } = await publint({ strict: true, pack: { tarball } });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, manifest)),
    [],
  );
});

test("attw resolves the types of every entry in ES modules and bundlers", async () => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(archive)), {
    // Files for bundlers and servers, which have no types.
    excludeEntrypoints: ["./classlink_spa_bg.wasm", "./styles.css"],
  });
  assert.ok(result.types, "the package has types");
  // CommonJS and resolution without `exports` are not supported.
  const ours = result.problems.filter(
    (problem) =>
      !("resolutionKind" in problem && /^node10$|^node16-cjs$/.test(problem.resolutionKind)) &&
      problem.kind !== "CJSResolvesToESM",
  );
  assert.deepEqual(ours, []);
});

const entries = typedEntries(manifest.exports);
/** @type {ReturnType<typeof compileEntries>} */
let reportOf;
before(() => {
  reportOf = compileEntries(entries);
});
for (const entry of entries) {
  test(`${entry} has the interface of its reviewed report`, () => {
    const changed = reportOf(entry, { replace: false });
    assert.ok(!changed, "run `npm run docs:api-report`, and review the difference");
  });
}
