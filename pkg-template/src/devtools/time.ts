/**
 * Times of the ID token, as words.
 *
 * @packageDocumentation
 */

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** Returns a duration in its two largest units: `23 h 59 min`. */
export function durationText(seconds: number): string {
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0 || (unit === "s" && parts.length === 0)) parts.push(`${count} ${unit}`);
    rest -= count * length;
  }
  return parts.slice(0, 2).join(" ");
}

const NAMES = [
  ["auth_time", "user authenticated"],
  ["iat", "issued"],
  ["nbf", "valid from"],
  ["exp", "expires"],
] as const;

/** Returns the times among an ID token's claims, each with how far it is from now. */
export function lifetimesOf(claims: object, now: number): [string, string][] {
  return NAMES.flatMap(([claim, name]): [string, string][] => {
    const at = (claims as Record<string, unknown>)[claim];
    if (typeof at !== "number") return [];
    const left = at - now / 1000;
    const distance = durationText(Math.abs(left));
    return [[name, left > 0 ? `in ${distance}` : `${distance} ago`]];
  });
}
