import type { ClassLinkClient } from "classlink-spa";

export async function openGroup(client: ClassLinkClient, id: string): Promise<void> {
  await client.startLogin({ returnTo: `/groups/${id}` });
}
