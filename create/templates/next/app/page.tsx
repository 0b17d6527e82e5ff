import Link from "next/link";
import { Welcome } from "./welcome";

export default function Home() {
  return (
    <main>
      <h1>Welcome</h1>
      <Welcome>
        <Link href="/classes">My classes</Link> <Link href="/reports">Reports</Link>
      </Welcome>
    </main>
  );
}
