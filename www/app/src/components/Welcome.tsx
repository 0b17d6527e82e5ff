/** The home page of a user who is signed in. */

import type { User } from "classlink-spa";
import { Link } from "react-router";
import { API_ORIGIN } from "../session/settings";
import { Bookmark } from "./Bookmark";
import { PageTitle } from "./PageTitle";
import { ProfileCard } from "./ProfileCard";

/** A greeting, the way to the shelf, the bookmark, and the profile. */
export function Welcome({ user }: { readonly user: User }) {
  const name = user.givenName ?? user.name;
  return (
    <>
      <title>Welcome – Reading Room</title>
      <PageTitle>{name ? `Welcome, ${name}` : "Welcome"}</PageTitle>
      <p>
        <Link className="button" to="/shelf">
          Open your shelf
        </Link>
      </p>
      {API_ORIGIN && <Bookmark />}
      <ProfileCard user={user} />
    </>
  );
}
