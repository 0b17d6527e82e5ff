/**
 * Checks whether this is a page on which a user can sign in.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";

/** Whether this is a page, rather than a server. */
export const hasPage = (): boolean =>
  typeof window !== "undefined" && typeof document !== "undefined";

/**
 * Requires a secure page with Web Crypto.
 *
 * @throws {@link ClassLinkError} `environment_unsupported`.
 */
export function requireBrowser(): void {
  const why = !hasPage()
    ? "on a server only getSnapshot and subscribe work"
    : globalThis.isSecureContext === false
      ? "this page isn't a secure context; serve it by https, or from localhost"
      : !globalThis.crypto?.subtle && "this one has no Web Crypto (crypto.subtle)";
  if (why) {
    throw new ClassLinkError({
      code: "environment_unsupported",
      message: `Signing in needs a browser's secure page: ${why}.`,
    });
  }
}
