/**
 * Finds the authorization response in the page's URL, and removes it from the address bar.
 *
 * @packageDocumentation
 */

/** The parameters of an authorization response: RFC 6749 4.1.2, RFC 9207 2, OpenID Connect Session Management 3, and ClassLink's. */
const PARAMETERS =
  /^(code|state|response_type|error|error_description|error_uri|iss|session_state)$/;

/** Returns a segment's name after form decoding. The leading `&` keeps a `?` that belongs to the name. */
const nameOf = (segment: string): string => [...new URLSearchParams(`&${segment}`).keys()][0] ?? "";

/**
 * Returns `url` without the parameters of an authorization response, or `null` if its query has neither `code` nor `error`.
 * Everything else stays byte for byte and in order. A response in the fragment is ignored.
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
 * Removes an authorization response from the address bar at once, before anything loads, and returns the URL as it was;
 * `null` if the page's URL has none.
 */
export function captureCallback(): string | null {
  const url = location.href;
  const stripped = stripCallback(url);
  if (stripped === null) return null;
  replaceUrl(stripped);
  return url;
}

/** Removes `state` from the page's URL if it has this value: the user comes back from signing out at the provider. */
export function stripState(state: string): boolean {
  const url = new URL(location.href);
  if (url.searchParams.get("state") !== state) return false;
  url.searchParams.delete("state");
  replaceUrl(url);
  return true;
}
