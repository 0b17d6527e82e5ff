/**
 * Shapes that browsers and servers share. They name nothing that one of the two lacks, so that a server's program needs no
 * types of the browser.
 *
 * @packageDocumentation
 */

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

/** The user who is signed in, read from a verified ID token and, if configured, from UserInfo or my-info. */
export interface User<Claims = Record<string, unknown>> {
  /**
   * Stable key of this user: issuer and subject, unique across districts, the same whatever `profile` is.
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
  /** May be synthetic, shared or absent for young students: never a key. */
  readonly email?: string;
  /** Whether the provider has verified the address; it proves nothing about who a user is. */
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
   * Key for matching with a OneRoster import: tenant and sourcedId. Absent if the district has no OneRoster.
   * In each part `%` and `/` are percent-encoded.
   *
   * @example "2284/5678_T5678-0005"
   */
  readonly rosterId?: string;
  /** ClassLink's own id of the user, from my-info. */
  readonly userId?: string;
  /** When the user last gave credentials, in seconds since 1970 (the `auth_time` claim). */
  readonly authTime?: number;
  /** The verified ID token's claims, unchanged. */
  readonly claims: Readonly<Claims>;
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
