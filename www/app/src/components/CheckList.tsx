/** The checks of the diagnosis, for a help desk. */

import type { DiagnosisCheck } from "classlink-spa";
import { Fragment } from "react";
import { STATUS_WORDS, titleOf } from "../session/helpDeskReport";

/** Problems come first; the status is a word, and a color besides. */
export function CheckList({ checks }: { readonly checks: readonly DiagnosisCheck[] }) {
  const order = ["problem", "warning", "ok"] as const;
  const sorted = order.flatMap((status) => checks.filter((check) => check.status === status));
  return (
    <ul className="checks">
      {sorted.map((check) => (
        <li key={check.id} className={`check ${check.status}`}>
          <p className="check-status">{STATUS_WORDS[check.status]}</p>
          <h3>{titleOf(check)}</h3>
          <p>
            <WithCode text={check.summary} />
          </p>
          {check.remedy && (
            <p>
              <strong>What to do:</strong> <WithCode text={check.remedy} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A text whose names of settings stand between backticks. */
function WithCode({ text }: { readonly text: string }) {
  return text.split("`").map((part, index) => {
    // The parts have no names of their own, and never move.
    const key = `${index} ${part}`;
    return index % 2 ? <code key={key}>{part}</code> : <Fragment key={key}>{part}</Fragment>;
  });
}
