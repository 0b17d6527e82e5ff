/**
 * A client for an application's own tests: same interface, no WebAssembly, no network, no browser needed.
 *
 * ```ts
 * const client = createTestClient({ user: { givenName: "Ada", role: "teacher" } });
 * render(<ClassLinkProvider client={client}><App /></ClassLinkProvider>);
 *
 * client.signOut();
 * client.failNext("getAccessToken", "session_expired");
 * expect(client.calls.startLogin).toEqual([[{ returnTo: "/classes" }]]);
 * ```
 *
 * @packageDocumentation
 */

import { createSnapshotStore, deepFreeze, reportErrors } from "./client/snapshot-store.js";
import { type ClientInternals, INTERNALS } from "./client-internals.js";
import { ClassLinkError, type ClassLinkErrorInit } from "./errors.js";
import { setLoginMark } from "./login-mark.js";
import { applyMessages } from "./messages.js";
import type {
  AccessTokenOptions,
  ClassLinkClient,
  ClassLinkConfig,
  ClassLinkErrorCode,
  ClassLinkEvent,
  Diagnosis,
  HandedOver,
  LoginOptions,
  LogoutOptions,
  LogoutResult,
  PopupLoginOptions,
  Redirecting,
  SignedIn,
  Snapshot,
  Status,
  User,
} from "./types.js";

export { ClassLinkError, type ClassLinkErrorInit, isClassLinkError } from "./errors.js";

/**
 * An event by its type, or with more of it: `{ type: "session.expiring", durationMs: 30_000 }`. By default `at` is now, and
 * `session.expiring` comes a minute before the end.
 */
export type TestEvent =
  | ClassLinkEvent["type"]
  | (Omit<ClassLinkEvent, "at"> & Partial<Pick<ClassLinkEvent, "at">>);

/**
 * Some of a user's fields; the others get defaults, which make a fictional student. `undefined` leaves a field out, as
 * ClassLink does.
 */
export type TestUser<Claims = Record<string, unknown>> = {
  readonly [Field in keyof User<Claims>]?: User<Claims>[Field] | undefined;
};

/** An error by its code, or with more of it: `{ code: "id_token_invalid", reason: "nonce" }`. */
export type TestError = ClassLinkErrorCode | ClassLinkErrorInit;

/**
 * The result of `handleCallback`. Members that a `SignedIn` lacks come from the last `startLogin` and from defaults; an
 * error of that login has its `returnTo` and `appState`.
 */
export type TestCallback<AppState = unknown, Claims = Record<string, unknown>> =
  | {
      readonly user?: TestUser<Claims>;
      readonly returnTo?: string;
      readonly appState?: AppState;
      readonly district?: string;
    }
  | Redirecting
  | HandedOver
  | { readonly error: TestError };

/** How a test client begins, and what it answers. */
export interface TestClientOptions<AppState = unknown, Claims = Record<string, unknown>> {
  /** Who is signed in. Default: no user. */
  readonly user?: TestUser<Claims> | null;
  /** The scope that was granted. Default `["openid", "profile"]`. */
  readonly scope?: readonly string[];
  /** The status without a session. Default `"signed-out"`. */
  readonly status?: Exclude<Status, "signed-in" | "error">;
  /** An error to begin with; `status` is `"error"` then. */
  readonly error?: TestError;
  /**
   * Who signs in when `startLogin` is called: at once, with nothing to wait for. Default: no user, and after `startLogin` the
   * status is `"redirecting"`, as on a page that is about to be left. A popup always signs a user in.
   */
  readonly loginAs?: TestUser<Claims>;
  /** The result of `handleCallback`. Default: the student of `loginAs` has signed in. */
  readonly callback?: TestCallback<AppState, Claims>;
  /** The result of `getAccessToken`. Default `"test-access-token"`. */
  readonly accessToken?: string;
  /** The result of `getIdToken`. Default `"test-id-token"`. */
  readonly idToken?: string;
  /** In place of the network: gets what `fetch` was given, as it was given. Without it, `fetch` rejects. */
  readonly fetch?: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** The result of `logout`. Default: the session has ended, the provider's may remain. */
  readonly logoutResult?: Partial<LogoutResult>;
  /** The result of `diagnose`. Default: every check is `ok`. */
  readonly diagnosis?: Diagnosis;
  /** As in `createClient`'s configuration. */
  readonly messages?: ClassLinkConfig["messages"];
  /** As in `createClient`'s configuration. */
  readonly onUserChange?: ClassLinkConfig["onUserChange"];
  /** As in `createClient`'s configuration. */
  readonly basePath?: string;
  /** As in `createClient`'s configuration: called with what `emit` is given. */
  readonly onEvent?: ClassLinkConfig["onEvent"];
}

