/** The home page of a user who isn't signed in. */

import { useSignIn } from "../session/useSignIn";
import { EndingNotice } from "./EndingNotice";
import { PageTitle } from "./PageTitle";
import { Progress } from "./Progress";
import { SignInButton } from "./SignInButton";
import { SignInError } from "./SignInError";

/** Shows what the app is, the sign-in button, and what will happen when it is pressed. */
export function Invitation() {
  const { signIn, leaving, error } = useSignIn();
  const start = () => signIn({ returnTo: "/" });

  if (error) return <SignInError error={error} leaving={leaving} onTryAgain={start} />;
  return (
    <>
      <title>Reading Room</title>
      <EndingNotice />
      <PageTitle>Your class library, in one place</PageTitle>
      <p className="lead">See what your class is reading, what is due, and where you left off.</p>
      <SignInButton leaving={leaving} onClick={start} />
      {leaving && <Progress text="Taking you to ClassLink…" />}
      <section className="note" aria-labelledby="launchpad-title">
        <h2 id="launchpad-title">How signing in works</h2>
        <p>
          ClassLink LaunchPad is the page where your school keeps its apps. You give your school
          password there, never here. If you are already in LaunchPad, you come straight back.
        </p>
        <p>You can also open the Reading Room from its tile in LaunchPad.</p>
      </section>
    </>
  );
}
