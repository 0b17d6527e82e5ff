/** An application under a base, with the real client. `window.scenario`: `base`, `isHash`, `issuer`. */

import { createClient } from "classlink-spa";
import { CallbackPage, ClassLinkProvider, SignInButton, useClassLink } from "classlink-spa/react";
import { requireUser, toRouterPath } from "classlink-spa/router";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import {
  createBrowserRouter,
  createHashRouter,
  Link,
  RouterProvider,
  useNavigate,
} from "react-router";

const { base, isHash, issuer } = /** @type {any} */ (window.scenario);

const client = createClient({
  clientId: "my-app",
  redirectUri: location.origin + (isHash ? base : `${base}callback`),
  issuer,
  metadata: { authorization_endpoint: `${issuer}/oauth2/v2/auth` },
  basePath: base,
  gateway: "/auth",
});

// As docs/base-paths.md says of hash routers.
if (isHash) {
  const result = await client.handleCallback().catch(() => undefined);
  if (result?.status === "signed-in") history.replaceState(null, "", result.returnTo);
}

async function classesLoader({ request }) {
  const { pathname, search } = new URL(request.url);
  const returnTo = isHash ? `${base}#${pathname}${search}` : undefined;
  return requireUser(client, { request, returnTo });
}

function Classes() {
  const { user } = useClassLink();
  return <h1>Classes of {user?.givenName}</h1>;
}

function Home() {
  const { user } = useClassLink();
  return (
    <>
      <h1>{user ? `Home of ${user.givenName}` : "Home"}</h1>
      <Link to="/classes?week=3">My classes</Link>
    </>
  );
}

function Callback() {
  const navigate = useNavigate();
  return (
    <CallbackPage
      onSignedIn={({ returnTo }) => navigate(toRouterPath(returnTo, base), { replace: true })}
    />
  );
}

function Launch() {
  useEffect(() => void client.handleLaunch(), []);
  return <p role="status">Taking you to ClassLink…</p>;
}

const routes = [
  { path: "/", element: <Home /> },
  { path: "/launch", element: <Launch /> },
  {
    path: "/classes",
    loader: classesLoader,
    element: <Classes />,
    errorElement: <SignInButton />,
    hydrateFallbackElement: <p role="status">One moment…</p>,
  },
  ...(isHash ? [] : [{ path: "/callback", element: <Callback /> }]),
];

const router = isHash ? createHashRouter(routes) : createBrowserRouter(routes, { basename: base });

createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <ClassLinkProvider client={client}>
    <RouterProvider router={router} />
  </ClassLinkProvider>,
);
