/** The types of the package. The scripts beside it are checked against them. */

import type { IncomingMessage, ServerResponse } from "node:http";

/** A school district: ClassLink's tenant. */
export interface District {
  /** ClassLink's `TenantId`: a number for some districts, a string for others. */
  readonly id: number | string;
  /** The `Tenant` field of my/info and the `locality` of the `address` claim. */
  readonly name: string;
  /** The `region` of the `address` claim. */
  readonly state: string;
}

/** A user who can sign in. */
export interface Account {
  /** The `sub` claim: unique across districts. */
  readonly sub: string;
  /** ClassLink's `UserId`: the subject, as a number for some and a string for others. */
  readonly userId: number | string;
  /** The `id` of the user's {@link District}. */
  readonly districtId: number | string;
  readonly firstName: string;
  readonly lastName: string;
  /** The role word: `Student`, `Teacher`, `Parent`, `Tenant Administrator`. */
  readonly role: string;
  /** `Role_Level`: 4 for a student, 3 for a teacher. */
  readonly roleLevel: number;
  /** OneRoster id, unique only within the district; `""` if the district has no OneRoster. */
  readonly sourcedId: string;
  /** Unique only within the district. */
  readonly loginId: string;
  /** Absent for some young students. */
  readonly email?: string;
  /** The school. */
  readonly building?: string;
  /** OneRoster ids of the user's schools. */
  readonly orgs?: readonly string[];
  /** One line for the sign-in page: what is special about this user. */
  readonly note: string;
}

/** An application that is registered with the stand-in. */
export interface Client {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Compared exactly. The first is where the LaunchPad tile leads. */
  readonly redirectUris: readonly string[];
  /** Compared exactly. Where the end-session endpoint may lead back to. Default none. */
  readonly postLogoutRedirectUris?: readonly string[];
  /** Where the partner-initiated tile leads; without it there is no such tile. */
  readonly launchUrl?: string;
  /** For the consent page and the tiles. Default: the client id. */
  readonly name?: string;
}

/** Options of {@link startStandIn}. */
export interface StandInOptions {
  /** Host name of both origins. Default `"localhost"`. */
  readonly host?: string;
  /** Port of the issuer; 0 takes a free one. Default 0. */
  readonly port?: number;
  /** Port of the second origin, ClassLink's `nodeapi`. Default 0. */
  readonly apiPort?: number;
  /** PEM. With it both origins are https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default none. */
  readonly clients?: readonly Client[];
  /**
   * Whether the token endpoint takes a request without a secret, of any client. `false`: HTTP 401
   * `invalid_client` for it, however correct it is otherwise. Default `true`.
   */
  readonly publicClients?: boolean;
  /**
   * Whether token endpoint, keys, discovery, profileinfo and my/info answer requests from another
   * origin's page. Default `true`.
   */
  readonly cors?: boolean;
  /**
   * When the consent page is shown: the first time for an account and client, every time, or
   * never. Default `"remembered"`.
   */
  readonly consent?: "remembered" | "always" | "never";
  /**
   * Whether the token endpoint checks the code verifier (RFC 7636, 4.6). It is never required of a
   * request that had no challenge. Default `"honoured"`.
   */
  readonly pkce?: "honoured" | "ignored";
  /**
   * Whether every token answer carries a refresh token, whatever the scope: it works once, and one
   * that is used again ends its grant (RFC 9700, 4.14.2). Default `false`.
   */
  readonly refreshTokens?: boolean;
  /** Whether token answers say `expires_in`. Default `false`. */
  readonly expiresIn?: boolean;
  /** Whether there is a revocation endpoint (RFC 7009). Default `false`. */
  readonly revocation?: boolean;
  /**
   * Whether there is an end-session endpoint (OpenID Connect RP-Initiated Logout 1.0). Default
   * `false`.
   */
  readonly endSession?: boolean;
  /** Whether callbacks carry `iss`, and discovery promises it (RFC 9207). Default `false`. */
  readonly issParameter?: boolean;
  /**
   * Whether the pages may be framed, by the origins of the clients' redirect URIs. Default
   * `false`.
   */
  readonly framing?: boolean;
  /**
   * Whether the sign-in's cookie is `SameSite=None`: browsers that take third-party cookies then
   * send it from a frame of another site's page, too. Needs `tls`. Default `false`:
   * `SameSite=Lax`.
   */
  readonly crossSiteCookies?: boolean;
  /**
   * The `Cross-Origin-Opener-Policy` of the pages (HTML Standard, 7.1.3): `"same-origin"` cuts a
   * popup off from the page that opened it. Default: no such header.
   */
  readonly openerPolicy?: string;
  /** Whether the `classLink_*` claims are sent. Default `true`. */
  readonly tenantClaims?: boolean;
  /**
   * With it, `/v2/my/info` answers a valid token with HTTP 200 and a body `{ status, message }` of
   * this status. Default: no error.
   */
  readonly myInfoError?: number;
  /** Seconds. Default 86400. */
  readonly idTokenLifetime?: number;
  /** Seconds. Default 86400. */
  readonly accessTokenLifetime?: number;
  /** Seconds. Default 300. */
  readonly codeLifetime?: number;
  /** In place of the built-in ones. */
  readonly districts?: readonly District[];
  /** In place of the built-in ones. */
  readonly accounts?: readonly Account[];
}

