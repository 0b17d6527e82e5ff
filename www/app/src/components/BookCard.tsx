/** One book in the list. */

import type { Book } from "../books";

/** Title, author, and what is to be done by when. */
export function BookCard({ book }: { readonly book: Book }) {
  return (
    <li className="book">
      <h2>{book.title}</h2>
      <p className="author">{book.author}</p>
      <p>{book.task}</p>
      <p className="due">
        {book.subject}, due {book.due}
      </p>
    </li>
  );
}
