import { SignedIn, SignedOut, SignInButton } from "classlink-spa/react";
import { Link } from "react-router";

export function Home() {
  return (
    <main>
      <h1>Welcome</h1>
      <SignedIn>
        <Link to="/classes">My classes</Link>
      </SignedIn>
      <SignedOut>
        <SignInButton loginOptions={{ returnTo: "/classes" }}>Sign in with ClassLink</SignInButton>
      </SignedOut>
    </main>
  );
}
