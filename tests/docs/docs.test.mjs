// The documentation's pages: their links lead somewhere, and what they list is what there is.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { ClassLinkError } from "classlink-spa";
import { root } from "../../tools/lib/run.mjs";

/** @import { ClassLinkErrorCode } from "classlink-spa" */

const read = (path) => readFileSync(join(root, path), "utf8");
const types = read("pkg/types/types.d.ts") + read("pkg/types/shared-types.d.ts");

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "www/stand-in/README.md", "create/README.md"],
  ...readdirSync(join(root, "docs"))
    .filter((name) => String(name).endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** Written on demand. */
const GENERATED = ["docs/conformance.md", "docs/api"];

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading) =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\s-]/gu, "")
    .replaceAll(" ", "-");

const withoutCode = (text) => text.replace(/^```.*?^```$/gms, "");

const anchorsOf = (page) =>
  [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));

/** The names of a union of strings in the package's types. */
const unionOf = (name) => {
  const [, body = ""] = new RegExp(`type ${name} =([^;]+);`).exec(types) ?? [];
  return [...body.matchAll(/"([\w.]+)"/g)].map(([, member]) => member);
};

/** The members of an interface in the package's types. */
const membersOf = (name) => {
  const [, body = ""] =
    new RegExp(`interface ${name}(?:<[^{]*)? \\{\\n(.*?)\\n\\}`, "s").exec(types) ?? [];
  return [...body.matchAll(/^ {4}readonly (\w+)\??:/gm)].map(([, member]) => member);
};

/** The code spans of a page's tables, by column. */
const cellsOf = (text) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("|--"))
    .map((line) =>
      line.split(" | ").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, c]) => c)),
    );

for (const page of PAGES) {
  test(`every link of ${page} leads to a page and heading that exists`, () => {
    for (const [, target] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path, anchor] = target.split("#");
      const file = path ? relative(root, join(root, dirname(page), path)) : page;
      if (GENERATED.includes(file)) continue;
      assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
      if (anchor) assert.ok(anchorsOf(file).includes(anchor), `${page}: ${target}`);
    }
  });
}

test("docs/README.md names every page", () => {
  const index = read("docs/README.md");
  const missing = readdirSync(join(root, "docs")).filter(
    (name) => name.endsWith(".md") && name !== "README.md" && !index.includes(`(${name})`),
  );
  assert.deepEqual(
    missing.filter((name) => !GENERATED.includes(`docs/${name}`)),
    [],
  );
});

test("docs/errors.md has every code once, with the text that users read", () => {
  const [, codes = ""] = read("docs/errors.md").split("<!-- every code, by userMessage -->");
  const shown = codes
    .split(/^##.* “/m)
    .slice(1)
    .flatMap((section) => {
      const [userMessage] = section.split("”\n");
      const [table] = section.split("\n## ");
      return cellsOf(table).flatMap(([first = []]) => first.map((code) => [code, userMessage]));
    });
  const real = unionOf("ClassLinkErrorCode").map((code) => [
    code,
    new ClassLinkError({ code: /** @type {ClassLinkErrorCode} */ (code) }).userMessage,
  ]);
  assert.ok(real.length > 40);
  assert.deepEqual(shown.toSorted(), real.toSorted());
});

test("docs/errors.md has every reason for which an ID token is refused", () => {
  const [, reasons = ""] = read("docs/errors.md").split("## The reasons of");
  const shown = cellsOf(reasons).flatMap(([first]) => first);
  const real = unionOf("ClassLinkErrorReason").filter((reason) => !reason.startsWith("tenant"));
  assert.ok(real.length > 10);
  assert.deepEqual(shown.toSorted(), real.toSorted());
});

test("docs/monitoring.md has every event", () => {
  const [, events = ""] = /interface ClassLinkEvent \{\n(.*?)\n\}/s.exec(types) ?? [];
  const real = [...events.matchAll(/"([\w.]+)"/g)].map(([, type]) => type);
  const [, table = ""] = read("docs/monitoring.md").split("## Events");
  const shown = cellsOf(table.split("## ")[0]).flatMap(([first]) => first);
  assert.ok(real.length > 10);
  assert.deepEqual(shown.toSorted(), real.toSorted());
});

test("docs/configuration.md has every option, every login option and every field of the user", () => {
  const page = read("docs/configuration.md");
  const shown = new Set(cellsOf(page).flatMap(([first]) => first));
  for (const name of ["ClassLinkConfig", "LoginOptions", "PopupLoginOptions", "User"]) {
    const members = membersOf(name);
    assert.ok(members.length > 1, name);
    for (const member of members) assert.ok(shown.has(member), `${name}.${member}`);
  }
});

test("docs/troubleshooting.md has every check of the diagnosis", () => {
  const sources = ["diagnosis.ts", ...readdirSync(join(root, "pkg-template/src/diagnosis"))]
    .map((name) => read(`pkg-template/src/${name === "diagnosis.ts" ? name : `diagnosis/${name}`}`))
    .join("\n");
  const real = new Set([...sources.matchAll(/(?:add\(|\[\s*)"([a-z-]+)",/g)].map(([, id]) => id));
  const [, table = ""] = read("docs/troubleshooting.md").split("## Ask the client");
  const shown = cellsOf(table.split("\n## ")[0]).flatMap(([first]) => first);
  assert.ok(real.size > 10);
  assert.deepEqual(shown.toSorted(), [...real].toSorted());
});

// Names are written down once and would be wrong one day: those in another library's column must be in its types, and those
// in ours in ours.
const PEERS = {
  "oidc-client-ts": ["oidc-client-ts/dist/types/oidc-client-ts.d.ts"],
  "auth0-spa-js": ["Auth0Client", "global", "index"].map(
    (name) => `@auth0/auth0-spa-js/dist/typings/${name}.d.ts`,
  ),
  "keycloak-js": ["keycloak-js/lib/keycloak.d.ts"],
};

/** Rows of a package that is not installed here. */
const ELSEWHERE = / of auth0-react$/;

/** Words of the tables that are not names: the application's own, and those of a URL. */
const OWN = ["new", "settings", "config", "url", "realms", "realm"];

/** Every name in a cell's code spans: what is called or read, and the options given. */
const namesIn = (cell) =>
  [...cell.matchAll(/`([^`]+)`/g)]
    .flatMap(([, span]) => span.replace(/"[^"]*"/g, "").match(/[A-Za-z_]\w+/g) ?? [])
    .filter((name) => !OWN.includes(name));

for (const [peer, files] of Object.entries(PEERS)) {
  test(`docs/migration.md names what ${peer} and the SDK export`, () => {
    const [, section = ""] = read("docs/migration.md").split(`<!-- calls: ${peer} -->`);
    const [table] = section.split("\n## ");
    const theirs = files.map((file) => read(`node_modules/${file}`)).join("\n");
    const ours = readdirSync(join(root, "pkg/types"), { recursive: true })
      .filter((name) => String(name).endsWith(".d.ts"))
      .map((name) => read(`pkg/types/${name}`))
      .join("\n");
    const isIn = (declarations, name) => new RegExp(`\\b${name}\\b`).test(declarations);
    const rows = table
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .filter(([, left = ""]) => left.includes("`"));
    assert.ok(rows.length > 10);
    for (const [, left = "", right = ""] of rows) {
      const named = ELSEWHERE.test(left) ? [] : namesIn(left);
      for (const name of named) assert.ok(isIn(theirs, name), `${peer}: ${name}`);
      for (const name of namesIn(right)) assert.ok(isIn(ours, name), `here: ${name}`);
    }
  });
}
