/**
 * How long tests wait.
 *
 * @module
 */

import { availableParallelism, loadavg } from "node:os";

/**
 * Milliseconds after which what a test waits for counts as missing. Long, since the machine may be busy: a test that passes
 * never waits for it to end.
 */
export const PATIENCE_MS = 120_000;

/**
 * How many times as long as on an idle machine a time-out must be that does end, by how many processes wait for a processor.
 * Browsers and servers of one test that run side by side count as idle.
 */
export const BUSYNESS = Math.max(1, loadavg()[0] / availableParallelism() / 4);
