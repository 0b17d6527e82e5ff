/**
 * A plugin for Vite 5 and newer. The built page asks for the `.wasm` file together with the script, not after it, which
 * saves a round trip on the first visit. The development servers of Vite 5 to 7 find the file.
 *
 * ```ts
 * // vite.config.ts
 * import { classLinkSpa } from "classlink-spa/vite";
 * import { defineConfig } from "vite";
 *
 * export default defineConfig({ plugins: [classLinkSpa()] });
 * ```
 *
 * @packageDocumentation
 */

/**
 * The plugin, for Vite's `plugins`. Its hooks are not declared: the types of one version of Vite would not fit into another's.
 */
export interface ClassLinkVitePlugin {
  /** Its name in Vite's messages. */
  readonly name: string;
}

/** The members of Vite's configuration that the plugin reads. */
interface ViteConfig {
  readonly base: string;
  readonly experimental?: { readonly renderBuiltUrl?: unknown };
}

/** The members of a file of the build that the plugin reads. */
interface ViteOutputFile {
  /** The chunks that a chunk imports statically. */
  readonly imports?: readonly string[];
  readonly viteMetadata?: { readonly importedAssets: ReadonlySet<string> } | undefined;
}

/** A page, as Vite describes it. */
interface VitePage {
  /** The page's path below `base`, with a leading slash. */
  readonly path: string;
  /** The page's script; `undefined` in development. */
  readonly chunk?: ViteOutputFile | undefined;
  readonly bundle?: Readonly<Record<string, ViteOutputFile>> | undefined;
}

/** An element that Vite adds to a page. */
interface ViteHtmlTag {
  readonly tag: "link";
  readonly attrs: Readonly<Record<string, string | boolean>>;
  readonly injectTo: "head";
}

/** The name of the `.wasm` file in a build, with or without a hash. */
const WASM = /(?:^|\/)classlink_spa_bg\b[^/]*\.wasm$/;

/**
 * Creates the plugin. A page gets the preload if its script imports `classlink-spa` statically: a page that imports it later,
 * or `classlink-spa/inline`, stays as it is.
 */
export function classLinkSpa(): ClassLinkVitePlugin {
  let config: ViteConfig = { base: "/" };
  const plugin = {
    name: "classlink-spa",
    // Bundled beforehand, as Vite 5 to 7 do with dependencies, the script does not find the file beside itself.
    config: () => ({ optimizeDeps: { exclude: ["classlink-spa"] } }),
    configResolved(resolved: ViteConfig) {
      config = resolved;
    },
    transformIndexHtml: {
      order: "post",
      handler(_html: string, { path, chunk, bundle = {} }: VitePage): ViteHtmlTag[] {
        // The application chooses the URLs of its files itself, and a preload of another URL would be a second download.
        if (config.experimental?.renderBuiltUrl) return [];
        const file = chunk && wasmFileOf(chunk, bundle);
        return file === undefined ? [] : [preloadOf(urlOf(file, config.base, path))];
      },
    },
  };
  return plugin;
}

/** Returns the `.wasm` file that a chunk, or one that it imports statically, refers to. */
function wasmFileOf(
  chunk: ViteOutputFile,
  bundle: Readonly<Record<string, ViteOutputFile>>,
): string | undefined {
  // A set's iteration reaches what is added on the way, so each chunk is read once, in a cycle too.
  const chunks = new Set([chunk]);
  for (const { viteMetadata, imports = [] } of chunks) {
    for (const file of viteMetadata?.importedAssets ?? []) {
      if (WASM.test(file)) return file;
    }
    for (const name of imports) {
      const imported = bundle[name];
      if (imported) chunks.add(imported);
    }
  }
  return undefined;
}

/** Returns the URL of a file of the build as the page's script asks for it. */
function urlOf(file: string, base: string, path: string): string {
  const isRelative = base === "" || base === "./";
  if (!isRelative) return base + file;
  const depth = path.split("/").length - 2;
  return (depth > 0 ? "../".repeat(depth) : "./") + file;
}

/** Returns the element that asks for the file, with the mode and the credentials of the script's own request. */
function preloadOf(href: string): ViteHtmlTag {
  const attrs = { rel: "preload", href, as: "fetch", type: "application/wasm", crossorigin: true };
  return { tag: "link", attrs, injectTo: "head" };
}
