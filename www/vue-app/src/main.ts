/** Starts the app. */

import { createClassLink } from "classlink-spa/vue";
import { createApp } from "vue";
import App from "./App.vue";
import { client } from "./client";
import { router } from "./router";
// One school, one look.
import "../../app/src/styles.css";

createApp(App).use(createClassLink(client)).use(router).mount("#root");
