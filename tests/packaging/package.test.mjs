// The package as it was built: its weight, its files, and what importing it does.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { dependenciesPage, PAGE, weightsOf } from "../../tools/dependencies.mjs";
import { root } from "../../tools/lib/run.mjs";
import { MAX_BROTLI_BYTES, measure } from "../../tools/sizes.mjs";
import { startApp } from "../support/app.mjs";
import { sharedBrowser } from "../support/browser.mjs";

const run = promisify(execFile);
const pkg = join(root, "pkg");
const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
const browser = sharedBrowser();

/** The files that `exports` names, without repetition. */
const exported = [
  ...new Set(
    Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    ),
  ),
].map((path) => path.replace(/^\.\//, ""));

/** Scripts that others load, and the command: no entries of their own. */
const INTERNAL = ["cli.js", "diagnosis.js"];

/** The globals that the crate's browser code and the scripts use. */
const BROWSER_GLOBALS = [
  ...["window", "self", "document", "location", "history", "navigator", "sessionStorage"],
  ...["localStorage", "fetch", "crypto", "WebAssembly", "BroadcastChannel", "addEventListener"],
];

const isDevelopmentBuild = readFileSync(
  new URL("../../target/built-wasm.stamp", import.meta.url),
  "utf8",
).endsWith("development");

test(`the main entry weighs at most ${MAX_BROTLI_BYTES} bytes of brotli`, {
  skip: isDevelopmentBuild && "a development build is not made small",
}, () => {
  const { total } = measure(pkg)["classlink-spa"];
  assert.ok(total.brotli <= MAX_BROTLI_BYTES, `${total.brotli} bytes`);
});

test("each relative link and image of the packed pages leads to a file of the package", () => {
  const pages = ["README.md", "CHANGELOG.md"].concat(
    readdirSync(join(pkg, "docs"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".md"))
      .map((path) => join("docs", path)),
  );
  assert.ok(pages.length > 20);
  const dangling = pages.flatMap((page) => {
    // Code in a page has no links.
    const text = readFileSync(join(pkg, page), "utf8").replace(/```.*?```|`[^`\n]*`/gs, "");
    return [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !existsSync(join(pkg, dirname(page), path)))
      .map((path) => `${page}: ${path}`);
  });
  assert.deepEqual(dangling, []);
});

test("the package has the crate's version", () => {
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  assert.equal(manifest.version, cargo.match(/^version = "(.+)"/m)?.[1]);
});

test("the package exports every script at its root, and no file that is missing", () => {
  for (const path of exported) assert.ok(existsSync(join(pkg, path)), path);
  assert.deepEqual(
    exported.filter((path) => path.includes("/")),
    [],
  );
  const scripts = readdirSync(pkg).filter((name) => name.endsWith(".js"));
  assert.deepEqual(
    scripts.filter((name) => ![...exported, ...INTERNAL].includes(name)),
    [],
  );
});

test("the package contains no path of the machine that built it", {
  skip: isDevelopmentBuild && "a development build names its sources",
}, () => {
  for (const name of readdirSync(pkg).filter((name) => /\.(?:js|wasm|ts)$/.test(name))) {
    const text = readFileSync(join(pkg, name), "latin1");
    for (const path of [root, homedir()])
      assert.ok(!text.includes(`${path}/`), `${path} in ${name}`);
  }
});

const ENTRIES = {
  "index.js": "createClient",
  "index.node.js": "createClient",
  "inline.js": "createClient",
  "react.js": "RequireSignIn",
  "vue.js": "createClassLink",
  "router.js": "requireUser",
  "testing.js": "createTestClient",
};

for (const [name, main] of Object.entries(ENTRIES)) {
  test(`importing ${name} touches no browser global`, async () => {
    const script = `
      ${name === "react.js" || name === "vue.js" ? `await import("${name.slice(0, -3)}");` : ""}
      const touched = [];
      for (const name of ${JSON.stringify(BROWSER_GLOBALS)}) {
        const get = () => { touched.push(name); };
        Object.defineProperty(globalThis, name, { get, configurable: true });
      }
      const { ${main} } = await import(${JSON.stringify(pathToFileURL(join(pkg, name)))});
      console.log(JSON.stringify({ touched, exported: typeof ${main} }));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: root,
    });
    assert.deepEqual(JSON.parse(stdout), { touched: [], exported: "function" });
  });
}

test("the bill of materials is valid CycloneDX, and names every crate and package that users get, with its hash", async () => {
  const text = readFileSync(join(pkg, "sbom.cdx.json"), "utf8");
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);

  const { metadata, components } = JSON.parse(text);
  assert.equal(metadata.component.purl, `pkg:npm/classlink-spa@${manifest.version}`);
  const locked = readFileSync(join(root, "Cargo.lock"), "utf8");
  for (const { purl, hashes, licenses } of components) {
    const [, from, name, version] = purl.match(/^pkg:(\w+)\/([^@]+)@(.+)$/);
    assert.ok(licenses.length > 0, purl);
    if (from !== "cargo") continue;
    assert.match(
      locked,
      new RegExp(`name = "${name}"\nversion = "${version}"\n.*\nchecksum = "${hashes[0].content}"`),
    );
  }
  const purls = components.map(({ purl }) => purl.replace(/@.*/, ""));
  for (const name of Object.keys(manifest.dependencies))
    assert.ok(purls.includes(`pkg:npm/${name}`));
  for (const name of ["wasm-bindgen", "sha2", "digest", "zeroizing-alloc"]) {
    assert.ok(purls.includes(`pkg:cargo/${name}`), name);
  }
  assert.ok(purls.includes("pkg:generic/rust"));
  for (const name of ["proptest", "aws-lc-rs", "syn"]) {
    assert.ok(!purls.includes(`pkg:cargo/${name}`), `${name} reaches no user`);
  }
});

test("docs/dependencies.md is what `npm run docs:dependencies` would write", async () => {
  const page = readFileSync(PAGE, "utf8");
  // The weights are a build's: they are taken as they stand.
  assert.equal(page, dependenciesPage(weightsOf(page)));
});

for (const name of ["index.js", "inline.js"]) {
  test(`importing ${name} in a page requests no other file`, async (t) => {
    const app = await startApp(t);
    const { page, requests, errors } = await browser.newPage(t);
    await page.goto(app.origin);
    const type = await page.evaluate(
      async (url) => typeof (await import(url)).createClient,
      `/pkg/${name}`,
    );
    assert.equal(type, "function");
    assert.deepEqual(
      requests.map((request) => new URL(request.url()).pathname),
      ["/", `/pkg/${name}`],
    );
    assert.deepEqual(errors, []);
  });
}
