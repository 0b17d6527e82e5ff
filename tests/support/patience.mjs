/**
 * How long tests wait.
 *
 * @module
 */

/**
 * Milliseconds after which what a test waits for counts as missing. Long, since the machine may be busy: a test that passes
 * never waits for it to end.
 */
export const PATIENCE_MS = 120_000;
