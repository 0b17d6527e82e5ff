import { createClient } from "classlink-spa";

export const client = createClient({
  clientId: "my-app",
  redirectUri: "https://app.example/app/callback",
  basePath: "/app/",
  gateway: "/auth",
});
