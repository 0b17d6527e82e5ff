/**
 * Plays one flow with one thing going wrong, and says what of the outcome isn't as it must be.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { BUSYNESS } from "../support/patience.mjs";
import { signIn, signInThere } from "./flows.mjs";
import { FRAME_TIMEOUT, openTab } from "./world.mjs";

/** @import { Browser, BrowserContext, Page } from "playwright-core" */
/** @import { Flow } from "./flows.mjs" */
/** @import { Armed, World } from "./world.mjs" */

/**
 * Milliseconds after which a call counts as hanging. The longest waits for three requests that fail, one after another, and
 * a machine that is busy takes its time besides.
 */
const HANGING = 3 * FRAME_TIMEOUT + 36_000;

/** Milliseconds that one case may take in all. */
const LIMIT = Math.round(170_000 * BUSYNESS);

/** Statuses in which nothing is under way. */
const STABLE = ["signed-out", "signed-in", "error"];

/**
 * The outcome of a call.
 *
 * @typedef {object} Outcome
 * @property {boolean} failed
 * @property {any} [value]
 * @property {any} [error] With its code, name and message, and its cause's code.
 * @property {boolean} [hung]
 * @property {Outcome[]} [beside] What became of those who called at the same time.
 */

/**
 * The environment of a flow.
 *
 * @typedef {object} Stage
 * @property {Page} page
 * @property {BrowserContext} context
 * @property {World} world
 * @property {(page: Page, path?: string) => Promise<void>} open
 * @property {(expression: string, beside?: string[], options?: { mayLeave?: boolean }) => Promise<Outcome>} call
 * @property {{ url?: string }} memory The answer that the last sign-in was to handle.
 * @property {string} [failing] The request that fails.
 * @property {string} [failed] The request that has failed, before the next attempt.
 */

/**
 * One thing that goes wrong.
 *
 * @typedef {object} Case
 * @property {Flow} flow
 * @property {Armed} [armed] With a request.
 * @property {{ at: number, lasting?: boolean, hold?: boolean }} [storage] With an access to the storage.
 * @property {readonly string[]} [problems] What was wrong already when nothing failed.
 * @property {readonly string[]} [allowed] How it may end: `"ok"`, or an error's code or name.
 */

/** Keys that may be left if storage refused: they are removed by the next login within the hour, or end with the tab. */
const OF_REFUSED_STORAGE = /^classlink-spa\.((login|launch|logout|restore|sign-out)\..+|probe)$/;

/** The key of a sign-out that could not be sent to the gateway. */
const SIGN_OUT_MARK = /^classlink-spa\.sign-out\./;

/** A call in the page, which says what became of it. @param {string} expression */
const settling = (expression) => `Promise.race([
  Promise.resolve().then(() => ${expression}).then(
    (value) => ({ failed: false, value }),
    (error) => ({ failed: true, error: {
      ...error, name: error?.name, message: error?.message, causeCode: String(error?.cause?.code ?? "").replace(/^\\d+$/, "") || undefined,
    } }),
  ),
  new Promise((resolve) => setTimeout(resolve, ${HANGING}, { failed: true, hung: true })),
])`;

/** @param {Page} page @returns {Stage["call"]} */
const caller =
  (page) =>
  async (expression, beside = [], { mayLeave = false } = {}) => {
    const all = `Promise.all([${[expression, ...beside].map(settling).join(", ")}])`;
    try {
      const [outcome, ...others] = await page.evaluate(all);
      return { ...outcome, beside: others };
    } catch (error) {
      const gone = /context was destroyed|navigation/i.test(String(error));
      if (mayLeave && gone) return { failed: false };
      throw error;
    }
  };

/**
 * @param {Browser} browser
 * @param {World} world
 * @param {Flow} flow
 */
export async function setStage(browser, world, flow) {
  world.end();
  world.enter(flow);
  const tab = await openTab(browser, world);
  const { page, context, open } = tab;
  await open(page);
  /** @type {Stage} */
  const stage = { page, context, world, open, call: caller(page), memory: {} };
  await flow.before?.(stage);
  return { ...tab, stage };
}

/** Plays a flow without a fault. Returns the requests and the accesses to storage that it makes. */
export async function record(browser, world, flow) {
  const { context, page, stage, errors } = await setStage(browser, world, flow);
  try {
    await flow.since?.(stage);
    world.begin();
    await page.evaluate("storageHand.counting = true");
    const outcome = await flow.act(stage);
    world.end();
    const problems = [
      ...judge(flow, outcome, ["ok"]),
      ...(await judgePage(
        page,
        flow.name.startsWith("logout") ? "signed-out" : flow.ends,
        flow.quiet,
      )),
      ...errors,
    ];
    const accesses = await page.evaluate("storageHand.accesses").catch(() => []);
    return { requests: world.requests, accesses, problems };
  } finally {
    await context.close();
  }
}

