/**
 * The mark of a sign-out that the gateway has yet to be told of, for when the WebAssembly, which does the rest, cannot be
 * loaded. `src/browser/storage.rs` reads it.
 *
 * @packageDocumentation
 */

import type { ResolvedConfig } from "../config.js";
import { newSupportCode } from "../errors.js";

/** Sets the mark, so that the next visit ends the gateway's session before anything else. */
export function setSignOutMark(config: ResolvedConfig | undefined): void {
  if (!config?.core.gateway) return;
  try {
    const { issuer, clientId } = config.core;
    const registration = `classlink-spa ${issuer} ${clientId}`;
    localStorage.setItem(`classlink-spa.sign-out.${newSupportCode()}.${registration}`, "");
  } catch {
    // Storage is blocked: then there are no marks.
  }
}
