/** The pages and their addresses, all below the app's base. */

import { requireSignIn } from "classlink-spa/vue";
import { createRouter, createWebHistory } from "vue-router";
import { client } from "./client";
import CallbackView from "./pages/CallbackView.vue";
import HomeView from "./pages/HomeView.vue";
import ProfileView from "./pages/ProfileView.vue";

const base = import.meta.env.BASE_URL;

export const router = createRouter({
  history: createWebHistory(base),
  routes: [
    { path: "/", component: HomeView },
    { path: "/callback", component: CallbackView },
    {
      path: "/profile",
      component: ProfileView,
      beforeEnter: requireSignIn(client, {
        signedOut: "/",
        loginOptions: { returnTo: `${base}profile` },
      }),
    },
    { path: "/:unknown(.*)", redirect: "/" },
  ],
});

/** Where in this app a path of this origin leads: without the base, which the router adds. */
export function withoutBase(path: string): string {
  return path.startsWith(base) ? path.slice(base.length - 1) : "/";
}
