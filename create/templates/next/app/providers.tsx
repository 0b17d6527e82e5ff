"use client";

import { ClassLinkProvider, SessionExpiring } from "classlink-spa/react";
import type { ReactNode } from "react";
import { client } from "./client";

export function Providers({ children }: { children: ReactNode }) {
  return (
    <ClassLinkProvider client={client}>
      {children}
      <SessionExpiring />
    </ClassLinkProvider>
  );
}
