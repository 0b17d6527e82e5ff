/**
 * Sign-in with ClassLink for React 18 and 19.
 *
 * ```tsx
 * <ClassLinkProvider client={client}>
 *   <Routes>
 *     <Route path="/callback" element={<CallbackPage />} />
 *     <Route path="/classes" element={<RequireSignIn><Classes /></RequireSignIn>} />
 *   </Routes>
 *   <SessionExpiring />
 * </ClassLinkProvider>
 * ```
 *
 * Their looks are in `classlink-spa/styles.css`, if you import it.
 *
 * @packageDocumentation
 */

export type { SessionExpiringState } from "./frameworks/session-expiry.js";
export type { ClassLinkMethods, ClassLinkState } from "./frameworks/state.js";
export type { Texts } from "./frameworks/texts.js";
export {
  SignInButton,
  type SignInButtonProps,
  SignOutButton,
  type SignOutButtonProps,
} from "./react/buttons.js";
export { CallbackPage, type CallbackPageProps } from "./react/callback-page.js";
export {
  ClassLinkProvider,
  type ClassLinkProviderProps,
  type UseClassLink,
  useClassLink,
} from "./react/provider.js";
export { RequireSignIn, type RequireSignInProps } from "./react/require-sign-in.js";
export {
  SessionExpiring,
  type SessionExpiringProps,
  useSessionExpiring,
} from "./react/session-expiring.js";
export { SignedIn, type SignedInProps, SignedOut, type SignedOutProps } from "./react/signed.js";
export type { ErrorView } from "./react/views.js";
