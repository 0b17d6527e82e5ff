/**
 * An application with an open page, one for people who are signed in, and the callback page. `render` is for servers.
 *
 * `window.scenario`: `client`, `setup` (see `support.mjs`); `own`: with views of its own; `routed`: goes on after a sign-in
 * without loading a page; `assigned`: goes on by loading one itself; `guards`: how many `RequireSignIn` the page has; `wrapped`: all is
 * inside of one; `loginOptions`; `texts`.
 */

import { CallbackPage, ClassLinkProvider, RequireSignIn, useClassLink } from "classlink-spa/react";
import { createTestClient } from "classlink-spa/testing";
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";

const seen = [];

function Who() {
  const classLink = useClassLink();
  const { isLoading, isSignedIn, status, user, scope } = classLink;
  const before = useRef(classLink);
  useEffect(() => {
    seen.push({
      status,
      sameFunctions: ["startLogin", "logout", "getAccessToken", "fetch", "client"].every(
        (name) => classLink[name] === before.current[name],
      ),
    });
    before.current = classLink;
  }, [classLink, status]);
  return (
    <output>
      {JSON.stringify({ status, isLoading, isSignedIn, name: user?.name ?? null, scope })}
    </output>
  );
}

function Private() {
  const { user } = useClassLink();
  return <h1>Classes of {user?.name}</h1>;
}

const OWN = {
  fallback: <p>own fallback</p>,
  error: (error, retry) => (
    <p>
      own error {error.code}{" "}
      <button type="button" onClick={retry}>
        once more
      </button>
    </p>
  ),
};

function Guarded({ own, loginOptions }) {
  const views = own && {
    ...OWN,
    signedOut: (signIn) => (
      <button type="button" onClick={signIn}>
        own sign-in
      </button>
    ),
  };
  return (
    <RequireSignIn {...views} loginOptions={loginOptions}>
      <Private />
    </RequireSignIn>
  );
}

function Pages({ path, go, scenario }) {
  const { own, routed, assigned, guards = 1 } = scenario;
  if (path === "/callback") {
    const views = own && OWN;
    const onSignedIn =
      (routed && ((result) => go(result.returnTo, result))) ||
      (assigned && ((result) => location.assign(result.returnTo)));
    return <CallbackPage {...views} {...(onSignedIn && { onSignedIn })} />;
  }
  if (path === "/classes") {
    return Array.from({ length: guards }, (_, index) => (
      <Guarded key={String(index)} {...scenario} />
    ));
  }
  return <Who />;
}

function App({ client, scenario, path: first }) {
  const [path, setPath] = useState(first);
  const go = (to, result) => {
    history.replaceState(null, "", to);
    globalThis.went = [...(globalThis.went ?? []), { to, result }];
    setPath(new URL(to, location.href).pathname);
  };
  useEffect(() => {
    globalThis.go = go;
  });
  const pages = <Pages path={path} go={go} scenario={scenario} />;
  return (
    <ClassLinkProvider client={client} texts={scenario.texts}>
      {scenario.wrapped ? <RequireSignIn>{pages}</RequireSignIn> : pages}
    </ClassLinkProvider>
  );
}

/** What a server renders. */
export function render(path, scenario) {
  const client = createTestClient(scenario.client);
  return renderToString(<App client={client} scenario={scenario} path={path} />);
}

if (typeof document !== "undefined") {
  const { scenario = {} } = window;
  const client = createTestClient(scenario.client);
  Object.assign(window, { client, seen });
  new Function("client", scenario.setup ?? "")(client);
  const app = <App client={client} scenario={scenario} path={location.pathname} />;
  const tree = <StrictMode>{app}</StrictMode>;
  const root = document.getElementById("root");
  if (root?.hasChildNodes()) window.root = hydrateRoot(root, tree);
  else {
    window.root = createRoot(/** @type {HTMLElement} */ (root));
    window.root.render(tree);
  }
}
