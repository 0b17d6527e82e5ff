import { createGateway } from "classlink-spa/gateway";

let gateway;

/** Made once, at the first request: a Worker's secrets come with it. */
function gatewayFor(env) {
  gateway ??= createGateway({
    issuer: env.CLASSLINK_ISSUER || undefined,
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

export default {
  async fetch(request, env) {
    const { handle, getSession } = gatewayFor(env);
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/auth/")) {
      // Cloudflare sets it, and no client can.
      return handle(request, { remoteAddress: request.headers.get("cf-connecting-ip") });
    }
    if (pathname !== "/api/me") return new Response(null, { status: 404 });
    const session = await getSession(request);
    if (!session) return Response.json({ error: "not_signed_in" }, { status: 401 });
    const { user, expiresAt } = session;
    return Response.json({ id: user.id, role: user.role, expiresAt });
  },
};
