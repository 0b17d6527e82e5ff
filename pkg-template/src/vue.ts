/**
 * Sign-in with ClassLink for Vue 3.
 *
 * ```ts
 * const router = createRouter({
 *   history: createWebHistory(),
 *   routes: [
 *     { path: "/callback", component: CallbackPage },
 *     { path: "/classes", component: Classes, beforeEnter: requireSignIn(client) },
 *   ],
 * });
 * createApp(App).use(createClassLink(client)).use(router).mount("#app");
 * ```
 *
 * @packageDocumentation
 */

export type { ClassLinkMethods } from "./frameworks/state.js";
export type { Texts } from "./frameworks/texts.js";
export { CallbackPage } from "./vue/callback-page.js";
export { type GuardedRoute, type RequireSignInOptions, requireSignIn } from "./vue/guard.js";
export {
  type ClassLinkPluginOptions,
  createClassLink,
  type UseClassLink,
  useClassLink,
} from "./vue/plugin.js";
