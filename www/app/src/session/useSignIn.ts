/** Starts a login from a button or a page, and keeps what came of it. */

import { type ClassLinkError, isClassLinkError, type LoginOptions } from "classlink-spa";
import { useCallback, useEffect, useState } from "react";
import { useClassLink } from "./useClassLink";

/** A login's start: how to start it, whether the page is about to be left, and why it couldn't be. */
export interface SignIn {
  readonly signIn: (options: LoginOptions) => Promise<void>;
  readonly leaving: boolean;
  readonly error: ClassLinkError | null;
}

/** One per button or page that starts a login. */
export function useSignIn(): SignIn {
  const { client } = useClassLink();
  const [leaving, setLeaving] = useState(false);
  const [error, setError] = useState<ClassLinkError | null>(null);

  // The back button may bring the page back from the browser's cache just as it was left: let it start again.
  useEffect(() => {
    const onPageShow = (event: PageTransitionEvent) => {
      if (event.persisted) setLeaving(false);
    };
    window.addEventListener("pageshow", onPageShow);
    return () => window.removeEventListener("pageshow", onPageShow);
  }, []);

  const signIn = useCallback(
    async (options: LoginOptions) => {
      setLeaving(true);
      setError(null);
      try {
        await client.startLogin(options);
      } catch (cause) {
        setLeaving(false);
        if (!isClassLinkError(cause)) throw cause;
        setError(cause);
      }
    },
    [client],
  );

  return { signIn, leaving, error };
}
