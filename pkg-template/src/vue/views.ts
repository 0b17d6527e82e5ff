/**
 * Renders the default views of the components: plain, accessible HTML, with class names for the optional stylesheet
 * `classlink-spa/styles.css` or an application's own.
 *
 * @packageDocumentation
 */

import { defineComponent, h, onMounted, type PropType, ref, type VNode } from "vue";
import { localizeFor } from "../client-internals.js";
import type { ClassLinkError } from "../errors.js";
import { errorTexts, progressText } from "../frameworks/texts.js";
import type { Status } from "../types.js";
import { injectProvided } from "./plugin.js";

/** Renders a line that says what is under way. */
export const Progress = /* @__PURE__ */ defineComponent({
  name: "ClassLinkProgress",
  props: { status: { type: String as PropType<Status>, required: true } },
  setup(props) {
    const { texts } = injectProvided();
    return () =>
      h(
        "p",
        { class: "classlink-progress", role: "status" },
        progressText(texts.value, props.status),
      );
  },
});

/** Renders an error, a way to try again and a way out. */
export const Problem = /* @__PURE__ */ defineComponent({
  name: "ClassLinkProblem",
  props: {
    error: { type: Object as PropType<ClassLinkError>, required: true },
    retry: { type: Function as PropType<() => void>, required: true },
    goOn: { type: Function as PropType<() => void> },
    home: { type: String, required: true },
  },
  setup(props) {
    const { client, texts } = injectProvided();
    const heading = ref<HTMLElement>();
    onMounted(() => heading.value?.focus());
    return (): VNode => {
      const { error, goOn } = props;
      const { supportCode: codeLabel, goOn: goOnText, home } = texts.value;
      const { title, retry, supportCode } = errorTexts(texts.value, error);
      return h("div", { class: "classlink-error" }, [
        h("h1", { ref: heading, class: "classlink-title", tabindex: -1 }, title),
        h("div", { class: "classlink-message", role: "alert" }, [
          h("p", localizeFor(client, error).userMessage),
          supportCode &&
            h("p", { class: "classlink-support" }, [
              `${codeLabel} `,
              h("code", { class: "classlink-support-code" }, supportCode),
            ]),
        ]),
        h("p", { class: "classlink-actions" }, [
          h("button", { type: "button", class: "classlink-button", onClick: props.retry }, retry),
          goOn &&
            h(
              "button",
              { type: "button", class: "classlink-button classlink-secondary", onClick: goOn },
              goOnText,
            ),
          h("a", { class: "classlink-home", href: props.home }, home),
        ]),
      ]);
    };
  },
});
