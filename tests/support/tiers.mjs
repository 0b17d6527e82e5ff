/**
 * Where a test's question is answered. `npm test` plays each test once, in the cheapest place: `test` in pages in Node,
 * `browserTest` in Chromium. `npm run test:all` plays both in every engine.
 *
 * @module
 */

import { test as nodeTest } from "node:test";
import { inNode } from "./engine.mjs";

/** Whether only what needs a browser is played: the rest is played in Node. */
export const browserTestsOnly = Boolean(process.env.BROWSER_TESTS_ONLY);

/** Whether this is a run of all tests, in which large tables are played in part. */
export const isPart = Boolean(process.env.PART_OF_TABLES);

/** @type {typeof nodeTest} */
const leftOut = /** @type {any} */ (() => Promise.resolve());

/** A question of the package's logic: pages in Node can answer it. */
export const test = browserTestsOnly ? leftOut : nodeTest;

/** A question that only a browser can answer: navigation, history, frames, popups, policies, the page cache. */
export const browserTest = inNode ? leftOut : nodeTest;
