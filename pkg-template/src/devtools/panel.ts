/**
 * The panel's elements, in a shadow tree. Text goes in as text, and styles as a constructed style sheet, which a strict
 * Content Security Policy allows.
 *
 * @packageDocumentation
 */

import { isClassLinkError } from "../errors.js";
import type { ClassLinkEvent, Snapshot } from "../types.js";
import type { Action } from "./actions.js";
import { STYLES } from "./styles.js";
import type { Tab, Tabs } from "./tabs.js";
import { durationText, lifetimesOf } from "./time.js";

/** The state that the panel shows. */
export interface View {
  readonly snapshot: Snapshot;
  readonly events: readonly ClassLinkEvent[];
  readonly now: number;
  readonly tabs: readonly Tab[];
}

/** The panel. */
export interface Panel {
  readonly element: HTMLElement;
  isOpen(): boolean;
  show(view: View): void;
}

type Children = readonly (Node | string)[];

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Children
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const button = (label: string, onClick: () => void): HTMLButtonElement => {
  const element = make("button", { type: "button" }, label);
  element.addEventListener("click", onClick);
  return element;
};

/** A table of two columns. */
const table = (caption: string, rows: readonly (readonly [string, string])[]): HTMLElement =>
  make(
    "table",
    {},
    make("caption", {}, caption),
    make(
      "tbody",
      {},
      ...rows.map(([name, value]) =>
        make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)),
      ),
    ),
  );

function stateRows({ status, user, scope, error }: Snapshot): [string, string][] {
  const rows: [string, string][] = [["status", status]];
  if (user) rows.push(["user.id", user.id]);
  if (user?.name) rows.push(["user.name", user.name]);
  if (user?.role) rows.push(["user.role", user.role]);
  if (user) rows.push(["scope", scope.join(" ")]);
  if (error) {
    rows.push(["error", error.code + (error.reason ? ` (${error.reason})` : "")]);
    rows.push(["message", error.message], ["supportCode", error.supportCode ?? ""]);
  }
  return rows;
}

/** Describes the device's clock, as far as it is known. */
function clockText({ snapshot: { user, error }, events }: View): string {
  if (error?.clockOffset !== undefined) {
    const { clockOffset } = error;
    return `${durationText(Math.abs(clockOffset))} ${clockOffset < 0 ? "slow" : "fast"}, by the error`;
  }
  if (events.some(({ type }) => type === "clock.corrected")) {
    return "wrong: a login went on by the server's time";
  }
  return user ? "right at the last login" : "not known before a login";
}

function eventRow({ type, at, durationMs, code, reason, supportCode }: ClassLinkEvent): Node {
  const time = new Date(at);
  const more = [
    code,
    reason,
    durationMs === undefined ? undefined : `${Math.round(durationMs)} ms`,
    supportCode,
  ];
  return make(
    "li",
    {},
    make("time", { datetime: time.toISOString() }, time.toLocaleTimeString()),
    " ",
    make("strong", {}, type),
    ` ${more.filter(Boolean).join(" · ")}`,
  );
}

const claimText = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

/** Creates the panel, which shows nothing yet. */
export function createPanel({
  isOpen,
  actions,
  tabs,
}: {
  readonly isOpen: boolean;
  readonly actions: readonly Action[];
  readonly tabs: Tabs;
}): Panel {
  const element = make("div", { "data-classlink-devtools": "" });
  const root = element.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  root.adoptedStyleSheets = [sheet];

  const summary = make("summary", {}, "ClassLink");
  const result = make("p", { role: "status" });
  const buttons = make("div", { class: "buttons", role: "group", "aria-label": "Actions" });
  const state = make("div");
  const others = make("div");
  const log = make("div");
  // A list that scrolls must be reachable with the keyboard.
  const body = make(
    "div",
    { class: "body", tabindex: "0", role: "region", "aria-label": "ClassLink developer panel" },
    buttons,
    result,
    state,
    others,
    log,
  );
  const details = make("details", {}, summary, body);
  details.open = isOpen;
  root.append(details);

  async function run(action: Action): Promise<void> {
    result.textContent = `${action.label}…`;
    try {
      result.textContent = String((await action.run()) ?? `${action.label}: done.`);
    } catch (error) {
      result.textContent = isClassLinkError(error)
        ? `${error.code}: ${error.message}`
        : `${action.label}: ${String(error)}`;
    }
  }
  buttons.append(...actions.map((action) => button(action.label, () => void run(action))));

  let shownTabs = "";
  function showTabs(list: readonly Tab[], userId: string | undefined): void {
    const key = JSON.stringify([
      list.map(({ id, title, status, userId }) => [id, title, status, userId]),
      userId,
    ]);
    // A button that has the focus stays, unless something has changed.
    if (key === shownTabs) return;
    shownTabs = key;
    const rows = list.map((tab) => {
      const whose = tab.userId === undefined || tab.userId === userId ? "" : ", another user";
      const name = tab.title || "Without a title";
      return make(
        "li",
        {},
        `${name}: ${tab.status}${whose} `,
        button(`Sign out in “${name}”`, () => tabs.signOut(tab.id)),
      );
    });
    others.replaceChildren(
      make("h2", {}, "Other tabs"),
      list.length > 0
        ? make("ul", {}, ...rows)
        : make("p", {}, "No other tab of this origin has a panel."),
      button("Open another tab", () => void window.open(location.href, "_blank", "noopener")),
    );
  }

  return {
    element,
    isOpen: () => details.open,
    show(view) {
      const { snapshot, events, now } = view;
      const { user } = snapshot;
      summary.textContent = `ClassLink: ${snapshot.status}`;
      const claims = Object.entries((user?.claims ?? {}) as Record<string, unknown>);
      state.replaceChildren(
        make("h2", {}, "State"),
        table("Snapshot", [...stateRows(snapshot), ["device's clock", clockText(view)]]),
        ...(user
          ? [
              table("Lifetimes of the ID token", lifetimesOf(user.claims, now)),
              table(
                "Claims of the ID token",
                claims.map(([name, value]) => [name, claimText(value)]),
              ),
            ]
          : []),
      );
      showTabs(view.tabs, user?.id);
      log.replaceChildren(
        make("h2", {}, "Events, the newest first"),
        events.length > 0
          ? make("ol", { reversed: "" }, ...events.map(eventRow).reverse())
          : make("p", {}, "None since the panel was loaded."),
      );
    },
  };
}
