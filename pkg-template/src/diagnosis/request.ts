/** The diagnosis's requests: without cookies, and whatever becomes of them is an answer. */

import type { Metadata } from "./finding.js";

/** An answer that the page may read, or `undefined` if none came in time. */
export async function ask(
  url: string,
  timeout: number,
  init: RequestInit = {},
): Promise<Response | undefined> {
  try {
    return await fetch(url, {
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(timeout),
      ...init,
    });
  } catch {
    return undefined;
  }
}

/** An answer's JSON object; `undefined` for anything else. */
export async function json(response: Response | undefined): Promise<Metadata | undefined> {
  const value: unknown = await response?.json().catch(() => undefined);
  return typeof value === "object" && value !== null ? (value as Metadata) : undefined;
}
