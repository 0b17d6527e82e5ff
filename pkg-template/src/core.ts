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
  LogoutResult,
  Snapshot,
} from "./types.js";

/** What the WebAssembly knows of an error; {@link Host.error} makes the error that the application sees. */
export interface ErrorDetails {
  code: ClassLinkErrorCode;
  message: string;
  retryable: boolean;
  supportCode?: string;
  reason?: ClassLinkErrorReason;
  status?: number;
  clockOffset?: number;
  providerError?: { error: string; description?: string; uri?: string };
  returnTo?: string;
  appState?: unknown;
}

/** What the WebAssembly asks of the page, beyond the web platform. No method throws. */
export interface Host {
  /** The validated configuration for a district as JSON ({@link CoreConfig}); rejects with a `ClassLinkError`. */
  config(district: string | undefined): Promise<string>;
  /** Makes the application's error. */
  error(details: ErrorDetails, cause: unknown): ClassLinkError;
  /** Takes a new state. */
  publish(snapshot: Snapshot): void;
  /** Tells `onEvent`. */
  event(event: ClassLinkEvent): void;
  /** Leaves for a URL, as the application wants it done; rejects when the application's own function fails. */
  navigate(url: string): Promise<void>;
  /** Drives a call of the WebAssembly to its end, which the promise tells of. */
  run(task: Task): Promise<unknown>;
  /** Eight characters that name a new sign-in attempt. */
  supportCode(): string;
  /**
   * Goes for an authorization request in a popup, or in a hidden frame where there is none; answers with the callback
   * URL, or `undefined` where the frame stays silent. Rejects with `popup_closed`.
   */
  aside(url: string, state: string, popup: Window | undefined): Promise<string | undefined>;
  /** Offers a callback to the page that opened this one; answers with whether that was waiting for it. */
  handOver(url: string, state: string): Promise<boolean>;
  /** Takes the lock of the registration's tabs; answers with what releases it, where there are locks. */
  lock(): Promise<(() => void) | undefined>;
  /** Calls {@link Core.wake} after so many milliseconds; a later call takes the place of an earlier one. */
  schedule(milliseconds: number): void;
  /** Joins the tabs of a registration. */
  join(channel: string): void;
  /** Tells the other tabs: {@link Core.hear}. */
  post(kind: string, person: string | undefined): void;
  /** Takes `state` out of the page's URL, where it is this one; answers with whether it was. */
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

/** One client inside the WebAssembly. Promises reject with a `ClassLinkError` from {@link Host.error}. */
export interface Core {
  startLogin(optionsJson: string): Promise<void>;
  startPopupLogin(optionsJson: string, popup: Window): Promise<unknown>;
  /** `url` is absolute. */
  handleCallback(url: string): Promise<unknown>;
  /** Whether the last callback failed before anything was consumed, so that the same URL may be tried again. */
  readonly callbackRetryable: boolean;
  /** `url` is absolute. */
  handleLaunch(url: string): Promise<void>;
  getUser(): Promise<unknown>;
  restoreSession(mayLeave: boolean): Promise<unknown>;
  accessToken(minValidity: number): Promise<string>;
  /** The token for a request to `origin`; `refused` is one that it has answered with a 401. */
  accessTokenFor(origin: string, refused: string | undefined): Promise<string>;
  idToken(): Promise<string>;
  logout(postLogoutRedirectUri: string | undefined): Promise<LogoutResult>;
  /** What is known of an issuer's metadata without asking, as JSON. */
  knownMetadata(issuer: string): string;
  /** To be called when the time that was scheduled has come, and when the page wakes. */
  wake(): void;
  /** Somebody is there; answers with whether anybody is signed in. */
  beActive(): boolean;
  /**
   * Hears what another tab posted; `about` is the person or the time of it. Answers with whether the session is to be
   * looked for anew.
   */
  hear(kind: string, about: string | undefined): boolean;
  /** To be called when the page may go into the back/forward cache. */
  freeze(): void;
  /** To be called when it comes back from there; answers with whether the session is to be looked for anew. */
  comeBack(): boolean;
  /** Forgets everything. */
  close(): void;
}

/** What the generated module `wasm/classlink_spa.js` exports, by names of our own. */
export interface Glue {
  /** Compiles and starts the module from a response or its bytes. */
  start(source: Response | BufferSource): Promise<void>;
  Core: new (host: Host) => Core;
  /** Must be called after each start: says what hears of a panic, while its stack still stands. */
  setPanicListener(listener: () => void): void;
  /** Starts a fresh instance of the compiled module; every object of the one before is dead. */
  reset(): void;
}
