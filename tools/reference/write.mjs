/**
 * Writes the API reference from the built package's types into `docs/api/`: a page for each entry, as Markdown.
 *
 * It isn't committed: it would be the types' text a second time. What is exported without a doc comment, or refers to what
 * isn't there, fails.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Application } from "typedoc";
import { build } from "../build.mjs";
import { CliError, logStep, root, runAsCli } from "../lib/run.mjs";
import { setUp } from "../setup.mjs";

/** Kinds that need a description. A member may be described by its name. */
const DOCUMENTED = ["Module", "Class", "Function", "Interface", "TypeAlias", "Variable"];

/** The package's entries with types of their own. `inline` is the same as the main one. */
const ENTRIES = [
  ...["index", "react", "vue", "router", "es", "devtools", "testing"],
  ...["gateway", "gateway-node", "next", "vite"],
];

/** Referred to by what is exported, and rightly not exported: the codes' statuses, which the entry's own text tells; and a helper of types. */
const INTERNAL = ["RESPONSES", "Fixed"];

/**
 * Writes the reference.
 *
 * @throws {CliError} when something exported is not documented
 */
export async function writeReference() {
  const types = ENTRIES.map((entry) => join(root, `pkg/types/${entry}.d.ts`));
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    name: "classlink-spa",
    entryPoints: types.filter((path) => existsSync(path)),
    tsconfig: join(root, "tools/reference/tsconfig.json"),
    out: join(root, "docs/api"),
    readme: "none",
    disableSources: true,
    requiredToBeDocumented: /** @type {any} */ (DOCUMENTED),
    intentionallyNotExported: INTERNAL,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    logLevel: "Warn",
    ...{ fileExtension: ".md", outputFileStrategy: "modules", hidePageHeader: true },
  });
  const project = await app.convert();
  if (!project) throw new CliError("TypeDoc can't read the package's types.");
  app.validate(project);
  for (const entry of project.children ?? []) {
    entry.name = entry.name === "index" ? "classlink-spa" : `classlink-spa/${entry.name}`;
  }
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new CliError("The API reference has gaps: TypeDoc names them above.");
  }
}

await runAsCli(import.meta, async () => {
  await setUp();
  await build();
  await writeReference();
  logStep("The API reference is in docs/api/");
});
