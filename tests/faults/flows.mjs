/**
 * The flows whose every step is made to fail.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { engine, NO_SECURE_COOKIE, ONLY_IN_BROWSERS } from "../support/engine.mjs";
import { PEOPLE } from "../support/login.mjs";
import { advanceClocks } from "../support/session.mjs";
import { HttpUserAgent } from "../support/stand-in.mjs";
import { isSilent } from "./expected.mjs";
import { FRAME_TIMEOUT, LIFE, TIMEOUT } from "./world.mjs";

/** @import { Page } from "playwright-core" */
/** @import { Stage, Outcome } from "./runner.mjs" */

/**
 * @typedef {object} Flow
 * @property {string} name
 * @property {boolean} [gateway] Whether the application has one.
 * @property {boolean} [discovers] Whether the issuer's endpoints are unknown.
 * @property {boolean} [leaves] Whether pages really go to the provider, and the callback page handles its answer.
 * @property {Record<string, unknown>} [config] Members of the client's configuration.
 * @property {(answer: any) => any} [tokens] Changes every token answer.
 * @property {(stage: Stage) => Promise<unknown>} [before] What has happened before. The page is open.
 * @property {(stage: Stage) => Promise<unknown>} [since] What has happened since then, once every tab is open.
 * @property {(stage: Stage) => Promise<Outcome>} act What is looked at: ends with what became of it, at the first failure.
 * @property {(stage: Stage) => Promise<Outcome>} [again] The next attempt. Default: the same.
 * @property {boolean} [quiet] Whether it may be unknown who is there, afterwards too.
 * @property {Record<string, string>} [unless] By engine: why it can't be played there.
 * @property {"signed-in" | "signed-out"} ends The snapshot's status when it has gone well.
 * @property {(value: any, failing?: string) => boolean} [right] Whether a value is what must come; `failing` is the request
 * that failed. Default: any.
 */

const isPia = (/** @type {any} */ value) =>
  value?.givenName === "Pia" || value?.user?.givenName === "Pia";
const isToken = (/** @type {any} */ value) => typeof value === "string" && value.length > 8;

/** The provider's pages, visited by Pia in a browser of her own. @param {Stage} stage */
async function visitProvider({ page }) {
  const left = await page.evaluate("left");
  const { callback } = await new HttpUserAgent().arrive(left, PEOPLE.pia);
  return callback.href;
}

/** From the button to the result; a call asks for the user meanwhile. @param {Stage} stage */
export async function signIn(stage, begin = "client.startLogin()") {
  const begun = await stage.call(begin);
  if (begun.failed) return begun;
  const url = await visitProvider(stage);
  stage.memory.url = url;
  return stage.call(`client.handleCallback(${JSON.stringify(url)})`, ["client.getUser()"]);
}

/** Before: a user is signed in. @param {Stage} stage */
async function signedIn(stage) {
  const { failed, error } = await signIn(stage);
  if (failed) throw new Error(`The sign-in before failed: ${JSON.stringify(error)}`);
}

/** Signs in by redirect, whether or not the provider knows the user. @param {Stage} stage */
export async function signInThere(stage) {
  const { page, open } = stage;
  await open(page);
  const begun = await stage.call("client.startLogin()", [], { mayLeave: true });
  if (begun.failed) return begun;
  await page.waitForURL(({ pathname }) => /^\/(callback|sign-in)/.test(pathname));
  if (!page.url().includes("/callback")) {
    await page.getByTestId(`district-${PEOPLE.pia.district}`).click();
    await page.getByTestId(`person-${PEOPLE.pia.sub}`).click();
    await page.waitForURL("**/callback*");
  }
  await page.waitForFunction("window.handled !== undefined");
  return stage.call("handled");
}

/** Before: a user has signed in at the provider, and the page was reloaded. @param {Stage} stage */
async function known(stage) {
  const { failed, error } = await signInThere(stage);
  if (failed) throw new Error(`The sign-in before failed: ${JSON.stringify(error)}`);
  await stage.open(stage.page);
}

/** The next ID token is another: times in it are whole seconds. */
const anotherSecond = () => pause(1100);

/** The access token is over. @param {Stage} stage */
async function later({ page, world }) {
  await anotherSecond();
  await advanceClocks(page, LIFE + 1);
  world.pass(LIFE + 1);
}

const FRAMED = { session: { restore: "iframe" }, timeout: FRAME_TIMEOUT };

const withoutRefreshToken = ({ refresh_token: _, ...answer }) => answer;

/** Two callers at once. @param {Stage} stage */
const getAccessToken = (stage) =>
  stage.call("client.getAccessToken()", ["client.getAccessToken()", "client.getUser()"]);

