// The command of `npm create classlink-spa`: what it makes, and what it refuses. The applications run in `tests/packaging`.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../tools/lib/run.mjs";

/** A folder for one test. @param {import("node:test").TestContext} t */
function newFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "classlink-create-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs the command. @param {string} cwd @param {...string} args */
function create(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "create/index.js"), ...args],
    { cwd, encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

const SECRETS = { react: ".env", vue: ".env", next: ".env.local" };

for (const [template, secrets] of Object.entries(SECRETS)) {
  test(`create makes an application from the template ${template}, with a sealing key of its own`, (t) => {
    const folder = newFolder(t);
    const keys = ["one", "two"].map((name) => {
      const { status, stdout, stderr } = create(folder, name, "--template", template);
      assert.equal(status, 0, stderr);
      assert.match(stdout, new RegExp(`cd ${name}\\n {2}npm install\\n {2}npm run dev`));
      const text = readFileSync(join(folder, name, secrets), "utf8");
      return /^SEALING_KEYS=(.*)$/m.exec(text)?.[1] ?? "";
    });
    assert.notEqual(keys[0], keys[1]);
    assert.equal(Buffer.from(keys[0] ?? "", "base64").length, 32);
    const names = readdirSync(join(folder, "one"));
    assert.deepEqual(
      names.filter((name) => name.startsWith("_")),
      [],
    );
    execFileSync("git", ["init", "--quiet", join(folder, "one")]);
    const ignored = execFileSync("git", ["check-ignore", secrets, "node_modules/"], {
      cwd: join(folder, "one"),
      encoding: "utf8",
    });
    assert.deepEqual(ignored.trim().split("\n"), [secrets, "node_modules/"]);
  });
}

test("create names the application after its folder, as npm allows it", (t) => {
  const folder = newFolder(t);
  create(folder, "My School App!");
  const manifest = readFileSync(join(folder, "My School App!/package.json"), "utf8");
  assert.equal(JSON.parse(manifest).name, "my-school-app");
});

test("create makes my-app for React if nothing is given and nothing can be asked", (t) => {
  const folder = newFolder(t);
  assert.equal(create(folder).status, 0);
  const { dependencies } = JSON.parse(readFileSync(join(folder, "my-app/package.json"), "utf8"));
  assert.ok(dependencies.react);
});

test("create takes an empty folder, a new repository too", (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, ".git"));
  const { status, stdout } = create(folder, ".");
  assert.equal(status, 0);
  assert.doesNotMatch(stdout, /^ {2}cd/m);
});

test("create refuses a folder that has files, and changes nothing in it", (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, "package.json"), "{}");
  const { status, stderr } = create(folder, ".");
  assert.equal(status, 2);
  assert.match(stderr, /is not empty\nTry npm create classlink-spa -- --help/);
  assert.deepEqual(readdirSync(folder), ["package.json"]);
});

test("create says which templates there are when it does not know one", (t) => {
  const { status, stderr } = create(newFolder(t), "app", "--template", "angular");
  assert.equal(status, 2);
  assert.match(stderr, /there is no template angular; there are react, vue, next/);
});

test("create refuses flags that it does not know, and a second folder", (t) => {
  const folder = newFolder(t);
  assert.match(create(folder, "--tempalte", "vue").stderr, /'--tempalte'/);
  assert.match(create(folder, "one", "two").stderr, /only one folder can be given/);
  assert.deepEqual(readdirSync(folder), []);
});

test("create prints its help", (t) => {
  const { status, stdout } = create(newFolder(t), "--help");
  assert.equal(status, 0);
  assert.match(stdout, /Usage: npm create classlink-spa@latest \[FOLDER\] -- \[--template NAME\]/);
});
