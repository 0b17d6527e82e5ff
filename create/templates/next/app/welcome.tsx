"use client";

import { SignedIn, SignedOut, SignInButton } from "classlink-spa/react";
import type { ReactNode } from "react";

export function Welcome({ children }: { children: ReactNode }) {
  return (
    <>
      <SignedIn>{children}</SignedIn>
      <SignedOut>
        <SignInButton loginOptions={{ returnTo: "/classes" }}>Sign in with ClassLink</SignInButton>
      </SignedOut>
    </>
  );
}
