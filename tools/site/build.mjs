/**
 * Builds the documentation's site into `target/site`: the guides, the API reference, a search that works offline and a
 * playground. A link that leads nowhere fails the build.
 *
 *     npm run docs:site               builds
 *     npm run docs:site -- --check    builds, and looks at it in Chromium, as on a phone and on a laptop
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../build.mjs";
import { logStep, root, run, runAsCli } from "../lib/run.mjs";
import { writeReference } from "../reference/write.mjs";
import { setUp } from "../setup.mjs";
import { layOutSources } from "./sources.mjs";

/** Where the site is. */
const SITE = join(root, "target/site");

await runAsCli(import.meta, async (args) => {
  const { values } = parseArgs({
    args,
    options: { check: { type: "boolean" }, "as-built": { type: "boolean" } },
  });
  await setUp({ browser: values.check });
  if (!values["as-built"]) await build();
  logStep("Writing the API reference");
  await writeReference();
  layOutSources();
  logStep("Building the site (VitePress)");
  await run(process.execPath, [
    join(root, "node_modules/vitepress/bin/vitepress.js"),
    ...["build", join(root, "tools/site")],
  ]);
  logStep(`The site is in ${SITE}`);
  if (!values.check) return;
  const { checkSite } = await import("../../tests/docs/site.mjs");
  await checkSite(SITE);
  logStep("The site shows its pages, and finds them");
});
