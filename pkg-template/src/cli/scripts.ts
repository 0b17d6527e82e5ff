/**
 * Finds the scripts of a page, and the `.wasm` file that they name.
 *
 * @packageDocumentation
 */

/** A page as it was served. */
export interface Page {
  readonly url: string;
  readonly html: string;
  readonly headers: Headers;
}

/** A script as it was served. */
export interface Script {
  readonly url: string;
  readonly text: string;
}

/** More than a page loads at its start. */
const MAX_SCRIPTS = 60;

const resolve = (address: string, base: string): string | undefined =>
  URL.canParse(address, base) ? new URL(address, base).href : undefined;

/** Loads the page's scripts of its own origin, and the modules that they name. */
export async function scriptsOf(
  { url, html }: Page,
  load: (address: string) => Promise<string | undefined>,
): Promise<Script[]> {
  const { origin } = new URL(url);
  const named = [
    ...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)=["']([^"']+?\.m?js[^"']*)/gi),
  ];
  const waiting = named.flatMap(([, address = ""]) => resolve(address, url) ?? []);
  const scripts = new Map<string, Script>();
  for (let next = waiting.shift(); next && scripts.size < MAX_SCRIPTS; next = waiting.shift()) {
    if (scripts.has(next) || new URL(next).origin !== origin) continue;
    const text = (await load(next)) ?? "";
    scripts.set(next, { url: next, text });
    for (const [, address = ""] of text.matchAll(/["'`]((?:\.{0,2}\/)?[\w@./-]+\.m?js)["'`]/g)) {
      const module = resolve(/^\.{0,2}\//.test(address) ? address : `/${address}`, next);
      if (module) waiting.push(module);
    }
  }
  return [...scripts.values()];
}

/** Returns the address of the `.wasm` file. */
export function findWasm({ url, html }: Page, scripts: readonly Script[]): string | undefined {
  for (const { url: base, text } of [{ url, text: html }, ...scripts]) {
    const [, address] = /["'`]([^"'`\s]*classlink_spa_bg[^"'`\s]*\.wasm)["'`]/.exec(text) ?? [];
    if (address) return resolve(address, base);
  }
  return undefined;
}
