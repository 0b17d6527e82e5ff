import { isClassLinkError, type User } from "classlink-spa";
import { CallbackPage, SignInButton, useClassLink } from "classlink-spa/react";
import { requireUser } from "classlink-spa/router";
import { useEffect } from "react";
import {
  createBrowserRouter,
  Link,
  type LoaderFunctionArgs,
  Outlet,
  useLoaderData,
  useNavigate,
  useRevalidator,
  useRouteError,
} from "react-router";
import { Classes } from "./Classes";
import { client } from "./client";
import { Home } from "./Home";
import { classesOf, queryClient } from "./queries";

/** Renders what all pages have. */
function Layout() {
  return (
    <>
      <header>
        <Link to="/">My app</Link>
      </header>
      <Outlet />
    </>
  );
}

/** Before everything beneath it: the user, or a login that leads back here. */
async function userLoader({ request }: LoaderFunctionArgs): Promise<{ user: User }> {
  return { user: await requireUser(client, { request }) };
}

/** Shows its routes only to the user whom their loaders ran for. */
function SignedInRoutes() {
  const { user: loaded } = useLoaderData<typeof userLoader>();
  const { user, isLoading } = useClassLink();
  const { revalidate } = useRevalidator();
  const isOther = !isLoading && user?.id !== loaded.id;
  useEffect(() => {
    if (isOther) void revalidate();
  }, [isOther, revalidate]);
  return user?.id === loaded.id ? <Outlet key={user.id} /> : <OneMoment />;
}

function OneMoment() {
  return <p role="status">One moment…</p>;
}

/** A loader failed: no login may start by itself (the user signed out, gave up, or it failed), or the API did. */
function Failed() {
  const { error, isSignedIn } = useClassLink();
  const { revalidate } = useRevalidator();
  const isSignIn = isClassLinkError(useRouteError());
  // A user signed in meanwhile, in another tab.
  useEffect(() => {
    if (isSignIn && isSignedIn) void revalidate();
  }, [isSignIn, isSignedIn, revalidate]);
  if (!isSignIn) return <p role="alert">Please try again later.</p>;
  return (
    <main>
      <h1>Please sign in</h1>
      {error && (
        <p role="alert">
          {error.userMessage} ({error.supportCode})
        </p>
      )}
      <SignInButton />
    </main>
  );
}

function NotFound() {
  return (
    <main>
      <h1>There is no such page</h1>
      <Link to="/">Go to the start page</Link>
    </main>
  );
}

async function classesLoader({ request }: LoaderFunctionArgs) {
  // Loaders run side by side: each that needs the user asks.
  const user = await requireUser(client, { request });
  await queryClient.query({ ...classesOf(user.id), staleTime: "static" });
  return null;
}

function Callback() {
  const navigate = useNavigate();
  return <CallbackPage onSignedIn={({ returnTo }) => navigate(returnTo, { replace: true })} />;
}

export const router = createBrowserRouter([
  {
    element: <Layout />,
    children: [
      { path: "/", element: <Home /> },
      { path: "/callback", element: <Callback /> },
      {
        loader: userLoader,
        element: <SignedInRoutes />,
        errorElement: <Failed />,
        hydrateFallbackElement: <OneMoment />,
        children: [{ path: "/classes", loader: classesLoader, element: <Classes /> }],
      },
      { path: "*", element: <NotFound /> },
    ],
  },
]);
