import { ClassLinkProvider, RequireSignIn, SignedIn } from "classlink-spa/react";
import { createRoot } from "react-dom/client";
import { Classes, client } from "../../../docs/recipes/swr";

createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <ClassLinkProvider client={client}>
    <SignedIn>{(user) => <h1>Hello, {user.givenName}</h1>}</SignedIn>
    <RequireSignIn>
      <Classes />
    </RequireSignIn>
  </ClassLinkProvider>,
);
