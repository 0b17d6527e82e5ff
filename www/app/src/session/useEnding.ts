/** Says how the session ended, if users may wonder. */

import { useClassLink } from "classlink-spa/react";
import { useSyncExternalStore } from "react";
import { hasEndedHere, subscribeToEvents } from "./eventLog";

/** Time ran out; or the user signed out, or in as another user, in another tab. */
export type Ending = "expired" | "elsewhere";

/** `null` for users who haven't been here, and for those who signed out in this tab. */
export function useEnding(): Ending | null {
  const { status, error } = useClassLink();
  const endedHere = useSyncExternalStore(subscribeToEvents, hasEndedHere);
  if (error?.code === "session_expired") return "expired";
  return status === "signed-out" && !endedHere ? "elsewhere" : null;
}
