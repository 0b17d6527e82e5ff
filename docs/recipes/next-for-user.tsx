"use client";

import { useClassLink } from "classlink-spa/react";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";

/** Shows what a server component rendered for a user only to that user, and has it rendered again for another. */
export function ForUser({ id, children }: { id: string; children: ReactNode }) {
  const { user, isLoading } = useClassLink();
  const router = useRouter();
  const isOther = !isLoading && user?.id !== id;
  useEffect(() => {
    if (isOther) router.refresh();
  }, [isOther, router]);
  return isOther ? <p role="status">One moment…</p> : children;
}
