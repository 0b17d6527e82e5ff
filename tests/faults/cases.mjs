/**
 * Every case: each flow is first played without a fault, and whatever it asks for or keeps is then made to fail.
 *
 * @module
 */

import { engine } from "../support/engine.mjs";
import { expected, expectedOfStorage, isRepeated, KINDS, kindsOf } from "./expected.mjs";
import { FLOWS } from "./flows.mjs";
import { record } from "./runner.mjs";

/** @import { Browser } from "playwright-core" */
/** @import { Flow } from "./flows.mjs" */
/** @import { Case } from "./runner.mjs" */
/** @import { World } from "./world.mjs" */

/** Requests for the looks of pages, which are not the client's. */
const BESIDE_THE_POINT = /stand-in\.css$/;

/**
 * All cases, or those that stand for them: every request of every flow with one kind of fault, each kind in turn; every
 * access to the storage of flows that access it in different ways; the tab closed at each request that there is. Of these,
 * three in five if `isPart`.
 *
 * @param {Browser} browser
 * @param {World} world
 * @param {{ whole: boolean, isPart?: boolean, words?: readonly string[], flows?: readonly Flow[] }} options Flows whose name contains one of the words, if there are
 * any.
 * @returns {Promise<(Case & { name: string })[]>}
 */
export async function planCases(
  browser,
  world,
  { whole, isPart = false, words = [], flows: all = FLOWS },
) {
  const flows = all.filter(
    ({ name, unless }) =>
      !unless?.[engine] && (words.length === 0 || words.some((word) => name.includes(word))),
  );
  const cases = [];
  /** The kinds of cases that are in the list already. @type {Set<string>} */
  const seen = new Set();
  const isNew = (/** @type {string} */ what) => whole || (!seen.has(what) && seen.add(what));
  let turn = 0;
  for (const flow of flows) {
    const { requests, accesses, problems } = await record(browser, world, flow);
    cases.push({ name: `${flow.name}: nothing fails`, flow, problems });
    for (const { key, count } of numbered(requests)) {
      const which = `${flow.name}: ${key}${count > 1 ? `, time ${count}` : ""}`;
      const kinds = kindsOf(key);
      for (const kind of whole ? kinds : [kinds[turn++ % kinds.length]]) {
        const allowed = expected(flow, { key, count, kind });
        cases.push({ name: `${which}: ${kind}`, flow, armed: { key, count, kind }, allowed });
      }
      if (isRepeated(key) && !flow.quiet && isNew(`again and again ${key}`)) {
        for (const kind of whole ? kinds : [kinds[turn % kinds.length]]) {
          const allowed = expected(flow, { key, count, kind, lasting: true });
          const armed = { key, count, kind, lasting: true };
          cases.push({ name: `${which}: ${kind}, again and again`, flow, armed, allowed });
        }
      }
      for (const close of /** @type {const} */ (["held", "answered"])) {
        if (!whole && (turn % 2 === 0) !== (close === "held")) continue;
        if (!isNew(`closed at ${key}`)) continue;
        cases.push({ name: `${which}: closed when ${close}`, flow, armed: { key, count, close } });
      }
    }
    if (!isNew(`storage ${accesses.join()}`)) continue;
    accesses.forEach((access, index) => {
      const at = index + 1;
      const which = `${flow.name}: access ${at} of ${accesses.length}, ${access}`;
      for (const lasting of whole ? [false, true] : [at % 2 === 0]) {
        const allowed = expectedOfStorage(flow, accesses, { at, lasting });
        const how = lasting ? "refused, and all after it" : "refused";
        cases.push({ name: `${which}: ${how}`, flow, storage: { at, lasting }, allowed });
      }
      if (!whole) return;
      cases.push({ name: `${which}: closed`, flow, storage: { at, hold: true } });
    });
  }
  const played = isPart ? cases.filter((_, index) => index % 5 < 3) : cases;
  if (!whole && words.length === 0 && all === FLOWS) {
    const missing = KINDS.filter((kind) => !played.some(({ armed }) => armed?.kind === kind));
    if (missing.length > 0) throw new Error(`No case stands for ${missing.join(", ")}`);
  }
  return played;
}

/** Requests with which of their kind they are. @param {readonly string[]} requests */
function numbered(requests) {
  const counts = new Map();
  return requests
    .filter((key) => !BESIDE_THE_POINT.test(key))
    .map((key) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { key, count };
    });
}
