import { createNextGateway } from "classlink-spa/next";

const { env } = process;

/** Holds the client secret, and keeps the session in a sealed cookie. A function: `next build` has no secrets. */
export const { handlers, getSession } = createNextGateway(() => ({
  // Without it: ClassLink itself.
  issuer: env.NEXT_PUBLIC_CLASSLINK_ISSUER || undefined,
  clients: [
    {
      clientId: env.NEXT_PUBLIC_CLASSLINK_CLIENT_ID ?? "",
      clientSecret: env.CLASSLINK_CLIENT_SECRET ?? "",
      redirectUris: [`${env.NEXT_PUBLIC_APP_ORIGIN ?? ""}/callback`],
    },
  ],
  sealingKeys: (env.SEALING_KEYS ?? "").split(" "),
}));
