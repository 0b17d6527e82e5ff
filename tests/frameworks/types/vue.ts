/** The Vue entry's types, as applications use them. It is compiled and never run. */

import type { ClassLinkError, SignedIn, User } from "classlink-spa";
import { createTestClient } from "classlink-spa/testing";
import { CallbackPage, createClassLink, requireSignIn, useClassLink } from "classlink-spa/vue";
import { createApp, h, type Ref } from "vue";
import { createRouter, createWebHistory, type RouteLocationRaw } from "vue-router";
import { type Cart, type SchoolClaims, same } from "./same.js";

const client = createTestClient<Cart, SchoolClaims>();

export function useIt(): void {
  const { user, error, isSignedIn, startLogin } = useClassLink<Cart, SchoolClaims>();
  user satisfies Readonly<Ref<User<SchoolClaims> | null>>;
  error satisfies Readonly<Ref<ClassLinkError | null>>;
  isSignedIn satisfies Readonly<Ref<boolean>>;
  // @ts-expect-error: it can't be written to
  user.value = null;
  const popup = startLogin({ mode: "popup" });
  same<typeof popup, Promise<SignedIn<Cart, SchoolClaims>>>();
}

const router = createRouter({
  history: createWebHistory(),
  routes: [
    {
      path: "/callback",
      component: () => h(CallbackPage, { home: "/", onSignedIn: ({ returnTo }) => go(returnTo) }),
    },
    { path: "/a", component: {}, beforeEnter: requireSignIn(client) },
    {
      path: "/b",
      component: {},
      beforeEnter: [requireSignIn(client, { signedOut: { name: "welcome" } })],
    },
  ],
});
const go = (path: RouteLocationRaw) => router.replace(path);

router.beforeEach(requireSignIn(client, { loginOptions: { appState: { items: 1 } } }));
router.beforeEach(
  requireSignIn(client, {
    signedOut: (to) => ({ path: "/welcome", query: { next: to.fullPath } }),
  }),
);
// @ts-expect-error: another application's state
requireSignIn(client, { loginOptions: { appState: "x" } });

const app = createApp({});
app.use(createClassLink(client));
app.use(createClassLink({ client, texts: { signIn: "Go" } }));
// @ts-expect-error: no client
createClassLink({ texts: {} });
// @ts-expect-error: a handler of another event's
h(CallbackPage, { onSignedIn: (result: number) => result });