/** The arguments of each call, by method. */
export interface TestCalls<AppState = unknown> {
  startLogin: [options?: LoginOptions<AppState> | PopupLoginOptions<AppState>][];
  handleCallback: [url?: string | URL][];
  getUser: [][];
  getAccessToken: [options?: AccessTokenOptions][];
  getIdToken: [][];
  fetch: [input: RequestInfo | URL, init?: RequestInit][];
  restoreSession: [][];
  handleLaunch: [url?: string | URL][];
  logout: [options?: LogoutOptions][];
  stayActive: [][];
  diagnose: [][];
  preload: [][];
}

/** Methods whose failure is a failed login. */
const LOGINS: readonly (keyof TestCalls)[] = [
  "startLogin",
  "handleCallback",
  "handleLaunch",
  "restoreSession",
];

const METHODS: readonly (keyof TestCalls)[] = [
  ...LOGINS,
  ...(["getUser", "getAccessToken", "getIdToken", "fetch", "logout"] as const),
  ...(["stayActive", "diagnose", "preload"] as const),
];

/** The methods that a test can make fail. */
export type FailingMethod = Exclude<keyof TestCalls, "stayActive">;

/** A client that does what a test says. Unlike the real one it isn't frozen, so that methods can be spied on. */
export interface TestClient<AppState = unknown, Claims = Record<string, unknown>>
  extends ClassLinkClient<AppState, Claims> {
  /** Every call so far, by method: `client.calls.startLogin[0]` are the arguments of the first. */
  readonly calls: TestCalls<AppState>;
  /** Signs a user in. Returns the whole user. */
  readonly signIn: (user?: TestUser<Claims>, scope?: readonly string[]) => User<Claims>;
  /** Signs out, as when a session ends or another tab signs out. */
  readonly signOut: () => void;
  /** Puts the client into a state without a user. */
  readonly setStatus: (status: Exclude<Status, "signed-in" | "error">) => void;
  /** Puts the client into the state of an error. Returns the error. */
  readonly setError: (error: TestError) => ClassLinkError;
  /** Changes what `handleCallback` answers. */
  readonly setCallback: (callback: TestCallback<AppState, Claims>) => void;
  /**
   * Makes the method's next call reject, once; several wait in line. A login that fails (`startLogin`, `handleCallback`,
   * `handleLaunch`, `restoreSession`) puts the error into the state as well, unless a user is signed in;
   * `session_expired` always does. Returns the error.
   */
  readonly failNext: (method: FailingMethod, error: TestError) => ClassLinkError;
  /**
   * Emits an event, to `onEvent` and to components such as `SessionExpiring`. It changes nothing else: `signOut()` and
   * `setError("session_expired")` change the state.
   */
  readonly emit: (event: TestEvent) => void;
  /** Forgets the calls so far. */
  readonly clearCalls: () => void;
}

const ISSUER = "https://launchpad.classlink.com";

/** Codes of errors that may pass by themselves, as the client marks them. */
const RETRYABLE: ReadonlySet<ClassLinkErrorCode> = new Set<ClassLinkErrorCode>([
  "network",
  "timeout",
  "keys_unavailable",
  "server_error",
  "temporarily_unavailable",
]);

/** Failures that leave the state alone: no user tried to sign in. */
const QUIET: ReadonlySet<ClassLinkErrorCode> = new Set<ClassLinkErrorCode>([
  "not_a_callback",
  "config_invalid",
  "client_closed",
]);

/** Codes of failures at the callback that have no pending login. */
const WITHOUT_LOGIN: ReadonlySet<ClassLinkErrorCode> = new Set([...QUIET, "state_unknown"]);

const encode = (part: string, separator: string): string =>
  part
    .replaceAll("%", "%25")
    .replaceAll(separator, `%${separator.charCodeAt(0).toString(16).toUpperCase()}`);

/** The whole user, with the keys that follow from the fields given. */
function completeUser<Claims>(given: TestUser<Claims>): User<Claims> {
  const named = ["name", "givenName", "familyName"].some((field) => field in given);
  const fields = {
    sub: "1000001",
    ...(!named && { name: "Sam Student", givenName: "Sam", familyName: "Student" }),
    email: "sam.student@school.example",
    ...(!("role" in given) && { role: "student", roleName: "Student" }),
    tenant: { id: "2284", name: "Test District" },
    ...given,
  } as User;
  const { sub, tenant, sourcedId, name, email } = fields;
  const derived: Partial<User> = {
    id: `${ISSUER}|${encode(sub, "|")}`,
    ...(tenant && sourcedId && { rosterId: `${encode(tenant.id, "/")}/${encode(sourcedId, "/")}` }),
    claims: { iss: ISSUER, sub, ...(name && { name }), ...(email && { email }) },
  };
  const user = { ...derived, ...fields };
  // What JSON drops isn't there.
  return deepFreeze(JSON.parse(JSON.stringify(user)));
}

