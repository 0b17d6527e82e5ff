/**
 * `diagnose`: looks at all that a sign-in needs, and says what is missing in words for a help desk. It is loaded when it
 * is asked for, signs nobody in or out, and decides nothing.
 *
 * @packageDocumentation
 */

import type { CoreConfig } from "./core.js";
import { type ClassLinkError, isClassLinkError, newSupportCode } from "./errors.js";
import type { Diagnosis, DiagnosisCheck } from "./types.js";

/** What is looked at. */
export interface DiagnosisSubject {
  /** The configuration; rejects where it is wrong. */
  readonly config: () => Promise<CoreConfig>;
  /** Loads the WebAssembly, and answers with what it knows of an issuer's metadata without asking. */
  readonly known: (issuer: string) => Promise<Metadata>;
}

type Metadata = Readonly<Record<string, unknown>>;

type Finding = Omit<DiagnosisCheck, "id">;

const ok = (summary: string): Finding => ({ status: "ok", summary });
const warning = (summary: string, remedy: string): Finding => ({
  status: "warning",
  summary,
  remedy,
});
const problem = (summary: string, remedy: string): Finding => ({
  status: "problem",
  summary,
  remedy,
});

const text = (metadata: Metadata, name: string): string | undefined => {
  const value = metadata[name];
  return typeof value === "string" ? value : undefined;
};

const list = (metadata: Metadata, name: string): unknown[] | undefined => {
  const value = metadata[name];
  return Array.isArray(value) ? value : undefined;
};

/** An answer that the page may read, or `undefined` where none came. */
async function ask(
  url: string,
  timeout: number,
  init: RequestInit = {},
): Promise<Response | undefined> {
  try {
    return await fetch(url, {
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(timeout),
      ...init,
    });
  } catch {
    return undefined;
  }
}

const json = async (response: Response): Promise<Metadata> => {
  const value: unknown = await response.json().catch(() => undefined);
  return typeof value === "object" && value !== null ? (value as Metadata) : {};
};

/** What can be said before anything is known of the configuration. */
function checkPage(): [string, Finding][] {
  return [
    [
      "secure-context",
      isSecureContext
        ? ok("The page is a secure context.")
        : problem(
            "The page is not a secure context.",
            "Serve it by https, or from localhost while developing.",
          ),
    ],
    [
      "web-crypto",
      globalThis.crypto?.subtle
        ? ok("The browser has Web Crypto.")
        : problem(
            "The browser offers no Web Crypto here.",
            "Serve the page by https and use a browser of the last years.",
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
      "sessionStorage is blocked or full, so that a login can't be remembered while the person is at ClassLink.",
      "Allow site data for this site in the browser's settings or the device's policy.",
    );
  }
}

/** The redirect URI as the browser will compare it, against the page (RFC 9700, 2.1: to the letter). */
function checkRedirectUri({ redirectUri }: CoreConfig): Finding {
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
  return ok("`redirectUri` is of this page's origin, and written as the browser writes it.");
}

/** The provider's own document, where there is need of it, and what is wrong with it (Discovery 1.0, 4.3). */
async function discover(
  config: CoreConfig,
  known: Metadata,
): Promise<{ found: Metadata; finding: Finding }> {
  const { issuer, timeout } = config;
  const needed = config.gateway
    ? ["authorization_endpoint"]
    : ["authorization_endpoint", "token_endpoint", "jwks_uri"];
  const complete = needed.every((name) => text(known, name));
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await ask(url, timeout);
  const trouble = complete ? warning : problem;
  const remedy = complete
    ? "Nothing: the endpoints are known without it."
    : "Give the endpoints as `metadata`, or have the issuer allow this page's origin (CORS).";
  if (!response?.ok) {
    return {
      found: {},
      finding: complete
        ? ok("The endpoints are known; the discovery document can't be read from this page.")
        : trouble("The discovery document can't be read from this page.", remedy),
    };
  }
  const found = await json(response);
  if (found.issuer !== issuer) {
    return {
      found: {},
      finding: trouble(
        "The discovery document names another issuer than the configured one.",
        "Set `issuer` to the provider's own spelling, to the letter.",
      ),
    };
  }
  return { found, finding: ok("The discovery document is the configured issuer's.") };
}

async function checkGateway({ gateway, timeout }: CoreConfig): Promise<Finding> {
  const response = await ask(`${gateway}/health`, timeout);
  if (response?.ok) return ok("The gateway answers.");
  return response
    ? warning(
        `The gateway's health check answered with ${response.status}.`,
        "Check that `gateway` is the gateway's own base path. A reverse proxy in its place may have no health check.",
      )
    : problem(
        "The gateway can't be reached from this page.",
        "Check that it runs, and that it allows this page's origin (`allowedOrigins`) where it has another one.",
      );
}

/** Headers without which the gateway answers nobody. */
const identified = ({ gateway }: CoreConfig): RequestInit =>
  gateway ? { headers: { "X-ClassLink-SPA": newSupportCode() } } : {};

async function checkKeys(config: CoreConfig, metadata: Metadata): Promise<Finding> {
  const url = config.gateway ? `${config.gateway}/jwks` : text(metadata, "jwks_uri");
  const response = url ? await ask(url, config.timeout, identified(config)) : undefined;
  if (!response?.ok) {
    return problem(
      "The provider's keys can't be had, so that no ID token can be verified.",
      config.gateway
        ? "Look into the gateway's log."
        : "Use a gateway: ClassLink's endpoints may refuse requests from browsers (CORS).",
    );
  }
  const keys = list(await json(response), "keys");
  return keys?.length
    ? ok(`The provider's key set has ${keys.length === 1 ? "one key" : `${keys.length} keys`}.`)
    : problem("The provider's key set holds no key.", "Tell the provider.");
}

/** An answer of any kind shows that the page may read what the endpoint says. */
async function checkCors(config: CoreConfig, metadata: Metadata): Promise<Finding> {
  const profile = {
    "id-token": undefined,
    userinfo: "userinfo_endpoint",
    "my-info": "my_info_endpoint",
  };
  const asked: [string, RequestInit][] = [];
  const token = text(metadata, "token_endpoint");
  if (token) {
    asked.push([token, { method: "POST", body: new URLSearchParams({ grant_type: "none" }) }]);
  }
  const person = text(metadata, profile[config.profile] ?? "");
  // With the header that makes the browser ask first, as it will.
  if (person) asked.push([person, { headers: { Authorization: "Bearer none" } }]);
  const answers = await Promise.all(
    asked.map(async ([url, init]) =>
      (await ask(url, config.timeout, init)) ? "" : new URL(url).host,
    ),
  );
  const silent = [...new Set(answers.filter(Boolean))];
  return silent.length === 0
    ? ok("The endpoints answer requests from this page.")
    : problem(
        `These don't answer requests from this page: ${silent.join(", ")}.`,
        "Use a gateway (classlink-spa/gateway), have them allow this page's origin (CORS), or add them to connect-src of the page's Content Security Policy.",
      );
}

function checkScopes({ scope }: CoreConfig, metadata: Metadata): Finding {
  const supported = list(metadata, "scopes_supported");
  const missing = supported && scope.filter((name) => !supported.includes(name));
  return missing?.length
    ? warning(
        `The provider doesn't list these scopes: ${missing.join(", ")}.`,
        "Ask for what you need and the provider knows; unknown scopes may fail the login.",
      )
    : ok(
        supported
          ? "The provider lists every scope."
          : "The provider doesn't say which scopes it knows.",
      );
}

function checkPkce(metadata: Metadata, discovered: boolean): Finding {
  const methods = list(metadata, "code_challenge_methods_supported");
  if (methods?.includes("S256")) return ok("The provider supports PKCE with S256.");
  return discovered
    ? warning(
        "The provider doesn't say that it checks PKCE.",
        "Nothing here: PKCE is always sent, and the nonce protects the login besides. A gateway verifies it for you.",
      )
    : ok("PKCE is always sent; whether the provider checks it is not known.");
}

async function checkClock({ redirectUri, timeout, clockTolerance }: CoreConfig): Promise<Finding> {
  const response = await ask(redirectUri, timeout, { method: "HEAD" });
  const date = Date.parse(response?.headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return warning(
      "This site's server doesn't say what the time is, so that a device's wrong clock can't be made up for.",
      "Have the server answer HEAD requests for the redirect URI with a Date header.",
    );
  }
  const age = Number(response?.headers.get("age") ?? 0) || 0;
  const offset = Math.round((Date.now() - date) / 1000 - age);
  if (Math.abs(offset) <= Math.max(clockTolerance, 2)) return ok("The device's clock is right.");
  const seconds = Math.abs(offset);
  const much =
    seconds < 120
      ? `${seconds} seconds`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} minutes`
        : `${Math.round(seconds / 3600)} hours`;
  return warning(
    `The device's clock is ${much} ${offset > 0 ? "fast" : "slow"}. People can sign in all the same.`,
    "Set the device's date, time and time zone automatically.",
  );
}