/** A button in the page signs in in a popup, which the user closes once nothing more comes. @param {Stage} stage */
async function signInInPopup(stage) {
  const { page, context } = stage;
  await page.evaluate(() => {
    document.querySelector("button")?.remove();
    const button = document.createElement("button");
    button.textContent = "Sign in";
    button.onclick = () => {
      const { client } = /** @type {any} */ (window);
      const signedIn = client.startLogin({ mode: "popup" });
      signedIn.catch(() => {});
      Object.assign(window, { signedIn });
    };
    document.body.append(button);
  });
  const [popup] = await Promise.all([
    context.waitForEvent("page").catch((error) => {
      // WebKit's driver reports none: one that is closed at once is never seen.
      if (engine !== "webkit") throw error;
      return undefined;
    }),
    page.getByRole("button").click(),
  ]);
  const settled = new AbortController();
  const { signal } = settled;
  const leave = async () => {
    await pause(isSilent(stage.failing ?? "") ? TIMEOUT : 9 * TIMEOUT, undefined, { signal });
    await popup?.close();
    // Without the focus, which other flows' windows take too, a page can't tell a popup that is closed.
    for (;;) {
      await page.bringToFront();
      await pause(500, undefined, { signal });
    }
  };
  leave().catch(() => {});
  try {
    return await stage.call("signedIn");
  } finally {
    settled.abort();
    await popup?.close();
  }
}

/** @param {Stage} stage */
const diagnose = (stage) => stage.call("client.diagnose()");

/** Some browsers ask for a script once in a page's life. @param {Stage} stage */
async function diagnoseAgain(stage) {
  if (stage.failed?.endsWith("diagnosis.js")) await stage.open(stage.page);
  return diagnose(stage);
}

/** @type {Flow[]} */
export const FLOWS = [
  {
    name: "sign-in with discovery and UserInfo",
    discovers: true,
    config: { profile: "userinfo" },
    act: (stage) => signIn(stage),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "sign-in with known metadata and my-info",
    config: { profile: "my-info" },
    act: (stage) => signIn(stage),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "sign-in on a device whose clock is wrong",
    before: ({ page }) => advanceClocks(page, 100 * 3600),
    act: (stage) => signIn(stage),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "launch by a tile's page",
    discovers: true,
    act: (stage) => signIn(stage, "client.handleLaunch()"),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "launch by a tile's code",
    discovers: true,
    act: (stage) => signIn(stage, 'client.handleCallback("/callback?code=of-a-tile")'),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "sign-in in a popup",
    leaves: true,
    unless: { node: ONLY_IN_BROWSERS },
    before: known,
    act: signInInPopup,
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "sign-in through the gateway, with my-info",
    gateway: true,
    config: { profile: "my-info" },
    act: (stage) => signIn(stage),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "restore from the gateway",
    gateway: true,
    unless: { webkit: NO_SECURE_COOKIE },
    async before(stage) {
      await signedIn(stage);
      await stage.open(stage.page);
      stage.world.restartGateway();
    },
    act: (stage) => stage.call("client.getUser()", ["client.restoreSession()"]),
    ends: "signed-in",
    right: isPia,
  },
  {
    name: "restore in a hidden frame",
    leaves: true,
    unless: { node: ONLY_IN_BROWSERS },
    config: FRAMED,
    before: known,
    act: (stage) => stage.call("client.restoreSession()", ["client.getUser()"]),
    ends: "signed-in",
    // An iframe that does not respond means that there is no session.
    right: (value, failing) => isPia(value) || (value === null && isSilent(failing ?? "")),
  },
  {
    name: "renewal by refresh token",
    before: signedIn,
    since: later,
    act: getAccessToken,
    ends: "signed-in",
    right: isToken,
  },
  {
    name: "renewal by the gateway",
    gateway: true,
    unless: { webkit: NO_SECURE_COOKIE },
    before: signedIn,
    since: later,
    act: getAccessToken,
    ends: "signed-in",
    right: isToken,
  },
  {
    name: "renewal in a hidden frame",
    leaves: true,
    unless: { node: ONLY_IN_BROWSERS },
    tokens: withoutRefreshToken,
    config: FRAMED,
    async before(stage) {
      const { failed } = await signInThere(stage);
      if (failed) throw new Error("The sign-in before failed");
    },
    since: later,
    act: getAccessToken,
    ends: "signed-in",
    right: isToken,
  },
  {
    name: "an API call, refused at first",
    async before(stage) {
      await signedIn(stage);
      await anotherSecond();
      stage.world.standIn.fail("myInfo", { status: 401 });
    },
    act: ({ call, world }) =>
      call(
        `client.fetch("${world.standIn.endpoints.my_info_endpoint}", { signal: AbortSignal.timeout(${TIMEOUT}) })
          .then(async (response) => (await response.text(), response.status))`,
      ),
    ends: "signed-in",
    right: Number.isInteger,
  },
  {
    name: "logout with revocation",
    before: signedIn,
    act: (stage) => stage.call("client.logout()"),
    again: (stage) => signIn(stage),
    ends: "signed-in",
    right: (value) => value?.sessionEnded === true || isPia(value),
  },
  {
    name: "logout at the gateway",
    gateway: true,
    before: signedIn,
    act: (stage) => stage.call("client.logout()"),
    again: async (stage) => {
      await stage.open(stage.page);
      return stage.call("client.getUser()");
    },
    ends: "signed-out",
    right: (value, failing) =>
      value === null || value?.sessionEnded === !failing?.includes("DELETE"),
  },
  {
    name: "diagnosis",
    discovers: true,
    config: { profile: "userinfo" },
    act: diagnose,
    again: diagnoseAgain,
    quiet: true,
    ends: "signed-out",
    right: (value) => typeof value?.ok === "boolean",
  },
  {
    name: "diagnosis of a gateway",
    gateway: true,
    act: diagnose,
    again: diagnoseAgain,
    quiet: true,
    ends: "signed-out",
    right: (value) => typeof value?.ok === "boolean",
  },
];
