/**
 * Plays one scenario with one library, in a browser context of its own, and says what was seen and what of it is wrong.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { startApp } from "../support/app.mjs";
import { PATIENCE_MS } from "../support/patience.mjs";
import {
  describe,
  forPeers,
  judgeOutcome,
  judgePage,
  judgeRequests,
  sentWrongly,
} from "./judge.mjs";
import { startProvider } from "./provider.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */
/** @import { launchTabs, Tab } from "./browser.mjs" */
/** @import { App, AppOptions } from "../support/app.mjs" */
/** @import { Expectation, Seen } from "./judge.mjs" */
/** @import { Misbehaving, Misbehavior } from "./provider.mjs" */

/**
 * A library under test: how it is set up, and what it does on a page.
 *
 * @typedef {object} Adapter
 * @property {string} name
 * @property {string} version
 * @property {boolean} [ours] Whether all that a scenario expects is looked at, or the outcome alone.
 * @property {string[]} [notes] What a reader of the comparison must know to judge this library fairly.
 * @property {{ issuerPath?: string, paths?: object, jwtAccessTokens?: boolean }} [provider] What `startProvider` must do otherwise for it.
 * @property {string[]} [skips] Groups that it has nothing for.
 * @property {(settings: Settings) => Promise<string>} pageScript A module, as text, that every page of the application
 * runs. It sets `window.rp`: `login(options)` leaves for the provider, `callback(url)` ends with
 * `{ status: "signed-in", user: { sub } }` or rejects.
 */

/** @typedef {{ clientId: string, redirectUri: string, issuer: string, timeout: number } & Record<string, any>} Settings */

/**
 * The setup of a scenario: the provider's misbehavior, and everything else.
 *
 * @typedef {Misbehavior & {
 *   config?: Record<string, any> | ((provider: Misbehaving, app: App) => Record<string, any>),
 *   login?: Record<string, any>,
 *   app?: AppOptions,
 *   initScript?: string,
 *   context?: (context: BrowserContext, app: App) => Promise<unknown>,
 *   origin?: string,
 *   navigate?: string,
 *   issuerPath?: string,
 * }} Arrangement
 *
 * - `config`: members of the client's configuration; `login`: `startLogin`'s options
 * - `initScript`: runs in every page before anything else, until the scenario is healed
 * - `navigate`: the source of the configuration's function of this name
 * - `issuerPath`: what follows the origin in the issuer identifier
 * - `origin`: where the application's pages are, in place of its server's
 */

/**
 * A scenario: see `scenarios.mjs`.
 *
 * @typedef {object} Scenario
 * @property {string} name A sentence that says what is arranged.
 * @property {string} [group] Set by `scenarios.mjs`.
 * @property {Arrangement} [arrange]
 * @property {(stage: Stage) => Promise<any>} [play] Default: one login and its callback.
 * @property {Expectation} expect
 * @property {boolean | "reload"} [again] Whether, after a failure, all is healed and the next attempt must succeed, on
 * the same page or on a fresh one. Default `true`.
 * @property {boolean} [freshPage] Whether it needs a page without a history.
 * @property {boolean} [needsBrowser] Whether pages in Node can't play it.
 * @property {string} [ours] Why it says nothing of other libraries.
 */

/**
 * The environment of a scenario.
 *
 * @typedef {object} Stage
 * @property {Page} page
 * @property {App} app
 * @property {string} origin The application's.
 * @property {Misbehaving} provider
 * @property {number} timeout Milliseconds that one request of the client's may take, as configured.
 * @property {(path?: string) => Promise<void>} open Loads a page of the application.
 * @property {(options?: object) => Promise<any>} login Goes to the provider and back to the callback page; returns
 * what went wrong, if something did.
 * @property {() => Promise<void>} arrival The next arrival on the callback page.
 * @property {(url?: string) => Promise<any>} callback Handles the callback.
 * @property {(options?: object) => Promise<any>} signIn Both.
 * @property {(expression: string) => Promise<any>} ask Evaluates an expression on the page; an error is an answer.
 * @property {() => Promise<void>} heal Everything behaves from now on.
 */

export const CLIENT_ID = "conformance";

/** Milliseconds that a client waits for a response that comes. */
const PATIENT_MS = 30_000;

/** Milliseconds between two looks at a page that is loading. */
const POLL = 20;

const HEALED = "healed=1";

/**
 * Plays a scenario.
 *
 * @param {Scenario} scenario
 * @param {Adapter} adapter
 * @param {Awaited<ReturnType<typeof launchTabs>>} tabs
 * @param {number} [limit] Milliseconds.
 * @returns {Promise<Seen>}
 */
export async function playScenario(scenario, adapter, tabs, limit = PATIENCE_MS) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  const t = { after: (/** @type {() => unknown} */ end) => ends.unshift(end) };
  const { initScript, context } = scenario.arrange ?? {};
  const fresh = Boolean(initScript ?? context ?? scenario.freshPage);
  const tab = await tabs.take(fresh);
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(hung(limit)), limit);
  });
  let ended = false;
  try {
    const seen = await Promise.race([late, play(scenario, adapter, tab, t).catch(broken)]);
    ended = seen.kind !== "hung" && seen.kind !== "broken";
    return seen;
  } finally {
    clearTimeout(timer);
    await tabs.giveBack(tab, ended && !fresh);
    for (const end of ends) await Promise.resolve(end()).catch(() => {});
  }
}

/** @param {number} limit @returns {Seen} */
function hung(limit) {
  const text = `no answer in ${limit / 1000} s`;
  return { kind: "hung", text, right: false, problems: [text] };
}

