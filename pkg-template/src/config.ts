/**
 * Validates what an application hands in: its configuration and the options of one login. Every mistake is a
 * `config_invalid` error that names the field, what is wrong and the remedy, and echoes no value.
 *
 * @packageDocumentation
 */

import type { CoreConfig, CoreLoginOptions } from "./core.js";
import { ClassLinkError } from "./errors.js";
import { ENGLISH } from "./messages.js";
import type { ClassLinkConfig } from "./types.js";

/** A validated configuration: what crosses over to the WebAssembly, and what stays with the scripts. */
export interface Settings
  extends Pick<ClassLinkConfig, "messages" | "navigate" | "onEvent" | "wasmUrl"> {
  readonly core: CoreConfig;
}

type Fields = Record<string, unknown>;

const DEFAULTS = {
  scope: ["openid", "profile"],
  issuer: "https://launchpad.classlink.com",
  metadata: {},
  profile: "id-token",
  launch: "restart",
  session: {},
  clockTolerance: 60,
  timeout: 10_000,
};

const CONFIG = [
  "clientId",
  "redirectUri",
  "scope",
  "issuer",
  "metadata",
  "gateway",
  "profile",
  "allowedTenants",
  "launch",
  "session",
  "apiOrigins",
  "clockTolerance",
  "timeout",
  "messages",
  "navigate",
  "onEvent",
  "wasmUrl",
];

const ENDPOINTS = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "userinfo_endpoint",
  "my_info_endpoint",
  "end_session_endpoint",
  "revocation_endpoint",
];
const ALGORITHMS = "id_token_signing_alg_values_supported";
const ISS_PROMISED = "authorization_response_iss_parameter_supported";

const OPTIONS = [
  "returnTo",
  "appState",
  "scope",
  "prompt",
  "loginHint",
  "maxAge",
  "uiLocales",
  "acrValues",
  "district",
  "mode",
  "extraParams",
];

/** Parameters that are the protocol's own, or have a field of their own. */
const PROTOCOL =
  /^(response_(type|mode)|client_(id|assertion|assertion_type)|redirect_uri|scope|state|nonce|code(_challenge(_method)?|_verifier)?|prompt|login_hint|id_token_hint|max_age|ui_locales|acr_values|claims|request(_uri)?|registration|grant_type|error(_description|_uri)?|iss)$|secret/i;

/** What is wrong with `field`, as an error. */
export function invalid(field: string, problem: string, cause?: unknown): ClassLinkError {
  return new ClassLinkError({ code: "config_invalid", message: `${field} ${problem}`, cause });
}

