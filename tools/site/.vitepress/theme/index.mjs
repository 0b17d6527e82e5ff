/** VitePress's own theme, with the playground's component. */

import DefaultTheme from "vitepress/theme";
import Playground from "./Playground.vue";
import "./site.css";

export default {
  extends: DefaultTheme,
  /** @param {{ app: import("vue").App }} site */
  enhanceApp({ app }) {
    app.component("Playground", Playground);
  },
};
