/**
 * Finding the answer of an authorization request in the page's URL, and taking it out of the address bar.
 *
 * @packageDocumentation
 */

/** The parameters of an answer: RFC 6749 4.1.2, RFC 9207 2, OpenID Connect Session Management 3, and ClassLink's. */
const PARAMETERS =
  /^(code|state|response_type|error|error_description|error_uri|iss|session_state)$/;

/** A segment's name after form decoding. The leading `&` keeps a `?` that belongs to the name. */
const nameOf = (segment: string): string => [...new URLSearchParams(`&${segment}`).keys()][0] ?? "";

/**
 * `url` without the parameters of an answer, or `null` if its query has neither `code` nor `error`. Everything else
 * stays byte for byte and in order. A response in the fragment is ignored.
 */
export function stripCallback(url: string): string | null {
  const [, base, query, hash] = /^([^?#]*)\??([^#]*)(.*)$/s.exec(url) ?? [];
  const segments = (query ?? "").split("&");
  if (!segments.some((segment) => /^(code|error)$/.test(nameOf(segment)))) return null;
  const rest = segments.filter((segment) => !PARAMETERS.test(nameOf(segment))).join("&");
  return base + (rest && `?${rest}`) + hash;
}

/** Replaces the address in the address bar, if the browser lets it. */
export function replaceUrl(url: string | URL): void {
  try {
    history.replaceState(history.state, "", url);
  } catch {
    // Safari limits how often this is done; the login is worth more than a clean address bar.
  }
}

/**
 * If the page's URL is an answer, strips the address bar at once, before anything loads, and returns the URL as
 * it was; otherwise leaves all alone and answers `null`.
 */
export function captureCallback(): string | null {
  const url = location.href;
  const stripped = stripCallback(url);
  if (stripped === null) return null;
  replaceUrl(stripped);
  return url;
}

/** Takes `state` out of the page's URL, if it is this one: a user comes back from signing out at the provider. */
export function stripState(state: string): boolean {
  const url = new URL(location.href);
  if (url.searchParams.get("state") !== state) return false;
  url.searchParams.delete("state");
  replaceUrl(url);
  return true;
}
