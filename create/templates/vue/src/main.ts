import "classlink-spa/styles.css";
import { createClassLink, requireSignIn } from "classlink-spa/vue";
import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import App from "./App.vue";
import Callback from "./Callback.vue";
import Classes from "./Classes.vue";
import { client } from "./client";
import Home from "./Home.vue";
import NotFound from "./NotFound.vue";
import { pinia } from "./stores";
import "./app.css";

const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: Home },
    { path: "/callback", component: Callback },
    {
      path: "/classes",
      component: Classes,
      // If no login may start by itself, the page with the button.
      beforeEnter: requireSignIn(client, { signedOut: { path: "/" } }),
    },
    { path: "/:path(.*)*", component: NotFound },
  ],
});

createApp(App).use(pinia).use(createClassLink(client)).use(router).mount("#app");
