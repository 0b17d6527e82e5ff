/** The React entry's types, as applications use them. It is compiled and never run. */

import type { ClassLinkError, SignedIn, User } from "classlink-spa";
import {
  CallbackPage,
  ClassLinkProvider,
  RequireSignIn,
  type UseClassLink,
  useClassLink,
} from "classlink-spa/react";
import { createTestClient } from "classlink-spa/testing";
import type { ReactNode } from "react";
import { type Cart, type SchoolClaims, same } from "./same.js";

export function Page(): ReactNode {
  const { user, isSignedIn, isLoading, error, status, startLogin } = useClassLink();
  if (isLoading) {
    same<typeof status, "loading" | "redirecting" | "signing-in">();
    same<typeof user, null>();
    return null;
  }
  if (isSignedIn) {
    same<typeof user, User>();
    same<typeof error, null>();
    return user.name;
  }
  if (status === "error") {
    same<typeof error, ClassLinkError>();
    return error.userMessage;
  }
  return (
    <button type="button" onClick={() => startLogin({ returnTo: "/" })}>
      Sign in
    </button>
  );
}

export function Typed(): ReactNode {
  const classLink = useClassLink<Cart, SchoolClaims>();
  same<typeof classLink, UseClassLink<Cart, SchoolClaims>>();
  const popup = classLink.startLogin({ mode: "popup", appState: { items: 1 } });
  same<typeof popup, Promise<SignedIn<Cart, SchoolClaims>>>();
  // @ts-expect-error: another application's state
  void classLink.startLogin({ appState: "x" });
  const token = classLink.getAccessToken({ minValidity: 60 });
  same<typeof token, Promise<string>>();
  return classLink.user?.claims.grade;
}

export function App(): ReactNode {
  return (
    <ClassLinkProvider client={createTestClient<Cart, SchoolClaims>()} texts={{ signIn: "Go" }}>
      <RequireSignIn
        fallback="…"
        signedOut={(signIn) => <button onClick={signIn} type="button" />}
        error={(error, retry) => (
          <button onClick={retry} type="button">
            {error.userMessage}
          </button>
        )}
        loginOptions={{ prompt: "login" }}
      >
        <Page />
      </RequireSignIn>
      <RequireSignIn<Cart> error={<p />} loginOptions={{ appState: { items: 1 } }} />
      <CallbackPage<Cart, SchoolClaims>
        home="/start"
        onSignedIn={(result) => {
          same<typeof result, SignedIn<Cart, SchoolClaims>>();
        }}
      />
      <CallbackPage fallback={null} error={null} />
    </ClassLinkProvider>
  );
}

// @ts-expect-error: a provider needs a client
export const without = <ClassLinkProvider />;
// @ts-expect-error: a login of one's own must not be by popup: no press may have come before it
export const popups = <RequireSignIn loginOptions={{ mode: "popup" }} />;
