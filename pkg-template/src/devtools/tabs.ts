/**
 * The other tabs of the application that have a panel: by a channel of the panels' own, not the client's.
 *
 * @packageDocumentation
 */

import type { ClassLinkClient, Status } from "../types.js";

const CHANNEL = "classlink-spa.devtools";

/** Milliseconds after which a tab that says nothing counts as gone. Hidden tabs may say something once a minute. */
const GONE_MS = 90_000;

const ANNOUNCE_MS = 10_000;

/** Another tab with a panel. */
export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly status: Status;
  readonly userId: string | undefined;
}

type Message =
  | ({ readonly type: "here" } & Tab)
  | { readonly type: "where" }
  | { readonly type: "gone"; readonly id: string }
  | { readonly type: "sign-out"; readonly id: string };

/** The other tabs of one panel. */
export interface Tabs {
  others(): Tab[];
  /** Tells the others of this tab's state. */
  announce(): void;
  /** Has another tab call `logout`. */
  signOut(id: string): void;
  close(): void;
}

/** Follows the other tabs, and does what their panels ask. */
export function followTabs(client: ClassLinkClient, onChange: () => void): Tabs {
  const id = crypto.randomUUID();
  const tabs = new Map<string, Tab & { readonly seenAt: number }>();
  const channel = new BroadcastChannel(CHANNEL);
  const post = (message: Message) => channel.postMessage(message);

  function announce(): void {
    const { status, user } = client.getSnapshot();
    post({ type: "here", id, title: document.title, status, userId: user?.id });
  }

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === "where") announce();
    else if (data.type === "sign-out") {
      // A failure shows among this tab's events.
      if (data.id === id) client.logout().catch(() => {});
    } else {
      if (data.type === "here") tabs.set(data.id, { ...data, seenAt: performance.now() });
      else tabs.delete(data.id);
      onChange();
    }
  };
  const leave = () => post({ type: "gone", id });
  addEventListener("pagehide", leave);
  const timer = setInterval(announce, ANNOUNCE_MS);
  post({ type: "where" });
  announce();

  return {
    others: () => [...tabs.values()].filter(({ seenAt }) => performance.now() - seenAt < GONE_MS),
    announce,
    signOut: (other) => post({ type: "sign-out", id: other }),
    close() {
      leave();
      clearInterval(timer);
      removeEventListener("pagehide", leave);
      channel.close();
    },
  };
}
