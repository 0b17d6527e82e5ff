// The documentation's code samples: every one is type-checked against the built package, as a reader would paste it.
//
// TypeScript is checked strictly; JavaScript, and Vue components with their templates, loosely. What a sample leaves out for
// the reader's sake (`client`, say) is declared in `samples/`. A comment before the fence says what is special:
// `<!-- file: src/client.ts -->` names a file that others on the page import, and `<!-- not compiled: … -->` says why that
// one can't be.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { before, test } from "node:test";
import { root } from "../../tools/lib/run.mjs";
import { present } from "../support/present.mjs";

/** Where the samples are laid out, beneath the repository so that they find its packages. */
const OUT = join(root, "target/samples");
const PRELUDE = join(root, "tests/samples");

const PAGES = [
  "README.md",
  "pkg-template/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The guide whose files run as they are: see `gateway-guide.test.mjs`. */
const RUN_ELSEWHERE = "docs/gateway.md";

const COMPILED = ["ts", "tsx", "js", "vue", "html"];

/** Languages of which nothing is compiled: commands, settings of other programs, and text. */
const OTHER = [
  ...[
    "",
    "sh",
    "ini",
    "json",
    "nginx",
    "toml",
    "caddy",
    "yaml",
    "python",
    "php",
    "java",
    "go",
    "csharp",
  ],
];

/** A page's fenced blocks. */
function blocksOf(page) {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/(?:<!-- ([^\n]+?) -->\n\n?)?^```(\w*)\n(.*?)^```$/gms)].map(
    ([all, mark = "", language, code], _, matches) => {
      const { index } = present(matches.find(([other]) => other === all));
      const lines = (part) => part.split("\n").length - 1;
      // Of its first line, counted from 0.
      const line = lines(text.slice(0, index)) + lines(all.slice(0, all.indexOf("```"))) + 1;
      return { page, mark, language, code, line };
    },
  );
}

const samples = PAGES.filter((page) => page !== RUN_ELSEWHERE)
  .flatMap(blocksOf)
  .filter(({ language }) => COMPILED.includes(language));

const compiled = samples.filter(({ mark }) => !mark.startsWith("not compiled: "));

/** The folder of a page's samples. */
const folderOf = (page) => join(OUT, page.replace(/\.md$/, ""));

/** A sample as TypeScript or JavaScript, by the ending that tells. */
async function toScript({ language, code, page, line }) {
  if (language === "html") {
    const scripts = [...code.matchAll(/<script type="module">\n?(.*?)<\/script>/gs)];
    return { code: scripts.map(([, script]) => script).join("\n"), ending: ".js" };
  }
  if (language !== "vue") return { code, ending: `.${language}` };
  const { compileScript, compileTemplate, parse } = await import("vue/compiler-sfc");
  const { descriptor, errors } = parse(code, { filename: `${page}:${line + 1}` });
  assert.deepEqual(errors, [], `${page}:${line + 1}`);
  if (descriptor.scriptSetup) {
    // With the template inside, so that what it names is checked, too.
    const { content } = compileScript(descriptor, { id: "sample", inlineTemplate: true });
    return { code: content, ending: ".component.ts" };
  }
  const { code: render, errors: faults } = compileTemplate({
    id: "sample",
    filename: `${page}:${line + 1}`,
    source: descriptor.template?.content ?? "",
  });
  assert.deepEqual(faults, [], `${page}:${line + 1}`);
  return { code: render, ending: ".component.js" };
}

/** Writes a sample to a file in which its lines have the numbers that they have on the page. */
async function layOut(sample) {
  const { page, mark, line } = sample;
  const { code, ending } = await toScript(sample);
  const [, name] = /^file: (\S+)$/.exec(mark) ?? [];
  const file = name ? name.replace(/\.\w+$/, "") : `line-${line + 1}`;
  const path = join(folderOf(page), file + ending);
  mkdirSync(dirname(path), { recursive: true });
  // A module, so that it may await and its names are its own.
  writeFileSync(path, `${"\n".repeat(line)}${code}\nexport {};\n`);
}

/** The compiler's errors, by page, with the lines of the page. */
const faults = new Map();

before(async () => {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const sample of compiled) await layOut(sample);
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: "es2022",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "esnext",
    moduleResolution: "bundler",
    jsx: "react-jsx",
    types: ["node"],
    // What a page's samples import of its app, and don't show, is in the prelude.
    rootDirs: [...PAGES.map(folderOf), PRELUDE].map((path) => relative(OUT, path)),
    paths: { "/classlink-spa/index.js": ["../../pkg/index.d.ts"] },
  };
  const prelude = relative(OUT, join(PRELUDE, "prelude.d.ts"));
  const projects = {
    "tsconfig.json": {
      compilerOptions: options,
      include: ["**/*.ts", "**/*.tsx", prelude],
      exclude: ["**/*.component.ts"],
    },
    "tsconfig.loose.json": {
      compilerOptions: { ...options, strict: false, allowJs: true, checkJs: true },
      include: ["**/*.js", "**/*.component.ts", prelude],
    },
  };
  for (const [name, project] of Object.entries(projects)) {
    writeFileSync(join(OUT, name), JSON.stringify(project));
    for (const fault of await check(name)) {
      const { page, text } = fault;
      faults.set(page, [...(faults.get(page) ?? []), text]);
    }
  }
});

async function check(project) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--project", join(OUT, project), "--pretty", "false"];
  const output = await new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: OUT }, (_, stdout) => resolve(stdout));
  });
  return output
    .split("\n")
    .filter((line) => /error TS\d+/.test(line))
    .map((line) => {
      const [, file = "", where = "", text = line] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(line) ?? [];
      const path = join(OUT, file);
      const page = PAGES.find((page) => path.startsWith(`${folderOf(page)}/`)) ?? "elsewhere";
      // A compiled component's lines are its own.
      return { page, text: `${page}:${file.includes(".component.") ? ` ${file}` : where} ${text}` };
    });
}

for (const page of [...new Set(samples.map(({ page }) => page)), "elsewhere"]) {
  test(`the samples of ${page} compile`, () => {
    assert.deepEqual(faults.get(page) ?? [], []);
  });
}

test("the samples in TypeScript pass typescript-eslint's strict rules", async () => {
  const lint = join(PRELUDE, "lint");
  const args = [
    ...["--require", join(lint, "typescript.cjs"), join(root, "node_modules/eslint/bin/eslint.js")],
    ...["--config", join(lint, "eslint.config.mjs"), "--format", "json", "."],
  ];
  const output = await new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: OUT, maxBuffer: 2 ** 26 }, (_, stdout, stderr) =>
      resolve(stdout || stderr),
    );
  });
  const complaints = JSON.parse(output).flatMap(({ filePath, messages }) =>
    messages.map(
      ({ line, ruleId, message }) => `${relative(OUT, filePath)}:${line} ${ruleId}: ${message}`,
    ),
  );
  assert.deepEqual(complaints, []);
});

test("every code block of the docs is in a language that this test compiles or leaves out", () => {
  const unknown = PAGES.flatMap(blocksOf).filter(
    ({ language }) => ![...COMPILED, ...OTHER].includes(language),
  );
  assert.deepEqual(
    unknown.map(({ page, line, language }) => `${page}:${line} ${language}`),
    [],
  );
});
