/**
 * What a person reads when something went wrong: the English texts, and the application's own in their place.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";
import type { ClassLinkConfig, ClassLinkErrorCode } from "./types.js";

const AGAIN = "Please sign in again.";
const TEACHER = "Please tell your teacher or the help desk.";
const LATER = "Please wait a moment and try again.";

/** The English `userMessage` of every code. */
export const ENGLISH: Record<ClassLinkErrorCode, string> = {
  config_invalid: `This app isn't set up correctly. ${TEACHER}`,
  environment_unsupported: `Signing in doesn't work in this browser. Update it or try another one, or ask your teacher.`,
  wasm_unavailable: `A part of this app couldn't be loaded. Reload the page. If that doesn't help, tell your teacher.`,
  storage_unavailable: `This browser doesn't let the app remember your sign-in. Allow site data, or try a window that isn't private.`,
  client_closed: "This page has stopped. Please reload it.",
  not_a_callback: "There is no sign-in to finish here. Go back to the app and sign in.",
  state_unknown: `This sign-in is too old or was started somewhere else. ${AGAIN}`,
  launch_rejected: "Please open the app itself and sign in there.",
  launch_loop: `We tried to sign you in, but it didn't work. Close this tab and open the app again.`,
  callback_malformed: `Something went wrong on the way back from signing in. ${AGAIN}`,
  issuer_mismatch: `The sign-in came back from the wrong place, so we stopped it to keep you safe. ${AGAIN}`,
  access_denied: `You weren't signed in because permission wasn't given. Try again and choose to allow it.`,
  login_required: "You need to sign in first. Please sign in.",
  interaction_required: `ClassLink has a question for you first. ${AGAIN}`,
  consent_required: "ClassLink needs your permission first. Please sign in and choose to allow it.",
  account_selection_required: "Please sign in again and choose your account.",
  unauthorized_client: `This app isn't allowed to use ClassLink yet. ${TEACHER}`,
  unsupported_response_type: `ClassLink didn't understand this app. ${TEACHER}`,
  invalid_scope: `This app asked ClassLink for something it may not have. ${TEACHER}`,
  invalid_request: `ClassLink didn't understand this app. ${TEACHER}`,
  invalid_redirect_uri: `ClassLink doesn't know this app's address. ${TEACHER}`,
  server_error: `ClassLink has a problem right now. ${LATER}`,
  temporarily_unavailable: `ClassLink is busy right now. ${LATER}`,
  provider_error: `ClassLink couldn't sign you in. ${AGAIN}`,
  network: "We couldn't get a connection. Check your internet and try again.",
  timeout: `It took too long to get an answer. ${LATER}`,
  provider_response_invalid: `We got an answer that we couldn't read. ${LATER}`,
  discovery_invalid: `This app couldn't find out how to sign you in. ${TEACHER}`,
  keys_unavailable: `We couldn't check that your sign-in is safe. ${LATER}`,
  token_rejected: `Your sign-in couldn't be finished. ${AGAIN}`,
  gateway_error: `This app's server has a problem right now. ${LATER}`,
  id_token_invalid: `We couldn't be sure that it's really you. Check that this device's date and time are right, then sign in again.`,
  userinfo_rejected: `We couldn't load your details. ${AGAIN}`,
  user_mismatch: `We got details of a different person, so we stopped. ${AGAIN}`,
  tenant_not_allowed: `Your school doesn't use this app, or not yet. Ask your teacher.`,
  not_signed_in: "You aren't signed in. Please sign in.",
  session_expired: `You were signed out because time ran out. ${AGAIN}`,
  renewal_unavailable: `We couldn't keep you signed in. ${AGAIN}`,
  origin_not_allowed: `This app tried to use an address that isn't on its list. ${TEACHER}`,
  popup_blocked:
    "Your browser stopped the sign-in window. Allow pop-up windows for this page and try again.",
  popup_closed:
    "The sign-in window was closed too early. Try again and leave it open until you're done.",
  internal: "Something in this app broke. Reload the page and try again.",
};

/**
 * Puts the application's own text into `error`, where `messages` has one. A function that throws or answers anything
 * but text leaves the English one.
 */
export function localize(
  error: ClassLinkError,
  messages: ClassLinkConfig["messages"],
): ClassLinkError {
  let text: unknown;
  try {
    text = typeof messages === "function" ? messages(error) : messages?.[error.code];
  } catch {}
  if (text && typeof text === "string") Object.assign(error, { userMessage: text });
  return error;
}
