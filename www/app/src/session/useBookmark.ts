/** Asks the app's own API where the user stopped reading. */

import { type ClassLinkError, isClassLinkError } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import { useEffect, useState } from "react";
import { API_ORIGIN } from "./settings";

/** A response of the API: see `server/bookmarks.ts`. */
export interface Bookmark {
  /** Whose it is, by what ClassLink told the API about the access token. */
  readonly reader?: string;
  readonly title: string;
  readonly page: number;
}

/** The bookmark, `null` until it is there, or why it is unavailable. */
export interface UseBookmark {
  readonly bookmark: Bookmark | null;
  readonly problem: string | null;
}

const UNREACHABLE = "Your bookmark can’t be fetched just now.";

/** The access token goes to the API's origin and nowhere else: the client sees to that. */
export function useBookmark(): UseBookmark {
  const { client } = useClassLink();
  const [bookmark, setBookmark] = useState<Bookmark | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    const leaving = new AbortController();
    client
      .fetch(`${API_ORIGIN}/bookmark`, { signal: leaving.signal })
      .then(async (response) => {
        if (!response.ok) throw new Error(`The API answered with ${response.status}`);
        setBookmark(await response.json());
      })
      .catch((cause: ClassLinkError | Error) => {
        if (leaving.signal.aborted) return;
        setProblem(isClassLinkError(cause) ? cause.userMessage : UNREACHABLE);
      });
    return () => leaving.abort();
  }, [client]);

  return { bookmark, problem };
}
