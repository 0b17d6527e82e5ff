import { getSession } from "../../lib/gateway";
import { ForUser } from "../for-user";

/** A page that proxy.ts guards. It still asks who the user is: a guard of paths is not a guard of data. */
export default async function Reports() {
  const session = await getSession();
  return (
    <ForUser id={session?.user.id}>
      <main>
        <h1>Reports</h1>
        <p>For {session?.user.name ?? "you"}.</p>
      </main>
    </ForUser>
  );
}
