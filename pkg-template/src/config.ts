/**
 * Validates what an application hands in: its configuration and the options of one login. Every mistake is a
 * `config_invalid` error that names the field and what it must be, and echoes no value.
 *
 * @packageDocumentation
 */

import type { CoreConfig, CoreLoginOptions } from "./core.js";
import { ClassLinkError, isClassLinkError } from "./errors.js";
import { ENGLISH } from "./messages.js";
import type { AccessTokenOptions, ClassLinkConfig, LogoutOptions } from "./types.js";

/** The settings that the WebAssembly does not get. */
type PageSettings = {
  readonly [K in
    | "messages"
    | "navigate"
    | "onEvent"
    | "onUserChange"
    | "wasmUrl"]: ClassLinkConfig[K];
};

type SessionLimits = Pick<CoreConfig, "idleTimeout" | "maxAge"> & {
  restore?: CoreConfig["restore"];
};

/** A validated configuration: what stays with the scripts, and what crosses over to the WebAssembly. */
export interface ResolvedConfig extends PageSettings {
  readonly core: CoreConfig;
}

/** Validates one value: returns what it stands for, or throws an error that says what is wrong with it. */
type Validator<T> = (value: unknown, field: string) => T;

type Validators<T> = { readonly [K in keyof T]-?: Validator<T[K]> };

/** Makes the error for a wrong `field`. */
export function invalid(field: string, problem: string, cause?: unknown): ClassLinkError {
  return new ClassLinkError({ code: "config_invalid", message: `${field} ${problem}`, cause });
}

/** Makes a `ClassLinkError` of what was thrown while something was read: a getter or a proxy may throw anything. */
export function unreadable(cause: unknown): ClassLinkError {
  return isClassLinkError(cause) ? cause : invalid("a getter", "failed: see the cause.", cause);
}

/** The reader of what passes `test`; `must` says in words what that is. */
const validator =
  <T>(must: string, test: (value: unknown) => unknown): Validator<T> =>
  (value, field) => {
    if (!test(value)) throw invalid(field, `must be ${must}.`);
    return value as T;
  };

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const object = validator<object>("an object", isObject);

const text = validator<string>("a string that isn't empty", isText);

const isListOf = (value: unknown, test: (item: unknown) => unknown): value is unknown[] =>
  Array.isArray(value) && value.every(test);

const callable = validator<() => void>("a function", (value) => typeof value === "function");

const oneOf = <T extends string>(...choices: T[]) =>
  validator<T>(choices.map((choice) => `"${choice}"`).join(" or "), (value) =>
    choices.includes(value as T),
  );

