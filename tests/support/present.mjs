/** Values that must be there. */

import assert from "node:assert/strict";

/**
 * Returns a value, and fails the test if there is none.
 *
 * @template T
 * @param {T} value
 * @returns {NonNullable<T>}
 */
export function present(value) {
  assert(value !== undefined && value !== null, `The value is ${value}`);
  return value;
}
