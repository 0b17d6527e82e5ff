/**
 * The texts that users read when something went wrong: the English texts, and the application's own in their place.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";
import type { ClassLinkConfig, ClassLinkErrorCode } from "./types.js";

// What several codes ask of the user.
const SETUP = "This app isn't set up right. Please tell your teacher or the help desk.";
const AGAIN =
  "Signing in didn't work. Please sign in again. If that doesn't help, tell your teacher.";
const LATER = "That didn't work just now. Please wait a moment and try again.";
const RELOAD =
  "This app stopped working. Reload the page. If that doesn't help, tell your teacher.";
const OPEN = "Please open the app again and sign in there.";
const ALLOW = "ClassLink needs your permission. Please sign in again and choose to allow it.";
const SIGN_IN = "Please sign in.";

/** The English `userMessage` of every code. */
export const ENGLISH: Record<ClassLinkErrorCode, string> = {
  config_invalid: SETUP,
  discovery_invalid: SETUP,
  invalid_redirect_uri: SETUP,
  invalid_request: SETUP,
  invalid_scope: SETUP,
  origin_not_allowed: SETUP,
  unauthorized_client: SETUP,
  unsupported_response_type: SETUP,

  account_selection_required: AGAIN,
  callback_malformed: AGAIN,
  interaction_required: AGAIN,
  issuer_mismatch: AGAIN,
  provider_error: AGAIN,
  state_unknown: AGAIN,
  token_rejected: AGAIN,
  user_mismatch: AGAIN,
  userinfo_rejected: AGAIN,

  gateway_error: LATER,
  keys_unavailable: LATER,
  provider_response_invalid: LATER,
  renewal_unavailable: LATER,
  server_error: LATER,
  temporarily_unavailable: LATER,
  timeout: LATER,

  client_closed: RELOAD,
  internal: RELOAD,
  wasm_unavailable: RELOAD,

  launch_loop: OPEN,
  launch_rejected: OPEN,
  not_a_callback: OPEN,

  access_denied: ALLOW,
  consent_required: ALLOW,

  login_required: SIGN_IN,
  not_signed_in: SIGN_IN,
  session_expired: "You were signed out because time ran out. Please sign in again.",

  environment_unsupported: "Signing in doesn't work in this browser. Update it or try another one.",
  storage_unavailable:
    "This browser can't remember your sign-in. Try a window that isn't private, or ask your teacher.",
  popup_blocked: "This browser stopped the sign-in window. Allow pop-up windows and try again.",
  popup_closed: "The sign-in window was closed. Please sign in again.",
  network: "We couldn't get a connection. Check your internet and try again.",
  id_token_invalid:
    "We couldn't be sure that it's you. Check this device's date and time, and sign in again.",
  tenant_not_allowed: "Your school doesn't use this app, or not yet. Ask your teacher.",
};

/**
 * Puts the application's own text into `error`, if `messages` has one now: it may change with the page's language. A
 * function that throws or returns anything but text leaves the English one.
 */
export function applyMessages(
  error: ClassLinkError,
  messages: ClassLinkConfig["messages"],
): ClassLinkError {
  if (!messages) return error;
  Object.assign(error, { userMessage: ENGLISH[error.code] });
  let text: unknown;
  try {
    text = typeof messages === "function" ? messages(error) : messages[error.code];
  } catch {}
  if (text && typeof text === "string") Object.assign(error, { userMessage: text });
  return error;
}
