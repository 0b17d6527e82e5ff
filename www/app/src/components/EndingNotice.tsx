/** Why a user who was signed in isn't any more. */

import { useClassLink } from "classlink-spa/react";
import { useEnding } from "../session/useEnding";

/** Nothing for users who haven't been here, or who signed out themselves. */
export function EndingNotice() {
  const { error } = useClassLink();
  const ending = useEnding();
  if (!ending) return null;
  return (
    <p className="notice" role="alert">
      {ending === "expired" ? error?.userMessage : "You were signed out in another tab or window."}
    </p>
  );
}
