/**
 * Medians and quartiles.
 *
 * @module
 */

/** @typedef {{ lower: number, median: number, upper: number }} Quartiles */

/**
 * Returns a quantile by linear interpolation; NaN if there are no values.
 *
 * @param {number[]} values
 * @param {number} part From 0 to 1.
 */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** @param {number[]} values @returns {Quartiles} */
export const quartiles = (values) => ({
  lower: quantile(values, 0.25),
  median: quantile(values, 0.5),
  upper: quantile(values, 0.75),
});

/** @param {number[]} values */
export const median = (values) => quantile(values, 0.5);
