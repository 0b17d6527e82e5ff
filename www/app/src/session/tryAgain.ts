/** Decides whether an error page offers another attempt. */

import type { ClassLinkError, ClassLinkErrorCode } from "classlink-spa";

/** A user has to change a setting, an account or a device first: the same button would fail in the same way. */
const NEEDS_A_CHANGE: ReadonlySet<ClassLinkErrorCode> = new Set<ClassLinkErrorCode>([
  "client_closed",
  "config_invalid",
  "discovery_invalid",
  "environment_unsupported",
  "invalid_redirect_uri",
  "invalid_request",
  "invalid_scope",
  "tenant_not_allowed",
  "unauthorized_client",
  "unsupported_response_type",
]);

/** Wider than `error.retryable`, which is about the same request: a user may always start over. */
export function mayTryAgain(error: ClassLinkError): boolean {
  return error.retryable || !NEEDS_A_CHANGE.has(error.code);
}
