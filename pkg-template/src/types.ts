/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The types of the public interface.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";
import type { ClassLinkErrorReason, ProviderMetadata, User } from "./shared-types.js";

export type { ClassLinkErrorReason, ProviderMetadata, User };

/** Every code a {@link ClassLinkError} can carry. Codes are stable: an application may branch on them. */
export type ClassLinkErrorCode =
  | "config_invalid"
  | "environment_unsupported"
  | "wasm_unavailable"
  | "storage_unavailable"
  | "client_closed"
  | "not_a_callback"
  | "state_unknown"
  | "launch_rejected"
  | "launch_loop"
  | "callback_malformed"
  | "issuer_mismatch"
  | "access_denied"
  | "login_required"
  | "interaction_required"
  | "consent_required"
  | "account_selection_required"
  | "unauthorized_client"
  | "unsupported_response_type"
  | "invalid_scope"
  | "invalid_request"
  | "invalid_redirect_uri"
  | "server_error"
  | "temporarily_unavailable"
  | "provider_error"
  | "network"
  | "timeout"
  | "provider_response_invalid"
  | "discovery_invalid"
  | "keys_unavailable"
  | "token_rejected"
  | "gateway_error"
  | "id_token_invalid"
  | "userinfo_rejected"
  | "user_mismatch"
  | "tenant_not_allowed"
  | "not_signed_in"
  | "session_expired"
  | "renewal_unavailable"
  | "origin_not_allowed"
  | "popup_blocked"
  | "popup_closed"
  | "internal";

/**
 * The provider's own words about an error (RFC 6749, 4.1.2.1 and 5.2). For a developer's eyes: it is not
 * enumerable on the error, and must not be shown to a user or sent to a log as it stands.
 */
export interface ProviderError {
  /** The `error` member, at most 100 characters. */
  readonly error: string;
  /** The `error_description` member, at most 500 characters. */
  readonly description?: string;
  /** The `error_uri` member, at most 500 characters. */
  readonly uri?: string;
}

/** The client's status. `"loading"` until it is known, and always on a server. */
export type Status =
  | "loading"
  | "signed-out"
  | "redirecting"
  | "signing-in"
  | "signed-in"
  | "error";

/** The client's state at one moment: frozen, and the same object for as long as nothing changes. */
export interface Snapshot<Claims = Record<string, unknown>> {
  readonly status: Status;
  /** The user signed in; `null` in every status but `"signed-in"`. */
  readonly user: User<Claims> | null;
  /** The scope that was granted; empty when there is no session. */
  readonly scope: readonly string[];
  /** The error; `null` in every status but `"error"`. */
  readonly error: ClassLinkError | null;
}

/** A sign-in has completed: what {@link ClassLinkClient.handleCallback} answers. */
export interface SignedIn<AppState = unknown, Claims = Record<string, unknown>> {
  readonly status: "signed-in";
  readonly user: User<Claims>;
  /** Where the user wanted to go: a path on this origin, with query and fragment. */
  readonly returnTo: string;
  /** The `appState` that the application gave to `startLogin`. */
  readonly appState?: AppState;
  /** The district given to `startLogin`. */
  readonly district?: string;
}

/** The page is about to be left: a LaunchPad launch is being restarted as a login of this application's own. */
export interface Redirecting {
  readonly status: "redirecting";
}

/** Inside a popup: the window that opened it goes on. */
export interface HandedOver {
  readonly status: "handed-over";
}

/** An event without personal data and without secrets: safe for any monitoring service as it stands. */
export interface ClassLinkEvent {
  readonly type:
    | "login.started"
    | "login.redirected"
    | "callback.received"
    | "login.succeeded"
    | "login.failed"
    | "launch.restarted"
    | "token.renewed"
    | "token.renewal_failed"
    | "session.restored"
    | "session.expiring"
    | "session.expired"
    | "clock.corrected"
    | "logout";
  /** When, in milliseconds since 1970 by the device's clock. */
  readonly at: number;
  /** Eight characters, as on the errors of this sign-in attempt and in the gateway's log. */
  readonly supportCode?: string;
  /**
   * How long it took, in milliseconds; for a sign-in, since `startLogin`. Of `session.expiring`: how long the session
   * lasts unless a user is active.
   */
  readonly durationMs?: number;
  readonly code?: ClassLinkErrorCode;
  readonly reason?: ClassLinkErrorReason;
}

