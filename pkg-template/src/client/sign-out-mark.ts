/**
 * The mark of a sign-out that the gateway has yet to be told of, for when the WebAssembly, which does the rest, cannot be
 * loaded. `src/browser/storage.rs` reads it.
 *
 * @packageDocumentation
 */

import type { ResolvedConfig } from "../config.js";

/** Sets the mark, so that the next visit ends the gateway's session before anything else. */
export function setSignOutMark(config: ResolvedConfig | undefined): void {
  if (!config?.core.gateway) return;
  try {
    localStorage.setItem(`classlink-spa.sign-out.${config.core.clientId}`, "1");
  } catch {
    // Storage is blocked: then there are no marks.
  }
}