/** Reports what the scenario itself threw. @param {unknown} error @returns {Seen} */
function broken(error) {
  return { kind: "broken", text: String(error), right: false, problems: [String(error)] };
}

/** @param {Scenario} scenario @param {Adapter} adapter @param {Tab} tab */
async function play(scenario, adapter, tab, t) {
  const { arrange = {}, expect } = scenario;
  const { stage, provider } = await setUp(scenario, adapter, tab, t);

  await stage.open();
  const answer = await (scenario.play?.(stage) ?? stage.signIn(arrange.login));

  const seen = judgeOutcome(answer, adapter.ours ? expect : forPeers(expect));
  if (!adapter.ours) {
    seen.problems.push(...sentWrongly(expect, provider));
    return { ...seen, right: seen.problems.length === 0 };
  }
  seen.problems.push(
    ...judgeRequests(expect, provider),
    ...(await judgePage(stage, answer, expect, tab)),
  );
  const failed = answer?.error !== undefined;
  if (failed && scenario.again !== false && seen.problems.length === 0) {
    await stage.heal();
    if (scenario.again === "reload") await stage.open();
    const next = await stage.signIn();
    if (next?.status !== "signed-in") {
      seen.problems.push(`the next attempt did not succeed: ${describe(next)}`);
    }
  }
  if (tab.errors.length > 0) seen.problems.push(`uncaught: ${tab.errors.join("; ")}`);
  return { ...seen, right: seen.problems.length === 0 };
}

/** Starts all that a scenario needs. */
async function setUp(
  { arrange = /** @type {Arrangement} */ ({}) },
  adapter,
  { context, page, ports, waiting },
  t,
) {
  const { app: appArranged, initScript, context: arrangeContext, config, ...rest } = arrange;
  const { origin: otherOrigin, login: _, navigate, issuerPath, ...bent } = rest;
  /** @type {AppOptions} */
  const appOptions = { ...appArranged };
  let app = await startApp(t, appOptions);
  // A port may come again; what an application before it left in this tab would be its own.
  while (ports.has(app.port)) app = await startApp(t, appOptions);
  ports.add(app.port);
  const origin = otherOrigin ?? app.origin;
  const redirectUri = `${origin}/callback`;
  const provider = await startProvider({
    clientId: CLIENT_ID,
    redirectUri,
    ...(issuerPath !== undefined && { issuerPath }),
    ...adapter.provider,
  });
  t.after(() => provider.close());
  provider.bent = bent;
  const settings = {
    clientId: CLIENT_ID,
    redirectUri,
    issuer: provider.issuer,
    timeout: PATIENT_MS,
    ...(navigate && { navigate }),
    ...(typeof config === "function" ? config(provider, app) : config),
  };
  appOptions.script = await adapter.pageScript(settings);

  if (initScript) {
    await context.addInitScript(`if (document.cookie !== "${HEALED}") { ${initScript} }`);
  }
  await arrangeContext?.(context, app);

  let count = 0;
  // A page may leave while it works: what it has to say comes through a function, not as an evaluation's result.
  const ask = (expression) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, resolve);
      page.evaluate(asking(expression, id)).catch((error) => {
        if (!/context was destroyed|navigation|has been closed/i.test(error.message)) reject(error);
      });
    });

  // Playwright's own waiting evaluates text on the page, which a Content Security Policy may forbid.
  const ready = async () => {
    while (!(await page.evaluate("window.rp !== undefined").catch(() => page.isClosed()))) {
      await sleep(POLL);
    }
  };
  /** @type {Stage} */
  const stage = {
    page,
    app,
    origin,
    provider,
    timeout: settings.timeout,
    ask,
    async open(path = "/") {
      await page.goto(origin + path, { waitUntil: "commit" });
      await ready();
    },
    async arrival() {
      // Stripping the address bar is a navigation too, and no arrival.
      const before = provider.callbacks.length;
      await page.waitForEvent("framenavigated", {
        predicate: (frame) =>
          frame === page.mainFrame() &&
          provider.callbacks.length > before &&
          frame.url().startsWith(`${origin}/callback`),
        timeout: 0,
      });
      await ready();
    },
    async login(options) {
      const back = stage.arrival();
      back.catch(() => {});
      const left = ask(`rp.login(${JSON.stringify(options) ?? ""})`);
      const failed = new Promise((resolve, reject) => {
        left.then((answer) => answer?.error && resolve(answer), reject);
      });
      return Promise.race([back.then(() => undefined), failed]);
    },
    callback: (url) => ask(`rp.callback(${JSON.stringify(url) ?? ""})`),
    async signIn(options) {
      return (await stage.login(options)) ?? stage.callback();
    },
    async heal() {
      provider.bent = {};
      for (const name of ["wasm", "headers"]) delete appOptions[name];
      // Nothing hangs any more: a busy machine may take its time.
      appOptions.script = await adapter.pageScript({ ...settings, timeout: PATIENT_MS });
      await context.addCookies([{ name: "healed", value: "1", url: origin }]);
      if (initScript) await stage.open();
    },
  };
  return { stage, provider };
}

/** An expression whose value, or error, is reported under a number. */
const asking = (expression, id) => `
  (async () => ${expression})().then(
    (value) => ({ value }),
    (error) => ({
      value: {
        error: {
          ...error,
          name: error?.name,
          message: error?.message ?? String(error),
          code: error?.code ?? error?.error,
          all: [JSON.stringify(error), String(error), error?.userMessage].join(" "),
        },
      },
    }),
  ).then(({ value }) => report(${id}, JSON.stringify(value ?? null)));
  undefined;
`;
