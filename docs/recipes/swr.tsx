import { createClient } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import useSWR, { mutate } from "swr";
import { fetchClasses } from "./api";

export const client = createClient({
  clientId: "my-app",
  redirectUri: "https://app.example/callback",
  gateway: "/auth",
  // Empties the cache before the new user is shown.
  onUserChange: () => {
    void mutate(() => true, undefined, { revalidate: false });
  },
});

export function Classes() {
  const { user } = useClassLink();
  // The user's id in the key: an answer for one user that comes late never shows for another.
  const { data = [] } = useSWR(user && [user.id, "classes"], () => fetchClasses());
  return (
    <ul>
      {data.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}
