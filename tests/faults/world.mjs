/**
 * A stand-in, an application and its gateway, and a hand that takes every request of a flow: it writes them down, or lets
 * one of them meet a fault.
 *
 * @module
 */

import { startStandIn } from "../../www/stand-in/index.js";
import { startApp } from "../support/app.mjs";
import { openPage } from "../support/browser.mjs";
import { importEntry } from "../support/bundle.mjs";
import { deferred } from "../support/deferred.mjs";
import { inNode } from "../support/engine.mjs";
import { capture, injectFault } from "../support/faults.mjs";
import { newKey } from "../support/gateway.mjs";
import { CLIENT_ID, clientScript, makeOpen } from "../support/login.mjs";
import { BUSYNESS } from "../support/patience.mjs";
import { installClockOffsets } from "../support/session.mjs";
import { USER_AGENT } from "../support/stand-in.mjs";
import { STORAGE_SCRIPT } from "./storage.mjs";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Browser, BrowserContext, Page } from "playwright-core" */
/** @import { Flow } from "./flows.mjs" */
/** @import { GatewayOptions } from "classlink-spa/gateway" */

const { createGateway } = await importEntry("gateway");
const { toNodeHandler } = await importEntry("gateway-node");

/** Milliseconds that the client waits for one request. Waiting costs pages in Node nothing, and they share one thread. */
export const TIMEOUT = inNode ? 16_000 : Math.round(5000 * BUSYNESS);

/** Milliseconds as {@link TIMEOUT}, for requests in whose time a hidden frame must load pages. */
export const FRAME_TIMEOUT = Math.round(15_000 * BUSYNESS);

/** Milliseconds that the gateway waits for one of the provider's answers: less, so that it can say so. */
const GATEWAY_TIMEOUT = Math.round(TIMEOUT / 2);

/** Seconds that an access token lives. */
export const LIFE = 300;

/** How a gateway's client id differs from the public one. */
const GATEWAY_CLIENT_ID = "test-app-with-gateway";

/**
 * The fault of one request of a flow: the `count`-th to `key` since the flow began, or all from there on.
 *
 * @typedef {object} Armed
 * @property {string} key
 * @property {number} count
 * @property {string} [kind] A fault, by its name in `faults.mjs`.
 * @property {boolean} [lasting] Whether later ones meet it, too.
 * @property {"held" | "answered"} [close] The tab is closed while the request is held, or once it is answered.
 */

