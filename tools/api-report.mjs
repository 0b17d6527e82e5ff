/**
 * Writes the reviewed report of the package's types, one page for each entry, to `tests/packaging/api/`:
 *
 *     npm run docs:api-report
 *
 * @module
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from "@microsoft/api-extractor";
import { build } from "./build.mjs";
import { CliError, logStep, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** Where the reports are. */
export const REPORTS = join(root, "tests/packaging/api");

const pkg = join(root, "pkg");

/** @param {string} entry */
const typesOf = (entry) => join(pkg, `${entry}.d.ts`);

/** api-extractor's settings for an entry. @param {string} entry @param {string[]} entries all that are compiled with it */
function configOf(entry, entries) {
  const temporary = join(root, "target/api-report");
  for (const folder of [REPORTS, temporary]) mkdirSync(folder, { recursive: true });
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: pkg,
      mainEntryPointFilePath: typesOf(entry),
      // api-extractor has a compiler of its own, which is older than the project's.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            ...{ target: "es2022", lib: ["es2022", "dom"], module: "esnext", jsx: "react-jsx" },
            ...{ moduleResolution: "bundler", skipLibCheck: true, types: ["node"] },
          },
          include: entries.map(typesOf),
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: REPORTS,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(pkg, "package.json"),
  });
}

/**
 * Compiles the types of all entries, once.
 *
 * @param {string[]} entries such as `index`
 * @returns {(entry: string, options: { replace: boolean }) => boolean} extracts the report of an entry, compares it with
 * the reviewed one or replaces that, and returns whether they differ
 */
export function compileEntries(entries) {
  const configs = new Map(entries.map((entry) => [entry, configOf(entry, entries)]));
  const [first, ...others] = configs.values();
  if (!first) throw new CliError("The package has no types.");
  const compilerState = CompilerState.create(first, {
    additionalEntryPoints: others.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
  });
  return (entry, { replace }) => {
    const config = configs.get(entry);
    if (!config) throw new CliError(`\`${entry}\` is not an entry.`);
    const { apiReportChanged } = Extractor.invoke(config, {
      compilerState,
      localBuild: replace,
      messageCallback(message) {
        message.handled = true;
        if (message.category === "Compiler") throw new CliError(message.text);
      },
    });
    return apiReportChanged;
  };
}

/** The entries that have types of their own. @param {Record<string, unknown>} exports the manifest's */
export const typedEntries = (exports) =>
  Object.values(exports).flatMap((entry) =>
    entry && typeof entry === "object" && "types" in entry
      ? [String(entry.types).replace(/^\.\/(.*)\.d\.ts$/, "$1")]
      : [],
  );

await runAsCli(import.meta, async () => {
  await setUp();
  await build();
  const { default: manifest } = await import("../pkg/package.json", { with: { type: "json" } });
  const entries = typedEntries(manifest.exports);
  const reportOf = compileEntries(entries);
  for (const entry of entries) {
    if (reportOf(entry, { replace: true })) logStep(`tests/packaging/api/${entry}.api.md changed`);
  }
});
