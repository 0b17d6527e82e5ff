/** The site's settings. Everything is local: fonts, scripts and the search, which works offline. */

import { join } from "node:path";
import { defineConfig } from "vitepress";
import { root } from "../../lib/run.mjs";
import { SOURCES, sidebar } from "../sources.mjs";

export default defineConfig({
  title: "classlink-spa",
  description: "Sign-in with ClassLink for single-page apps",
  lang: "en-US",
  // No icon: without this, browsers ask for one.
  head: [["link", { rel: "icon", href: "data:," }]],
  srcDir: SOURCES,
  outDir: join(root, "target/site"),
  cacheDir: join(root, "target/site-cache"),
  cleanUrls: false,
  // Those that a reader's own machine answers.
  ignoreDeadLinks: "localhostLinks",
  markdown: { languageAlias: { caddy: "nginx" } },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/" },
      { text: "Quick start", link: "/quick-start" },
      { text: "API", link: "/api/" },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: "local" },
  },
  vite: {
    resolve: {
      // The pages are outside of the folder that has the packages.
      alias: { "classlink-spa": join(root, "pkg") },
    },
    server: { fs: { allow: [root] } },
  },
});
