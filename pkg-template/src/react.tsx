/**
 * Sign-in with ClassLink for React 18 and 19.
 *
 * ```tsx
 * <ClassLinkProvider client={client}>
 *   <Routes>
 *     <Route path="/callback" element={<CallbackPage />} />
 *     <Route path="/classes" element={<RequireSignIn><Classes /></RequireSignIn>} />
 *   </Routes>
 * </ClassLinkProvider>
 * ```
 *
 * @packageDocumentation
 */

export type { ClassLinkMethods, ClassLinkState } from "./frameworks/state.js";
export type { Texts } from "./frameworks/texts.js";
export { CallbackPage, type CallbackPageProps } from "./react/callback-page.js";
export {
  ClassLinkProvider,
  type ClassLinkProviderProps,
  type UseClassLink,
  useClassLink,
} from "./react/provider.js";
export { RequireSignIn, type RequireSignInProps } from "./react/require-sign-in.js";
export type { ErrorView } from "./react/views.js";
