/** The first page: an invitation to sign in, or a welcome. */

import { useClassLink } from "classlink-spa/react";
import { Invitation } from "../components/Invitation";
import { Progress } from "../components/Progress";
import { Welcome } from "../components/Welcome";

/** An earlier error isn't shown again here: this page is the way out of it. */
export function HomePage() {
  const { status, user } = useClassLink();
  if (user) return <Welcome user={user} />;
  if (status === "loading" || status === "signing-in") return <Progress text="One moment…" late />;
  return <Invitation />;
}
