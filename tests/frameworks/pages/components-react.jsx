/**
 * All components on pages of their own: `/` has the buttons, `/classes` a guarded page, `/callback` the callback page.
 *
 * `window.scenario`: `client`, `setup` (see `support.mjs`), `routed`, `texts`, `custom`: with a listener of its
 * own; `spanish`: the messages if the page is in Spanish.
 */

import {
  CallbackPage,
  ClassLinkProvider,
  RequireSignIn,
  SessionExpiring,
  SignedIn,
  SignedOut,
  SignInButton,
  SignOutButton,
} from "classlink-spa/react";
import { createTestClient } from "classlink-spa/testing";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

function Home({ custom }) {
  return (
    <>
      <h1>My classes</h1>
      <SignedIn>{(user) => <p>Hello, {user.givenName}</p>}</SignedIn>
      <SignedIn>
        <SignOutButton
          onSignedOut={(result) => void Object.assign(window, { signedOut: result })}
        />
      </SignedIn>
      <SignedOut>
        <SignInButton
          loginOptions={{ prompt: "login" }}
          id="own-id"
          className="own-class"
          onClick={(event) => custom && event.preventDefault()}
        />
      </SignedOut>
    </>
  );
}

function App({ client, scenario }) {
  const [path, setPath] = useState(location.pathname);
  const [texts, setTexts] = useState(scenario.texts);
  useEffect(() => {
    Object.assign(window, { setTexts });
  }, []);
  const onSignedIn =
    scenario.routed &&
    (async (result) => {
      history.replaceState(null, "", result.returnTo);
      Object.assign(window, { went: result });
      setPath(new URL(result.returnTo, location.href).pathname);
    });
  return (
    <ClassLinkProvider client={client} texts={texts}>
      <main>
        {path === "/callback" ? (
          <CallbackPage {...(onSignedIn && { onSignedIn })} />
        ) : path === "/classes" ? (
          <RequireSignIn>
            <h1>Classes</h1>
          </RequireSignIn>
        ) : (
          <Home {...scenario} />
        )}
      </main>
      <SessionExpiring />
    </ClassLinkProvider>
  );
}

const { scenario = {} } = window;
const client = createTestClient({
  ...scenario.client,
  // As an application does whose language can change.
  messages: ({ code }) =>
    document.documentElement.lang === "es" ? scenario.spanish?.[code] : undefined,
});
Object.assign(window, { client });
new Function("client", scenario.setup ?? "")(client);
createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <StrictMode>
    <App client={client} scenario={scenario} />
  </StrictMode>,
);
