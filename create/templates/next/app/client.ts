import { createClient } from "classlink-spa";

/** Pages import it on the server as well, where it waits for the browser. */
export const client = createClient({
  clientId: process.env.NEXT_PUBLIC_CLASSLINK_CLIENT_ID ?? "",
  redirectUri: `${process.env.NEXT_PUBLIC_APP_ORIGIN ?? ""}/callback`,
  // Without it: ClassLink itself.
  issuer: process.env.NEXT_PUBLIC_CLASSLINK_ISSUER || undefined,
  gateway: "/auth",
  // Called before another user is shown: empty your caches and stores here. `ForUser` does it for server components.
  onUserChange: () => {
    sessionStorage.removeItem("my-app.draft");
  },
});
