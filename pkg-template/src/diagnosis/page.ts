/** Checks of what a sign-in needs of the browser, the page and the site's own server. */

import type { CoreConfig } from "../core.js";
import { type Finding, ok, problem, warning } from "./finding.js";
import { ask } from "./request.js";

/** Makes the checks that need no configuration. */
export function checkPage(): [string, Finding][] {
  return [
    [
      "secure-context",
      // As the client judges: a page under a test runner may not say.
      globalThis.isSecureContext === false
        ? problem(
            "The page is not a secure context: it came over http, or is inside a page that did.",
            "Serve it by https, or from localhost while developing.",
          )
        : ok("The page is a secure context."),
    ],
    [
      "web-crypto",
      globalThis.crypto?.subtle
        ? ok("The browser has Web Crypto.")
        : problem(
            "The browser offers no Web Crypto here.",
            "Serve the page by https and use a current browser.",
          ),
    ],
    ["storage", checkStorage()],
    [
      "frame",
      window.top === window
        ? ok("The page is not inside a frame.")
        : warning(
            "The page is inside a frame, where a login by redirect and a LaunchPad launch can't be finished.",
            'Use startLogin({ mode: "popup" }), or open the app in a tab of its own.',
          ),
    ],
  ];
}

function checkStorage(): Finding {
  const key = "classlink-spa.probe";
  try {
    sessionStorage.setItem(key, "1");
    sessionStorage.removeItem(key);
    return ok("sessionStorage can be used.");
  } catch {
    return problem(
      "sessionStorage is blocked or full, so that a login can't be remembered while the user is at ClassLink.",
      "Allow site data for this site in the browser's settings or the device's policy.",
    );
  }
}

/** Requests the redirect URI from the site's own server; `undefined` if no response came. */
export function askAtHome({ redirectUri, timeout }: CoreConfig): Promise<Response | undefined> {
  return ask(redirectUri, timeout, { method: "HEAD", redirect: "manual" });
}

/** The redirect URI as ClassLink will compare it, exactly (RFC 9700, 2.1), and what the site's server makes of it. */
export function checkRedirectUri({ redirectUri }: CoreConfig, home: Response | undefined): Finding {
  const registered = "Register the very same text at ClassLink, and write it so in `redirectUri`.";
  const { href, origin, pathname } = new URL(redirectUri);
  if (origin !== location.origin) {
    return problem(
      "`redirectUri` is of another origin than this page: scheme, host and port must be the same.",
      `Open the app at ${origin}, or set \`redirectUri\` to ${location.origin}.`,
    );
  }
  if (href !== redirectUri) {
    return warning(
      "The browser writes `redirectUri` otherwise than it is configured: capital letters in the host, a default port, or a path that needs encoding.",
      `${registered} The browser's form is ${href}`,
    );
  }
  const bare = (path: string) => path.replace(/\/$/, "").toLowerCase();
  if (bare(pathname) === bare(location.pathname) && pathname !== location.pathname) {
    return warning(
      "This page's path differs from `redirectUri` by a slash at the end or by capital letters alone.",
      registered,
    );
  }
  if (home?.type === "opaqueredirect") {
    return warning(
      "This site's server redirects `redirectUri` to another address, with or without a slash at its end for instance.",
      "Serve the page at `redirectUri` itself: a redirect may lose ClassLink's response, and the time isn't known.",
    );
  }
  if (home?.status === 404) {
    return warning(
      "This site's server says that there is no page at `redirectUri` (404).",
      "Serve the app there, as at every address of the app.",
    );
  }
  return ok("`redirectUri` is of this page's origin, and written as the browser writes it.");
}

/** The device's clock, by the site's server. A wrong one stops no user if that server says the time. */
export function checkClock({ clockTolerance }: CoreConfig, home: Response | undefined): Finding {
  const date = Date.parse(home?.headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return warning(
      "This site's server doesn't send the time, so that a device's wrong clock can't be corrected.",
      "Have the server answer HEAD requests for the redirect URI with a Date header.",
    );
  }
  const age = Number(home?.headers.get("age") ?? 0) || 0;
  const offset = Math.round((Date.now() - date) / 1000 - age);
  // The header counts whole seconds.
  if (Math.abs(offset) <= Math.max(clockTolerance, 2)) return ok("The device's clock is right.");
  return warning(
    `The device's clock is ${inWords(Math.abs(offset))} ${offset > 0 ? "fast" : "slow"}. Users can still sign in.`,
    "Set the device's date, time and time zone automatically.",
  );
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}
