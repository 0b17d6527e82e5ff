import { useQuery } from "@tanstack/react-query";
import { SignOutButton, useClassLink } from "classlink-spa/react";
import { useNavigate } from "react-router";
import { classesOf } from "./queries";

export function Classes() {
  const { user } = useClassLink();
  const navigate = useNavigate();
  const { data = [] } = useQuery({ ...classesOf(user?.id ?? ""), enabled: user !== null });
  return (
    <main>
      <h1>Hello, {user?.givenName ?? "you"}</h1>
      <ul>
        {data.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
      <SignOutButton onSignedOut={() => navigate("/")} />
    </main>
  );
}
