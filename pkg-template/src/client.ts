/**
 * The client that an application holds: it loads the WebAssembly at first need, keeps the snapshot, and sees that
 * every call ends.
 *
 * @packageDocumentation
 */

import { type Asides, createAsides, openPopup } from "./aside.js";
import { captureCallback, stripCallback, stripState } from "./callback-url.js";
import {
  invalid,
  type ReadLoginOptions,
  readConfig,
  readLoginOptions,
  readLogoutOptions,
  readMinValidity,
  type Settings,
} from "./config.js";
import type { Core, Glue, Host } from "./core.js";
import { ClassLinkError, isClassLinkError, newSupportCode } from "./errors.js";
import { fetchWithToken } from "./fetch.js";
import { broken, type Runtime } from "./loader.js";
import { localize } from "./messages.js";
import { createPresence, type Presence } from "./presence.js";
import { run } from "./task.js";
import type {
  AccessTokenOptions,
  ClassLinkClient,
  ClassLinkConfig,
  ClassLinkEvent,
  Diagnosis,
  DistrictConfig,
  HandedOver,
  LogoutOptions,
  LogoutResult,
  Redirecting,
  SignedIn,
  Snapshot,
  User,
} from "./types.js";

/** Makes a client. Touches no browser global and starts nothing. */
export type CreateClient = <AppState = unknown, Claims = Record<string, unknown>>(
  config: ClassLinkConfig | DistrictConfig,
) => ClassLinkClient<AppState, Claims>;

type Result = SignedIn | Redirecting | HandedOver;

/** One handling of one answer; `again` once it has failed in a way that lets the same URL be tried again. */
interface Handling {
  readonly url: string;
  promise: Promise<Result>;
  again: boolean;
  signedIn?: boolean;
}

interface CallOptions {
  /** Its failure is a failed login. */
  readonly login?: boolean;
  /** Its failure leaves the snapshot alone. */
  readonly quiet?: boolean;
  /** What must be done before the WebAssembly is there. */
  readonly prepare?: () => Promise<void>;
}

/** A call under way, and how to end it. */
interface Call {
  readonly login: boolean;
  fail(error: ClassLinkError): void;
}

const blank = (status: Snapshot["status"]): Snapshot =>
  Object.freeze({ status, user: null, scope: Object.freeze([]), error: null });

/** Before anything is known, and always on a server. */
const LOADING = blank("loading");
const SIGNED_OUT = blank("signed-out");

const hasPage = (): boolean => typeof window !== "undefined" && typeof document !== "undefined";

function requireBrowser(): void {
  const why = !hasPage()
    ? "on a server only getSnapshot and subscribe work"
    : globalThis.isSecureContext === false
      ? "this page isn't a secure context; serve it by https, or from localhost"
      : !globalThis.crypto?.subtle && "this one has no Web Crypto (crypto.subtle)";
  if (why) {
    throw new ClassLinkError({
      code: "environment_unsupported",
      message: `Signing in needs a browser's secure page: ${why}.`,
    });
  }
}

function deepFreeze<T>(value: T): T {
  // What isn't an object counts as frozen.
  if (!Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value as object)) deepFreeze(member);
  }
  return value;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Runs the application's own function as the platform runs listeners: what it throws is reported, and stops nothing. */
function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    // Node, which has pages under test runners, has no reportError.
    (globalThis.reportError ?? console.error)(error);
  }
}

/** `createClient` over one runtime. */
export function clientFactory(runtime: Runtime): CreateClient {
  return ((config: ClassLinkConfig | DistrictConfig) =>
    createClient(runtime, config)) as CreateClient;
}

