/** An application's own test, as its makers would write it: run by Vitest and by Jest, with jsdom. */

import { createClient } from "classlink-spa";
import { ClassLinkProvider, RequireSignIn, useClassLink } from "classlink-spa/react";
import { createTestClient, isClassLinkError } from "classlink-spa/testing";
import { act, createElement as h } from "react";
import { createRoot } from "react-dom/client";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

function Greeting() {
  const { user } = useClassLink();
  return h("p", null, `Hello ${user.givenName}`);
}

function show(client) {
  const element = document.createElement("div");
  const guarded = h(RequireSignIn, null, h(Greeting));
  act(() => createRoot(element).render(h(ClassLinkProvider, { client }, guarded)));
  return element;
}

test("a user who is signed in sees the page", () => {
  const client = createTestClient({ user: { givenName: "Ada" } });
  expect(show(client).textContent).toBe("Hello Ada");
  expect(client.calls.startLogin).toEqual([]);
});

test("a user who is signed out is sent to sign in, and comes back", async () => {
  const client = createTestClient();
  const element = show(client);
  expect(client.calls.startLogin).toEqual([[]]);
  await act(async () => client.signIn({ givenName: "Ada" }));
  expect(element.textContent).toBe("Hello Ada");
});

test("an error is shown", async () => {
  const client = createTestClient({ user: {} });
  const element = show(client);
  let error;
  await act(async () => {
    error = client.setError("session_expired");
  });
  expect(isClassLinkError(error)).toBe(true);
  expect(element.querySelector("[role=alert]").textContent).toContain(error.userMessage);
});

test("a page of one's own is all it takes: nothing asks for the network", async () => {
  const client = createTestClient({ user: {} });
  await expect(client.fetch("/api")).rejects.toThrow(/no network/);
});

test("a module that makes the real client can be imported, and nothing is asked for", () => {
  const client = createClient({ clientId: "c1", redirectUri: `${location.origin}/callback` });
  expect(client.getSnapshot().status).toBe("loading");
});