const integer = (unit: string, least: number, most = Infinity) =>
  validator<number>(
    `a whole number of ${unit}, ${most < Infinity ? `${least} to ${most}` : `${least} or more`}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  );

/** Seconds, or `false` for no limit, which crosses over as nothing. */
const limit: Validator<number | undefined> = (value, field) =>
  value === false ? undefined : integer("seconds, or false for no limit", 1)(value, field);

/** Absolute, https or http on a loopback host, no user info, and nothing that the URL parser would mend. */
function isWebUrl(value: unknown, forbidden: RegExp): value is string {
  try {
    if (!isText(value) || /[\s\\\p{Cc}]/u.test(value) || forbidden.test(value)) return false;
    const { protocol, hostname } = new URL(value);
    return (
      /^https?:\/\/[^/?#@]+([/?#]|$)/i.test(value) &&
      (protocol === "https:" || /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
    );
  } catch {
    return false;
  }
}

const webUrl = (forbidden: RegExp, without: string) =>
  validator<string>(
    `an absolute https URL (or http on localhost) without spaces, backslashes, user name, password${without} or fragment`,
    (value) => isWebUrl(value, forbidden),
  );

/** May have a query, as endpoints may (RFC 6749, 3.1). */
const endpoint = webUrl(/#/, "");

const base = webUrl(/[?#]/, ", query");

/** RFC 6749, 3.3; OpenID Connect Core 3.1.2.1 requires `openid`. */
const scopes: Validator<string[]> = (value, field) => [
  ...new Set(
    validator<string[]>(
      'an array of scope names (RFC 6749, 3.3), or a string with spaces between, with "openid"',
      (names) =>
        isListOf(names, (name) => isText(name) && /^[!#-[\]-~]+$/.test(name)) &&
        names.includes("openid"),
    )(typeof value === "string" ? value.split(" ").filter(Boolean) : value, field),
  ),
];

/** One text or several, joined by spaces. */
const spaceSeparated: Validator<string> = (value, field) =>
  validator<string[]>(
    "a string that isn't empty, or an array of such",
    (texts) => isListOf(texts, isText) && texts.length,
  )([value].flat(), field).join(" ");

/** JSON text; what JSON would lose without a word is refused (RFC 8259). */
const json: Validator<string> = (value, field) => {
  let written: unknown;
  try {
    written = JSON.stringify(value, (_, member) => {
      const lost = [Number.NaN, Infinity, -Infinity].includes(member);
      if (lost || /function|symbol/.test(typeof member)) throw new TypeError();
      return member;
    });
  } catch {}
  return validator<string>("JSON: no functions, symbols, BigInts, NaN, infinities, cycles", isText)(
    written,
    field,
  );
};

const normalizeName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * Whether `name` may have been meant to be `known`: one begins the other, or no more than two neighboring characters of
 * them differ. If other names are allowed, `known` may begin them.
 */
function isLikelyTypo(name: string, known: string, isOpen: boolean): boolean {
  const [a, b] = [normalizeName(name), normalizeName(known)];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const { length } = a.length > b.length ? a : b;
  const begins = start === a.length || (start === b.length && !isOpen);
  return length - start - end < 3 || (start > 2 && begins);
}

/**
 * The members of an object, each read by its own reader; `path` is put before their names in errors. In one that `isOpen`
 * other members are passed over.
 */
const objectOf =
  <T extends object>(readers: Validators<T>, defaults: object = {}, isOpen = false) =>
  (value: unknown, field: string, path = `${field}.`): T => {
    // Without a prototype: a member of a polluted `Object.prototype` is not a field.
    const read: Record<string, unknown> = { __proto__: null, ...defaults };
    for (const [name, member] of Object.entries(object(value, field))) {
      if (member === undefined) continue;
      if (!Object.hasOwn(readers, name)) {
        const meant = Object.keys(readers).find((known) => isLikelyTypo(name, known, isOpen));
        if (isOpen && !meant) continue;
        throw invalid(
          JSON.stringify(path + name.slice(0, 40)),
          `is not a field of ${field}.${meant ? ` Did you mean ${meant}?` : ""}`,
        );
      }
      read[name] = member;
    }
    for (const name of Object.keys(read)) {
      read[name] = readers[name as keyof T](read[name], path + name);
    }
    return read as T;
  };

/** Nothing named like a secret, however spelled and however deep. The value is never looked at. */
function refuseSecrets(value: unknown, depth = 0): void {
  if (typeof value !== "object" || depth > 5) return;
  for (const [name, member] of Object.entries(value ?? {})) {
    if (normalizeName(name).includes("secret")) {
      throw invalid(
        "clientSecret",
        "doesn't belong in a browser: give it to your server's gateway (classlink-spa/gateway), and replace it if it was published.",
      );
    }
    refuseSecrets(member, depth + 1);
  }
}

/**
 * Validates a configuration and fills in the defaults.
 *
 * @throws {@link ClassLinkError} `config_invalid`.
 */
export function readConfig(config: unknown): ResolvedConfig {
  try {
    refuseSecrets(config);
  } catch (cause) {
    throw unreadable(cause);
  }
  const { messages, navigate, onEvent, onUserChange, wasmUrl, session, gateway, ...core } =
    objectOf<Omit<CoreConfig, keyof SessionLimits> & { session: SessionLimits } & PageSettings>(
      {
        clientId: validator(
          "the client id from ClassLink's developer portal, without line breaks",
          (value) => isText(value) && !/\p{Cc}/u.test(value),
        ),
        redirectUri: endpoint,
        scope: scopes,
        issuer: base,
        metadata: objectOf(
          {
            authorization_endpoint: endpoint,
            token_endpoint: endpoint,
            jwks_uri: endpoint,
            userinfo_endpoint: endpoint,
            my_info_endpoint: endpoint,
            end_session_endpoint: endpoint,
            revocation_endpoint: endpoint,
            id_token_signing_alg_values_supported: validator(
              'an array of names such as "RS256"',
              (value) => isListOf(value, isText),
            ),
            authorization_response_iss_parameter_supported: validator(
              "true or false",
              (value) => typeof value === "boolean",
            ),
          },
          {},
          true,
        ),
        profile: oneOf("id-token", "userinfo", "my-info"),
        allowedTenants: (value, field) =>
          validator<unknown[]>(
            "an array of tenant ids (strings or whole numbers), not an empty one; leave it out to allow all",
            (ids) => isListOf(ids, (id) => isText(id) || Number.isSafeInteger(id)) && ids.length,
          )(value, field).map(String),
        launch: oneOf("restart", "reject"),
        gateway: (value, field) =>
          validator<string>("a path that begins with a slash, or an absolute https URL", (given) =>
            isWebUrl(
              typeof given === "string" && /^\/(?![/\\])/.test(given) ? `https://a${given}` : given,
              /[?#]/,
            ),
          )(value, field),
        session: objectOf<SessionLimits>(
          {
            restore: oneOf("gateway", "iframe", "redirect", "none"),
            idleTimeout: limit,
            maxAge: limit,
          },
          { idleTimeout: 1800, maxAge: 28_800 },
        ),
        apiOrigins: (value, field) =>
          validator<string[]>(
            "an array of origins such as https://api.example (https, or http on localhost), without paths or wildcards",
            (origins) => isListOf(origins, (origin) => isWebUrl(origin, /[?#*]|[^/:]\/./)),
          )(value, field).map((origin) => new URL(origin).origin),
        clockTolerance: integer("seconds", 0, 600),
        timeout: integer("milliseconds", 100, 300_000),
        messages: (value, field) =>
          typeof value === "function"
            ? (value as () => string)
            : objectOf<Record<string, string>>(
                Object.fromEntries(Object.keys(ENGLISH).map((code) => [code, text])),
              )(value, field),
        navigate: callable,
        onEvent: callable,
        onUserChange: callable,
        basePath: (value, field) =>
          validator<string>(
            'a path as in the address bar, with a slash at both ends, such as "/reading/"',
            (given) =>
              isText(given) &&
              /^\/([^/\\].*)?$/.test(given) &&
              given.endsWith("/") &&
              new URL(`https://a${given}`).pathname === given,
          )(value, field),
        wasmUrl: validator(
          "a string that isn't empty, or a URL",
          (value) => isText(value) || value instanceof URL,
        ),
      },
      {
        // These two have no default: what is empty is refused.
        clientId: "",
        redirectUri: "",
        scope: ["openid", "profile"],
        issuer: "https://launchpad.classlink.com",
        metadata: {},
        profile: "id-token",
        launch: "restart",
        basePath: "/",
        session: {},
        apiOrigins: [],
        clockTolerance: 60,
        timeout: 10_000,
      },
    )(config, "the configuration", "");

  const { origin } = new URL(core.redirectUri);
  const page = globalThis.location;
  if (page && globalThis.isSecureContext !== false && origin !== page.origin) {
    throw invalid("redirectUri", "must be on the page's own origin.");
  }
  // Only a page's own origin may be left out of it; a server render has no page to ask.
  const absolute = gateway && { gateway: new URL(gateway, origin).href.replace(/\/$/, "") };
  const { restore = gateway ? "gateway" : "none", ...limits } = session;
  if (restore === "gateway" && !gateway) {
    throw invalid("session.restore", 'can be "gateway" only if `gateway` says which.');
  }
  return {
    core: { ...core, ...absolute, restore, ...limits },
    ...{ messages, navigate, onEvent, onUserChange, wasmUrl },
  };
}

