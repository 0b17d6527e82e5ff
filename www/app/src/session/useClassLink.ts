/** Gives components the client and its state. */

import type { ClassLinkClient, Snapshot } from "classlink-spa";
import { createContext, useContext, useSyncExternalStore } from "react";

/** The app's one client; `main.tsx` provides it. */
export const ClientContext = createContext<ClassLinkClient | null>(null);

/** The client and its state now. Throws outside a {@link ClientContext}. */
export function useClassLink(): Snapshot & { readonly client: ClassLinkClient } {
  const client = useContext(ClientContext);
  if (!client) throw new Error("useClassLink needs a ClientContext around it");
  return { ...useSyncExternalStore(client.subscribe, client.getSnapshot), client };
}
