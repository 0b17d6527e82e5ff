import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";
import { createGateway } from "classlink-spa/gateway";

if (existsSync(".env")) loadEnvFile();
const { env } = process;

/** Holds the client secret, and keeps the session in a sealed cookie. */
export const gateway = createGateway({
  // Without it: ClassLink itself.
  issuer: env.VITE_CLASSLINK_ISSUER || undefined,
  clients: [
    {
      clientId: env.VITE_CLASSLINK_CLIENT_ID,
      clientSecret: env.CLASSLINK_CLIENT_SECRET,
      redirectUris: [`${env.APP_ORIGIN}/callback`],
    },
  ],
  sealingKeys: (env.SEALING_KEYS ?? "").split(" "),
});
