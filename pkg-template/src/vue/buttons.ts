/**
 * Renders buttons that sign in and out, and show their own errors.
 *
 * @packageDocumentation
 */

import { defineComponent, h, mergeProps, type PropType, shallowRef, type VNode } from "vue";
import { localizeFor } from "../client-internals.js";
import { buttonAction, IDLE, signIn } from "../frameworks/button-action.js";
import type { ClassLinkClient, LoginOptions, LogoutOptions, LogoutResult } from "../types.js";
import { injectProvided } from "./plugin.js";

let buttonCount = 0;

/** Creates the render function of a button that calls `run`, one call at a time, with the last call's error beside it. */
function createActionButton(client: ClassLinkClient, name: string, run: () => Promise<unknown>) {
  const state = shallowRef(IDLE);
  const press = buttonAction((next) => {
    state.value = next;
  }, run);
  // Only an error needs it, which no server renders.
  let id: string | undefined;
  return (attributes: Record<string, unknown>, isBusy: boolean, content: unknown): VNode[] => {
    const { error } = state.value;
    if (error) id ??= `classlink-button-error-${++buttonCount}`;
    const own = {
      type: "button",
      class: ["classlink-button", `classlink-${name}`],
      "aria-busy": isBusy || state.value.isBusy || undefined,
      "aria-describedby": error ? id : undefined,
    };
    const onClick = (event: MouseEvent) => {
      if (!event.defaultPrevented) void press();
    };
    // The application's listener comes first.
    const props = mergeProps(own, attributes, { onClick });
    const alert =
      error &&
      h(
        "span",
        { id, class: "classlink-button-error", role: "alert" },
        localizeFor(client, error).userMessage,
      );
    return [h("button", props, content as string), ...(alert ? [alert] : [])];
  };
}

/**
 * Renders a button that starts a login, in a popup if the page is in a frame. If that fails, the error's `userMessage` is
 * shown beside it. Attributes and listeners are the button's; a `@click` that calls `event.preventDefault()` prevents the login.
 *
 * | | |
 * |---|---|
 * | `login-options` | the options of the login. Default: the user comes back to the current path |
 * | default slot | default: "Sign in" |
 */
export const SignInButton = /* @__PURE__ */ defineComponent({
  name: "SignInButton",
  inheritAttrs: false,
  props: { loginOptions: { type: Object as PropType<LoginOptions> } },
  setup(props, { attrs, slots }) {
    const { client, snapshot, texts } = injectProvided();
    const render = createActionButton(client, "sign-in", () => signIn(client, props.loginOptions));
    return () => {
      const isBusy = /^(redirecting|signing-in)$/.test(snapshot.value.status);
      return render(attrs, isBusy, slots.default?.() ?? texts.value.signIn);
    };
  },
});

/**
 * Renders a button that signs out. If that fails, the error's `userMessage` is shown beside it.
 *
 * | | |
 * |---|---|
 * | `logout-options` | the options of the sign-out |
 * | `@signed-out` | called with the result, for example to say that the ClassLink session may remain |
 * | default slot | default: "Sign out" |
 */
export const SignOutButton = /* @__PURE__ */ defineComponent({
  name: "SignOutButton",
  inheritAttrs: false,
  props: {
    logoutOptions: { type: Object as PropType<LogoutOptions> },
    // The listeners of `@signed-out`: a component that the sign-out removes emits no more.
    onSignedOut: {
      type: [Function, Array] as PropType<(result: LogoutResult) => unknown>,
    },
  },
  emits: {
    "signed-out": (_result: LogoutResult) => true,
  },
  setup(props, { attrs, slots }) {
    const { client, texts } = injectProvided();
    const render = createActionButton(client, "sign-out", async () => {
      const listeners = [props.onSignedOut].flat();
      const result = await client.logout(props.logoutOptions);
      await Promise.all(listeners.map((listener) => listener?.(result)));
    });
    return () => render(attrs, false, slots.default?.() ?? texts.value.signOut);
  },
});
