import { QueryClient, queryOptions } from "@tanstack/react-query";
import { fetchClasses } from "./api";

export const queryClient = new QueryClient();

/** The user's id in the key: what was under way for one user never shows for another. */
export const classesOf = (userId: string) =>
  queryOptions({
    queryKey: [userId, "classes"],
    queryFn: ({ signal }) => fetchClasses(signal),
  });
