/**
 * One subject of the bench in a process of its own: `node serve.mjs <subject> <peers' folder>`. It is told the issuer, and
 * tells its port; asked for it, it tells its CPU time and its memory.
 */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { CLIENT } from "./provider.mjs";

const [, , subject, folder] = process.argv;
const require = createRequire(`${folder}/`);
const peer = (name) => import(pathToFileURL(require.resolve(name)).href);
const secret = randomBytes(32).toString("base64url");
const USER = { sub: "8708718", name: "Bench Tester", email: "bench.tester@school.example" };

/** @type {Record<string, (issuer: string, port: number) => Promise<import("node:http").RequestListener>>} */
const SUBJECTS = {
  async "node:http"() {
    const body = JSON.stringify(USER);
    return (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end(body);
    };
  },

  async handler(issuer) {
    const { createGateway } = await import("../../pkg/gateway.js");
    const { toNodeHandler } = await import("../../pkg/gateway-node.js");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const gateway = createGateway({
      issuer,
      clients: [{ ...CLIENT, redirectUris: ["https://app.example/callback"] }],
      sealingKeys: [secret],
      limits: { perAddress: false },
      assertions: {
        issuer: "https://app.example/auth",
        audience: "https://app.example",
        keys: [privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
      },
      metrics: true,
    });
    return toNodeHandler(gateway);
  },

  /** With 500 registrations, of which a request has one cookie. */
  async "handler-500"(issuer) {
    const { createGateway } = await import("../../pkg/gateway.js");
    const { toNodeHandler } = await import("../../pkg/gateway-node.js");
    const redirectUris = ["https://app.example/callback"];
    const others = Array.from({ length: 499 }, (_, i) => ({
      clientId: `other-${i}`,
      clientSecret: "s3cret",
      redirectUris,
    }));
    const gateway = createGateway({
      issuer,
      clients: [...others, { ...CLIENT, redirectUris }],
      sealingKeys: [secret],
      limits: { perAddress: false },
    });
    return toNodeHandler(gateway);
  },

  async "express-openid-connect"(issuer, port) {
    const { default: express } = await peer("express");
    const { default: openid } = await peer("express-openid-connect");
    const app = express();
    app.use(
      openid.auth({
        authRequired: false,
        issuerBaseURL: issuer,
        baseURL: `http://127.0.0.1:${port}`,
        clientID: CLIENT.clientId,
        clientSecret: CLIENT.clientSecret,
        secret,
        authorizationParams: { response_type: "code" },
        idTokenSigningAlg: "RS256",
      }),
    );
    app.get("/me", (request, response) => response.json(request.oidc.user ?? null));
    return app;
  },

  async "iron-session"() {
    const { getIronSession } = await peer("iron-session");
    const options = { password: secret, cookieName: "iron", cookieOptions: { secure: false } };
    return async (request, response) => {
      const session = await getIronSession(request, response, options);
      if (request.url === "/login") {
        Object.assign(session, USER, { idToken: "x".repeat(900) });
        await session.save();
      }
      if (request.url === "/touch") await session.save();
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ sub: session.sub, name: session.name }));
    };
  },

  async "@auth/core"(_issuer, port) {
    const { Auth } = await peer("@auth/core");
    const { encode } = await peer("@auth/core/jwt");
    const config = { secret, trustHost: true, basePath: "/auth", providers: [] };
    return async (incoming, response) => {
      if (incoming.url === "/login") {
        const token = { ...USER, idToken: "x".repeat(900) };
        const jwt = await encode({ token, secret, salt: "authjs.session-token" });
        response.setHeader("Set-Cookie", `authjs.session-token=${jwt}; Path=/`);
        response.end("{}");
        return;
      }
      const request = new Request(`http://127.0.0.1:${port}${incoming.url}`, {
        headers: { cookie: incoming.headers.cookie ?? "" },
      });
      const answer = await Auth(request, config);
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    };
  },
};

process.once("disconnect", () => process.exit());
process.on("message", async ({ issuer, ask }) => {
  if (issuer) {
    /** @type {import("node:http").RequestListener} */
    let listener = (_, response) => void response.end();
    const server = createServer((request, response) => listener(request, response));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    listener = await SUBJECTS[subject](issuer, port);
    process.send?.({ port });
  }
  if (ask === "cpu") {
    const { user, system } = process.cpuUsage();
    process.send?.({ microseconds: user + system });
  }
  if (ask === "memory") {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ rss, used: heapUsed + external });
  }
});
