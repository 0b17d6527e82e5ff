/**
 * The words that the documentation and comments do not use, each with what to write instead: the part of CONTRIBUTING's
 * "Words" that a program can check.
 *
 * @module
 */

/** What may stand between two words of a phrase: a space, or a line's end and the next comment's marker. */
const GAP = String.raw`(?:[\s*]|\/\/[\/!]?)+`;

/** @type {[phrases: string, instead: string][]} */
const WORDS = [
  [
    "nobody|somebody|someone|anybody|everybody|whoever",
    "name who: the user, the page, an attacker; or “no session”, “signed in”",
  ],
  ["person|persons|people", "user"],
  [
    "answers with|answer with|tells? of|hears? of|speaks? of",
    "returns, resolves with, rejects with, reports, is about",
  ],
  ["anew|afresh", "again, or new"],
  [
    "(?:even|also|only|except|unless) where|where there (?:is|are|was|were)|where (?:it|they) (?:(?:is|are) (?:to|not|no)|(?:has|have) no)|where (?:nothing|none|configured|needed|possible)",
    "if or when: “where” is for places",
  ],
  ["to the letter", "exactly"],
  [
    "can't be had|can be had|could be had|cannot be had",
    "unavailable, failed to fetch, cannot be read",
  ],
  ["of no use|of use", "useless, useful"],
  [
    "(?<!there )(?:is|are|was|were|be) no(?! (?:longer|such|more|less|other|different|later|earlier|larger|smaller|newer|older)\\b)(?= [a-z])",
    "negate the verb: is not a …, has no …",
  ],
  ["(?<!there )(?:is|are|was|were|be) none", "negate the verb: is not a …, there is no …"],
  [
    "licence|colour|(?<!Pia )pupil|pupils|(?:mis)?behaviours?|neighbour(?:s|ing)?|organisation|decentralised|recognise|initialise|normalise|serialise",
    "American spelling: license, color, student, organization, -ize",
  ],
  ["whosoever|thereof|thereby|hereby|whereupon|lest|ere", "plain words"],
];

/** The words, as options of the rule: one pattern for each entry. */
export const words = WORDS.map(([phrases, instead]) => ({
  pattern: `/\\b(?:${phrases.replaceAll(" ", GAP)})\\b/i`,
  message: instead,
}));

/** The first word of a doc comment, as an option of the rule. */
export const nounClause = {
  pattern: String.raw`/(?:^[ \t]*\/\*\*|^[ \t]*(?:\/\/[\/!])|(?<=\n)[ \t]*\/\/[\/!])[\s*]+(?:What|Whoever|The same)\b/`,
  message: "begin a doc comment with a verb and its object: “Validates the …”",
};
