/**
 * What an application sees: the shapes of the public interface.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";

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

/** Why an ID token was refused (`id_token_invalid`) or a tenant was (`tenant_not_allowed`). */
export type ClassLinkErrorReason =
  | "malformed"
  | "algorithm"
  | "critical_header"
  | "key_not_found"
  | "signature"
  | "issuer"
  | "audience"
  | "authorized_party"
  | "subject"
  | "expired"
  | "not_yet_valid"
  | "issued_in_future"
  | "nonce"
  | "at_hash"
  | "auth_time"
  | "tenant_other"
  | "tenant_unknown";

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

/** The person who is signed in, read from a verified ID token and, where configured, from UserInfo or my-info. */
export interface User<Claims = Record<string, unknown>> {
  /**
   * Stable key of this person: issuer and subject, unique across districts, the same whatever `profile` is.
   * In each part `%` and `|` are percent-encoded.
   *
   * @example "https://launchpad.classlink.com|8708718"
   */
  readonly id: string;
  /** The `sub` claim. Unique within one issuer. */
  readonly sub: string;
  readonly name?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  /** May be synthetic, shared or absent for young pupils: never a key. */
  readonly email?: string;
  /** What the provider says of the address; it proves nothing about who somebody is. */
  readonly emailVerified?: boolean;
  readonly preferredUsername?: string;
  readonly picture?: string;
  readonly locale?: string;
  /** A hint for the user interface, never authorization: ClassLink reports some administrators as teachers. */
  readonly role?: "student" | "teacher" | "administrator" | "parent" | "other";
  /** The provider's own word for the role. */
  readonly roleName?: string;
  /** The district. */
  readonly tenant?: { readonly id: string; readonly name?: string };
  /** OneRoster id, unique only within the tenant. Never parse it. */
  readonly sourcedId?: string;
  /**
   * Key for matching with a OneRoster import: tenant and sourcedId. Absent where the district has no OneRoster.
   * In each part `%` and `/` are percent-encoded.
   *
   * @example "2284/5678_T5678-0005"
   */
  readonly rosterId?: string;
  /** ClassLink's own id of the person, from my-info. */
  readonly userId?: string;
  /** When the person last gave credentials, in seconds since 1970 (the `auth_time` claim). */
  readonly authTime?: number;
  /** The verified ID token's claims, unchanged. */
  readonly claims: Readonly<Claims>;
}

/** Where the client stands. `"loading"` until that is known, and always on a server. */
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
  /** The person signed in; `null` in every status but `"signed-in"`. */
  readonly user: User<Claims> | null;
  /** The scope that was granted; empty when nobody is signed in. */
  readonly scope: readonly string[];
  /** What went wrong; `null` in every status but `"error"`. */
  readonly error: ClassLinkError | null;
}

/** A sign-in has completed: what {@link ClassLinkClient.handleCallback} answers. */
export interface SignedIn<AppState = unknown, Claims = Record<string, unknown>> {
  readonly status: "signed-in";
  readonly user: User<Claims>;
  /** Where the person wanted to go: a path on this origin, with query and fragment. */
  readonly returnTo: string;
  /** What the application gave to `startLogin`. */
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

/** What happened, without personal data and without secrets: safe for any monitoring service as it stands. */
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
  /** The same eight characters as on the errors of this sign-in attempt and in the gateway's log. */
  readonly supportCode?: string;
  /** How long it took, in milliseconds; for a sign-in, since `startLogin`. */
  readonly durationMs?: number;
  readonly code?: ClassLinkErrorCode;
  readonly reason?: ClassLinkErrorReason;
}

/**
 * The provider's metadata by the names of OpenID Connect Discovery 1.0, section 3. Members given here override
 * discovery; an issuer whose endpoints are all known is not discovered.
 */
export interface ProviderMetadata {
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly jwks_uri?: string;
  readonly userinfo_endpoint?: string;
  /** ClassLink's `/v2/my/info`. */
  readonly my_info_endpoint?: string;
  readonly end_session_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly id_token_signing_alg_values_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
}

/** What an application tells the client about itself. */
export interface ClassLinkConfig {
  /** The client id from ClassLink's developer portal. */
  readonly clientId: string;
  /** The registered redirect URI: absolute; https, or http on a loopback host; the page's own origin. */
  readonly redirectUri: string;
  /** What to ask for; `openid` is required. Default `["openid", "profile"]`. */
  readonly scope?: string | readonly string[];
  /** The issuer identifier, compared to the letter. Default `https://launchpad.classlink.com`. */
  readonly issuer?: string;
  /** Known endpoints. Default: ClassLink's for its own issuer, otherwise discovery. */
  readonly metadata?: ProviderMetadata;
  /** Where the user's fields come from beyond the ID token. Default `"id-token"`. */
  readonly profile?: "id-token" | "userinfo" | "my-info";
  /** Tenant ids served; another tenant's user, or one whose tenant is unknown, is refused. Default: any. */
  readonly allowedTenants?: readonly (string | number)[];
  /** What to do with a LaunchPad launch (a code without a state). Default `"restart"`. */
  readonly launch?: "restart" | "reject";
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
  /** Where the `.wasm` file lies, where a bundler can't tell. */
  readonly wasmUrl?: string | URL;
}

/** One registration per district: `undefined` where no district is known (a tile launch, a reload). */
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
  /** Seconds since the person last gave credentials, at most; checked against `auth_time`. */
  readonly maxAge?: number;
  readonly uiLocales?: string | readonly string[];
  readonly acrValues?: string | readonly string[];
  /** Which registration to use, where the configuration is a function. */
  readonly district?: string;
  readonly mode?: "redirect";
  /** Further parameters of the authorization request; none may be one of the protocol's own. */
  readonly extraParams?: Readonly<Record<string, string>>;
}

/** An application's sign-in with ClassLink. Methods keep working when taken off the client. */
export interface ClassLinkClient<AppState = unknown, Claims = Record<string, unknown>> {
  /**
   * Leaves for ClassLink. Resolves once navigation has begun.
   *
   * @throws {@link ClassLinkError} `config_invalid`, `environment_unsupported`, `storage_unavailable`,
   * `wasm_unavailable`; where the issuer must be discovered also `network`, `timeout`, `discovery_invalid`.
   */
  readonly startLogin: (options?: LoginOptions<AppState>) => Promise<void>;
  /**
   * Completes a login on the callback page. Without an argument it takes the page's URL, and strips the protocol's
   * parameters from the address bar before it returns. Later calls without an argument answer with the same
   * promise until a new answer or `startLogin` comes; a failure before the code was sent may be retried.
   */
  readonly handleCallback: (
    url?: string | URL,
  ) => Promise<SignedIn<AppState, Claims> | Redirecting | HandedOver>;
  /** The person signed in, or `null`. Waits for a sign-in or a restore that is under way. */
  readonly getUser: () => Promise<User<Claims> | null>;
  /** The state now. Fits React's `useSyncExternalStore` and Vue's `shallowRef`. */
  readonly getSnapshot: () => Snapshot<Claims>;
  /** Calls `listener` after each change; answers with the function that stops it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Loads the WebAssembly ahead of need. */
  readonly preload: () => Promise<void>;
  /** Wipes tokens, timers and listeners; outstanding and later calls reject with `client_closed`. */
  readonly close: () => void;
  readonly [Symbol.dispose]: () => void;
}
