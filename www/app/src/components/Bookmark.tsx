/** Where the user stopped reading. */

import { useBookmark } from "../session/useBookmark";

/** From the app's own API, which knows users by their access token. */
export function Bookmark() {
  const { bookmark, problem } = useBookmark();
  return (
    <section className="card" aria-labelledby="bookmark-title">
      <h2 id="bookmark-title">Where you left off</h2>
      {bookmark && (
        <>
          <p>
            <cite>{bookmark.title}</cite>, page {bookmark.page}
          </p>
          {bookmark.reader && <p className="absent">Saved for {bookmark.reader}</p>}
        </>
      )}
      {problem && <p role="alert">{problem}</p>}
      {!bookmark && !problem && <p className="absent">One moment…</p>}
    </section>
  );
}
