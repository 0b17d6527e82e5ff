/** Copies a text, and says whether that worked. */

import { useState } from "react";

interface Props {
  readonly label: string;
  /** Asked for when the button is pressed. */
  readonly text: () => string;
}

/** If the browser doesn't let a page copy, it shows the text to be copied by hand. */
export function CopyButton({ label, text }: Props) {
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  const copy = () =>
    navigator.clipboard.writeText(text()).then(
      () => setOutcome("copied"),
      () => setOutcome("refused"),
    );
  return (
    <>
      <button type="button" className="button secondary" onClick={copy}>
        {label}
      </button>
      <p role="status" className="copied">
        {outcome === "copied" && "Copied."}
        {outcome === "refused" && "This browser doesn’t let the page copy. Select the text below."}
      </p>
      {outcome === "refused" && (
        <textarea
          className="copy-by-hand"
          readOnly
          rows={8}
          aria-label="Text to copy"
          value={text()}
        />
      )}
    </>
  );
}
