/** A page that needs to know who is there, before any user is. */

import { useLocation } from "react-router";
import { useEnding } from "../session/useEnding";
import { useSignIn } from "../session/useSignIn";
import { EndingNotice } from "./EndingNotice";
import { PageTitle } from "./PageTitle";
import { Progress } from "./Progress";
import { SignInButton } from "./SignInButton";
import { SignInError } from "./SignInError";

/** Brings users back to this very page. */
export function SignInPrompt() {
  const { signIn, leaving, error } = useSignIn();
  const { pathname, search, hash } = useLocation();
  const ending = useEnding();
  const start = () => signIn({ returnTo: `${pathname}${search}${hash}` });

  if (error) return <SignInError error={error} leaving={leaving} onTryAgain={start} />;
  return (
    <>
      <title>Please sign in – Reading Room</title>
      <PageTitle key={ending} takesFocus={ending !== null}>
        {ending ? "You are signed out" : "Please sign in"}
      </PageTitle>
      <EndingNotice />
      <p>Sign in to see this page. Afterwards you will be right back here.</p>
      <SignInButton leaving={leaving} onClick={start} />
      {leaving && <Progress text="Taking you to ClassLink…" />}
    </>
  );
}
