/** An application under a base. `window.scenario`: `base`, `hash`, `callback`; `bare`: without the plugin. */

import { toRouterPath } from "classlink-spa/router";
import { createTestClient } from "classlink-spa/testing";
import { CallbackPage, createClassLink, requireSignIn, useClassLink } from "classlink-spa/vue";
import { createApp, defineComponent, h } from "vue";
import { createRouter, createWebHashHistory, createWebHistory, RouterView } from "vue-router";

const { base, hash, callback, bare } = /** @type {any} */ (window.scenario);
const client = createTestClient({ basePath: base, callback });

const Classes = defineComponent(() => {
  const { user } = useClassLink();
  return () => h("h1", `Classes of ${user.value?.givenName}`);
});

const Callback = {
  setup: () => () =>
    h(CallbackPage, {
      onSignedIn: ({ returnTo }) =>
        router.replace(toRouterPath(returnTo, hash ? `${base}#` : base)),
    }),
};

const router = createRouter({
  history: hash ? createWebHashHistory(base) : createWebHistory(base),
  routes: [
    { path: "/", component: { render: () => h("h1", "Home") } },
    { path: "/callback", component: Callback },
    { path: "/classes", component: Classes, beforeEnter: requireSignIn(client) },
  ],
});

const app = createApp(RouterView);
if (!bare) app.use(createClassLink(client));
app.use(router).mount("#root");
Object.assign(window, { client, router });
