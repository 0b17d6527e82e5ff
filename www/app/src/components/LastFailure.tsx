/** The last error's support code: what joins a user's question and the logs. */

import type { ClassLinkEvent } from "classlink-spa";

/** Of this page load: nothing is stored. */
export function LastFailure({ failure }: { readonly failure: ClassLinkEvent | undefined }) {
  return (
    <section aria-labelledby="failure-title">
      <h2 id="failure-title">The last error</h2>
      {failure ? (
        <dl className="support">
          <dt>Support code</dt>
          <dd id="support-code">{failure.supportCode}</dd>
          <dd>
            <code>{[failure.code, failure.reason].filter(Boolean).join(", ")}</code>, at{" "}
            <time dateTime={new Date(failure.at).toISOString()}>
              {new Date(failure.at).toLocaleTimeString("en-GB")}
            </time>
          </dd>
        </dl>
      ) : (
        <p className="absent">None since this page was loaded.</p>
      )}
    </section>
  );
}
