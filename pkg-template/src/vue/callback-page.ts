/**
 * Completes logins on the page that ClassLink sends users back to.
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
import { basePathOf } from "../client-internals.js";
import type { ClassLinkError } from "../errors.js";
import { createCallbackVisit } from "../frameworks/callback-visit.js";
import { loginGate } from "../frameworks/login-gate.js";
import type { LoginOptions, SignedIn, Status } from "../types.js";
import { injectProvided } from "./plugin.js";
import { Problem, Progress } from "./views.js";

/**
 * Completes the login and goes to where the user wanted to be. A visit without a response (a bookmark, a reload) goes
 * home. On an error it waits: "Sign in again" leads to where the failed login was to lead. While a LaunchPad launch is
 * being restarted, and in a popup that is about to be closed, it shows the fallback.
 *
 * | | |
 * |---|---|
 * | `@signed-in` | goes on after a sign-in, in place of `location.replace(result.returnTo)`: `router.replace(toRouterPath(result.returnTo, base))` (`classlink-spa/router`). That also keeps a session that cannot be restored after a page load (`session.restore: "none"`) |
 * | `home` | where a visit without a response goes, and the way out of an error. Default: `basePath` |
 * | `login-options` | the options of a login that is tried again. Default: `returnTo` and `appState` of the one that failed |
 * | `#fallback="{ status }"` | shown until the page is left. Default: a line that says what is happening |
 * | `#error="{ error, retry }"` | shown on an error. Default: a heading, the error's `userMessage`, its support code, buttons and a link home |
 */
export const CallbackPage = /* @__PURE__ */ defineComponent({
  name: "CallbackPage",
  props: {
    home: String,
    loginOptions: { type: Object as PropType<LoginOptions> },
    // The listener of `@signed-in`, to know whether there is one.
    onSignedIn: {
      type: [Function, Array] as PropType<(result: SignedIn) => unknown>,
    },
  },
  emits: {
    "signed-in": (_result: SignedIn) => true,
  },
  slots: Object as SlotsType<{
    fallback?: { status: Status };
    error?: { error: ClassLinkError; retry: () => void };
  }>,
  setup(props, { emit, slots }) {
    const { client, snapshot } = injectProvided();
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
          // A listener goes on in its own way.
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
        return slots.fallback?.({ status }) ?? h(Progress, { status });
      }
      const error = start.value.error ?? failure.value;
      return (
        slots.error?.({ error, retry: visit.retry }) ??
        h(Problem, {
          error,
          retry: visit.retry,
          home: props.home ?? basePathOf(client),
          ...(snapshot.value.user && { goOn: visit.goOn }),
        })
      );
    };
  },
});
