/** The developer's side of an error. */

import type { ClassLinkError } from "classlink-spa";

/** Codes and the developer's message: neither holds personal data. The provider's own words stay out of the page. */
export function ErrorDetails({ error }: { readonly error: ClassLinkError }) {
  return (
    <section className="error-details" aria-labelledby="error-details-title">
      <h2 id="error-details-title">The last error</h2>
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
    </section>
  );
}
