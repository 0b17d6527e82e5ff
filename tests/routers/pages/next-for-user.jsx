/**
 * A route of Next.js without its server: `refresh` has it rendered for the user of the cookie `who`, as a server component is.
 * `hide` hides it, as the router does with the route that was left.
 */

import { ClassLinkProvider, SignedIn } from "classlink-spa/react";
import { Activity, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { fetchClasses } from "../../../docs/recipes/api";
import { ForUser } from "../../../docs/recipes/next-for-user";
import { client } from "./client.js";

const IDS = {
  "Class of Pia": "https://launchpad.classlink.com|1",
  "Class of Tess": "https://launchpad.classlink.com|2",
};

/** Says when the effects of a hidden route have ended, and its subscriptions with them. */
function Effects() {
  useEffect(() => {
    window.hasEffects = true;
    return () => {
      window.hasEffects = false;
    };
  }, []);
  return null;
}

function Route({ first }) {
  const [names, setNames] = useState(first);
  const [isHidden, setIsHidden] = useState(false);
  Object.assign(window, {
    router: { refresh: () => void fetchClasses().then(setNames) },
    hide: setIsHidden,
  });
  return (
    <Activity mode={isHidden ? "hidden" : "visible"}>
      <ForUser id={IDS[names[0]]}>
        <Effects />
        <p>{names.join()}</p>
      </ForUser>
    </Activity>
  );
}

const first = await fetchClasses();
createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <ClassLinkProvider client={client}>
    <SignedIn>{(user) => <h1>Hello, {user.givenName}</h1>}</SignedIn>
    <Route first={first} />
  </ClassLinkProvider>,
);
