/** Starts a login from a button or a page, and keeps what came of it. */

import { type ClassLinkError, isClassLinkError, type LoginOptions } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import { useCallback, useEffect, useState } from "react";
import { useNavigate } from "react-router";

/** A login's start: how to start it, whether it is under way, and why it couldn't be. */
export interface SignIn {
  /** For a button: in a frame it opens a window, which browsers allow in a click alone. */
  readonly signIn: (options: Omit<LoginOptions, "mode">) => Promise<void>;
  /** For the page that a LaunchPad tile opens. */
  readonly launch: () => Promise<void>;
  readonly leaving: boolean;
  readonly error: ClassLinkError | null;
}

/** ClassLink's pages may not be shown inside another site's page. */
const inFrame = window.top !== window.self;

/** One per button or page that starts a login. */
export function useSignIn(): SignIn {
  const { client } = useClassLink();
  const navigate = useNavigate();
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

  const attempt = useCallback(async (start: () => Promise<void>) => {
    setLeaving(true);
    setError(null);
    try {
      await start();
    } catch (cause) {
      setLeaving(false);
      if (!isClassLinkError(cause)) throw cause;
      setError(cause);
    }
  }, []);

  const signIn = useCallback(
    (options: Omit<LoginOptions, "mode">) =>
      attempt(async () => {
        if (!inFrame) return client.startLogin(options);
        const { returnTo } = await client.startLogin({ ...options, mode: "popup" });
        setLeaving(false);
        await navigate(returnTo, { replace: true });
      }),
    [attempt, client, navigate],
  );
  const launch = useCallback(() => attempt(() => client.handleLaunch()), [attempt, client]);

  return { signIn, launch, leaving, error };
}
