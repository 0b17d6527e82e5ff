/** Shows what a sign-out reached, for a user who leaves a shared device. */

import { useClassLink } from "classlink-spa/react";
import { Navigate, useLocation } from "react-router";
import { PageTitle } from "../components/PageTitle";
import { Progress } from "../components/Progress";
import { SignInButton } from "../components/SignInButton";
import { useSignIn } from "../session/useSignIn";
import type { SignOutState } from "../session/useSignOut";

/** If ClassLink has an end-session endpoint, it leads here: then its session is over, and the entry has no state. */
export function SignedOutPage() {
  const { user } = useClassLink();
  const { signIn, leaving } = useSignIn();
  const state = useLocation().state as SignOutState | null;

  if (state === "under-way") return <Progress text="Signing you out…" />;
  // Opened by address, or by the back button.
  if (user) return <Navigate to="/" replace />;
  return (
    <>
      <title>Signed out – Reading Room</title>
      <PageTitle takesFocus>You are signed out of the Reading Room</PageTitle>
      {state?.sessionEnded === false && (
        <p className="notice">
          The school’s server couldn’t be reached just now. It hears of it before anything else the
          next time somebody opens the Reading Room in this browser.
        </p>
      )}
      {state?.providerSessionMayRemain && <AtClassLink />}
      <SignInButton
        label="Sign in again"
        leaving={leaving}
        onClick={() => signIn({ returnTo: "/" })}
      />
    </>
  );
}

function AtClassLink() {
  return (
    <section className="notice" aria-labelledby="remains-title">
      <h2 id="remains-title">You may still be signed in at ClassLink</h2>
      <p>
        Is this a shared device? Then sign out of ClassLink LaunchPad, too, or close the browser:
        otherwise the next person who presses “Sign in” here comes in as you.
      </p>
    </section>
  );
}
