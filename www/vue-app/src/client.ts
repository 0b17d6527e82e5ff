/** The app's one client. */

import { createClient } from "classlink-spa";

const {
  BASE_URL,
  VITE_CLIENT_ID = "",
  VITE_ISSUER,
  VITE_METADATA,
  VITE_GATEWAY,
  VITE_IDLE_TIMEOUT,
} = import.meta.env;

// A demo shouldn't go to the live service unasked.
if (!VITE_ISSUER) throw new Error("Run `npm run demo` at the root of the repository.");

export const client = createClient({
  clientId: VITE_CLIENT_ID,
  issuer: VITE_ISSUER,
  redirectUri: `${location.origin}${BASE_URL}callback`,
  metadata: JSON.parse(VITE_METADATA || "{}"),
  ...(VITE_GATEWAY && { gateway: VITE_GATEWAY }),
  session: { ...(VITE_IDLE_TIMEOUT && { idleTimeout: Number(VITE_IDLE_TIMEOUT) }) },
});
