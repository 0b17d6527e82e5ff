/** Who is signed in, in the header. */

import { useClassLink } from "../session/useClassLink";

/** On a shared device the name must be in sight on every page. */
export function Account() {
  const { user } = useClassLink();
  if (!user) return null;
  return (
    <p className="account">
      Signed in as <strong>{user.name ?? "a reader"}</strong>
    </p>
  );
}
