#!/usr/bin/env node
/** The command line: makes an application from one of the templates. It needs no network; `npm install` comes after it. */

import { randomBytes } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const TEMPLATES = fileURLToPath(new URL("templates/", import.meta.url));

/**
 * The folders that each template is made of, and the file with its secrets for development.
 *
 * @type {Record<string, { folders: string[], secrets: string, port: number }>}
 */
const KINDS = {
  react: { folders: ["vite", "react"], secrets: ".env", port: 5173 },
  vue: { folders: ["vite", "vue"], secrets: ".env", port: 5173 },
  next: { folders: ["next"], secrets: ".env.local", port: 3000 },
};

const NAMES = Object.keys(KINDS);

const HELP = `Creates an application that signs users in with ClassLink.

Usage: npm create classlink-spa@latest [FOLDER] -- [--template NAME]

  FOLDER             a new folder, or an empty one (my-app)
  --template NAME    ${NAMES.join(", ")} (react)
  --help             this text
`;

/** A mistake in the command line. */
class UsageError extends Error {}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { template: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    process.stdout.write(HELP);
  } else {
    if (positionals.length > 1) throw new UsageError("only one folder can be given");
    const { folder, template } = await complete(positionals[0], values.template);
    create(folder, template);
  }
} catch (error) {
  const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
  const isUsage = error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(`create-classlink-spa: ${message}\n`);
  if (isUsage) process.stderr.write("Try npm create classlink-spa -- --help\n");
  process.exitCode = isUsage ? 2 : 1;
}

/**
 * Asks for what was not given, if there is a terminal.
 *
 * @param {string | undefined} folder
 * @param {string | undefined} template
 */
async function complete(folder, template) {
  const canAsk = process.stdin.isTTY && process.stdout.isTTY;
  const reader = canAsk ? createInterface(process.stdin, process.stdout) : undefined;
  try {
    const ask = async (/** @type {string} */ question, /** @type {string} */ otherwise) =>
      (await reader?.question(`${question} [${otherwise}]: `))?.trim() || otherwise;
    return {
      folder: resolve(folder ?? (await ask("Folder", "my-app"))),
      template: known(template ?? (await ask(`Template (${NAMES.join(", ")})`, "react"))),
    };
  } finally {
    reader?.close();
  }
}

/** @param {string} template */
function known(template) {
  if (Object.hasOwn(KINDS, template)) return template;
  throw new UsageError(`there is no template ${template}; there are ${NAMES.join(", ")}`);
}

/**
 * Copies the template, names the application after its folder, and makes its sealing key.
 *
 * @param {string} folder
 * @param {string} template
 */
function create(folder, template) {
  if (existsSync(folder) && readdirSync(folder).some((name) => name !== ".git")) {
    throw new UsageError(`${folder} is not empty`);
  }
  const { folders, secrets, port } = KINDS[template];
  for (const name of folders) cpSync(join(TEMPLATES, name), folder, { recursive: true });
  // npm leaves files of these names out of a package.
  renameSync(join(folder, "_gitignore"), join(folder, ".gitignore"));
  renameSync(join(folder, "_env"), join(folder, secrets));
  change(join(folder, secrets), "<key>", randomBytes(32).toString("base64"));
  change(join(folder, "package.json"), '"my-app"', JSON.stringify(packageName(folder)));
  const path = relative(process.cwd(), folder);
  process.stdout.write(
    `Created ${folder}. Next:

${path && `  cd ${path.includes(" ") ? `"${path}"` : path}\n`}  npm install
  npm run dev        then open http://localhost:${port}

README.md describes the files, and what to change for ClassLink itself.
`,
  );
}

/**
 * Replaces the first of a text in a file.
 *
 * @param {string} path
 * @param {string} from
 * @param {string} to
 */
function change(path, from, to) {
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(from, () => to),
  );
}

/** Makes a name that npm takes from a folder's. @param {string} folder */
function packageName(folder) {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name || "my-app";
}
