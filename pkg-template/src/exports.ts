/**
 * The exports of every entry point beside its own `createClient`.
 *
 * @packageDocumentation
 */

export type { CreateClient } from "./client/create-client.js";
export { ClassLinkError, type ClassLinkErrorInit, isClassLinkError } from "./errors.js";
export type * from "./types.js";

/**
 * Scopes that ClassLink knows. Any other string may be asked for as well.
 *
 * @example scope: [Scope.OpenId, Scope.Profile, Scope.Email]
 */
export const Scope = {
  /** Makes it a sign-in: always required (OpenID Connect Core 3.1.2.1). */
  OpenId: "openid",
  /** The profile claims (OpenID Connect Core 5.4). */
  Profile: "profile",
  /** The e-mail claims (OpenID Connect Core 5.4); an address may be missing or synthetic. */
  Email: "email",
  /** ClassLink's own, for OneRoster data. */
  OneRoster: "oneroster",
  /** ClassLink's own widest scope. */
  Full: "full",
} as const;

/**
 * Scopes that appear in integration guides, but that ClassLink is not known to grant. Rosters come from OneRoster, to
 * a server, and not with a user's token.
 */
export const GuideScope = {
  /** Named in guides as the basic fields of roster users. */
  RosterUsersBasic: "roster.users.basic",
} as const;

/** The version of this package. */
export const VERSION: string = __VERSION__;