function check(condition: unknown, field: string, problem: string): asserts condition {
  if (!condition) throw invalid(field, problem);
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** How many single-character edits make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function suggestion(name: string, known: readonly string[]): string {
  const wanted = plain(name);
  let best: string | undefined;
  let least = 3;
  for (const candidate of known) {
    const other = plain(candidate);
    const alike = wanted.length > 2 && (other.startsWith(wanted) || wanted.startsWith(other));
    const edits = other === wanted ? 0 : Math.min(distance(wanted, other), alike ? 2 : 3);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best ? ` Did you mean ${best}?` : "";
}

/** The members of an object, less the undefined ones; `known` names all that may be. */
function fields(value: unknown, field: string, known: readonly string[], prefix = ""): Fields {
  check(
    typeof value === "object" && value !== null && !Array.isArray(value),
    field,
    "must be an object.",
  );
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  for (const [name] of members) {
    if (!known.includes(name)) {
      const shown = JSON.stringify(prefix + name.slice(0, 40));
      throw invalid(shown, `is not a field of ${field}.${suggestion(name, known)}`);
    }
  }
  return Object.fromEntries(members);
}

/** Nothing named like a secret, however spelled and however deep. The value is never looked at. */
function refuseSecrets(value: unknown, depth = 0): void {
  if (typeof value !== "object" || value === null || value instanceof URL || depth > 5) return;
  for (const [name, member] of Object.entries(value)) {
    check(
      !plain(name).includes("secret"),
      "clientSecret",
      "doesn't belong in a browser, where anybody can read it: give it to the gateway on your server (classlink-spa/gateway), and have it replaced if it was ever published.",
    );
    refuseSecrets(member, depth + 1);
  }
}

const isLoopback = ({ hostname }: URL): boolean =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** An absolute URL, https or http on a loopback host, as the WHATWG parser would not have to mend it. */
function webUrl(value: unknown, field: string, forbidden: RegExp): URL {
  check(isText(value), field, "must be a URL: a string that isn't empty.");
  let url: URL | undefined;
  try {
    if (/^https?:\/\//i.test(value) && !/[\s\\]/.test(value) && !CONTROL.test(value)) {
      url = new URL(value);
    }
  } catch {}
  check(url, field, "must be an absolute URL without spaces or backslashes, such as https://….");
  check(
    url.protocol === "https:" || isLoopback(url),
    field,
    "must be https; http is for loopback hosts alone (localhost, 127.0.0.1, [::1]).",
  );
  check(!/^[^/]*\/\/[^/?#]*@/.test(value), field, "must not hold a user name or password.");
  const extra = forbidden.exec(value)?.[0];
  check(!extra, field, `must not have a ${extra === "?" ? "query (?)" : "fragment (#)"}.`);
  return url;
}

function list(value: unknown, field: string): unknown[] {
  check(Array.isArray(value), field, "must be an array.");
  return value;
}

function whole(value: unknown, field: string, least: number, most: number, unit: string): number {
  check(
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    field,
    `must be a whole number of ${unit}, ${most < Infinity ? `${least} to ${most}` : `${least} or more`}.`,
  );
  return value as number;
}

function oneOf<T extends string>(value: unknown, field: string, ...choices: T[]): T {
  check(
    choices.includes(value as T),
    field,
    `must be ${choices.map((choice) => `"${choice}"`).join(" or ")}.`,
  );
  return value as T;
}

/** RFC 6749, 3.3; OpenID Connect Core 3.1.2.1 requires `openid`. */
function scopes(value: unknown): string[] {
  const names = typeof value === "string" ? value.split(" ").filter(Boolean) : list(value, "scope");
  for (const name of names) {
    check(
      typeof name === "string" && /^[!#-[\]-~]+$/.test(name),
      "scope",
      "must be scope names, in an array or separated by spaces; a name is ASCII without quotes and backslashes (RFC 6749, 3.3).",
    );
  }
  check(names.includes("openid"), "scope", 'must include "openid", which makes it a sign-in.');
  return [...new Set(names as string[])];
}

function metadata(value: unknown): Fields {
  const members = fields(value, "metadata", [...ENDPOINTS, ALGORITHMS, ISS_PROMISED], "metadata.");
  for (const [name, member] of Object.entries(members)) {
    const field = `metadata.${name}`;
    if (name === ISS_PROMISED) {
      check(typeof member === "boolean", field, "must be true or false.");
    } else if (name === ALGORITHMS) {
      check(
        list(member, field).every(isText),
        field,
        'must be an array of algorithm names, such as ["RS256"].',
      );
    } else webUrl(member, field, /#/);
  }
  return members;
}

function session(value: unknown, gateway: boolean): CoreConfig["session"] {
  const given: Fields = {
    restore: gateway ? "gateway" : "none",
    idleTimeout: 1800,
    maxAge: 28800,
    ...fields(value, "session", ["restore", "idleTimeout", "maxAge"], "session."),
  };
  const restore = oneOf(given.restore, "session.restore", "gateway", "iframe", "redirect", "none");
  check(
    restore !== "gateway" || gateway,
    "session.restore",
    'can\'t be "gateway" without a `gateway`.',
  );
  const seconds = (name: string): number | null =>
    given[name] === false
      ? null
      : whole(given[name], `session.${name}`, 1, Infinity, "seconds (or false)");
  return { restore, idleTimeout: seconds("idleTimeout"), maxAge: seconds("maxAge") };
}

/**
 * Validates a configuration and fills in the defaults.
 *
 * @throws {@link ClassLinkError} `config_invalid`.
 */
export function readConfig(config: unknown): Settings {
  refuseSecrets(config);
  const given: Fields = { ...DEFAULTS, ...fields(config, "the configuration", CONFIG) };

  const clientId = given.clientId;
  check(
    isText(clientId) && !CONTROL.test(clientId),
    "clientId",
    "must be the client id from ClassLink's developer portal: a string that isn't empty, without line breaks.",
  );

  const redirectUri = given.redirectUri;
  const { origin } = webUrl(redirectUri, "redirectUri", /#/);
  check(
    typeof location === "undefined" ||
      globalThis.isSecureContext === false ||
      origin === location.origin,
    "redirectUri",
    "must be on the page's own origin: the login is finished where it was started.",
  );

  const issuer = given.issuer;
  webUrl(issuer, "issuer", /[?#]/);

  let gateway = given.gateway;
  if (gateway !== undefined) {
    check(isText(gateway), "gateway", 'must be a URL, such as "/auth".');
    // The redirect URI's origin is the page's own, and is known on a server too.
    const relative = !/^([a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(gateway);
    const absolute = relative ? `${origin}/${gateway.replace(/^\//, "")}` : gateway;
    gateway = webUrl(absolute, "gateway", /[?#]/).href.replace(/\/+$/, "");
  }

  let tenants: string[] | undefined;
  if (given.allowedTenants !== undefined) {
    tenants = list(given.allowedTenants, "allowedTenants").map((tenant) => {
      check(
        isText(tenant) || Number.isSafeInteger(tenant),
        "allowedTenants",
        "must hold tenant ids: strings that aren't empty, or whole numbers.",
      );
      return String(tenant);
    });
    check(
      tenants.length,
      "allowedTenants",
      "must not be empty; leave it out to allow every tenant.",
    );
  }

  if (given.apiOrigins !== undefined) {
    for (const api of list(given.apiOrigins, "apiOrigins")) {
      check(
        !String(api).includes("*") && webUrl(api, "apiOrigins", /[?#]/).origin === api,
        "apiOrigins",
        "must hold origins alone, such as https://api.example: no path, no trailing slash, no wildcard, lower case.",
      );
    }
  }

  const { messages, navigate, onEvent, wasmUrl } = given;
  if (messages !== undefined && typeof messages !== "function") {
    for (const [code, text] of Object.entries(
      fields(messages, "messages", Object.keys(ENGLISH), "messages."),
    )) {
      check(isText(text), `messages.${code}`, "must be a string that isn't empty.");
    }
  }
  for (const [field, value] of Object.entries({ navigate, onEvent })) {
    check(value === undefined || typeof value === "function", field, "must be a function.");
  }
  check(
    wasmUrl === undefined || isText(wasmUrl) || wasmUrl instanceof URL,
    "wasmUrl",
    "must be a string that isn't empty, or a URL.",
  );

  return {
    core: {
      clientId,
      redirectUri: redirectUri as string,
      scope: scopes(given.scope),
      issuer: issuer as string,
      metadata: metadata(given.metadata),
      ...(gateway !== undefined && { gateway: gateway as string }),
      profile: oneOf(given.profile, "profile", "id-token", "userinfo", "my-info"),
      ...(tenants && { allowedTenants: tenants }),
      launch: oneOf(given.launch, "launch", "restart", "reject"),
      session: session(given.session, gateway !== undefined),
      clockTolerance: whole(given.clockTolerance, "clockTolerance", 0, 600, "seconds"),
      timeout: whole(given.timeout, "timeout", 100, 300_000, "milliseconds"),
    },
    ...({ messages, navigate, onEvent, wasmUrl } as Pick<
      Settings,
      "messages" | "navigate" | "onEvent" | "wasmUrl"
    >),
  };
}

/** JSON text of `value`; what JSON would lose without a word is refused (RFC 8259). */
function json(value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value, (_, member: unknown) => {
      const type = typeof member;
      if (/function|symbol|bigint/.test(type) || (type === "number" && !Number.isFinite(member))) {
        throw new TypeError(`a ${type} can't be written as JSON`);
      }
      return member;
    });
  } catch (error) {
    cause = error;
  }
  if (text === undefined) {
    throw invalid(
      "appState",
      "must be JSON: no functions, symbols, BigInts, numbers that aren't finite, or cycles.",
      cause,
    );
  }
  return text;
}

/**
 * Validates the options of `startLogin`. Whether `returnTo` is of this origin is decided in the WebAssembly.
 *
 * @throws {@link ClassLinkError} `config_invalid`.
 */
export function readLoginOptions(options: unknown = {}): CoreLoginOptions {
  check(
    typeof options !== "object" || options === null || !("preventDefault" in options),
    "startLogin",
    "was given an event: write onClick={() => startLogin()}.",
  );
  const given = fields(options, "startLogin's options", OPTIONS);
  const read: CoreLoginOptions = {};
  for (const name of ["returnTo", "prompt", "loginHint", "district"] as const) {
    const value = given[name];
    if (value === undefined) continue;
    check(isText(value), name, "must be a string that isn't empty.");
    read[name] = value;
  }
  for (const name of ["uiLocales", "acrValues"] as const) {
    if (given[name] === undefined) continue;
    const values = [given[name]].flat();
    check(
      values.length && values.every(isText),
      name,
      "must be a string, or an array of strings, that isn't empty.",
    );
    read[name] = values.join(" ");
  }
  if (given.mode !== undefined) oneOf(given.mode, "mode", "redirect");
  if (given.scope !== undefined) read.scope = scopes(given.scope);
  if (given.appState !== undefined) read.appState = json(given.appState);
  if (given.maxAge !== undefined)
    read.maxAge = whole(given.maxAge, "maxAge", 0, Infinity, "seconds");
  if (given.extraParams !== undefined) {
    check(
      typeof given.extraParams === "object" &&
        given.extraParams &&
        !Array.isArray(given.extraParams),
      "extraParams",
      "must be an object of strings.",
    );
    read.extraParams = Object.entries(given.extraParams).map(([name, value]) => {
      const field = `extraParams.${name.slice(0, 40)}`;
      check(
        name && !PROTOCOL.test(name),
        field,
        "is the protocol's own parameter: use the option or the configuration field made for it.",
      );
      check(typeof value === "string", field, "must be a string.");
      return [name, value];
    });
  }
  return read;
}
