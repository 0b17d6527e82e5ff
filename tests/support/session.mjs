/**
 * A session as time passes: clocks that a test may move, a page that wakes, and renewals that bring what they should
 * not.
 *
 * @module
 */

import { accessTokenHash, KEYS, signToken } from "../conformance/keys.mjs";
import { bodyOf, forwardRequest } from "./browser.mjs";
import { deferred } from "./deferred.mjs";
import { callInPage, PATHS } from "./login.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */
/** @import { StandIn } from "../../www/stand-in/types.d.ts" */

/**
 * Lets a test move the clocks of every page that is opened from now on.
 *
 * @param {BrowserContext} context
 */
export async function installClockOffsets(context) {
  await context.addInitScript(() => {
    const clocks = { wall: 0, monotonic: 0 };
    Object.assign(window, { clocks });
    const { now } = Date;
    Date.now = () => now() + clocks.wall;
    const monotonic = performance.now.bind(performance);
    performance.now = () => monotonic() + clocks.monotonic;
  });
}

/**
 * Moves a page's clocks, in seconds. Its timers notice nothing, as in a tab that the browser has slowed down.
 *
 * @param {Page} page
 * @param {{ wall?: number, monotonic?: number } | number} by A number moves both.
 */
export async function advanceClocks(page, by) {
  const { wall = 0, monotonic = 0 } = typeof by === "number" ? { wall: by, monotonic: by } : by;
  await page.evaluate(`clocks.wall += ${wall * 1000}; clocks.monotonic += ${monotonic * 1000};`);
}

/** The page comes to the front again, and its browser says so. @param {Page} page */
export async function simulateVisibilityChange(page) {
  await page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")));
}

/**
 * The access token, or `{ error }`.
 *
 * @param {Page} page
 * @param {object} [options]
 */
export function accessToken(page, options) {
  return callInPage(page, `client.getAccessToken(${JSON.stringify(options) ?? ""})`);
}

/** The types of the events so far, oldest first. @param {Page} page @returns {Promise<string[]>} */
export function eventTypes(page) {
  return page.evaluate("events.map(({ type }) => type)");
}

/** Waits for an event. @param {Page} page @param {string} type */
export async function waitForEvent(page, type) {
  await page.waitForFunction((type) => window.events.some((event) => event.type === type), type);
}

/** Waits for a status. @param {Page} page @param {string} status */
export async function waitForStatus(page, status) {
  await page.waitForFunction((status) => window.client.getSnapshot().status === status, status);
}

/** An ID token's claims. @param {string} token */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
}

/**
 * Holds the next request for a path of the stand-in's, so that a test can do something while it is under way.
 *
 * @param {StandIn} standIn
 * @param {string} path
 * @returns {{ arrived: Promise<void>, release: () => void }} `arrived` resolves when the request is there; `release` lets
 * it go on
 */
export function pauseNextRequest(standIn, path) {
  const arrived = deferred();
  const held = deferred();
  standIn.instead = async (request, _response, usual) => {
    if (request.method !== "OPTIONS" && request.url?.split("?")[0] === path) {
      standIn.instead = undefined;
      arrived.resolve();
      await held.promise;
    }
    return usual();
  };
  return { arrived: arrived.promise, release: held.resolve };
}

/**
 * Rewrites what renewals bring, on their way to the pages of a context. The ID token that is sent is signed with a key of
 * the provider's key set, unless another is given.
 *
 * @param {BrowserContext} context
 * @param {StandIn} standIn
 * @param {(answer: any, claims: Record<string, any>) => typeof KEYS.own | void} rewrite Changes the answer, and the claims
 * of its ID token; returns another key. An ID token that it changes itself, or takes away, stays so.
 */
export async function rewriteRefreshResponses(context, standIn, rewrite) {
  await context.route(standIn.issuer + PATHS.keys, async (route) => {
    const response = await route.fetch();
    const { keys } = await response.json();
    await route.fulfill({ response, json: { keys: [...keys, KEYS.own.jwk] } });
  });
  await context.route(standIn.issuer + PATHS.token, async (route) => {
    const body = await bodyOf(route.request());
    if (!body.includes("grant_type=refresh_token")) return route.continue();
    const response = await forwardRequest(route);
    const json = await response.json();
    const { id_token } = json;
    if (!id_token) return route.fulfill({ response, json });
    const claims = claimsOf(id_token);
    const key = rewrite(json, claims) || KEYS.own;
    if (json.id_token === id_token) {
      if (claims.at_hash) claims.at_hash = accessTokenHash(json.access_token, key.alg);
      json.id_token = signToken({ alg: key.alg, kid: key.jwk.kid }, claims, key);
    }
    await route.fulfill({ response, json });
  });
}