/** The configuration of a client. */
export interface ClassLinkConfig {
  /** The client id from ClassLink's developer portal. */
  readonly clientId: string;
  /** The registered redirect URI: absolute; https, or http on a loopback host; the page's own origin. */
  readonly redirectUri: string;
  /** The scope to request; `openid` is required. Default `["openid", "profile"]`. */
  readonly scope?: string | readonly string[];
  /** The issuer identifier, compared exactly. Default `https://launchpad.classlink.com`. */
  readonly issuer?: string;
  /**
   * Known endpoints. Default: ClassLink's for its own issuer, otherwise discovery. It may be the provider's whole
   * discovery document: other members are passed over.
   */
  readonly metadata?: ProviderMetadata | (ProviderMetadata & Readonly<Record<string, unknown>>);
  /**
   * Base URL of the application's own back end, which holds the client secret (`classlink-spa/gateway`): a path such as
   * `"/auth"`, or absolute. Then only the authorization request goes to the provider, and discovery if it is needed.
   * Default: none, the client talks to the provider itself.
   */
  readonly gateway?: string;
  /** Where the user's fields come from beyond the ID token. Default `"id-token"`. */
  readonly profile?: "id-token" | "userinfo" | "my-info";
  /** Tenant ids served; another tenant's user, or one whose tenant is unknown, is refused. Default: any. */
  readonly allowedTenants?: readonly (string | number)[];
  /** Whether a LaunchPad launch (a code without a state) starts a new login. Default `"restart"`. */
  readonly launch?: "restart" | "reject";
  /**
   * The folder that the application lives under, such as `"/reading/"`: where a launch without a target and a visit to
   * the callback page without a response lead. `returnTo` is a path of the origin, and includes it. Default `"/"`.
   */
  readonly basePath?: string;
  /** How long a session lasts, and how it is found again after a reload. */
  readonly session?: SessionOptions;
  /**
   * Origins that {@link ClassLinkClient.fetch} may send the access token to, such as `"https://api.example"`: https, or
   * http on a loopback host; no wildcards. Default: none.
   */
  readonly apiOrigins?: readonly string[];
  /** Seconds of tolerance when times are compared. Default 60. */
  readonly clockTolerance?: number;
  /** Milliseconds for one request. Default 10000. */
  readonly timeout?: number;
  /** Texts for users: some codes' texts, or a function of the error. Default English. */
  readonly messages?:
    | Partial<Record<ClassLinkErrorCode, string>>
    | ((error: ClassLinkError) => string | undefined);
  /** How to leave for a URL. Default `location.assign`. */
  readonly navigate?: (url: string) => void | Promise<void>;
  /** Hears every {@link ClassLinkEvent}. One that throws changes nothing. */
  readonly onEvent?: (event: ClassLinkEvent) => void;
  /**
   * Called once whenever `user.id` changes after the first answer, including sign-out and expiry, before the snapshot
   * shows the new user: empty caches and stores here. Between two users the snapshot has none.
   */
  readonly onUserChange?: (user: User | null, previous: User | null) => void;
  /** Where the `.wasm` file lies, if a bundler can't tell. */
  readonly wasmUrl?: string | URL;
}

/** How long a session lasts, and how it is found again. No session outlasts its ID token. */
export interface SessionOptions {
  /**
   * How a page that was reloaded finds its session again: it asks the gateway, or the provider in a hidden frame or by
   * one redirect (`prompt=none`), or doesn't. Default `"gateway"` if there is one, else `"none"`.
   */
  readonly restore?: "gateway" | "iframe" | "redirect" | "none";
  /** Seconds without activity in any tab after which all users are signed out; `false` for no limit. Default 1800. */
  readonly idleTimeout?: number | false;
  /** Seconds after the sign-in at which the session ends in any case; `false` for no limit. Default 28800. */
  readonly maxAge?: number | false;
}

/** One registration per district: `undefined` if no district is known (a tile launch, a reload). */
export type DistrictConfig = (
  district: string | undefined,
) => ClassLinkConfig | Promise<ClassLinkConfig>;

