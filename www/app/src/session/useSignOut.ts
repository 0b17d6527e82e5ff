/** Signs out, and shows what came of it. */

import { isClassLinkError, type LogoutResult } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import { useCallback } from "react";
import { useNavigate } from "react-router";
import { POST_LOGOUT_REDIRECT_URI } from "./settings";

/** The history entry's state for the signed-out page: during the sign-out, and afterwards. */
export type SignOutState = "under-way" | LogoutResult;

/** The result to assume if the sign-out itself failed. This tab and the others are signed out in any case. */
const UNKNOWN: LogoutResult = { sessionEnded: false, providerSessionMayRemain: true };

/** For a button. Leaves the page first, so that nothing of the user shows in the meantime. */
export function useSignOut(): () => Promise<void> {
  const { client } = useClassLink();
  const navigate = useNavigate();
  return useCallback(async () => {
    const show = (state: SignOutState, replace: boolean) =>
      void navigate("/signed-out", { state, replace });
    show("under-way", false);
    const result = await client
      .logout(POST_LOGOUT_REDIRECT_URI ? { postLogoutRedirectUri: POST_LOGOUT_REDIRECT_URI } : {})
      .catch((cause: unknown) => {
        if (!isClassLinkError(cause)) throw cause;
        return UNKNOWN;
      });
    show(result, true);
  }, [client, navigate]);
}