/** Parameters that are the protocol's own, or have a field of their own. */
const PROTOCOL =
  /^(response_(type|mode)|client_(id|assertion(_type)?)|redirect_uri|scope|state|nonce|code(_challenge(_method)?|_verifier)?|prompt|login_hint|id_token_hint|max_age|ui_locales|acr_values|claims|request(_uri)?|registration|grant_type|error(_description|_uri)?|iss)$|secret/i;

const extraParams: Validator<[string, string][]> = (value, field) =>
  Object.entries(object(value, field)).map(([name, member]) => {
    const param = `${field}.${name.slice(0, 40)}`;
    if (!name || PROTOCOL.test(name)) {
      throw invalid(param, "is the protocol's own parameter: use the field made for it.");
    }
    return [
      name,
      validator<string>("a string", (given) => typeof given === "string")(member, param),
    ];
  });

const givenAnEvent = (method: string) =>
  invalid(method, `was given an event: write onClick={() => ${method}()}.`);

/** The validated options of `startLogin`. */
export interface ReadLoginOptions {
  readonly core: CoreLoginOptions;
  /** In a popup: the window given, `null` if it was blocked, absent if the client opens one. */
  readonly popup?: { readonly window: Window | null | undefined };
}

/**
 * Validates the options of `startLogin`. Whether `returnTo` is of this origin is decided in the WebAssembly.
 *
 * @throws {@link ClassLinkError} `config_invalid`.
 */
export function readLoginOptions(options: unknown = {}): ReadLoginOptions {
  if (isObject(options) && "preventDefault" in options) throw givenAnEvent("startLogin");
  const { mode, popup, ...read } = objectOf<
    CoreLoginOptions & { mode?: "redirect" | "popup"; popup?: Window | null }
  >({
    returnTo: text,
    appState: json,
    scope: scopes,
    prompt: text,
    loginHint: text,
    // The WebAssembly keeps it in 32 bits.
    maxAge: integer("seconds", 0, 2 ** 32 - 1),
    uiLocales: spaceSeparated,
    acrValues: spaceSeparated,
    district: text,
    mode: oneOf("redirect", "popup"),
    popup: validator(
      "a window",
      (value) => value === null || typeof (value as Window).closed === "boolean",
    ),
    extraParams,
  })(options, "startLogin's options", "");
  if (popup !== undefined && mode !== "popup") {
    throw invalid("popup", 'can be given only with mode: "popup".');
  }
  return { core: read, ...(mode === "popup" && { popup: { window: popup } }) };
}

/** Validates the options of `getAccessToken`, and returns the seconds. */
export function readMinValidity(options: unknown = {}): number {
  return objectOf<Required<AccessTokenOptions>>(
    { minValidity: integer("seconds", 0, 86_400) },
    { minValidity: 30 },
  )(options, "getAccessToken's options", "").minValidity;
}

/** Validates the options of `logout`, and returns the URL to go to. */
export function readLogoutOptions(options: unknown = {}): string | undefined {
  if (isObject(options) && "preventDefault" in options) throw givenAnEvent("logout");
  return objectOf<LogoutOptions>({
    postLogoutRedirectUri: endpoint as Validator<string | undefined>,
  })(options, "logout's options", "").postLogoutRedirectUri;
}
