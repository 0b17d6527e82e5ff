/**
 * Shows slots depending on whether a user is signed in.
 *
 * @packageDocumentation
 */

import { defineComponent, Fragment, h, type SlotsType, type VNodeChild } from "vue";
import type { RegisteredClaims, User } from "../types.js";
import { injectProvided } from "./plugin.js";

/**
 * Shows its slot if a user is signed in; for another user it is mounted again.
 *
 * ```vue
 * <SignedIn v-slot="{ user }">Hello, {{ user.givenName }}</SignedIn>
 * ```
 */
export const SignedIn = /* @__PURE__ */ defineComponent({
  name: "SignedIn",
  slots: Object as SlotsType<{ default?: { user: User<RegisteredClaims> } }>,
  setup(_, { slots }) {
    const { snapshot } = injectProvided();
    return (): VNodeChild => {
      const user = snapshot.value.user as User<RegisteredClaims> | null;
      return user && h(Fragment, { key: user.id }, slots.default?.({ user }));
    };
  },
});

/** Shows its slot if it is known that no user is signed in, also after an error. */
export const SignedOut = /* @__PURE__ */ defineComponent({
  name: "SignedOut",
  slots: Object as SlotsType<{ default?: Record<string, never> }>,
  setup(_, { slots }) {
    const { snapshot } = injectProvided();
    return (): VNodeChild => {
      const { status } = snapshot.value;
      return status === "signed-out" || status === "error" ? slots.default?.({}) : null;
    };
  },
});
