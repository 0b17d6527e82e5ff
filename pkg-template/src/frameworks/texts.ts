/**
 * The texts of the components for React and Vue.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "../errors.js";
import type { Status } from "../types.js";

/** The texts of the components: their progress, prompts, buttons, errors and the warning before a session ends. */
export interface Texts {
  /** Nothing is known yet. */
  readonly loading: string;
  /** The page is about to be left for ClassLink. */
  readonly redirecting: string;
  /** An authorization response is being checked. */
  readonly signingIn: string;
  /** No user is signed in, and the page waits. */
  readonly signedOut: string;
  /** On the button that starts a login. */
  readonly signIn: string;
  /** On the button that signs out. */
  readonly signOut: string;
  /** The heading of an error. */
  readonly errorTitle: string;
  /** The heading after a session has ended. */
  readonly expiredTitle: string;
  /** On the button after an error. */
  readonly tryAgain: string;
  /** On the button after a session has ended. */
  readonly signInAgain: string;
  /** On the button after an error, for a user who is still signed in. */
  readonly goOn: string;
  /** The link from an error to the application's start page. */
  readonly home: string;
  /** Before the support code. */
  readonly supportCode: string;
  /** The heading of the warning before a session ends. */
  readonly expiringTitle: string;
  /** The text of that warning. */
  readonly expiringText: string;
  /** The countdown in it. */
  readonly secondsLeft: (seconds: number) => string;
  /** On the button that keeps the session. */
  readonly stayActive: string;
}

/** The English texts. */
export const ENGLISH_TEXTS: Texts = {
  loading: "One moment…",
  redirecting: "Taking you to ClassLink…",
  signingIn: "Signing you in…",
  signedOut: "Please sign in to see this page.",
  signIn: "Sign in",
  signOut: "Sign out",
  errorTitle: "That didn't work",
  expiredTitle: "You're signed out",
  tryAgain: "Try again",
  signInAgain: "Sign in again",
  goOn: "Continue",
  home: "Go to the start page",
  supportCode: "If you need help, read this code to your teacher or help desk:",
  expiringTitle: "Are you still there?",
  expiringText:
    "You will be signed out soon, so that no one else can use your account on this device.",
  secondsLeft: (seconds) => (seconds === 1 ? "1 second left" : `${seconds} seconds left`),
  stayActive: "I'm still here",
};

/** Returns the text to show while there is nothing else. */
export function progressText(texts: Texts, status: Status): string {
  if (status === "signing-in") return texts.signingIn;
  // After a sign-in the callback page waits for the application's router, which may have to fetch the next page.
  return status === "loading" || status === "signed-in" ? texts.loading : texts.redirecting;
}

/** The texts of an error's view. */
export interface ErrorTexts {
  readonly title: string;
  readonly retry: string;
  /** Absent after a session that ended, which is not an error to report. */
  readonly supportCode?: string;
}

/** Returns what to show of an error. */
export function errorTexts(texts: Texts, { code, supportCode }: ClassLinkError): ErrorTexts {
  return code === "session_expired"
    ? { title: texts.expiredTitle, retry: texts.signInAgain }
    : { title: texts.errorTitle, retry: texts.tryAgain, supportCode };
}
