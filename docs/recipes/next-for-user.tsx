"use client";

import { RequireSignIn, useClassLink } from "classlink-spa/react";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";

/**
 * Shows what a server component rendered for a user only to that user, and has it rendered again for another. Without
 * `id` no user was known on the server, and the client decides: the session's cookie does not come along from another site.
 */
export function ForUser({ id, children }: { id: string | undefined; children?: ReactNode }) {
  const { user, status } = useClassLink();
  // Not `isLoading`: that is true as well while a login begins after a sign-out.
  if (id !== undefined && (status === "loading" || user?.id === id)) return children;
  return (
    <RequireSignIn>
      <RenderAgain />
    </RequireSignIn>
  );
}

/** Asks the server again, once for each user. */
function RenderAgain() {
  const { user } = useClassLink();
  const router = useRouter();
  const userId = user?.id;
  useEffect(() => {
    if (userId !== undefined) router.refresh();
  }, [userId, router]);
  return <p role="status">One moment…</p>;
}
