import { QueryClientProvider } from "@tanstack/react-query";
import { ClassLinkProvider, RequireSignIn, SignedIn } from "classlink-spa/react";
import { createRoot } from "react-dom/client";
import { Classes, client, queryClient } from "../../../docs/recipes/tanstack-query";

Object.assign(window, { cached: () => queryClient.getQueryCache().getAll().length });
createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <ClassLinkProvider client={client}>
    <QueryClientProvider client={queryClient}>
      <SignedIn>{(user) => <h1>Hello, {user.givenName}</h1>}</SignedIn>
      <RequireSignIn>
        <Classes />
      </RequireSignIn>
    </QueryClientProvider>
  </ClassLinkProvider>,
);
