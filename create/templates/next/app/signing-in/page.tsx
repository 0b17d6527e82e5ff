import type { Metadata } from "next";
import { ForUser } from "../for-user";

export const metadata: Metadata = { title: "Signing in" };

/** Shown by proxy.ts in place of a page, under that page's address: the client signs in, and the page is asked for again. */
export default function SigningIn() {
  return <ForUser id={undefined} />;
}
