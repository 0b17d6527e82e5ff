import { SignOutButton } from "classlink-spa/react";
import { getSession } from "../../lib/gateway";
import { ForUser } from "../for-user";

/** In place of a database. */
const CLASSES: Partial<Record<string, string[]>> = {
  student: ["Biology 1", "History 1"],
  teacher: ["Biology 1", "Biology 2", "Science club"],
};

/** A server component. */
export default async function Classes() {
  const session = await getSession();
  if (!session) return <ForUser id={undefined} />;
  const { user } = session;
  return (
    <ForUser id={user.id}>
      <main>
        <h1>Hello, {user.givenName ?? "you"}</h1>
        <ul>
          {(CLASSES[user.role ?? ""] ?? []).map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
        <SignOutButton />
      </main>
    </ForUser>
  );
}