/** The endpoints that can be made to fail, by the names of the stand-in's paths. */
export type EndpointName =
  | "authorization"
  | "token"
  | "jwks"
  | "discovery"
  | "revocation"
  | "endSession"
  | "userInfo"
  | "myInfo";

/** How an endpoint fails. */
export interface Failure {
  /** The HTTP status. Default 503. */
  readonly status?: number;
  /** Sent as JSON. Default: a line of plain text, as a proxy on the way would answer. */
  readonly body?: unknown;
}

/** How many requests are meant: the next ones. */
export interface Times {
  /** `Infinity` until the next call, 0 cancels an earlier one. Default 1. */
  readonly times?: number;
}

/**
 * By their discovery names (OpenID Connect Discovery 1.0, section 3), but for `my_info_endpoint`.
 * Those that an option adds are absent without it.
 */
export interface Endpoints {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly userinfo_endpoint: string;
  readonly my_info_endpoint: string;
  readonly revocation_endpoint?: string;
  readonly end_session_endpoint?: string;
}

/**
 * A request that the stand-in has seen, on either origin. No query, no header but `Origin`, no
 * body.
 */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** The `Origin` header. */
  readonly origin: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The grant type of a token request: `"authorization_code"` or `"refresh_token"`. */
  grantType?: string;
}

/** A stand-in that is running. */
export interface StandIn {
  /** The issuer identifier: an origin. */
  readonly issuer: string;
  /** The second origin. */
  readonly apiOrigin: string;
  readonly launchPadUrl: string;
  readonly accounts: readonly Account[];
  readonly districts: readonly District[];
  readonly endpoints: Endpoints;
  readonly discoveryUrl: string;
  /** Every request so far, oldest first. A test may empty it. */
  readonly requests: SeenRequest[];
  /**
   * Ends all that applications hold of a user: codes, access tokens and refresh tokens. The user
   * stays signed in.
   */
  readonly revokeGrants: (sub: string) => void;
  /** Ends a user's sessions at the stand-in, in every browser. Tokens stay alive. */
  readonly signOut: (sub: string) => void;
  /** Makes an endpoint's next answers fail: `fail("token", { status: 503, times: 2 })`. */
  readonly fail: (endpoint: EndpointName, failure?: Failure & Times) => void;
  /** Makes an endpoint's next answers come late. */
  readonly delay: (endpoint: EndpointName, milliseconds: number, times?: Times) => void;
  /**
   * Makes an application's next authorization requests come back with an error (OpenID Connect
   * Core 1.0, 3.1.2.6), such as `interaction_required`.
   */
  readonly refuse: (error: string, times?: Times) => void;
  /**
   * A test may set it: it answers every request in the stand-in's place, or has it answered as
   * usual.
   */
  instead?: (req: IncomingMessage, res: ServerResponse, usual: () => unknown) => unknown;
  /** Stops both servers and forgets everything. A second call does nothing. */
  readonly close: () => Promise<void>;
}

/** The built-in districts. */
export declare const DISTRICTS: readonly District[];

/** The built-in users. */
export declare const ACCOUNTS: readonly Account[];

/**
 * Starts a stand-in. Its state is in memory, and its signing key is made at each start.
 *
 * @throws {TypeError} that names the option which is wrong
 * @throws {Error} Node's, if a port is unavailable
 */
export declare function startStandIn(options?: StandInOptions): Promise<StandIn>;
