/**
 * Playwright's ways to name URLs.
 *
 * @module
 */

/** @typedef {string | RegExp | ((url: URL) => boolean)} UrlMatch A glob, an expression or a predicate. */

/** A glob's pieces: what any number of characters, what any but a slash, and what stands for itself. */
const PIECES = /\*\*\/?|\*|[^*]+/g;

/** @param {string} glob */
function globToRegExp(glob) {
  const source = (glob.match(PIECES) ?? []).map((piece) => {
    if (piece.startsWith("**")) return piece.endsWith("/") ? "(?:.*/)?" : ".*";
    return piece === "*" ? "[^/]*" : piece.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`);
}

/**
 * @param {UrlMatch} match
 * @returns {(url: string) => boolean}
 */
export function urlMatcher(match) {
  if (typeof match === "function") return (url) => match(new URL(url));
  if (match instanceof RegExp) return (url) => match.test(url);
  const pattern = globToRegExp(match);
  return (url) => url === match || pattern.test(url);
}
