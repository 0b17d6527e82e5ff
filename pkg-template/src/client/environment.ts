/**
 * Checks whether this is a page on which a user can sign in.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";

/** Returns whether this is a page, and not a server. */
export const hasPage = (): boolean =>
  typeof window !== "undefined" && typeof document !== "undefined";

/**
 * Requires a secure page with Web Crypto.
 *
 * @throws {@link ClassLinkError} `environment_unsupported`.
 */
export function requireBrowser(): void {
  if (!hasPage()) throw unsupported("on a server only getSnapshot and subscribe work");
  if (globalThis.isSecureContext === false) {
    throw unsupported("this page isn't a secure context; serve it by https, or from localhost");
  }
  if (!globalThis.crypto?.subtle) throw unsupported("this one has no Web Crypto (crypto.subtle)");
}

const unsupported = (why: string): ClassLinkError =>
  new ClassLinkError({
    code: "environment_unsupported",
    message: `Signing in needs a browser's secure page: ${why}.`,
  });
