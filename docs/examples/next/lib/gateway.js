import { createGateway } from "classlink-spa/gateway";

let gateway;

/** Made at the first request, not at import: `next build` imports every route, and has no secrets. */
export function getGateway() {
  const { env } = process;
  gateway ??= createGateway({
    // Unset, it is ClassLink's own. A test sets the stand-in's.
    issuer: env.CLASSLINK_ISSUER,
    clients: [
      {
        clientId: env.CLASSLINK_CLIENT_ID,
        clientSecret: env.CLASSLINK_CLIENT_SECRET,
        redirectUris: [`${env.APP_ORIGIN}/callback`],
      },
    ],
    sealingKeys: (env.SEALING_KEYS ?? "").split(" "),
    log: (entry) => console.log(JSON.stringify(entry)),
  });
  return gateway;
}
