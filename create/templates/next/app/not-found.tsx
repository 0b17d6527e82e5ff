import type { Metadata } from "next";
import Link from "next/link";

export const metadata: Metadata = { title: "There is no such page" };

export default function NotFound() {
  return (
    <main>
      <h1>There is no such page</h1>
      <Link href="/">Go to the start page</Link>
    </main>
  );
}