/** How one login differs from the configuration. */
export interface LoginOptions<AppState = unknown> {
  /** Where to go afterwards: a URL of this origin. Default: the current path. */
  readonly returnTo?: string;
  /** JSON that comes back from `handleCallback`. Not for secrets: it waits in `sessionStorage`. */
  readonly appState?: AppState;
  /** In place of the configured scope. */
  readonly scope?: string | readonly string[];
  /** OpenID Connect Core 3.1.2.1. */
  readonly prompt?: string;
  /** Who is expected to sign in. It is written into the authorization request and nowhere else. */
  readonly loginHint?: string;
  /** Seconds since the user last gave credentials, at most; checked against `auth_time`. */
  readonly maxAge?: number;
  readonly uiLocales?: string | readonly string[];
  readonly acrValues?: string | readonly string[];
  /** Which registration to use, if the configuration is a function. */
  readonly district?: string;
  /** How to go there: this page leaves. {@link PopupLoginOptions} keep it. Default `"redirect"`. */
  readonly mode?: "redirect";
  /** Further parameters of the authorization request; none may be one of the protocol's own. */
  readonly extraParams?: Readonly<Record<string, string>>;
}

/** A login in a window of its own, for pages that can't be left, such as those in a frame of a learning platform. */
export interface PopupLoginOptions<AppState = unknown>
  extends Omit<LoginOptions<AppState>, "mode"> {
  readonly mode: "popup";
  /**
   * The window to use. Default: one is opened before `startLogin` returns, so that it counts as opened by the click.
   * `null`, as `window.open` answers if it was blocked, is `popup_blocked`.
   */
  readonly popup?: Window | null;
}

/** `startLogin`: by redirect, or in a popup. */
export interface StartLogin<AppState = unknown, Claims = Record<string, unknown>> {
  /**
   * In a popup. Resolves when a user has signed in there.
   *
   * @throws {@link ClassLinkError} what a redirect throws, `popup_blocked`, `popup_closed`, and everything that
   * {@link ClassLinkClient.handleCallback} can find wrong with the answer.
   */
  (options: PopupLoginOptions<AppState>): Promise<SignedIn<AppState, Claims>>;
  /**
   * By redirect. Resolves once navigation has begun.
   *
   * @throws {@link ClassLinkError} `config_invalid`, `environment_unsupported`, `storage_unavailable`,
   * `wasm_unavailable`; if the issuer must be discovered also `network`, `timeout`, `discovery_invalid`.
   */
  (options?: LoginOptions<AppState>): Promise<void>;
}

/** How fresh an access token must be. */
export interface AccessTokenOptions {
  /** Seconds for which it must still be valid at least. Default 30. */
  readonly minValidity?: number;
}

/** How to sign out. */
export interface LogoutOptions {
  /**
   * Where the provider sends the user afterwards, if it has an end-session endpoint: an absolute URL that is
   * registered with it (OpenID Connect RP-Initiated Logout 1.0, section 2). Without such an endpoint nothing goes there.
   */
  readonly postLogoutRedirectUri?: string;
}

/** The result of a sign-out. The user is signed out of this application's tabs in any case. */
export interface LogoutResult {
  /**
   * Whether the application's own session is over everywhere. `false`: the gateway couldn't be reached; it is told
   * before anything else at the next visit of this browser.
   */
  readonly sessionEnded: boolean;
  /**
   * Whether the user may still be signed in at ClassLink, so that the next press of "Sign in" signs the same user in
   * without a word: say so on shared devices.
   */
  readonly providerSessionMayRemain: boolean;
}

/** One thing that {@link ClassLinkClient.diagnose} looked at. */
export interface DiagnosisCheck {
  /** Stable, such as `"secure-context"` or `"clock"`. */
  readonly id: string;
  readonly status: "ok" | "warning" | "problem";
  /** The finding, for a help desk. */
  readonly summary: string;
  /** The remedy, if something is wrong. */
  readonly remedy?: string;
}

/** The result of {@link ClassLinkClient.diagnose}. It contains no personal data and no secret. */
export interface Diagnosis {
  /** Whether nothing is a problem. */
  readonly ok: boolean;
  readonly checks: readonly DiagnosisCheck[];
}

