"use client";

import { CallbackPage } from "classlink-spa/react";
import { useRouter } from "next/navigation";

export default function Callback() {
  const router = useRouter();
  return (
    <CallbackPage
      onSignedIn={({ returnTo }) => {
        router.replace(returnTo);
      }}
    />
  );
}
