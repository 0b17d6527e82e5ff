/** Guards a page that needs to know who is there. */

import type { ReactNode } from "react";
import { useClassLink } from "../session/useClassLink";
import { useEnding } from "../session/useEnding";
import { useSignIn } from "../session/useSignIn";
import { Progress } from "./Progress";
import { SignInError } from "./SignInError";
import { SignInPrompt } from "./SignInPrompt";

/** Waits for a press: a page that leaves by itself would trap the back button. */
export function RequireSignIn({ children }: { readonly children: ReactNode }) {
  const { status, user, error } = useClassLink();
  const ending = useEnding();
  const { signIn, leaving, error: startError } = useSignIn();
  const problem = startError ?? error;

  if (user) return children;
  if (status === "loading" || status === "signing-in") return <Progress text="One moment…" late />;
  if (problem && !ending) {
    return <SignInError error={problem} leaving={leaving} onTryAgain={() => signIn({})} />;
  }
  return <SignInPrompt />;
}
