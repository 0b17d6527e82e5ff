/** A sign-in that failed: what to tell the user and the help desk. */

import type { ClassLinkError } from "classlink-spa";
import { Link } from "react-router";
import { mayTryAgain } from "../session/tryAgain";
import { PageTitle } from "./PageTitle";
import { Progress } from "./Progress";
import { SignInButton } from "./SignInButton";

interface Props {
  readonly error: ClassLinkError;
  /** Another attempt has begun. */
  readonly leaving: boolean;
  readonly onTryAgain: () => void;
}

/** Waits for the user: another attempt is never made unasked. */
export function SignInError({ error, leaving, onTryAgain }: Props) {
  return (
    <>
      <title>Sign-in problem – Reading Room</title>
      <PageTitle>We couldn’t sign you in</PageTitle>
      <p className="lead" role="alert">
        {error.userMessage}
      </p>
      <dl className="support">
        <dt>Support code</dt>
        <dd id="support-code">{error.supportCode}</dd>
        <dd>If you need help, read this to your help desk.</dd>
      </dl>
      <div className="actions">
        {mayTryAgain(error) && (
          <SignInButton label="Try again" leaving={leaving} onClick={onTryAgain} />
        )}
        <Link to="/">Back to the start</Link>
      </div>
      {leaving && <Progress text="Taking you to ClassLink…" />}
    </>
  );
}
