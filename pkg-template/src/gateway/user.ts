/**
 * Builds the user from a verified ID token and, for what it lacks, UserInfo and ClassLink's my-info. A claim of the wrong type
 * or an empty string counts as absent. `src/protocol/user.rs` does the same, and
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

/** Builds the `User`. Each claim is read from the ID token first, then from UserInfo, then from my-info. */
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
    // UserInfo may have another address than the ID token: its `email_verified` is not about the latter.
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

/** Returns the id of a user: issuer and subject, which OpenID Connect Core 1.0, 5.7 calls unique together. */
export function userIdOf(iss: string, sub: string): string {
  return `${encode(iss, "|")}|${encode(sub, "|")}`;
}

/** Finds the first value that can be read: by the first name in each source, then by the next name. */
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

/** Reads the role, a hint for the user interface, from the first claim that has one. */
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

/** Reads the district. Its id decides on access, so the signed ID token counts first, by whichever name it has the id. */
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

/** Percent-encodes `%` and the separator, so that no two pairs of parts are joined to the same text. */
function encode(part: string, separator: "|" | "/"): string {
  return part.replaceAll("%", "%25").replaceAll(separator, separator === "|" ? "%7C" : "%2F");
}

/** Reads a string that is not empty and is well-formed Unicode. */
function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !/\p{Cs}/u.test(value) ? value : undefined;
}

/** Reads an id, which is a string in some responses and an integer in others; larger integers may have been rounded. */
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
