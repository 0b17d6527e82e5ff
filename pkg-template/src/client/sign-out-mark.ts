/**
 * Marks a sign-out whose request could not be sent to the gateway, since the WebAssembly could not be loaded. The next
 * visit sends it: `UndeliveredSignOut` in `src/browser/storage.rs`.
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
    // `Settings.channel` in `src/config.rs`.
    const registration = `classlink-spa ${issuer} ${clientId}`;
    // `UndeliveredSignOut::set` in `src/browser/storage.rs`, without the id of a session.
    localStorage.setItem(`classlink-spa.sign-out.${newSupportCode()}.${registration}`, "");
  } catch {
    // Storage is blocked: the request is not sent again.
  }
}
