/** Tells screen readers how a sign-in goes on. */

import type { Status } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";

/** Errors have an alert of their own. */
const TEXTS: Record<Status, string> = {
  loading: "",
  "signed-out": "",
  redirecting: "Taking you to ClassLink.",
  "signing-in": "Signing you in.",
  "signed-in": "You are signed in.",
  error: "",
};

/** One live region that outlives the pages: a region that appears together with its text is often not read out. */
export function Announcer() {
  const { status } = useClassLink();
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {TEXTS[status]}
    </div>
  );
}
