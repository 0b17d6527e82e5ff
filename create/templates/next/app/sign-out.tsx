"use client";

import { SignOutButton } from "classlink-spa/react";

export function SignOut() {
  return <SignOutButton />;
}
