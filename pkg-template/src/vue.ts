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
 * The components' looks are in `classlink-spa/styles.css`, if you import it.
 *
 * @packageDocumentation
 */

export type { SessionExpiringState } from "./frameworks/session-expiry.js";
export type { ClassLinkMethods } from "./frameworks/state.js";
export type { Texts } from "./frameworks/texts.js";
export { SignInButton, SignOutButton } from "./vue/buttons.js";
export { CallbackPage } from "./vue/callback-page.js";
export { type GuardedRoute, type RequireSignInOptions, requireSignIn } from "./vue/guard.js";
export {
  type ClassLinkPluginOptions,
  createClassLink,
  type ResolvingRouter,
  type UseClassLink,
  useClassLink,
} from "./vue/plugin.js";
export { SessionExpiring, useSessionExpiring } from "./vue/session-expiring.js";
export { SignedIn, SignedOut } from "./vue/signed.js";
