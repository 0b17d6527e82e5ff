/**
 * Writes the reviewed report of the package's types, one page for each entry, to `tests/packaging/api/`:
 *
 *     npm run docs:api-report
 *
 * @module
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { build } from "./build.mjs";
import { CliError, logStep, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

/** Where the reports are. */
export const REPORTS = join(root, "tests/packaging/api");

/**
 * Extracts the report of one entry, and compares it with the reviewed one or replaces that.
 *
 * @param {string} entry such as `index`
 * @param {{ replace: boolean }} options
 * @returns {boolean} whether it differs from the reviewed one
 */
export function reportOf(entry, { replace }) {
  const pkg = join(root, "pkg");
  const temporary = join(root, "target/api-report");
  for (const folder of [REPORTS, temporary]) mkdirSync(folder, { recursive: true });
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: pkg,
      mainEntryPointFilePath: join(pkg, `${entry}.d.ts`),
      // api-extractor has a compiler of its own, which is older than the project's.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            ...{ target: "es2022", lib: ["es2022", "dom"], module: "esnext", jsx: "react-jsx" },
            ...{ moduleResolution: "bundler", skipLibCheck: true, types: ["node"] },
          },
          include: [join(pkg, `${entry}.d.ts`)],
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
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: replace,
    messageCallback(message) {
      message.handled = true;
      if (message.category === "Compiler") throw new CliError(message.text);
    },
  });
  return apiReportChanged;
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
  for (const entry of typedEntries(manifest.exports)) {
    if (reportOf(entry, { replace: true })) logStep(`tests/packaging/api/${entry}.api.md changed`);
  }
});
