/**
 * Lays out the site's sources in `target/site-src`: the guides, the stand-in's README and the API reference, with the links that
 * they have there. A link to a file that is not a page of the site becomes plain text.
 *
 * @module
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, posix } from "node:path";
import { CliError, root } from "../lib/run.mjs";
import { GROUPS } from "./pages.mjs";

/** Where the sources are laid out. */
export const SOURCES = join(root, "target/site-src");

/** Pages that are not guides: a path from the root, and the page that it becomes. */
const OTHERS = {
  "docs/README.md": "index.md",
  "www/stand-in/README.md": "stand-in.md",
  "tools/site/playground.md": "playground.md",
  "docs/api/README.md": "api/index.md",
};

const LINK = /(?<!!)\[([^\]\n]+)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g;

/** @param {string} folder from the root @returns {string[]} paths from the root of its Markdown, at any depth */
const markdownIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => posix.join(folder, String(name)))
    .filter((path) => path.endsWith(".md"));

/** The pages, by their paths from the root. @returns {Map<string, string>} */
function allPages() {
  const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const pages = new Map(guides.map((name) => [`docs/${name}`, name]));
  for (const path of markdownIn("docs/api")) pages.set(path, path.slice("docs/".length));
  for (const [path, page] of Object.entries(OTHERS)) pages.set(path, page);
  // It is written on demand, and long.
  pages.delete("docs/conformance.md");
  return pages;
}

/**
 * Lays the sources out.
 *
 * @throws {CliError} if the sidebar lacks a page
 */
export function layOutSources() {
  const pages = allPages();
  const grouped = Object.values(GROUPS).flat();
  const top = [...pages.values()].filter((page) => !page.includes("/") && page !== "index.md");
  const missing = top.filter((page) => !grouped.includes(page.replace(/\.md$/, "")));
  if (missing.length > 0) throw new CliError(`tools/site/pages.mjs lacks ${missing.join(", ")}.`);

  rmSync(SOURCES, { recursive: true, force: true });
  for (const [path, page] of pages) {
    const text = readFileSync(join(root, path), "utf8").replace(
      LINK,
      (_, label, target, anchor = "") => {
        const to = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/$/, "");
        const found = pages.get(to) ?? pages.get(`${to}/README.md`);
        if (!found) return label;
        return `[${label}](/${found.replace(/(?:index)?\.md$/, "")}${anchor})`;
      },
    );
    mkdirSync(dirname(join(SOURCES, page)), { recursive: true });
    writeFileSync(join(SOURCES, page), text);
  }
  // Pictures, which pages show by their names.
  for (const name of readdirSync(join(root, "docs")).filter((one) => /\.(?:png|svg)$/.test(one))) {
    cpSync(join(root, "docs", name), join(SOURCES, name));
  }
}

/** The sidebar, with each page's first heading. */
export const sidebar = () => [
  ...Object.entries(GROUPS).map(([text, names]) => ({
    text,
    items: names.map((name) => ({ text: headingOf(`${name}.md`), link: `/${name}` })),
  })),
  {
    text: "API reference",
    items: existsSync(join(SOURCES, "api"))
      ? readdirSync(join(SOURCES, "api"), { recursive: true })
          .map(String)
          .filter((name) => name.endsWith(".md") && name !== "index.md")
          .sort()
          .map((name) => ({
            text: name.replace(/\.md$/, ""),
            link: `/api/${name.replace(/\.md$/, "")}`,
          }))
      : [],
  },
];

/** @param {string} page */
function headingOf(page) {
  const [, heading = page] = /^# (.+)$/m.exec(readFileSync(join(SOURCES, page), "utf8")) ?? [];
  return heading.replaceAll("`", "");
}
