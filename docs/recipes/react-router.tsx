import type { User } from "classlink-spa";
import { CallbackPage, SignInButton, useClassLink } from "classlink-spa/react";
import { requireUser, toRouterPath } from "classlink-spa/router";
import { useEffect } from "react";
import {
  createBrowserRouter,
  type LoaderFunctionArgs,
  Outlet,
  useLoaderData,
  useNavigate,
  useRevalidator,
} from "react-router";
import { fetchClasses } from "./api";
import { client } from "./client";

const BASE = "/app/";

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
  return user?.id === loaded.id ? <Outlet key={user.id} /> : <p role="status">One moment…</p>;
}

/** No login may start by itself: the user signed out, gave up, or something failed. */
function PleaseSignIn() {
  const { error, isSignedIn } = useClassLink();
  const { revalidate } = useRevalidator();
  // A user signed in meanwhile, in another tab.
  useEffect(() => {
    if (isSignedIn) void revalidate();
  }, [isSignedIn, revalidate]);
  return (
    <>
      <h1>Please sign in</h1>
      {error && (
        <p role="alert">
          {error.userMessage} ({error.supportCode})
        </p>
      )}
      <SignInButton />
    </>
  );
}

async function classesLoader({ request }: LoaderFunctionArgs) {
  // Loaders run side by side: each that needs the user asks.
  await requireUser(client, { request });
  return fetchClasses(request.signal);
}

function Classes() {
  const { user } = useClassLink();
  const classes = useLoaderData<typeof classesLoader>();
  return (
    <>
      <h1>Hello, {user?.givenName}</h1>
      <ul>
        {classes.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </>
  );
}

function Callback() {
  const navigate = useNavigate();
  return (
    <CallbackPage
      onSignedIn={({ returnTo }) => navigate(toRouterPath(returnTo, BASE), { replace: true })}
    />
  );
}

export const router = createBrowserRouter(
  [
    { path: "/callback", element: <Callback /> },
    {
      loader: userLoader,
      element: <SignedInRoutes />,
      errorElement: <PleaseSignIn />,
      hydrateFallbackElement: <p role="status">One moment…</p>,
      children: [{ path: "/classes", loader: classesLoader, element: <Classes /> }],
    },
  ],
  { basename: BASE },
);
