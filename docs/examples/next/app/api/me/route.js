import { getGateway } from "../../../lib/gateway.js";

export async function GET(request) {
  const session = await getGateway().getSession(request);
  if (!session) return Response.json({ error: "not_signed_in" }, { status: 401 });
  const { user, expiresAt } = session;
  return Response.json({ id: user.id, role: user.role, expiresAt });
}
