/**
 * How an error of this package is told from others, whichever copy of the package made it.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";

/** Shared by every copy of the package on a page. */
export const BRAND = Symbol.for("classlink-spa.ClassLinkError");

/** Whether `value` is a {@link ClassLinkError}, one from another copy of the package included. */
export function isClassLinkError(value: unknown): value is ClassLinkError {
  return (value as { [BRAND]?: true } | null | undefined)?.[BRAND] === true;
}
