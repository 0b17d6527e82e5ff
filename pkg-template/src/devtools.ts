/**
 * A panel for developers, on the page: state, events, claims and lifetimes, tabs and the clock, and what a user can't do at
 * will, such as ending a session. It shows no token. Load it in development only:
 *
 * ```ts
 * if (import.meta.env.DEV) {
 *   const { mountDevtools } = await import("classlink-spa/devtools");
 *   mountDevtools(client);
 * }
 * ```
 *
 * @packageDocumentation
 */

import { subscribeToEvents } from "./client-internals.js";
import { actionsOf } from "./devtools/actions.js";
import { createPanel } from "./devtools/panel.js";
import { followTabs } from "./devtools/tabs.js";
import { requireClient } from "./frameworks/given-client.js";
import type { ClassLinkClient, ClassLinkEvent } from "./types.js";

/** Options of {@link mountDevtools}. */
export interface DevtoolsOptions {
  /** The element that gets the panel. Default: the document's body. */
  readonly parent?: Element;
  /** Events of the time before: what the configuration's `onEvent` has collected. Default: none. */
  readonly events?: readonly ClassLinkEvent[];
  /** Whether the panel is open at first. Default `false`. */
  readonly isOpen?: boolean;
}

/** The panel on a page. */
export interface Devtools {
  /** The panel's element; its content is in a shadow tree. */
  readonly element: HTMLElement;
  /** Removes the panel, and all that it listens to. */
  readonly close: () => void;
}

/** The events that the panel keeps: the newest. */
const KEPT_EVENTS = 100;

/** Milliseconds between two looks at the lifetimes, while the panel is open. */
const TICK_MS = 1000;

/**
 * Puts the panel on the page. A test client (`classlink-spa/testing`) gets more buttons: it can expire at will, and play what
 * other tabs do.
 */
export function mountDevtools<AppState = unknown, Claims = Record<string, unknown>>(
  client: ClassLinkClient<AppState, Claims>,
  { parent = document.body, events: earlier = [], isOpen = false }: DevtoolsOptions = {},
): Devtools {
  requireClient(client, "mountDevtools");
  const plain = client as unknown as ClassLinkClient;
  const events = earlier.slice(-KEPT_EVENTS);
  const tabs = followTabs(plain, () => update());
  const panel = createPanel({ isOpen, actions: actionsOf(plain), tabs });

  function update(): void {
    panel.show({ snapshot: plain.getSnapshot(), events, now: Date.now(), tabs: tabs.others() });
  }

  const ends = [
    plain.subscribe(() => {
      tabs.announce();
      update();
    }),
    subscribeToEvents(plain, (event) => {
      events.push(event);
      if (events.length > KEPT_EVENTS) events.shift();
      update();
    }),
    () => tabs.close(),
    () => clearInterval(timer),
    () => panel.element.remove(),
  ];
  const timer = setInterval(() => {
    if (panel.isOpen()) update();
  }, TICK_MS);
  update();
  parent.append(panel.element);
  return Object.freeze({
    element: panel.element,
    close() {
      for (const end of ends.splice(0)) end();
    },
  });
}
