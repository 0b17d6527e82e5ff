/** Guards a page that needs to know who is there. */

import type { ReactNode } from "react";
import { useLocation } from "react-router";
import { useClassLink } from "../session/useClassLink";
import { useSignIn } from "../session/useSignIn";
import { PageTitle } from "./PageTitle";
import { Progress } from "./Progress";
import { SignInButton } from "./SignInButton";
import { SignInError } from "./SignInError";

/**
 * Shows its children to people who are signed in; asks others, and brings them back here afterwards. It waits for a
 * press: a page that leaves by itself would trap the back button.
 */
export function RequireSignIn({ children }: { readonly children: ReactNode }) {
  const { status, user, error } = useClassLink();
  const { signIn, leaving, error: startError } = useSignIn();
  const { pathname, search, hash } = useLocation();
  const start = () => signIn({ returnTo: `${pathname}${search}${hash}` });
  const problem = startError ?? error;

  if (user) return children;
  if (status === "loading" || status === "signing-in") return <Progress text="One moment…" late />;
  if (problem) return <SignInError error={problem} leaving={leaving} onTryAgain={start} />;
  return (
    <>
      <title>Please sign in – Reading Room</title>
      <PageTitle>Please sign in</PageTitle>
      <p>Sign in to see this page. Afterwards you will be right back here.</p>
      <SignInButton leaving={leaving} onClick={start} />
      {leaving && <Progress text="Taking you to ClassLink…" />}
    </>
  );
}
