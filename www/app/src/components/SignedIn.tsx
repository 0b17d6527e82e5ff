/** A page for users who are signed in. */

import { RequireSignIn } from "classlink-spa/react";
import type { ReactNode } from "react";
import { Progress } from "./Progress";
import { SignInError } from "./SignInError";
import { SignInPrompt } from "./SignInPrompt";

/** The package's guard in the app's own clothes: others leave for ClassLink by themselves, once, and come back here. */
export function SignedIn({ children }: { readonly children: ReactNode }) {
  return (
    <RequireSignIn
      fallback={<Progress text="One moment…" late />}
      signedOut={<SignInPrompt />}
      error={(error, retry) =>
        error.code === "session_expired" ? (
          <SignInPrompt />
        ) : (
          <SignInError error={error} leaving={false} onTryAgain={retry} />
        )
      }
    >
      {children}
    </RequireSignIn>
  );
}
