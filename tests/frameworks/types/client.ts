/** The client's types, the test client's and the Spanish texts', as applications use them. It is compiled and never run. */

import type {
  AccessTokenOptions,
  ClassLinkClient,
  ClassLinkErrorCode,
  HandedOver,
  Redirecting,
  SignedIn,
  User,
} from "classlink-spa";
import { createClient, isClassLinkError } from "classlink-spa";
import type spanish from "classlink-spa/es";
import { messages, texts } from "classlink-spa/es";
import { createTestClient, type TestClient } from "classlink-spa/testing";
import type { Texts } from "classlink-spa/vue";
import { type Cart, type SchoolClaims, same } from "./same.js";

const config = { clientId: "c", redirectUri: "https://app.example/callback" };
const client = createClient<Cart, SchoolClaims>(config);

// ---- The configuration ----

createClient({
  ...config,
  // A provider's whole discovery document.
  metadata: {
    issuer: "https://op.example",
    token_endpoint: "https://op.example/token",
    claims_supported: ["sub"],
  },
});
// @ts-expect-error: an endpoint is a string
createClient({ ...config, metadata: { issuer: "https://op.example", token_endpoint: 1 } });

// ---- startLogin's overloads ----

const byRedirect = client.startLogin({ returnTo: "/", appState: { items: 1 } });
same<typeof byRedirect, Promise<void>>();
const bare = client.startLogin();
same<typeof bare, Promise<void>>();
const byPopup = client.startLogin({ mode: "popup" });
same<typeof byPopup, Promise<SignedIn<Cart, SchoolClaims>>>();
// @ts-expect-error: another application's state
void client.startLogin({ appState: { items: "one" } });
// @ts-expect-error: a window is for popups
void client.startLogin({ popup: window });
// @ts-expect-error: no such mode
void client.startLogin({ mode: "window" });

// ---- Results, told apart by their status ----

const result = await client.handleCallback();
same<typeof result, SignedIn<Cart, SchoolClaims> | Redirecting | HandedOver>();
if (result.status === "signed-in") {
  same<typeof result.user, User<SchoolClaims>>();
  same<typeof result.appState, Cart | undefined>();
} else {
  // @ts-expect-error: no user has signed in
  result.user;
}

// ---- Errors ----

try {
  await client.getAccessToken();
} catch (error) {
  if (isClassLinkError(error)) same<typeof error.code, ClassLinkErrorCode>();
}

// ---- The test client ----

const testClient = createTestClient<Cart, SchoolClaims>({ user: { claims: { grade: "5" } } });
same<typeof testClient, TestClient<Cart, SchoolClaims>>();
testClient satisfies ClassLinkClient<Cart, SchoolClaims>;
const popup = testClient.startLogin({ mode: "popup" });
same<typeof popup, Promise<SignedIn<Cart, SchoolClaims>>>();
same<(typeof testClient.calls.getAccessToken)[number], [options?: AccessTokenOptions]>();
testClient.calls.startLogin[0]?.[0]?.appState?.items.toFixed();
testClient.failNext("getAccessToken", "session_expired");
testClient.setError({ code: "id_token_invalid", reason: "nonce" });
createTestClient({ user: { email: undefined } });
// @ts-expect-error: no such code
testClient.failNext("getAccessToken", "expired");
// @ts-expect-error: no such method
testClient.failNext("getToken", "network");
// @ts-expect-error: no such field of a user
createTestClient({ user: { firstName: "Ada" } });
// @ts-expect-error: no such status
createTestClient({ status: "signed-in" });

// ---- Spanish ----

createClient({ ...config, messages });
same<typeof spanish, typeof messages>();
messages satisfies Readonly<Record<ClassLinkErrorCode, string>>;
texts satisfies Texts;