/**
 * @typedef {object} World
 * @property {import("../support/app.mjs").App} app
 * @property {import("../../www/stand-in/types.d.ts").StandIn} standIn
 * @property {(flow: Flow) => void} enter Makes the application the one that a flow is about.
 * @property {(armed?: Armed) => void} begin From now on requests are written down.
 * @property {() => void} end From now on they are not, and nothing meets a fault.
 * @property {string[]} requests What was asked since `begin`, as `app GET /path`.
 * @property {string[]} strays What was asked for where a redirect leads.
 * @property {boolean} moved Whether the request that meets a fault is a page's or for a file of the package: their redirects
 * are followed.
 * @property {Promise<void>} met Resolves when the armed request is there, or has been answered.
 * @property {boolean} wasMet
 * @property {() => void} restartGateway Its memory is gone; its cookies are good still.
 * @property {(seconds: number) => void} pass Lets time pass for the gateway.
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<World>} */
export async function startWorld() {
  /** @type {(() => unknown)[]} */
  const ends = [];
  /** @type {import("../support/app.mjs").AppOptions} */
  const answers = {};
  const app = await startApp(/** @type {any} */ ({ after: (end) => ends.push(end) }), answers);
  const registration = { redirectUris: [app.redirectUri], launchUrl: app.launchUrl };
  const secret = { clientId: GATEWAY_CLIENT_ID, clientSecret: "the secret of the test app" };
  const standIn = await startStandIn({
    consent: "never",
    framing: true,
    refreshTokens: true,
    expiresIn: true,
    accessTokenLifetime: LIFE,
    revocation: true,
    clients: [
      { ...registration, clientId: CLIENT_ID, name: "Test app" },
      { ...registration, ...secret, name: "Test app with a gateway" },
    ],
  });
  ends.push(() => standIn.close());

  let recording = false;
  /** @type {Armed | undefined} */
  let armed;
  let meeting = deferred();
  let holding = deferred();
  let ahead = 0;
  /** @type {Flow | undefined} */
  let flow;
  const sealingKey = newKey();
  const counts = new Map();

  /** @param {string} server */
  const hand =
    (server) =>
    async (
      /** @type {IncomingMessage} */ request,
      /** @type {ServerResponse} */ response,
      usual,
    ) => {
      const path = new URL(request.url ?? "/", "http://any.invalid").pathname;
      // A browser asks again by itself when a connection ends that has served before: each serves once.
      response.shouldKeepAlive = false;
      // The package's own files may have moved.
      if (path === "/elsewhere" && !world.moved) world.strays.push(`${server} ${request.method}`);
      const bent = () =>
        server === "provider" && path.endsWith("/token") && flow?.tokens
          ? bend(response, usual, flow.tokens)
          : usual();
      if (path === "/held") return meeting.resolve();
      const agent = request.headers["user-agent"] ?? "";
      // A user's visit to the provider's pages is not the client's.
      if (!recording || agent === USER_AGENT) return bent();
      // The gateway asks the provider, too, and is not a browser.
      const who = agent.startsWith("Mozilla") ? "" : "gateway: ";
      // Of the package's files: whether they are for the page in a frame or a popup.
      const { referer } = request.headers;
      const where =
        path.startsWith("/pkg/") && /\/callback(\?|$)/.test(referer ?? "") ? " at /callback" : "";
      const key = `${who}${server} ${request.method} ${path}${where}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      world.requests.push(key);
      const { key: aim, count: nth = 1, kind, lasting, close } = armed ?? {};
      const hit = aim === key && (lasting ? count >= nth : count === nth);
      if (!hit) return bent();
      world.wasMet = true;
      if (close === "held") {
        meeting.resolve();
        await holding.promise;
        return bent();
      }
      if (close === "answered") response.on("finish", meeting.resolve);
      else meeting.resolve();
      return kind ? injectFault(kind, request, response, bent) : bent();
    };
  answers.instead = hand("app");
  standIn.instead = hand("provider");

  /** @type {World} */
  const world = {
    app,
    standIn,
    requests: [],
    strays: [],
    moved: false,
    met: Promise.resolve(),
    wasMet: false,
    enter(next) {
      flow = next;
      ahead = 0;
      const gateway = Boolean(next.gateway);
      if (gateway) world.restartGateway();
      answers.script = clientScript(
        {
          clientId: gateway ? GATEWAY_CLIENT_ID : CLIENT_ID,
          redirectUri: app.redirectUri,
          issuer: standIn.issuer,
          timeout: TIMEOUT,
          ...(gateway
            ? {
                gateway: "/auth",
                metadata: { authorization_endpoint: standIn.endpoints.authorization_endpoint },
              }
            : next.discovers
              ? {}
              : { metadata: standIn.endpoints }),
          apiOrigins: [standIn.apiOrigin],
          ...next.config,
        },
        "settings",
        { interceptNavigation: !next.leaves, autoHandleCallback: Boolean(next.leaves) },
      );
    },
    restartGateway() {
      answers.gateway = toNodeHandler(
        createGateway(
          /** @type {GatewayOptions & { now: () => number }} */ ({
            issuer: standIn.issuer,
            metadata: { my_info_endpoint: standIn.endpoints.my_info_endpoint },
            clients: [{ ...secret, redirectUris: [app.redirectUri] }],
            sealingKeys: [sealingKey],
            timeout: GATEWAY_TIMEOUT,
            now: () => Date.now() + ahead,
            log: () => {},
          }),
        ),
      );
    },
    begin(next) {
      counts.clear();
      world.requests = [];
      world.strays = [];
      world.moved = /GET \S*(\.js|\.wasm|\/auth|\/callback)/.test(next?.key ?? "");
      world.wasMet = false;
      armed = next;
      recording = true;
      meeting = deferred();
      holding = deferred();
      world.met = meeting.promise;
    },
    end() {
      holding.resolve();
      recording = false;
      armed = undefined;
    },
    pass(seconds) {
      ahead += seconds * 1000;
    },
    async close() {
      for (const end of ends.reverse()) await end();
    },
  };
  return world;
}

/** Changes a token answer. */
async function bend(response, usual, change) {
  const { status, headers, body } = await capture(response, usual);
  let text = body;
  try {
    text = Buffer.from(JSON.stringify(change(JSON.parse(body.toString()))));
  } catch {
    // No JSON: as it is.
  }
  response.writeHead(status, headers).end(text);
}

/**
 * A browser profile of its own, with one page of a world's application in it.
 *
 * @param {Browser} browser
 * @param {World} world
 */
export async function openTab(browser, world) {
  const watched = await openPage(browser);
  await installClockOffsets(watched.context);
  await watched.context.addInitScript(STORAGE_SCRIPT);
  return { ...watched, open: makeOpen(world.app) };
}
