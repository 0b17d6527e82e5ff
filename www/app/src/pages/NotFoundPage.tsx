/** An address the app doesn't know. */

import { Link } from "react-router";
import { PageTitle } from "../components/PageTitle";

/** Says so, and leads home. */
export function NotFoundPage() {
  return (
    <>
      <title>Page not found – Reading Room</title>
      <PageTitle>Page not found</PageTitle>
      <p>
        There is nothing at this address. <Link to="/">Back to the start</Link>
      </p>
    </>
  );
}
