/**
 * A platform as a user's browser uses it: the built SDK in a page, a server that ends TLS before the program, as
 * proxies do, and the stand-in for ClassLink. The program sees plain HTTP, and another host than the browser.
 */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as forward } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { startApp } from "../support/app.mjs";
import { launch } from "../support/browser.mjs";
import { newCertificate } from "../support/certificate.mjs";
import { DOWN } from "../support/gateway-app.mjs";
import { clientScript, makeOpen } from "../support/login.mjs";

/** @import { BrowserContext, Page } from "playwright-core" */

/**
 * @typedef {object} BrowserApp
 * @property {(then: (page: Page, context: BrowserContext) => Promise<void>) => Promise<void>} visit Opens a blank page
 * of a fresh profile, and ends it afterwards.
 * @property {(page: Page) => Promise<void>} open Loads the application and waits until its client is there.
 * @property {boolean} down Whether the gateway can't be reached.
 * @property {{ method: string, path: string }[]} requests What was asked of the application's origin.
 * @property {{ output: string }} program
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the application, its gateway and a browser.
 *
 * @param {object} what
 * @param {string} what.clientId
 * @param {string} [what.origin] Where the browser sees the application; none: a free port of `localhost`.
 * @param {(origin: string) => Promise<any>} what.startGateway Starts the platform's program for an application there.
 * @returns {Promise<BrowserApp>}
 */
export async function startBrowserApp({ clientId, origin, startGateway }) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "classlink-tls-"));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const host = origin ? new URL(origin).hostname : "localhost";
    /** @type {import("../support/app.mjs").AppOptions} */
    const answers = { tls: await newCertificate(folder, "app", [host]), ...(origin && { origin }) };
    const app = await startApp({ after: (/** @type {any} */ end) => ends.push(end) }, answers);
    const { address, standIn, program, stop: stopGateway } = await startGateway(app.origin);
    ends.push(stopGateway);
    const browser = await launch({
      args: origin ? [`--host-resolver-rules=MAP ${host}:443 127.0.0.1:${app.port}`] : [],
    });
    ends.push(() => browser.close());

    const world = {
      down: false,
      open: makeOpen(app),
      requests: app.requests,
      program,
      stop,
      async visit(then) {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        try {
          await then(await context.newPage(), context);
        } finally {
          await context.close();
        }
      },
    };
    answers.gateway = (incoming, outgoing) =>
      world.down ? DOWN(incoming, outgoing) : passOn(address, incoming, outgoing);
    answers.script = clientScript({
      clientId,
      redirectUri: app.redirectUri,
      issuer: standIn.issuer,
      metadata: { authorization_endpoint: standIn.endpoints.authorization_endpoint },
      gateway: "/auth",
    });
    return world;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Hands a request on to the program, under the program's own host name. */
async function passOn(address, incoming, outgoing) {
  const { host: _, ...headers } = incoming.headers;
  const onward = forward(address + incoming.url, { method: incoming.method, headers });
  try {
    const [[answer]] = await Promise.all([once(onward, "response"), pipeline(incoming, onward)]);
    outgoing.writeHead(answer.statusCode, answer.headers);
    await pipeline(answer, outgoing);
  } catch {
    outgoing.destroy();
  }
}
