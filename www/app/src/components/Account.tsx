/** Who is signed in, and the way out, in the header. */

import { useClassLink } from "classlink-spa/react";
import { useSignOut } from "../session/useSignOut";

/** On a shared device both must be in sight on every page. */
export function Account() {
  const { user } = useClassLink();
  const signOut = useSignOut();
  if (!user) return null;
  return (
    <div className="account">
      <p>
        Signed in as <strong>{user.name ?? "a reader"}</strong>
      </p>
      <button type="button" className="button secondary small" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}
