/** The protected page: what the class is reading. */

import { useClassLink } from "classlink-spa/react";
import { Link, useSearchParams } from "react-router";
import { BOOKS, SUBJECTS } from "../books";
import { BookCard } from "../components/BookCard";
import { PageTitle } from "../components/PageTitle";

/** The subject stands in the address, so that a sign-in brings users back to the very list they asked for. */
export function ShelfPage() {
  const { user } = useClassLink();
  const [search] = useSearchParams();
  const subject = SUBJECTS.find((known) => known.toLowerCase() === search.get("subject"));
  const books = subject ? BOOKS.filter((book) => book.subject === subject) : BOOKS;

  return (
    <>
      <title>Shelf – Reading Room</title>
      <PageTitle>{subject ?? "All subjects"}</PageTitle>
      {/* A hint for the wording alone: roles are no authorization. */}
      <p className="lead">
        {user?.role === "teacher" ? "What you have set for your classes." : "What to read next."}
      </p>
      <nav className="subjects" aria-label="Subjects">
        <SubjectLink current={subject === undefined} to="/shelf">
          All
        </SubjectLink>
        {SUBJECTS.map((known) => (
          <SubjectLink
            key={known}
            current={known === subject}
            to={`/shelf?subject=${known.toLowerCase()}`}
          >
            {known}
          </SubjectLink>
        ))}
      </nav>
      <ul className="books">
        {books.map((book) => (
          <BookCard key={book.title} book={book} />
        ))}
      </ul>
    </>
  );
}

interface SubjectLinkProps {
  readonly current: boolean;
  readonly to: string;
  readonly children: string;
}

/** The router compares paths only; here the query decides which link is the current one. */
function SubjectLink({ current, to, children }: SubjectLinkProps) {
  return (
    <Link to={to} aria-current={current ? "page" : undefined}>
      {children}
    </Link>
  );
}
