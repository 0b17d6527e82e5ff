/**
 * Warns the user before a session ends.
 *
 * @packageDocumentation
 */

import {
  defineComponent,
  h,
  onBeforeUnmount,
  onMounted,
  onScopeDispose,
  ref,
  type ShallowRef,
  type SlotsType,
  shallowRef,
  type VNodeChild,
} from "vue";
import { type SessionExpiringState, sessionExpiry } from "../frameworks/session-expiry.js";
import { SignOutButton } from "./buttons.js";
import { injectProvided } from "./plugin.js";

/**
 * Returns the countdown to the end of the session as a ref, from the event `session.expiring` on (a minute before by
 * default); `null` at all other times.
 */
export function useSessionExpiring(): Readonly<ShallowRef<SessionExpiringState | null>> {
  const expiry = sessionExpiry(injectProvided().client);
  const state = shallowRef<SessionExpiringState | null>(null);
  if (typeof window === "undefined") return state;
  const follow = () => {
    state.value = expiry.getState();
  };
  const stops = [expiry.watch(), expiry.subscribe(follow)];
  follow();
  onScopeDispose(() => {
    for (const stop of stops) stop();
  });
  return state;
}

let dialogCount = 0;

const ExpiringDialog = /* @__PURE__ */ defineComponent({
  name: "ExpiringDialog",
  props: {
    remainingSeconds: { type: Number, required: true },
    stayActive: { type: Function, required: true },
  },
  setup(props) {
    const { texts } = injectProvided();
    const dialog = ref<HTMLDialogElement>();
    const id = `classlink-expiring-${++dialogCount}`;
    onMounted(() => {
      // Test environments have no modal dialogs.
      if (dialog.value?.showModal) dialog.value.showModal();
      else dialog.value?.setAttribute("open", "");
    });
    // Gives the focus back.
    onBeforeUnmount(() => dialog.value?.close?.());
    return (): VNodeChild => {
      const { expiringTitle, expiringText, secondsLeft, stayActive } = texts.value;
      const stay = () => (props.stayActive as () => void)();
      return h(
        "dialog",
        {
          ref: dialog,
          class: "classlink-expiring",
          // Screen readers read its title and text at once.
          role: "alertdialog",
          "aria-labelledby": `${id}-title`,
          "aria-describedby": `${id}-text`,
          onCancel: stay,
        },
        [
          h("h2", { id: `${id}-title`, class: "classlink-title" }, expiringTitle),
          h("p", { id: `${id}-text` }, expiringText),
          // Not read out every second.
          h(
            "p",
            { class: "classlink-countdown", role: "timer", "aria-live": "off" },
            secondsLeft(props.remainingSeconds),
          ),
          h("p", { class: "classlink-actions" }, [
            h("button", { type: "button", class: "classlink-button", onClick: stay }, stayActive),
            h(SignOutButton, { class: "classlink-secondary" }),
          ]),
        ],
      );
    };
  },
});

/**
 * Renders a modal dialog that asks whether the user is still there before the session ends: "I'm still here", and Escape, keep the
 * session; "Sign out" ends it. Put one beside the application's `RouterView`. Its slot replaces the dialog:
 * `#default="{ remainingSeconds, stayActive }"`.
 */
export const SessionExpiring = /* @__PURE__ */ defineComponent({
  name: "SessionExpiring",
  slots: Object as SlotsType<{ default?: SessionExpiringState }>,
  setup(_, { slots }) {
    // biome-ignore lint/correctness/useHookAtTopLevel: a composable of Vue's, in `setup`.
    const state = useSessionExpiring();
    return (): VNodeChild =>
      state.value && (slots.default?.(state.value) ?? h(ExpiringDialog, { ...state.value }));
  },
});
