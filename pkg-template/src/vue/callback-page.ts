/**
 * The page that ClassLink sends people back to.
 *
 * @packageDocumentation
 */

import {
  defineComponent,
  h,
  onMounted,
  onUnmounted,
  type PropType,
  type SlotsType,
  shallowRef,
  type VNodeChild,
} from "vue";
import type { ClassLinkError } from "../errors.js";
import { createCallbackVisit } from "../frameworks/callback-visit.js";
import { loginGate } from "../frameworks/login-gate.js";
import { progressText } from "../frameworks/texts.js";
import type { LoginOptions, SignedIn, Status } from "../types.js";
import { injectProvided } from "./plugin.js";

/**
 * Completes the login and goes to where the person wanted to be. A visit without an answer (a bookmark, a reload) goes
 * home. On an error it waits for the person. While a LaunchPad launch is being restarted, and in a popup that is about to
 * be closed, it shows the fallback.
 *
 * | | |
 * |---|---|
 * | `@signed-in` | goes on after a sign-in, in place of `location.replace(result.returnTo)`: `router.replace(result.returnTo)`. That also keeps a session which can't be found again after a page load (`session.restore: "none"`) |
 * | `home` | where a visit without an answer goes, and a login that is tried again. Default: `basePath` |
 * | `login-options` | of a login that is tried again |
 * | `#fallback="{ status }"` | shown until the page is left. Default: a line that says what is happening |
 * | `#error="{ error, retry }"` | shown on an error. Default: the error's `userMessage`, its support code and a button |
 */
export const CallbackPage = /* @__PURE__ */ defineComponent({
  name: "CallbackPage",
  props: {
    home: String,
    loginOptions: { type: Object as PropType<LoginOptions> },
    // The listener of `@signed-in`, to know whether there is one.
    onSignedIn: { type: [Function, Array] as PropType<(result: SignedIn) => void> },
  },
  emits: {
    "signed-in": (_result: SignedIn) => true,
  },
  slots: Object as SlotsType<{
    fallback?: { status: Status };
    error?: { error: ClassLinkError; retry: () => void };
  }>,
  setup(props, { emit, slots }) {
    const { client, snapshot, texts } = injectProvided();
    const visit = createCallbackVisit(client);
    const failure = shallowRef<ClassLinkError | null>(null);
    const start = shallowRef(loginGate(client).getState());
    const stops: (() => void)[] = [];

    onMounted(() => {
      const gate = loginGate(client);
      stops.push(
        gate.subscribe(() => {
          start.value = gate.getState();
        }),
        visit.subscribe(() => {
          failure.value = visit.getError();
        }),
        visit.open(() => ({
          home: props.home,
          loginOptions: props.loginOptions,
          // Whoever listens goes on in their own way.
          onSignedIn: props.onSignedIn && ((result) => emit("signed-in", result)),
        })),
      );
    });
    onUnmounted(() => {
      for (const stop of stops) stop();
    });

    return (): VNodeChild => {
      const { status } = snapshot.value;
      if (!failure.value || start.value.phase === "starting" || status === "redirecting") {
        return (
          slots.fallback?.({ status }) ??
          h("p", { class: "classlink-progress", role: "status" }, progressText(texts, status))
        );
      }
      const error = start.value.error ?? failure.value;
      return (
        slots.error?.({ error, retry: visit.retry }) ??
        h("div", { class: "classlink-error" }, [
          h("div", { role: "alert" }, [
            h("p", error.userMessage),
            h("p", [`${texts.supportCode} `, h("code", error.supportCode)]),
          ]),
          h("button", { type: "button", onClick: visit.retry }, texts.tryAgain),
        ])
      );
    };
  },
});
