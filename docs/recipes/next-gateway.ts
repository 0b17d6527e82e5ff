import { createNextGateway } from "classlink-spa/next";

export const { handlers, getSession } = createNextGateway(() => ({
  clients: [
    {
      clientId: process.env.CLASSLINK_CLIENT_ID ?? "",
      clientSecret: process.env.CLASSLINK_CLIENT_SECRET ?? "",
      redirectUris: ["https://app.example/callback"],
    },
  ],
  sealingKeys: (process.env.SEALING_KEYS ?? "").split(" "),
}));
