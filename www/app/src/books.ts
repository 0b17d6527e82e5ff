/** The shelf's contents: made up, and the same for all users. */

/** The subjects that a book can belong to. */
export const SUBJECTS = ["English", "History", "Science"] as const;

/** One book on the shelf. */
export interface Book {
  readonly title: string;
  readonly author: string;
  readonly subject: (typeof SUBJECTS)[number];
  readonly task: string;
  readonly due: string;
}

/** The books that the class is reading. */
export const BOOKS: readonly Book[] = [
  {
    title: "The Secret Garden",
    author: "Frances Hodgson Burnett",
    subject: "English",
    task: "Chapters 4 to 6",
    due: "Tuesday",
  },
  {
    title: "Treasure Island",
    author: "Robert Louis Stevenson",
    subject: "English",
    task: "Draw the map from chapter 6",
    due: "Friday",
  },
  {
    title: "Letters from the Mill Town",
    author: "Class reader",
    subject: "History",
    task: "Pages 12 to 19, then three questions",
    due: "Wednesday",
  },
  {
    title: "A Field Guide to Puddles",
    author: "Class reader",
    subject: "Science",
    task: "Keep the rain diary for a week",
    due: "Monday",
  },
];
