/**
 * The environment of the contract's suite: a provider, a server of the gateway that is started with one JSON configuration, and
 * browsers that speak HTTP to it.
 */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { request as send } from "node:http";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { createGateway, GatewayClient, newKey, newLogin } from "../../support/gateway.mjs";
import { CLIENT, startUpstream } from "../../support/upstream.mjs";

/** @import { GatewayMetadata, GatewayClient as Registration } from "classlink-spa/gateway" */
/** @import { UpstreamOptions } from "../../support/upstream.mjs" */

/**
 * The configuration that every server takes as it is (`docs/gateway.md`, One configuration for both).
 *
 * @typedef {object} Config
 * @property {string} issuer
 * @property {GatewayMetadata} [metadata]
 * @property {Registration[]} clients
 * @property {string[]} sealingKeys
 * @property {string[]} [allowedOrigins]
 * @property {string} [basePath]
 * @property {{ idleTimeout?: number | false, maxAge?: number | false }} [session]
 * @property {boolean} [deviceBound]
 * @property {number} [timeout]
 * @property {{ perAddress?: number | false, concurrent?: number | false }} [limits]
 * @property {{ issuer: string, audience: string, keys: string[] }} [assertions]
 * @property {boolean | { token: string }} [metrics]
 * @property {{ redis: string, prefix?: string }} [store]
 * @property {string} [remoteAddressHeader]
 */

/**
 * A server under test. `stop` does what SIGTERM does, and resolves when the server has ended.
 *
 * @typedef {object} RunningServer
 * @property {string} baseUrl Scheme, host and port.
 * @property {() => Promise<Record<string, any>[]>} logs The log entries until now.
 * @property {() => Promise<void>} stop
 */

/**
 * How the suite starts a server. `start` rejects if the configuration is refused, with the server's own message.
 *
 * @typedef {object} ServerAdapter
 * @property {string} name
 * @property {(config: Config) => Promise<RunningServer>} start
 * @property {(config: Config, target: { sessionId?: string, userId?: string }) => Promise<void>} [revoke] Ends sessions, as
 * an operator does; the configuration has a store.
 */

/** @typedef {{ method?: string, path: string, headers?: Record<string, any>, body?: string | Buffer }} Plain */

/** A private key for assertions, as PEM. */
export function newAssertionKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/**
 * Sends a request exactly as it is given.
 *
 * @param {string} baseUrl
 * @param {Plain} request
 */
export async function ask(baseUrl, { method = "GET", path, headers = {}, body }) {
  const { hostname, port } = new URL(baseUrl);
  const outgoing = send({ host: hostname, port, method, path, headers, agent: false });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  return {
    status: response.statusCode,
    headers: response.headers,
    raw: response.rawHeaders,
    text: await text(response),
  };
}

/** Sends bytes, and resolves with all that comes back until the server closes. */
export async function askRaw(baseUrl, bytes) {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  socket.write(bytes);
  return String(await buffer(socket).catch(() => ""));
}

/** A server under test in the place of a gateway: `GatewayClient` asks it. */
export function remote(baseUrl) {
  /** @param {Request} request */
  const handle = async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = Buffer.from(await request.arrayBuffer());
    const answer = await ask(baseUrl, {
      method: request.method,
      path: pathname + search,
      headers: {
        ...Object.fromEntries(request.headers),
        ...(body.byteLength > 0 && { "Content-Length": String(body.byteLength) }),
      },
      body,
    });
    const headers = new Headers();
    for (let i = 0; i < answer.raw.length; i += 2) headers.append(answer.raw[i], answer.raw[i + 1]);
    const isEmpty = answer.status === 204 || answer.status === 304;
    return new Response(isEmpty ? null : answer.text, { status: answer.status, headers });
  };
  return /** @type {import("classlink-spa/gateway").Gateway} */ (
    /** @type {unknown} */ ({ handle })
  );
}

/**
 * Starts a provider and a server.
 *
 * @param {import("node:test").TestContext} t
 * @param {ServerAdapter} adapter
 * @param {Partial<Config>} [changes] To the usual configuration.
 * @param {UpstreamOptions} [upstreamOptions]
 */
export async function startWorld(t, adapter, changes = {}, upstreamOptions = {}) {
  const upstream = await startUpstream(t, upstreamOptions);
  /** @type {Config} */
  const config = {
    issuer: upstream.issuer,
    clients: [CLIENT],
    sealingKeys: [newKey()],
    ...changes,
  };
  /** @param {Partial<Config>} [others] @param {ServerAdapter} [by] */
  const startServer = async (others = {}, by = adapter) => {
    const server = await by.start({ ...config, ...others });
    let isStopped = false;
    const stop = async () => {
      if (isStopped) return;
      isStopped = true;
      await server.stop();
    };
    t.after(stop);
    return {
      ...server,
      stop,
      /** A browser that asks this server. */
      newBrowser: () => new GatewayClient(remote(server.baseUrl), upstream),
      /** @param {Plain} request */
      ask: (request) => ask(server.baseUrl, request),
    };
  };
  const server = await startServer();
  const browser = server.newBrowser();
  return {
    upstream,
    config,
    server,
    browser,
    startServer,
    newBrowser: server.newBrowser,
    ask: server.ask,
    /** Sends the request that a proxy sends for a browser. @param {Partial<Plain>} [request] */
    verify: (request = {}) => {
      const { headers, ...rest } = request;
      return server.ask({
        path: "/auth/verify",
        headers: { ...(browser.jar.size > 0 && { Cookie: browser.cookieHeader }), ...headers },
        ...rest,
      });
    },
    /** Log entries of an event. */
    logged: async (event) => (await server.logs()).filter((entry) => entry.event === event),
    /**
     * A browser with the session of a sign-in some seconds ago: the handler seals it, with another clock.
     *
     * @param {number} secondsAgo
     * @param {Record<string, unknown>} [claims]
     */
    async signedInAgo(secondsAgo, claims = {}) {
      const now = Date.now() - secondsAgo * 1000;
      const { store: _, remoteAddressHeader: __, ...options } = config;
      const reference = createGateway(/** @type {any} */ ({ ...options, now: () => now }));
      const past = new GatewayClient(reference, upstream);
      const seconds = Math.floor(now / 1000);
      const { bend } = upstream;
      upstream.bend = (token) => ({
        ...token,
        claims: {
          ...token.claims,
          iat: seconds,
          exp: seconds + upstream.idTokenLifetime,
          ...claims,
        },
      });
      const login = newLogin();
      const answer = await past.signIn({ login });
      upstream.bend = bend;
      if (answer.status !== 200) throw new Error(`The reference refused: ${answer.text}`);
      browser.jar = past.jar;
      return { ...login, answer };
    },
  };
}
