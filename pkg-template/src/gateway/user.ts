/**
 * The user, out of a verified ID token and, to fill its gaps, UserInfo and ClassLink's my-info. Lenient member by
 * member: a claim of the wrong type is dropped, an empty string is absent. `src/protocol/user.rs` does the same, and
 * `tests/vectors/users.json` holds both to it.
 */

import type { User } from "../shared-types.js";
import { isObject, type JsonObject } from "./http.js";
import type { IdTokenClaims } from "./id-token.js";

/** Where a {@link User} comes from. */
export interface UserSources {
  readonly claims: IdTokenClaims;
  /** OpenID Connect UserInfo (Core 1.0, 5.3), its `sub` compared already. */
  readonly userInfo?: JsonObject;
  /** ClassLink's `/v2/my/info`. */
  readonly myInfo?: JsonObject;
}

/** Makes the `User`. A name is looked for in the ID token first, then in UserInfo, then in my-info. */
export function toUser({ claims, userInfo = {}, myInfo = {} }: UserSources): User {
  const sources = [claims, userInfo, myInfo];
  const tenant = readTenant(sources);
  const sourcedId = find(sources, ["classLink_sourcedId", "SourcedId"], identifier);
  return omitUndefined({
    id: userIdOf(claims.iss, claims.sub),
    sub: claims.sub,
    name: find(sources, ["name", "DisplayName"], text),
    givenName: find(sources, ["given_name", "FirstName"], text),
    familyName: find(sources, ["family_name", "LastName"], text),
    email: find(sources, ["email", "Email"], text),
    // Of the address that the token has, UserInfo can say nothing: it may know another.
    emailVerified: find(text(claims.email) ? [claims] : sources, ["email_verified"], boolean),
    preferredUsername: find(sources, ["preferred_username"], text),
    picture: find(sources, ["picture", "ImagePath"], text),
    locale: find(sources, ["locale", "Language"], text),
    ...readRole(sources),
    tenant,
    sourcedId,
    rosterId: tenant && sourcedId && `${encode(tenant.id, "/")}/${encode(sourcedId, "/")}`,
    userId: find(sources, ["UserId"], identifier),
    authTime: find([claims], ["auth_time"], number),
    claims,
  });
}

/** The key of a user: issuer and subject. */
export function userIdOf(iss: string, sub: string): string {
  return `${encode(iss, "|")}|${encode(sub, "|")}`;
}

/** Finds the member of the first of several names, in any of the objects; then of the next name. */
function find<T>(
  sources: readonly JsonObject[],
  names: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const name of names) {
    for (const source of sources) {
      const value = read(source[name]);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

type Role = NonNullable<User["role"]>;

/** A hint for the user interface, from whichever of the provider's words there is. */
function readRole(sources: readonly JsonObject[]): { role?: Role; roleName?: string } {
  const profile = find(sources, ["profile"], text);
  const roleName =
    find(sources, ["classLink_role", "Role"], text) ??
    // ClassLink puts a role word where Core 1.0, 5.1 has the URL of a profile page.
    (profile && !/[:/]/.test(profile) ? profile : undefined);
  if (roleName !== undefined) return { role: roleOf(roleName.trim().toLowerCase()), roleName };
  const level = find(sources, ["classLink_role_level", "Role_Level"], number);
  if (level === 4) return { role: "student" };
  if (level === 3) return { role: "teacher" };
  return {};
}

function roleOf(word: string): Role {
  if (word === "student" || word === "teacher") return word;
  if (word === "admin" || word.includes("administrator")) return "administrator";
  if (word === "parent" || word === "guardian") return "parent";
  return "other";
}

/** The district. Its id decides who is let in, so what the provider signed goes first, whichever of the names it has. */
function readTenant(sources: readonly JsonObject[]): { id: string; name?: string } | undefined {
  const names = ["classLink_tenant_id_string", "classLink_tenant_id", "TenantId"];
  const [id] = sources.flatMap((source) => find([source], names, identifier) ?? []);
  if (id === undefined) return undefined;
  const name =
    find(sources, ["Tenant"], text) ??
    find(sources, ["address"], (address) =>
      isObject(address) ? text(address.locality) : undefined,
    );
  return { id, ...(name !== undefined && { name }) };
}

/** Percent-encodes `%` and the separator, so that two parts joined by it never read like two others. */
function encode(part: string, separator: "|" | "/"): string {
  return part.replaceAll("%", "%25").replaceAll(separator, separator === "|" ? "%7C" : "%2F");
}

/** A string that is not empty and is proper Unicode. */
function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !/\p{Cs}/u.test(value) ? value : undefined;
}

/** An id, which some answers write as a string and others as an integer; larger ones may have been rounded. */
function identifier(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? String(value) : text(value);
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function boolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

function omitUndefined(user: { [Name in keyof User]: User[Name] | undefined }): User {
  return Object.fromEntries(
    Object.entries(user).filter(([, value]) => value !== undefined),
  ) as unknown as User;
}
