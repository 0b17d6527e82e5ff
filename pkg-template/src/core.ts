/**
 * The seam between the package's scripts and its WebAssembly: what each side gives the other.
 * `src/bindings.rs` is the other half.
 */

import type { ClassLinkError } from "./errors.js";
import type { Task } from "./task.js";
import type {
  ClassLinkErrorCode,
  ClassLinkErrorReason,
  ClassLinkEvent,
  Snapshot,
  User,
} from "./types.js";

/** The page's functions for the WebAssembly, beyond the web platform. No method throws. */
export interface Host {
  /** The validated configuration for a district as JSON ({@link CoreConfig}); rejects with a `ClassLinkError`. */
  config(district: string | undefined): Promise<string>;
  /** Makes the application's error. `appState` is JSON. */
  error(
    code: ClassLinkErrorCode,
    message: string,
    retryable: boolean,
    supportCode: string,
    reason: ClassLinkErrorReason | undefined,
    status: number | undefined,
    clockOffset: number | undefined,
    providerError: string | undefined,
    providerDescription: string | undefined,
    providerUri: string | undefined,
    returnTo: string | undefined,
    appState: string | undefined,
    cause: unknown,
  ): ClassLinkError;
  /** Publishes a new state. */
  publish(
    status: Snapshot["status"],
    user: Snapshot["user"],
    scope: Snapshot["scope"],
    error: Snapshot["error"],
  ): void;
  /** Emits an event of this moment; the support code of an error has precedence. */
  emit(
    type: ClassLinkEvent["type"],
    supportCode: string,
    durationMs: number | undefined,
    error: ClassLinkError | undefined,
  ): void;
  /** Leaves for a URL, as the application wants it done; rejects when the application's own function fails. */
  navigate(url: string): Promise<void>;
  /** Runs a call of the WebAssembly; the promise settles with its result. */
  run(task: Task): Promise<unknown>;
  /** Returns eight characters that name a new sign-in attempt. */
  supportCode(): string;
  /**
   * Opens an authorization request in the popup of a call, or in a hidden iframe if it has none; resolves with the
   * callback URL, or with `undefined` if the iframe does not respond. Rejects with `popup_closed`, also when `cancelled`
   * aborts.
   */
  openChildWindow(
    url: string,
    state: string,
    call: number,
    cancelled: AbortSignal,
  ): Promise<string | undefined>;
  /** Offers a callback to the page that opened this one; resolves with whether that was waiting for it. */
  handOver(url: string, state: string): Promise<boolean>;
  /** Acquires the lock of this name; resolves with the function that releases it, or `undefined` without Web Locks. */
  lock(name: string): Promise<(() => void) | undefined>;
  /** Returns a signal that aborts after so many milliseconds or with `cancelled`, until `ended` aborts. */
  deadline(milliseconds: number, cancelled: AbortSignal, ended: AbortSignal): AbortSignal;
  /** Returns the text that a call was made with. */
  argument(call: number): string | undefined;
  /** Keeps what a call resolves with once {@link settlePrepared} is called. */
  prepareStatus(call: number, status: string): void;
  /** Keeps the sign-in that a call resolves with once {@link settlePrepared} is called; `appState` is JSON. */
  prepareSignIn(
    call: number,
    user: User,
    returnTo: string,
    appState: string | undefined,
    district: string | undefined,
  ): void;
  prepareSignOut(call: number, sessionEnded: boolean, providerSessionMayRemain: boolean): void;
  settlePrepared(call: number): void;
  resolve(call: number, value: unknown): void;
  /** Rejects a call; `isRetryable` says whether the same callback URL may be tried again. */
  reject(call: number, error: ClassLinkError, isRetryable: boolean): void;
  /** Notifies the core of {@link PageEvent.TimerFired} after so many milliseconds; a later call takes the place of an earlier one. */
  schedule(milliseconds: number): void;
  /** Joins the tabs of a registration. */
  join(channel: string): void;
  /**
   * Posts to the tabs of a registration, which the page joins; without a channel, to those of the one that it has joined
   * or joins next. `at` is NaN if it has no time.
   */
  post(
    channel: string | undefined,
    kind: string,
    session: string | undefined,
    user: string | undefined,
    at: number,
  ): void;
  /** Removes `state` from the page's URL if it has this value; returns whether it had. */
  stripState(state: string): boolean;
}

/** The configuration as it crosses over: validated, with every default filled in. */
export interface CoreConfig {
  clientId: string;
  redirectUri: string;
  scope: string[];
  issuer: string;
  metadata: Record<string, unknown>;
  profile: "id-token" | "userinfo" | "my-info";
  allowedTenants?: string[];
  launch: "restart" | "reject";
  /** Absolute, without a slash at its end. */
  gateway?: string;
  restore: "gateway" | "iframe" | "redirect" | "none";
  /** A path with a slash at both ends. */
  basePath: string;
  /** Seconds; absent for no limit. */
  idleTimeout?: number;
  /** Seconds; absent for no limit. */
  maxAge?: number;
  apiOrigins: string[];
  clockTolerance: number;
  timeout: number;
}

/** `startLogin`'s options as they cross over: validated; lists joined by spaces; `appState` as JSON text. */
export interface CoreLoginOptions {
  returnTo?: string;
  appState?: string;
  scope?: string[];
  prompt?: string;
  loginHint?: string;
  maxAge?: number;
  uiLocales?: string;
  acrValues?: string;
  district?: string;
  extraParams?: [string, string][];
}

/** The kinds of calls: the numbers of `Core::call` in `src/bindings.rs`. */
export enum CallKind {
  User,
  Restore,
  AccessToken,
  IdToken,
  Login,
  Launch,
  Popup,
  Callback,
  Logout,
}

/** The events of the page: the numbers of `Core::notify` in `src/bindings.rs`. */
export enum PageEvent {
  /** The scheduled time has come. */
  TimerFired,
  /** The page came into view or online. */
  Woke,
  Focused,
  /** The page went out of view. */
  Hidden,
  /** The page may go into the back/forward cache. */
  PageHide,
  /** The page is restored from there. */
  PageShow,
  Closed,
}

/** One client inside the WebAssembly. Calls are settled by {@link Host}. */
export interface Core {
  /** Makes a call, whose argument is {@link Host.argument}. */
  call(call: number, kind: CallKind, minValiditySecs: number): void;
  /** Requests the token for the origin that is the argument; `refused` is one that it rejected with a 401. */
  callForFetch(call: number, refused: string | undefined): void;
  /** Returns the built-in metadata of an issuer, as JSON. */
  knownMetadata(issuer: string): string;
  /** Passes an event of the page. */
  notify(event: PageEvent): void;
  /** Records that the user was active. */
  recordActivity(): void;
  /** Receives a message of another tab; `at` is NaN if it has no time. */
  receive(kind: string, session: string | undefined, user: string | undefined, at: number): void;
}

/** The exports of the generated module `wasm/classlink_spa.js`, by names of our own. */
export interface Glue {
  /** Compiles and starts the module from a response or its bytes. */
  start(source: Response | BufferSource): Promise<void>;
  Core: new (host: Host) => Core;
  /** Must be called after each start. The listener is called while the stack of a panic still stands. */
  setPanicListener(listener: () => void): void;
  /** Starts a new instance of the compiled module; every object of the previous one is dead. */
  reset(): void;
}
