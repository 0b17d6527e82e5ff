import { QueryClient, useQuery } from "@tanstack/react-query";
import { createClient, type User } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import { fetchClasses } from "./api";

export const queryClient = new QueryClient();

export const client = createClient({
  clientId: "my-app",
  redirectUri: "https://app.example/callback",
  gateway: "/auth",
  // Called before the new user is shown: nothing of the previous one stays in memory.
  onUserChange: () => {
    queryClient.clear();
  },
});

/** The user's id in the key: what was under way for one user never shows for another. */
export function useClasses(user: User | null) {
  return useQuery({
    queryKey: [user?.id, "classes"],
    queryFn: ({ signal }) => fetchClasses(signal),
    enabled: user !== null,
  });
}

export function Classes() {
  const { user } = useClassLink();
  const { data = [] } = useClasses(user);
  return (
    <ul>
      {data.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}