/**
 * Plays a case in bounded time.
 *
 * @param {Browser} browser
 * @param {World} world
 * @param {Case} one
 * @returns {Promise<string[]>} What is wrong.
 */
export async function play(browser, world, one) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  const late = pause(LIMIT, [`no end in ${LIMIT / 1000} s`], { ref: false });
  const closes = one.armed?.close || one.storage?.hold;
  const played = (closes ? playClosing : playFault)(browser, world, one, ends);
  try {
    return await Promise.race([late, played.catch((error) => [String(error.stack ?? error)])]);
  } finally {
    world.end();
    for (const end of ends) await Promise.resolve(end()).catch(() => {});
  }
}

/**
 * Something fails, and is mended: the next attempt must succeed.
 *
 * @param {Browser} browser
 * @param {World} world
 * @param {Case} one
 * @param {(() => unknown)[]} ends
 */
async function playFault(browser, world, { flow, armed, storage, allowed = ["ok"] }, ends) {
  const { context, page, stage, errors } = await setStage(browser, world, flow);
  ends.push(() => context.close());
  await flow.since?.(stage);
  if (armed) stage.failing = armed.key;

  world.begin(armed);
  if (storage) await arm(page, storage);
  const outcome = await flow.act(stage);
  world.end();
  if (storage) await disarm(page);

  const problems = judge(flow, outcome, allowed, armed?.key);
  if (armed && !world.wasMet) problems.push("the request was not made");
  if (world.strays.length > 0) problems.push("a redirect was followed");
  problems.push(...(await judgePage(page, undefined, flow.quiet)));
  const left = storage ? OF_REFUSED_STORAGE : flow.gateway ? SIGN_OUT_MARK : undefined;
  problems.push(...(await judgeStorage(page, left)));
  if (problems.length > 0) return problems;

  // What the gateway remembers of a failure, it has forgotten by now.
  world.pass(10);
  stage.failed = stage.failing;
  stage.failing = undefined;
  const { url } = stage.memory;
  const next =
    storage && outcome.failed && url
      ? // Nothing was consumed: the same answer is good still.
        await stage.call(`client.handleCallback(${JSON.stringify(url)})`)
      : await (flow.again ?? flow.act)(stage);
  // A refresh token may be used up, though its answer never came: then the grant is over, and that is said.
  const spent = flow.name.startsWith("renewal") && next.error?.code === "session_expired";
  if (spent) {
    const anew = await (flow.leaves ? signInThere : signIn)(stage);
    problems.push(...judge({ ...flow, right: undefined }, anew, ["ok"]));
  } else problems.push(...judge(flow, next, ["ok"]));
  problems.push(
    ...(await judgePage(page, spent ? "signed-in" : flow.ends, flow.quiet)),
    ...(await judgeStorage(page, storage ? OF_REFUSED_STORAGE : undefined)),
  );
  // The browser itself reports a script that is not one.
  const own = armed?.key.includes(".js")
    ? errors.filter((one) => !/^SyntaxError/.test(one))
    : errors;
  if (own.length > 0) problems.push(`uncaught: ${own.join("; ")}`);
  return problems.map((problem) => `${problem}, after ${describe(outcome)}`);
}

/** @param {Page} page */
const arm = (page, storage) =>
  page.evaluate((storage) => {
    const { storageHand } = /** @type {any} */ (window);
    Object.assign(storageHand, { armed: storage, accesses: [], counting: true });
  }, storage);

/** @param {Page} page */
const disarm = (page) => page.evaluate("storageHand.counting = false").catch(() => {});

/** @param {Outcome} outcome */
function describe({ value, error, hung }) {
  if (hung) return "nothing";
  if (error) return `${error.code ?? error.name}${error.causeCode ? ` (${error.causeCode})` : ""}`;
  return JSON.stringify(value)?.slice(0, 100) ?? "undefined";
}

/** Whether an outcome is one of those that may be. @param {Flow} flow @param {Outcome} outcome @param {readonly string[]} allowed @param {string} [failing] */
function judge(flow, outcome, allowed, failing) {
  const problems = [];
  const { failed, error, hung, value, beside = [] } = outcome;
  if (hung || beside.some((other) => other.hung)) problems.push("a call never settled");
  const way = failed
    ? // The platform's own errors have causes of its own.
      [error?.code ?? error?.name, error?.code && error?.causeCode].filter(Boolean).join(" < ")
    : "ok";
  if (!hung && !allowed.includes(way)) {
    problems.push(
      `it ended with ${describe(outcome)} (${error?.message}), not ${allowed.join(" or ")}`,
    );
  }
  if (!failed && flow.right?.(value, failing) === false)
    problems.push(`it answered ${describe(outcome)}`);
  for (const { error } of [outcome, ...beside]) {
    if (error?.code && !(/^[0-9A-Z]{8}$/.test(error.supportCode) && error.userMessage)) {
      problems.push(`not a whole error: ${JSON.stringify(error)}`);
    }
  }
  return problems;
}

