/**
 * What the components for React and Vue say where an application gives nothing of its own.
 *
 * @packageDocumentation
 */

import type { Status } from "../types.js";

/** The texts of the components' own fallbacks, prompts and error pages. */
export interface Texts {
  /** Nothing is known yet. */
  readonly loading: string;
  /** The page is about to be left for ClassLink. */
  readonly redirecting: string;
  /** An answer of ClassLink's is being checked. */
  readonly signingIn: string;
  /** Nobody is signed in, and the page waits for the person. */
  readonly signedOut: string;
  /** On the button that starts a login. */
  readonly signIn: string;
  /** On the button after an error. */
  readonly tryAgain: string;
  /** Before the support code. */
  readonly supportCode: string;
}

/** The English texts. */
export const ENGLISH_TEXTS: Texts = {
  loading: "One moment…",
  redirecting: "Taking you to ClassLink…",
  signingIn: "Signing you in…",
  signedOut: "Please sign in to see this page.",
  signIn: "Sign in",
  tryAgain: "Try again",
  supportCode: "If you need help, read this code to your teacher or help desk:",
};

/** What to say while there is nothing else to show. */
export function progressText(texts: Texts, status: Status): string {
  if (status === "signing-in") return texts.signingIn;
  return status === "loading" ? texts.loading : texts.redirecting;
}
