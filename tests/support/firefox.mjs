/**
 * A Firefox as users have it, by WebDriver BiDi, and what the driver lacks for it.
 *
 * @module
 */

import { firefox } from "playwright-core";
import { findBrowser } from "../../tools/lib/browser.mjs";

/** @import { Browser, Request } from "playwright-core" */

/** The settings that users have, for those that the driver changes. */
const PREFERENCES = {
  // Total Cookie Protection: a frame of another site has cookies and storage of its own.
  "network.cookie.cookieBehavior": 5,
  // Popups need a click.
  "dom.disable_open_during_load": true,
};

/** Bytes of a request's body that are kept for the tests. */
const BODY_LIMIT = 1_000_000;

/**
 * The bodies of the requests so far, by the driver's own object for each.
 *
 * @type {WeakMap<object, Promise<string | null>>}
 */
const bodies = new WeakMap();

/** Starts a Firefox. The caller ends it. @returns {Promise<Browser>} */
export async function launchFirefox() {
  const executablePath = findBrowser("firefox");
  if (!executablePath) throw new Error("No Firefox was found; FIREFOX can name one");
  const browser = await firefox.launch({
    channel: "moz-firefox",
    executablePath,
    firefoxUserPrefs: PREFERENCES,
  });
  const session = inside(browser)._browserSession;
  withoutMediaFeatures(session);
  await withBodies(browser, session);
  return browser;
}

/**
 * The body of a request, which the driver doesn't know by itself.
 *
 * @param {Request} request
 * @returns {Promise<string | null> | undefined} `null` for a request without one.
 */
export const bodyInFirefox = (request) => bodies.get(inside(request));

/** The driver's own object behind one of its interface. @param {any} object */
const inside = (object) => object._connection.toImpl(object);

/**
 * Playwright sets a color scheme for every context, by a command that the extended support release doesn't know yet,
 * and gives up. No test looks at colours.
 *
 * @param {any} session
 */
function withoutMediaFeatures(session) {
  const { send } = session;
  session.send = (method, parameters) =>
    send.call(session, method, parameters).catch((error) => {
      if (method !== "emulation.setMediaFeaturesOverride") throw error;
    });
}

/**
 * Asks for the body of every request that has one, while the request is there.
 *
 * @param {Browser} browser
 * @param {any} session
 */
async function withBodies(browser, session) {
  const { collector } = await session.send("network.addDataCollector", {
    dataTypes: ["request"],
    maxEncodedDataSize: BODY_LIMIT,
  });
  const bodyOf = async (id) => {
    const { bytes } = await session.send("network.getData", {
      dataType: "request",
      collector,
      request: id,
    });
    return Buffer.from(bytes.value, bytes.type === "base64" ? "base64" : "utf8").toString();
  };
  const { newContext } = browser;
  browser.newContext = async (options) => {
    const context = await newContext.call(browser, options);
    inside(context).on("request", (request) => {
      const known = request.frame()._page.delegate._networkManager._requests;
      const [id] = [...known].find(([, one]) => one.request === request) ?? [];
      const body = request._bodySize > 0 && id ? bodyOf(id) : Promise.resolve(null);
      // Nothing may await it, and the browser may be gone by then.
      body.catch(() => {});
      bodies.set(request, body);
    });
    return context;
  };
}