/** Finds what is wrong with a page and its storage, whatever has happened. @param {Page} page @param {string} [wanted] The status. @param {boolean} [quiet] Whether it may be unknown who is there. */
async function judgePage(page, wanted, quiet = false) {
  const problems = [];
  const read = () =>
    page.evaluate(() => {
      const { status, user, error } = /** @type {any} */ (window).client.getSnapshot();
      return { status, user: Boolean(user), error: Boolean(error) };
    });
  let seen = await read();
  // A diagnosis restores no session.
  const stable = quiet ? [...STABLE, "loading"] : STABLE;
  for (let looks = 0; looks < 40 && !stable.includes(seen.status); looks++) {
    await pause(50);
    seen = await read();
  }
  const { status, user, error } = seen;
  if (!(wanted ? [wanted, ...(quiet ? ["loading"] : [])] : stable).includes(status)) {
    problems.push(`the status is ${status}`);
  }
  if (user !== (status === "signed-in") || error !== (status === "error")) {
    problems.push(`the snapshot contradicts itself: ${JSON.stringify(seen)}`);
  }
  // A renewal that failed is tried again by itself: its frame comes and goes.
  const gone = page.waitForFunction("!document.querySelector('iframe')", null, {
    timeout: 2 * FRAME_TIMEOUT,
  });
  await gone.catch(() => problems.push("a frame is left"));
  return problems;
}

/**
 * The tab is closed in the middle; another one of the application goes on, and a new one begins.
 *
 * @param {Browser} browser
 * @param {World} world
 * @param {Case} one
 * @param {(() => unknown)[]} ends
 */
async function playClosing(browser, world, { flow, armed, storage }, ends) {
  const { context, page, stage, errors } = await setStage(browser, world, flow);
  ends.push(() => context.close());
  const other = await context.newPage();
  await stage.open(other);
  const inOther = caller(other);
  await inOther("client.getUser()");
  await flow.since?.(stage);
  // It remembers nothing that would spare it a request.
  world.restartGateway();

  world.begin(armed);
  if (storage) await arm(page, storage);
  const acted = flow.act(stage).catch(() => {});
  const reached = await Promise.race([world.met.then(() => true), acted.then(() => false)]);
  if (!reached) return ["what the tab was to be closed at did not come"];
  await page.close();
  world.end();
  world.pass(10);

  const problems = [];
  const settles = async (call, where) => {
    const outcome = await call("client.getUser()", ["client.getAccessToken()"]);
    if (outcome.hung || outcome.beside.some(({ hung }) => hung)) {
      problems.push(`a call of the ${where} tab never settled`);
    } else if (outcome.failed)
      problems.push(`the ${where} tab can't say whether a user is signed in: ${describe(outcome)}`);
    // A sign-out that has gone as far as to ask the gateway holds.
    else if (armed && flow.name.startsWith("logout") && outcome.value) {
      problems.push(`the user is still signed in in the ${where} tab`);
    }
  };
  await settles(inOther, "other");
  problems.push(...(await judgePage(other)));

  const tab = await context.newPage();
  await stage.open(tab);
  const next = { ...stage, page: tab, call: caller(tab), memory: {} };
  await settles(next.call, "new");
  problems.push(...(await judgePage(tab)));
  const again = await (flow.leaves ? signInThere : signIn)(next);
  problems.push(...judge({ ...flow, right: undefined }, again, ["ok"]));
  problems.push(...(await judgePage(tab, "signed-in")), ...(await judgeStorage(tab)));
  if (errors.length > 0) problems.push(`uncaught: ${errors.join("; ")}`);
  return problems;
}

/**
 * Finds what is stored and may not be.
 *
 * @param {Page} page
 * @param {RegExp} [allowed] Keys.
 */
async function judgeStorage(page, allowed = /^$/) {
  const keys = await page.evaluate(() => [
    ...Object.keys(sessionStorage),
    ...Object.keys(localStorage),
  ]);
  // The mark of a user who was signed in may remain: it holds nothing personal.
  const others = keys.filter((key) => key !== "classlink-spa.waits" && !allowed.test(key));
  return others.length > 0 ? [`left in storage: ${others.join(", ")}`] : [];
}
