/**
 * The script of every page of the bench's applications: a start page begins a login, the callback page completes it.
 *
 * @module
 */

/** @import { Adapter, CreateAdapter, Settings } from "./adapter.js" */

/**
 * Reports through the console when a page is done.
 *
 * @typedef {object} Report
 * @property {string} [sub] The user.
 * @property {number} [startMs] From the start page's HTML to the navigation.
 * @property {number} [callbackMs] From the callback page's HTML to the user.
 * @property {string} [error]
 */

const STARTED = "bench-start";

/** Milliseconds since the page's HTML was received. */
const sinceHtml = () => {
  const [{ responseEnd }] = /** @type {PerformanceNavigationTiming[]} */ (
    performance.getEntriesByType("navigation")
  );
  return performance.now() - responseEnd;
};

const page =
  /** @type {Window & { settings: Omit<Settings, "navigate">, adapter: Adapter, leave?: (url: string) => void }} */ (
    /** @type {unknown} */ (window)
  );

/** @param {Report} report */
const report = (report) => console.log(JSON.stringify(report));

/** @param {string} url */
function navigate(url) {
  if (page.leave) return page.leave(url);
  sessionStorage.setItem(STARTED, String(sinceHtml()));
  location.assign(url);
}

/** @param {CreateAdapter} create */
async function run(create) {
  const adapter = create({ ...page.settings, navigate });
  page.adapter = adapter;
  if (location.pathname.endsWith("/start")) await adapter.login();
  if (!location.pathname.endsWith("/callback")) return;
  const sub = await adapter.callback();
  const callbackMs = sinceHtml();
  // In an iframe the page that opened it goes on.
  if (self !== top) return;
  report({ sub, callbackMs, startMs: Number(sessionStorage.getItem(STARTED)) });
}

/** @param {CreateAdapter} create */
export function start(create) {
  run(create).catch((error) => report({ error: String(error) }));
}
