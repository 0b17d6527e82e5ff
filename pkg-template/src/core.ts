/**
 * The seam between the package's scripts and its WebAssembly: what each side gives the other.
 * `src/bindings.rs` is the other half.
 */

import type { ClassLinkError } from "./errors.js";
import type {
  ClassLinkErrorCode,
  ClassLinkErrorReason,
  ClassLinkEvent,
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
  /** Eight characters that name a new sign-in attempt. */
  supportCode(): string;
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
  /** `url` is absolute. */
  handleCallback(url: string): Promise<unknown>;
  /** Whether the last callback failed before anything was consumed, so that the same URL may be tried again. */
  readonly callbackRetryable: boolean;
  getUser(): Promise<unknown>;
  /** To be called when the page comes back from the back/forward cache. */
  comeBack(): void;
  /** Forgets everything. */
  close(): void;
  free(): void;
}

/** What the generated module `wasm/classlink_spa.js` exports, by names of our own. */
export interface Glue {
  /** Compiles and starts the module from a response or its bytes. */
  init(options: { module_or_path: Response | BufferSource }): Promise<unknown>;
  Core: new (host: Host) => Core;
  /** Must be called after each start: says what hears of a panic, once, from inside the WebAssembly. */
  setPanicListener(listener: (message: string) => void): void;
  /** Starts a fresh instance of the compiled module; every object of the one before is dead. */
  reset(): void;
}
