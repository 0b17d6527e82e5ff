/** Where ClassLink sends people back to: completes the login and goes on. */

import { type ClassLinkError, isClassLinkError } from "classlink-spa";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { PageTitle } from "../components/PageTitle";
import { Progress } from "../components/Progress";
import { SignInError } from "../components/SignInError";
import { useClassLink } from "../session/useClassLink";
import { useSignIn } from "../session/useSignIn";

/** Replaces its own history entry, so that "back" doesn't lead here. */
export function CallbackPage() {
  const { client, status } = useClassLink();
  const navigate = useNavigate();
  const { signIn, leaving, error: startError } = useSignIn();
  const [handedOver, setHandedOver] = useState(false);
  const [callbackError, setCallbackError] = useState<ClassLinkError | null>(null);

  useEffect(() => {
    // StrictMode runs this twice: the client answers both calls with one outcome, and only one is acted upon.
    let current = true;
    client.handleCallback().then(
      (result) => {
        if (!current) return;
        if (result.status === "signed-in") navigate(result.returnTo, { replace: true });
        // In a window that was opened for it; the page that opened it goes on.
        setHandedOver(result.status === "handed-over");
      },
      (cause: unknown) => {
        if (!isClassLinkError(cause)) throw cause;
        if (!current) return;
        // A bookmark, or the way back out of LaunchPad: nothing went wrong.
        if (cause.code === "not_a_callback") navigate("/", { replace: true });
        else setCallbackError(cause);
      },
    );
    return () => {
      current = false;
    };
  }, [client, navigate]);

  const error = startError ?? callbackError;
  if (error) {
    // Where the failed login would have ended isn't known any more, and this page must not be it.
    const start = () => signIn({ returnTo: "/" });
    return <SignInError error={error} leaving={leaving} onTryAgain={start} />;
  }
  if (handedOver) {
    return (
      <>
        <title>Done – Reading Room</title>
        <PageTitle>You can close this window</PageTitle>
        <p>The Reading Room goes on where you came from.</p>
      </>
    );
  }
  return (
    <>
      <title>Signing you in – Reading Room</title>
      <PageTitle>Signing you in</PageTitle>
      <Progress
        text={status === "redirecting" ? "Taking you to ClassLink…" : "Checking with ClassLink…"}
      />
    </>
  );
}
