/** Builds ClassLink's data of a user: claims by OpenID Connect's names, and my/info by its own. */

/** @import { Account, District } from "./types.d.ts" */

const PROFILE = ["name", "given_name", "family_name", "login_hint", "profile", "address"];
const EMAIL = ["email", "email_verified"];
const ONEROSTER = ["classLink_sourcedId", "classLink_org_sourcedids"];
const TENANT = [
  "classLink_tenant_id",
  "classLink_tenant_id_string",
  "classLink_role",
  "classLink_role_level",
];

/**
 * The claims of each scope. Those of ClassLink's own scopes are not published; those of `openid`, `profile` and `email` are in
 * OpenID Connect Core 1.0, 5.4.
 */
export const CLAIMS_OF_SCOPE = {
  openid: ["sub", "auth_time"],
  profile: [...PROFILE, ...TENANT, ...ONEROSTER],
  email: EMAIL,
  oneroster: ONEROSTER,
  full: [...PROFILE, ...EMAIL, ...TENANT, ...ONEROSTER],
};

/** Every scope of the stand-in. Others are ignored. */
export const SCOPES = Object.keys(CLAIMS_OF_SCOPE);

/** The claims that discovery lists. */
export const CLAIMS_SUPPORTED = [
  ...["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"],
  ...PROFILE,
  ...EMAIL,
  ...TENANT,
  ...ONEROSTER,
];

/**
 * Returns every claim about a user, by OpenID Connect's names.
 *
 * @param {Account} account
 * @param {District} district The account's.
 * @param {boolean} tenantClaims Whether the `classLink_*` claims are among them.
 * @returns {Record<string, unknown> & { sub: string }}
 */
export function allClaims(account, district, tenantClaims) {
  return {
    sub: account.sub,
    name: `${account.firstName} ${account.lastName}`,
    given_name: account.firstName,
    family_name: account.lastName,
    login_hint: account.loginId,
    // A role, although OpenID Connect Core 1.0, 5.1 defines a URL.
    profile: account.role,
    address: { locality: district.name, region: district.state },
    ...(account.email !== undefined && { email: account.email, email_verified: true }),
    ...(tenantClaims && {
      classLink_tenant_id: district.id,
      classLink_tenant_id_string: String(district.id),
      classLink_role: account.role,
      classLink_role_level: account.roleLevel,
      classLink_sourcedId: account.sourcedId,
      classLink_org_sourcedids: account.orgs ?? [],
    }),
  };
}

/**
 * Returns those of {@link allClaims} that the granted scopes include: the response of `/v2/my/profileinfo`.
 *
 * @param {Record<string, unknown>} claims
 * @param {Iterable<string>} scopes
 */
export function claimsForScopes(claims, scopes) {
  const included = new Set(
    [...scopes].flatMap((scope) => CLAIMS_OF_SCOPE[/** @type {"openid"} */ (scope)] ?? []),
  );
  return Object.fromEntries(Object.entries(claims).filter(([name]) => included.has(name)));
}

/**
 * Returns the response of `/v2/my/info`. A field that a user lacks is absent, but `SourcedId` and `OrgId` are `""`.
 *
 * @param {Account} account
 * @param {District} district The account's.
 */
export function myInfo(account, district) {
  return {
    UserId: account.userId,
    TenantId: district.id,
    Tenant: district.name,
    StateName: district.state,
    SourcedId: account.sourcedId,
    LoginId: account.loginId,
    DisplayName: `${account.firstName} ${account.lastName}`,
    FirstName: account.firstName,
    LastName: account.lastName,
    ...(account.email !== undefined && { Email: account.email }),
    Role: account.role,
    Role_Level: account.roleLevel,
    Profile: account.role,
    ...(account.building !== undefined && { Building: account.building }),
    OrgId: account.orgs ?? "",
    Language: "English",
    ImagePath: "",
  };
}
