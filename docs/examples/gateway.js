import { createGateway } from "classlink-spa/gateway";

const { env } = process;

export const gateway = createGateway({
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

/** Who is asking: answers `GET /api/me` on every platform of these examples. */
export async function me(request) {
  const session = await gateway.getSession(request);
  if (!session) return Response.json({ error: "not_signed_in" }, { status: 401 });
  const { user, expiresAt } = session;
  return Response.json({ id: user.id, role: user.role, expiresAt });
}
