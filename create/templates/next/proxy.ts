import { type NextRequest, NextResponse } from "next/server";
import { getSession } from "./lib/gateway";

export async function proxy(request: NextRequest) {
  if (await getSession(request)) return NextResponse.next();
  // Not to ClassLink: a navigation from another site comes without the session's cookie, and the client may have one.
  return NextResponse.rewrite(new URL("/signing-in", request.url));
}

export const config = { matcher: "/reports/:path*" };
