/** The developer's side of an error. */

import type { ClassLinkError } from "classlink-spa";

/** Codes and the developer's message: neither holds personal data. The provider's own words stay out of the page. */
export function ErrorDetails({ error }: { readonly error: ClassLinkError }) {
  return (
    <details className="error-details">
      <summary>Details for developers</summary>
      <dl>
        <dt>Code</dt>
        <dd>
          <code>{error.code}</code>
        </dd>
        {error.reason && (
          <>
            <dt>Reason</dt>
            <dd>
              <code>{error.reason}</code>
            </dd>
          </>
        )}
        <dt>Message</dt>
        <dd>{error.message}</dd>
      </dl>
    </details>
  );
}