/** Whether this page has had a test client: another one begins as a new tab does. */
let hasCreated = false;

/** Makes a client for tests. It needs no page, and starts nothing. */
export function createTestClient<AppState = unknown, Claims = Record<string, unknown>>(
  options: TestClientOptions<AppState, Claims> = {},
): TestClient<AppState, Claims> {
  type Result = SignedIn<AppState, Claims> | Redirecting | HandedOver;

  if (hasCreated) setLoginMark(null);
  hasCreated = true;
  const failures = new Map<FailingMethod, ClassLinkError[]>();
  const calls = {} as TestCalls<AppState>;
  const listeners = new Set<(event: ClassLinkEvent) => void>();
  let callback = options.callback;
  let closed = false;

  const blank = (status: Status): Snapshot<Claims> =>
    Object.freeze({ status, user: null, scope: Object.freeze([]), error: null });

  const signedIn = (given: TestUser<Claims>, scope = options.scope): Snapshot<Claims> =>
    Object.freeze({
      status: "signed-in",
      user: completeUser(given),
      scope: Object.freeze([...(scope ?? ["openid", "profile"])]),
      error: null,
    });

  const failed = (error: ClassLinkError): Snapshot<Claims> =>
    Object.freeze({ ...blank("error"), error });

  /** The error of `asked`, if that is a login that failed, keeps where it was to lead. */
  const makeError = (
    given: TestError,
    asked?: LoginOptions<AppState> | PopupLoginOptions<AppState>,
  ): ClassLinkError => {
    const init = typeof given === "string" ? { code: given } : given;
    const { returnTo, appState } = (!WITHOUT_LOGIN.has(init.code) && asked) || {};
    const error = new ClassLinkError({
      ...(returnTo !== undefined && { returnTo }),
      ...(appState !== undefined && { appState }),
      message: `The test asked for this error (${init.code}).`,
      retryable: RETRYABLE.has(init.code),
      // The same in every run.
      supportCode: "TEST0000",
      ...init,
    });
    return applyMessages(error, options.messages);
  };

  const store = createSnapshotStore({
    onUserChange: options.onUserChange,
    initial: options.user
      ? signedIn(options.user)
      : options.error
        ? failed(makeError(options.error))
        : blank(options.status ?? "signed-out"),
  });
  const getSnapshot = () => store.get() as Snapshot<Claims>;
  const { publish } = store;

  /** Records a call, and fails if the test said so. */
  function begin<Method extends keyof TestCalls>(
    method: Method,
    ...given: TestCalls<AppState>[Method][number]
  ): void {
    // As it was called: a missing argument isn't one that is undefined.
    const args = [...given];
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    (calls[method] as unknown[][]).push(args);
    if (closed) throw makeError({ code: "client_closed", message: "This client was closed." });
    const error = failures.get(method as FailingMethod)?.shift();
    if (!error) return;
    fail(method, error);
  }

  function fail(method: keyof TestCalls, error: ClassLinkError): never {
    const login = LOGINS.includes(method) && !getSnapshot().user && !QUIET.has(error.code);
    if (login || error.code === "session_expired") publish(failed(error));
    throw error;
  }

  /** Waits for a sign-in or a restore that is under way. */
  async function settled(): Promise<User<Claims> | null> {
    while (/^(loading|signing-in)$/.test(getSnapshot().status)) {
      await new Promise<void>((resolve) => {
        const stop = subscribe(() => {
          stop();
          resolve();
        });
      });
    }
    if (closed) throw makeError({ code: "client_closed", message: "This client was closed." });
    return getSnapshot().user;
  }

  async function requireUser(): Promise<void> {
    if (await settled()) return;
    if (getSnapshot().error?.code === "session_expired") throw makeError("session_expired");
    throw makeError({
      code: "not_signed_in",
      message: "No user is signed in: call client.signIn().",
    });
  }

  const signIn = (user: TestUser<Claims> = {}, scope?: readonly string[]): User<Claims> => {
    publish(signedIn(user, scope));
    return getSnapshot().user as User<Claims>;
  };

  /** A completed sign-in: what was asked for, as the last `startLogin` said. */
  function complete(
    user: TestUser<Claims>,
    asked: LoginOptions<AppState> | PopupLoginOptions<AppState> = {},
  ): SignedIn<AppState, Claims> {
    const { returnTo = options.basePath ?? "/", appState, district } = asked;
    return Object.freeze({
      status: "signed-in",
      user: signIn(user),
      returnTo,
      ...(appState !== undefined && { appState }),
      ...(district !== undefined && { district }),
    });
  }

  const subscribe = (listener: () => void): (() => void) =>
    closed ? () => {} : store.subscribe(listener);

  function close(): void {
    if (closed) return;
    closed = true;
    publish(blank("signed-out"));
    store.removeListeners();
  }

  async function leave(asked?: LoginOptions<AppState>): Promise<void> {
    if (options.loginAs) complete(options.loginAs, asked);
    else publish(blank("redirecting"));
  }

  const clearCalls = (): void => {
    for (const method of METHODS) Object.assign(calls, { [method]: [] });
  };
  clearCalls();

  const client: TestClient<AppState, Claims> = {
    startLogin: (async (asked?: LoginOptions<AppState> | PopupLoginOptions<AppState>) => {
      begin("startLogin", asked);
      if (asked?.mode === "popup") return complete(options.loginAs ?? {}, asked);
      return leave(asked);
    }) as ClassLinkClient<AppState, Claims>["startLogin"],
    async handleCallback(url): Promise<Result> {
      begin("handleCallback", url);
      const given = callback ?? {};
      const asked = calls.startLogin.at(-1)?.[0];
      if ("error" in given) fail("handleCallback", makeError(given.error, asked));
      if ("status" in given) {
        if (given.status === "redirecting") publish(blank("redirecting"));
        return Object.freeze({ ...given });
      }
      const { user, ...rest } = given as Extract<
        TestCallback<AppState, Claims>,
        { returnTo?: string }
      >;
      return complete(user ?? options.loginAs ?? {}, {
        ...asked,
        ...rest,
      } as LoginOptions<AppState>);
    },
    async getUser() {
      begin("getUser");
      return settled();
    },
    async getAccessToken(asked) {
      begin("getAccessToken", asked);
      await requireUser();
      return options.accessToken ?? "test-access-token";
    },
    async getIdToken() {
      begin("getIdToken");
      await requireUser();
      return options.idToken ?? "test-id-token";
    },
    async fetch(input, init) {
      begin("fetch", input, init);
      await requireUser();
      if (options.fetch) return options.fetch(input, init);
      throw makeError({
        code: "config_invalid",
        message:
          'The test client has no network. Give it an answer: createTestClient({ fetch: async () => new Response("{}") }).',
      });
    },
    async restoreSession() {
      begin("restoreSession");
      return settled();
    },
    async handleLaunch(url) {
      begin("handleLaunch", url);
      return leave();
    },
    async logout(asked) {
      begin("logout", asked);
      setLoginMark("signed-out");
      publish(blank("signed-out"));
      return Object.freeze({
        sessionEnded: true,
        providerSessionMayRemain: true,
        ...options.logoutResult,
      });
    },
    getSnapshot,
    ...{
      [INTERNALS]: {
        basePath: () => options.basePath,
        onEvent(listener) {
          listeners.add(listener);
          return () => {
            listeners.delete(listener);
          };
        },
        localize: (error) => applyMessages(error, options.messages),
      } satisfies ClientInternals,
    },
    subscribe,
    stayActive() {
      if (!closed) begin("stayActive");
    },
    async diagnose() {
      begin("diagnose");
      return options.diagnosis ?? deepFreeze({ ok: true, checks: [] });
    },
    async preload() {
      begin("preload");
    },
    close,
    [Symbol.dispose ?? Symbol.for("classlink-spa.dispose")]: close,

    calls,
    signIn,
    signOut: () => publish(blank("signed-out")),
    setStatus: (status) => publish(blank(status)),
    setError(given) {
      const error = makeError(given);
      publish(failed(error));
      return error;
    },
    setCallback(given) {
      callback = given;
    },
    failNext(method, given) {
      const error = makeError(given);
      failures.set(method, [...(failures.get(method) ?? []), error]);
      return error;
    },
    emit(given) {
      const init = typeof given === "string" ? { type: given } : given;
      const event: ClassLinkEvent = Object.freeze({
        at: Date.now(),
        ...(init.type === "session.expiring" && { durationMs: 60_000 }),
        ...init,
      });
      for (const listener of [options.onEvent, ...listeners]) reportErrors(() => listener?.(event));
    },
    clearCalls,
  } as TestClient<AppState, Claims>;
  return client;
}