const checkDeployment = ({ gateway }: CoreConfig, metadata: Metadata): Finding =>
  gateway || !text(metadata, "my_info_endpoint")
    ? ok(
        gateway
          ? "Tokens are exchanged by the gateway."
          : "The client talks to the provider itself.",
      )
    : warning(
        "ClassLink's issuer without a gateway: ClassLink documents its token endpoint only with a client secret, which no browser may hold.",
        "Run classlink-spa/gateway on your server and set `gateway`.",
      );

/** What to write of an error: its own words for developers, which hold nothing personal. */
const wordsOf = (error: unknown): string =>
  isClassLinkError(error) ? (error as ClassLinkError).message : "It failed for an unknown reason.";

/** Looks at everything. Never rejects. */
export async function diagnose({ config, known }: DiagnosisSubject): Promise<Diagnosis> {
  const checks: DiagnosisCheck[] = [];
  const add = (id: string, finding: Finding) => checks.push(Object.freeze({ id, ...finding }));
  for (const [id, finding] of checkPage()) add(id, finding);

  const settings = await config().catch((error: unknown) => {
    add("configuration", problem(wordsOf(error), "Correct the configuration."));
  });
  if (settings) {
    add("configuration", ok("The configuration is valid."));
    add("redirect-uri", checkRedirectUri(settings));
  }
  const facts = await known(settings?.issuer ?? "").catch((error: unknown) => {
    add("webassembly", problem(wordsOf(error), "See the message."));
  });
  if (facts) add("webassembly", ok("The WebAssembly is loaded."));
  if (settings) {
    const given = { ...facts, ...settings.metadata };
    const { found, finding } = await discover(settings, given);
    const metadata = { ...found, ...given };
    const [keys, reach, clock] = await Promise.all([
      checkKeys(settings, metadata),
      settings.gateway ? checkGateway(settings) : checkCors(settings, metadata),
      checkClock(settings),
    ]);
    add("discovery", finding);
    add("deployment", checkDeployment(settings, facts ?? {}));
    add(settings.gateway ? "gateway" : "cors", reach);
    add("keys", keys);
    add("scopes", checkScopes(settings, metadata));
    add("pkce", checkPkce(metadata, Object.keys(found).length > 0));
    add("clock", clock);
  }
  return Object.freeze({
    ok: checks.every(({ status }) => status !== "problem"),
    checks: Object.freeze(checks),
  });
}
