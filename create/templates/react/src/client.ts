import { createClient } from "classlink-spa";
import { queryClient } from "./queries";

export const client = createClient({
  clientId: import.meta.env.VITE_CLASSLINK_CLIENT_ID,
  redirectUri: `${location.origin}/callback`,
  // Without it: ClassLink itself.
  issuer: import.meta.env.VITE_CLASSLINK_ISSUER || undefined,
  gateway: "/auth",
  // Called before the new user is shown: nothing of the previous one stays in memory.
  onUserChange: () => {
    queryClient.clear();
  },
});