function createClient(runtime: Runtime, config: ClassLinkConfig | DistrictConfig): ClassLinkClient {
  /** The latest configuration; none yet where it is a function that hasn't been asked. */
  let settings = typeof config === "function" ? undefined : readConfig(config);
  /** What the function answered just before the core was there to ask it. */
  let early: { district: string | undefined; settings: Settings } | undefined;
  let snapshot = LOADING;
  let coming: Promise<Core> | undefined;
  let core: Core | undefined;
  let presence: Presence | undefined;
  let asides: Asides | undefined;
  let handling: Handling | undefined;
  let restored = false;
  let closed = false;
  /** Counts the cores of this client: what a dropped one still says is not heard. */
  let generation = 0;
  const listeners = new Set<{ readonly listener: () => void }>();
  const outstanding = new Set<Call>();

  const localized = (error: unknown): ClassLinkError =>
    localize(isClassLinkError(error) ? error : broken(error), settings?.messages);

  const refuse = (error: unknown): Promise<never> => Promise.reject(localized(error));

  const closedError = (): ClassLinkError =>
    new ClassLinkError({
      code: "client_closed",
      message: "This client was closed. Create a new one.",
    });

  /** The user as the snapshot has it, where it is the same. */
  function keep<T extends User | null>(user: T): T {
    return same(user, snapshot.user) ? (snapshot.user as T) : deepFreeze(user);
  }

  function publish({ status, user, scope, error }: Snapshot): void {
    const next = {
      status,
      user: keep(user),
      scope: same(scope, snapshot.scope) ? snapshot.scope : Object.freeze([...scope]),
      error,
    };
    if (Object.entries(next).every(([key, value]) => value === snapshot[key as keyof Snapshot])) {
      return;
    }
    // Whoever comes next must not be answered with the sign-in of the person before.
    if (!user && status !== "signing-in" && handling?.signedIn) handling = undefined;
    snapshot = Object.freeze(next);
    for (const { listener } of [...listeners]) guarded(listener);
  }

  function emit(event: ClassLinkEvent): void {
    guarded(() => settings?.onEvent?.(Object.freeze(event)));
  }

  function emitFailure({ supportCode, code, reason }: ClassLinkError): void {
    emit({ type: "login.failed", at: Date.now(), supportCode, code, ...(reason && { reason }) });
  }

  /** The configuration for a district: the function is asked, and its answer validated, each time. */
  async function configure(district: string | undefined): Promise<Settings> {
    if (typeof config === "function") {
      try {
        settings = readConfig(await config(district));
      } catch (cause) {
        const why = isClassLinkError(cause) ? `answered a mistake: ${cause.message}` : "failed.";
        throw invalid("The district function", why, cause);
      }
    }
    return settings as Settings;
  }

  async function configureEarly(district: string | undefined): Promise<void> {
    early = { district, settings: await configure(district) };
  }

  /** Where the function demands a district, the core will ask it again once it knows which. */
  async function load(): Promise<Glue> {
    if (!settings) await configureEarly(undefined).catch(() => {});
    return runtime.load(settings?.wasmUrl, settings?.core.timeout);
  }

  /** Looks for the session anew, where this page must not be left for it. What comes of it is in the snapshot. */
  function restoreQuietly(): void {
    call((instance) => instance.restoreSession(false), { quiet: true }).catch(() => {});
  }

  /** What the page does by itself while there is a core. */
  function startPresence(): Presence {
    return createPresence({
      wake: () => core?.wake(),
      active: stayActive,
      hear(message) {
        const { kind, person, at } = message;
        if (!asides?.hear(message) && core?.hear(kind, person ?? at)) restoreQuietly();
      },
      freeze: () => core?.freeze(),
      comeBack() {
        if (core?.comeBack()) restoreQuietly();
      },
    });
  }

  function endPresence(): void {
    presence?.close();
    asides?.close();
    presence = asides = undefined;
  }

  function stayActive(): void {
    if (core?.beActive()) presence?.post({ kind: "active", at: `${Math.ceil(Date.now() / 1000)}` });
  }

  /** What this client gives to the core of this generation. */
  function createHost(presence: Presence, asides: Asides): Host {
    const own = generation;
    return {
      async config(district) {
        const ready = early;
        early = undefined;
        try {
          const { core } =
            ready?.district === district && ready ? ready.settings : await configure(district);
          return JSON.stringify(core);
        } catch (error) {
          throw localized(error);
        }
      },
      error: (details, cause) => localized(new ClassLinkError({ ...details, cause })),
      publish(next) {
        if (own === generation) publish(next);
      },
      event(event) {
        if (own === generation) emit(event);
      },
      async navigate(url) {
        if (own !== generation) throw closedError();
        try {
          if (settings?.navigate) await settings.navigate(url);
          else location.assign(url);
        } catch (cause) {
          throw localized(invalid("navigate", "failed: see the cause.", cause));
        }
      },
      run,
      supportCode: newSupportCode,
      aside: (url, state, popup) =>
        asides.go(url, state, popup, settings?.core.timeout ?? 0).catch((error) => {
          throw localized(error);
        }),
      handOver: asides.handOver,
      lock: presence.lock,
      schedule: presence.schedule,
      join: presence.join,
      post: (kind, person) => presence.post({ kind, person }),
      stripState,
    };
  }

  function getCore(): Promise<Core> {
    if (!coming) {
      const own = generation;
      runtime.clients.add(dropCore);
      const attempt = load().then(({ Core }) => {
        if (own !== generation) throw closed ? closedError() : broken();
        presence = startPresence();
        asides = createAsides(presence.post);
        core = new Core(createHost(presence, asides));
        return core;
      });
      attempt.catch(() => {
        if (coming === attempt) coming = undefined;
      });
      coming = attempt;
    }
    return coming;
  }

  /** Hears of a panic: whoever was signed in no longer is, and the next call makes a new core. */
  function dropCore(panic: ClassLinkError): void {
    generation++;
    endPresence();
    coming = core = undefined;
    const error = localized(panic);
    const calls = [...outstanding];
    if (calls.some(({ login }) => login)) emitFailure(error);
    for (const call of calls) call.fail(error);
    publish(SIGNED_OUT);
  }

  /**
   * One call that ends for certain: `close` and a panic end it too. `prepare` goes before the WebAssembly; what fails
   * until that is there is told here, for the core can't.
   */
  function call<T>(
    use: (core: Core) => T | Promise<T>,
    { login = false, quiet = false, prepare }: CallOptions = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Call = {
        login,
        fail(error) {
          outstanding.delete(entry);
          reject(error);
        },
      };
      const run = async (): Promise<T> => {
        if (!outstanding.has(entry)) throw closedError();
        let instance: Core;
        try {
          requireBrowser();
          await prepare?.();
          instance = await getCore();
        } catch (cause) {
          const error = localized(cause);
          if (outstanding.has(entry)) {
            if (login) emitFailure(error);
            if (!quiet && hasPage() && !snapshot.user) {
              publish({ status: "error", user: null, scope: [], error });
            }
            entry.fail(error);
          }
          throw error;
        }
        // Ended meanwhile: nothing more is begun.
        if (!outstanding.has(entry)) throw closedError();
        return use(instance);
      };
      if (closed) return reject(localized(closedError()));
      outstanding.add(entry);
      Promise.resolve()
        .then(run)
        .then(resolve, (error) => {
          // A panic has ended this call already: the rejection is for nothing then.
          queueMicrotask(() => reject(localized(error)));
        })
        .finally(() => queueMicrotask(() => outstanding.delete(entry)));
    });
  }

  function startLogin(options?: unknown): Promise<unknown> {
    let read: ReadLoginOptions;
    let popup: Window | undefined;
    try {
      read = readLoginOptions(options);
      // At once, while the click that asked for it still counts.
      if (read.popup && !closed && hasPage()) popup = openPopup(read.popup.window);
    } catch (error) {
      return refuse(error);
    }
    handling = undefined;
    const { core } = read;
    const prepare = () => configureEarly(core.district);
    if (!popup) {
      return call((instance) => instance.startLogin(JSON.stringify(core)), {
        login: true,
        prepare,
      });
    }
    const window = popup;
    const signedIn = call(
      (instance) => instance.startPopupLogin(JSON.stringify(core), window) as Promise<SignedIn>,
      { login: true, prepare },
    );
    return signedIn.then(frozen, (error) => {
      window.close();
      throw error;
    });
  }

  /** A result, with the user as the snapshot has it. */
  const frozen = <T extends Result>(result: T): T =>
    Object.freeze("user" in result ? { ...result, user: keep(result.user) } : result);

  function handleCallback(url?: string | URL): Promise<Result> {
    // Without a page there is nothing to look at; the call says so.
    if (closed || !hasPage()) return call(() => Promise.reject(), { login: true });
    const page = location.href;
    let given = page;
    try {
      if (url !== undefined) given = new URL(url, page).href;
    } catch (cause) {
      return refuse(invalid("handleCallback", "was given what isn't a URL.", cause));
    }
    // The page's own URL, given once it has been stripped, asks for the answer that was there.
    const answer =
      given === page
        ? (captureCallback() ?? handling?.url)
        : stripCallback(given) === null
          ? undefined
          : given;
    if (answer === undefined) {
      return refuse(
        new ClassLinkError({
          code: "not_a_callback",
          message:
            "The URL's query has neither code nor error. Call handleCallback on the page of redirectUri alone.",
        }),
      );
    }
    if (handling?.url === answer && !handling.again) return handling.promise;
    const current = { url: answer, again: false } as Handling;
    handling = current;
    let used: Core | undefined;
    const finished = call(
      (instance) => {
        used = instance;
        return instance.handleCallback(answer) as Promise<Result>;
      },
      { login: true },
    );
    current.promise = finished.then(
      (result) => {
        current.signedIn = result.status === "signed-in";
        return frozen(result);
      },
      (error) => {
        // What ended otherwise than by this core's answer didn't use the code up.
        current.again = !used || used !== core || used.callbackRetryable;
        throw error;
      },
    );
    return current.promise;
  }

  const getUser = (): Promise<User | null> =>
    call(async (instance) => keep((await instance.getUser()) as User | null));

  const restoreSession = (): Promise<User | null> =>
    call(async (instance) => keep((await instance.restoreSession(true)) as User | null));

  /** `prepare`, and what it throws as a rejection. */
  const attempt = <T>(prepare: () => Promise<T>): Promise<T> => {
    try {
      return prepare();
    } catch (error) {
      return refuse(error);
    }
  };

  const getAccessToken = (options?: AccessTokenOptions): Promise<string> =>
    attempt(() => {
      const minValidity = readMinValidity(options);
      return call((instance) => instance.accessToken(minValidity));
    });

  const logout = (options?: LogoutOptions): Promise<LogoutResult> =>
    attempt(() => {
      const url = readLogoutOptions(options);
      return call(async (instance) => Object.freeze(await instance.logout(url)));
    });

  /** In a file of its own, since hardly anybody asks. */
  async function diagnose(): Promise<Diagnosis> {
    if (closed) throw localized(closedError());
    if (!hasPage()) return call(() => Promise.reject());
    const late = new Promise<never>((_, reject) => {
      setTimeout(reject, settings?.core.timeout ?? 10_000);
    });
    return Promise.race([import("./diagnosis.js"), late])
      .then((module) =>
        module.diagnose({
          config: async () => (await configure(undefined)).core,
          known: (issuer) =>
            call((instance) => JSON.parse(instance.knownMetadata(issuer)), { quiet: true }),
        }),
      )
      .catch((cause) => {
        // It never rejects itself. Some browsers don't ask again for a script that a page has failed to get.
        const message = "diagnosis.js couldn't be loaded: reload the page and try again.";
        throw localized(new ClassLinkError({ code: "network", message, cause }));
      });
  }

  const authorizedFetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    fetchWithToken(
      (origin, refused) => call((instance) => instance.accessTokenFor(origin, refused)),
      input,
      init,
    ).catch((error) => {
      throw isClassLinkError(error) ? localized(error) : error;
    });

  const handleLaunch = (url?: string | URL): Promise<void> =>
    attempt(() => {
      let target = "";
      if (hasPage()) {
        try {
          target = new URL(url ?? location.href, location.href).href;
        } catch (cause) {
          throw invalid("handleLaunch", "was given what isn't a URL.", cause);
        }
      }
      handling = undefined;
      return call((instance) => instance.handleLaunch(target), { login: true });
    });

  function subscribe(listener: () => void): () => void {
    const entry = { listener };
    if (!closed) listeners.add(entry);
    if (!restored && hasPage()) {
      restored = true;
      // After a handleCallback of the same moment, which it then waits for; what fails is in the snapshot.
      queueMicrotask(() => getUser().catch(() => {}));
    }
    return () => {
      listeners.delete(entry);
    };
  }

  function close(): void {
    if (closed) return;
    closed = true;
    generation++;
    runtime.clients.delete(dropCore);
    try {
      core?.close();
    } catch {
      // A panic, which the runtime has heard of.
    }
    endPresence();
    coming = core = handling = undefined;
    for (const call of [...outstanding]) call.fail(localized(closedError()));
    publish(SIGNED_OUT);
    listeners.clear();
  }

  return Object.freeze({
    startLogin,
    handleCallback,
    getUser,
    getAccessToken,
    getIdToken: () => call((instance) => instance.idToken()),
    fetch: authorizedFetch,
    restoreSession,
    handleLaunch,
    logout,
    getSnapshot: () => snapshot,
    subscribe,
    stayActive,
    diagnose,
    preload: () => call(() => {}, { quiet: true }),
    close,
    // Safari has no Symbol.dispose yet.
    ...(Symbol.dispose && { [Symbol.dispose]: close }),
  }) as ClassLinkClient;
}
