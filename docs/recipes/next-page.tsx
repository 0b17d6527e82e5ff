import { ForUser } from "./next-for-user";
import { getSession } from "./next-gateway";

/** A server component: `null` means that no user is known here, and the client decides. */
export default async function Classes() {
  const session = await getSession();
  if (!session) return <ForUser id={undefined} />;
  const { user } = session;
  return (
    <ForUser id={user.id}>
      <h1>Hello, {user.givenName}</h1>
    </ForUser>
  );
}
