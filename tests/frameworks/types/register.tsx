/** A client that the application has registered: hooks and components know its types. It is compiled and never run. */

import { createClient, type User } from "classlink-spa";
import {
  CallbackPage,
  RequireSignIn,
  SignedIn,
  SignInButton,
  useClassLink,
} from "classlink-spa/react";
import { requireUser } from "classlink-spa/router";
import { useClassLink as useInVue } from "classlink-spa/vue";
import type { ReactNode } from "react";
import { type Cart, type SchoolClaims, same } from "./same.js";

const client = createClient<Cart, SchoolClaims>({
  clientId: "c",
  redirectUri: "https://app.example/callback",
});

declare module "classlink-spa" {
  interface Register {
    client: typeof client;
  }
}

export function Page(): ReactNode {
  const { user, startLogin } = useClassLink();
  if (user) same<typeof user, User<SchoolClaims>>();
  // @ts-expect-error: another application's state
  void startLogin({ appState: "x" });
  useInVue().user.value?.claims.grade satisfies string | undefined;
  return (
    <>
      <SignedIn>{({ claims }) => claims.grade satisfies string}</SignedIn>
      <CallbackPage
        onSignedIn={async ({ appState }) => {
          same<typeof appState, Cart | undefined>();
        }}
      />
      <RequireSignIn loginOptions={{ appState: { items: 1 } }} />
      <SignInButton loginOptions={{ appState: { items: 1 } }} disabled />
      {/* @ts-expect-error: another application's state */}
      <SignInButton loginOptions={{ appState: { items: "one" } }} />
    </>
  );
}

const user = await requireUser(client);
same<typeof user, User<SchoolClaims>>();
