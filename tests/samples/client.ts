import { createClient } from "classlink-spa";

export const client = createClient({
  clientId: "c1574",
  redirectUri: "https://app.example/callback",
});
