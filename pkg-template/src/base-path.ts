/**
 * The folder that the application lives under, as components find it on their client.
 *
 * @packageDocumentation
 */

/** Not part of the interface: shared by every copy of the package on a page. */
export const BASE_PATH = Symbol.for("classlink-spa.basePath");

/** Returns `basePath` of a client's configuration: `"/"` before a configuration function was called. */
export function basePathOf(client: object): string {
  return (client as { [BASE_PATH]?: () => string | undefined })[BASE_PATH]?.() ?? "/";
}
