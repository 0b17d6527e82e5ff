/** Where ClassLink sends users back to: completes the login and goes on. */

import { CallbackPage as Callback, useClassLink } from "classlink-spa/react";
import { useNavigate } from "react-router";
import { PageTitle } from "../components/PageTitle";
import { Progress } from "../components/Progress";
import { SignInError } from "../components/SignInError";

/** The package's page in the app's own clothes. It replaces its history entry, so that "back" doesn't lead here. */
export function CallbackPage() {
  const navigate = useNavigate();
  return (
    <Callback
      onSignedIn={({ returnTo }) => navigate(returnTo, { replace: true })}
      fallback={<SigningIn />}
      error={(error, retry) => <SignInError error={error} leaving={false} onTryAgain={retry} />}
    />
  );
}

function SigningIn() {
  const { status } = useClassLink();
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