/**
 * Where an application names its client, so that hooks and components know its `AppState` and `Claims`:
 *
 * ```ts
 * declare module "classlink-spa" {
 *   interface Register { client: typeof client }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add the member.
export interface Register {}

/** The `AppState` of the client that the application has registered. */
export type RegisteredAppState = Register extends {
  client: ClassLinkClient<infer AppState, infer _Claims>;
}
  ? AppState
  : unknown;

/** The `Claims` of the client that the application has registered. */
export type RegisteredClaims = Register extends {
  client: ClassLinkClient<infer _AppState, infer Claims>;
}
  ? Claims
  : Record<string, unknown>;

/** An application's sign-in with ClassLink. Methods keep working when taken off the client. */
export interface ClassLinkClient<AppState = unknown, Claims = Record<string, unknown>> {
  /** Begins a login: leaves for ClassLink, or opens it in a popup. */
  readonly startLogin: StartLogin<AppState, Claims>;
  /**
   * Completes a login on the callback page. Without an argument it takes the page's URL, and strips the protocol's
   * parameters from the address bar before it returns. Later calls without an argument return the same
   * promise until a new answer or `startLogin` comes; a failure before the code was sent may be retried.
   */
  readonly handleCallback: (
    url?: string | URL,
  ) => Promise<SignedIn<AppState, Claims> | Redirecting | HandedOver>;
  /** The user signed in, or `null`. Waits for a sign-in or a restore that is under way. */
  readonly getUser: () => Promise<User<Claims> | null>;
  /**
   * The access token, for a call that {@link ClassLinkClient.fetch} can't make; renewed first if it must be, once
   * however many callers ask.
   *
   * @throws {@link ClassLinkError} `not_signed_in`; `session_expired` when the session is over; `renewal_unavailable`
   * when it isn't but nothing fresher is available.
   */
  readonly getAccessToken: (options?: AccessTokenOptions) => Promise<string>;
  /**
   * The raw, verified ID token, for the application's own server to verify. (An access token proves nothing about who
   * sends it.)
   *
   * @throws {@link ClassLinkError} `not_signed_in`, `session_expired`.
   */
  readonly getIdToken: () => Promise<string>;
  /**
   * The platform's `fetch` with the access token, for `apiOrigins` alone. A 401 is answered with one renewal and one more
   * try, if the body can be sent again. Redirects are refused, for the token could go with them; with
   * `redirect: "manual"` the caller gets the opaque answer, as from the platform.
   *
   * @throws {@link ClassLinkError} `origin_not_allowed`, and what {@link ClassLinkClient.getAccessToken} throws;
   * otherwise as `fetch` does.
   */
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /**
   * Finds a session again, as `session.restore` says. It starts by itself at the first `getUser`, `getAccessToken`,
   * `fetch` or `subscribe`. `null` when there is no session; a gateway that can't be asked is an error, not a sign-out.
   */
  readonly restoreSession: () => Promise<User<Claims> | null>;
  /**
   * For the page that a LaunchPad tile opens without a code, and for OpenID Connect's third-party-initiated login
   * (Core 1.0, section 4: `iss`, `login_hint`, `target_link_uri`): starts a login.
   *
   * @param url default: the page's
   * @throws {@link ClassLinkError} `issuer_mismatch`, `origin_not_allowed` (the target), `launch_rejected` (in a frame),
   * and what `startLogin` throws.
   */
  readonly handleLaunch: (url?: string | URL) => Promise<void>;
  /** Signs out: this page at once, every other tab, the gateway's session, and the provider's if it has a way. */
  readonly logout: (options?: LogoutOptions) => Promise<LogoutResult>;
  /** The state now. Fits React's `useSyncExternalStore` and Vue's `shallowRef`. */
  readonly getSnapshot: () => Snapshot<Claims>;
  /** Calls `listener` after each change; returns the function that stops it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Says that a user is there: puts the idle limit off, in every tab. The answer to `session.expiring`. */
  readonly stayActive: () => void;
  /** Looks at all that a sign-in needs here, and says what to do about what is missing. Signs no user in or out. */
  readonly diagnose: () => Promise<Diagnosis>;
  /** Loads the WebAssembly ahead of need. */
  readonly preload: () => Promise<void>;
  /** Wipes tokens, timers and listeners; outstanding and later calls reject with `client_closed`. */
  readonly close: () => void;
  /** As {@link ClassLinkClient.close}, for `using`. */
  readonly [Symbol.dispose]: () => void;
}
