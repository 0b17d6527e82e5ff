/**
 * A bounded load run of the gateway on Node, over loopback: requests per second and latencies of `/session` and
 * `/token`, and what becomes of the server's memory.
 *
 *     npm run test:load                     5 rounds of 4000 and 1000 requests, 32 at a time
 *     npm run test:load -- --rounds 10 --session 2000 --token 500 --concurrency 16
 *     npm run test:load -- --as-built       with pkg/ as it is
 *
 * It ends by itself, after two minutes at the latest, and fails if an answer was wrong or memory grew. This process
 * asks and is the provider, a child process is the server; both share the machine, so the numbers are a lower bound.
 * Codes are single use at a real provider: this one takes any, and signs its ID token once.
 *
 * @module
 */

import { fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { parseArgs } from "node:util";
import { SignJWT } from "jose";
import { makeKey } from "../tests/support/keys.mjs";
import { build } from "./build.mjs";
import { CliError, logStep, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

const CLIENT = {
  clientId: "load",
  clientSecret: "s3cret",
  redirectUris: ["https://app.example/callback"],
};

/** Milliseconds after which the run ends, whatever it has done. */
const TIME_LIMIT = 120_000;

/** By how much the server's memory after a collection may grow from the second round to the last: 10 % and 5 MB. */
const heapLimit = (bytes) => bytes * 1.1 + 5_000_000;

/** A provider that answers every token request with the same token, whose nonce belongs to `verifier`. */
async function startProvider(verifier) {
  const { privateKey, jwk } = makeKey("load");
  let token;
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    const answer = incoming.url === "/jwks" ? { keys: [jwk] } : token;
    outgoing.writeHead(200, { "Content-Type": "application/json" });
    outgoing.end(JSON.stringify(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  const nonce = createHash("sha256").update(`classlink-spa nonce:${verifier}`).digest("base64url");
  // Of the size that ClassLink's have.
  const idToken = await new SignJWT({
    nonce,
    name: "Load Tester",
    given_name: "Load",
    family_name: "Tester",
    email: "load.tester@school.example",
    profile: "Student",
    address: { locality: "Sample Creek Unified", region: "New Jersey" },
    classLink_tenant_id: 2284,
  })
    .setProtectedHeader({ alg: "RS256", kid: "load" })
    .setIssuer(issuer)
    .setAudience(CLIENT.clientId)
    .setSubject("8708718")
    .setIssuedAt()
    .setExpirationTime("24h")
    .sign(privateKey);
  token = {
    access_token: randomBytes(32).toString("base64url"),
    token_type: "Bearer",
    response_type: "code",
    id_token: idToken,
  };
  return { server, issuer };
}

/** The gateway in a process of its own, which tells its memory when it is asked. */
async function startServer(issuer) {
  const child = fork(new URL(import.meta.url), ["--serve"], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const settings = {
    issuer,
    metadata: { token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` },
    clients: [CLIENT],
    sealingKeys: [randomBytes(32).toString("base64url")],
  };
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new CliError(`The server ended with ${code ?? signal}.`);
  });
  ended.catch(() => undefined);
  const ask = async (message) => {
    child.send(message);
    const [answer] = await Promise.race([once(child, "message"), ended]);
    return answer;
  };
  const { port } = await ask({ settings });
  return { child, port, memory: () => ask({ memory: true }) };
}

/** The child process. */
async function serve() {
  const { createGateway } = await import("../pkg/gateway.js");
  const { toNodeHandler } = await import("../pkg/gateway-node.js");
  process.once("disconnect", () => process.exit());
  process.on("message", async ({ settings }) => {
    if (settings) {
      const server = createServer(toNodeHandler(createGateway(settings)));
      await once(server.listen(0, "127.0.0.1"), "listening");
      process.send?.({
        port: /** @type {import("node:net").AddressInfo} */ (server.address()).port,
      });
      return;
    }
    // Twice, so that what the first one finalises is gone too.
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ rss, used: heapUsed + external });
  });
}

/**
 * Sends one request, and resolves with its latency in milliseconds.
 *
 * @param {import("node:http").Agent} agent
 * @param {number} port
 * @param {{ method: string, path: string, headers: import("node:http").OutgoingHttpHeaders, body?: string }} request
 */
function ask(agent, port, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const outgoing = request({ agent, host: "127.0.0.1", port, method, path, headers });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      let size = 0;
      response.on("data", (chunk) => {
        size += chunk.length;
      });
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status, headers } = response;
        resolve({ status, size, headers, latency: performance.now() - started });
      });
    });
    outgoing.end(body);
  });
}

/** Sends `count` requests, `concurrency` at a time. */
async function sendRequests(count, concurrency, once) {
  const latencies = [];
  let sent = 0;
  let errors = 0;
  const started = performance.now();
  const worker = async () => {
    while (sent < count) {
      sent += 1;
      const { status, size, latency } = await once().catch(() => ({ status: 0 }));
      if (status === 200 && size > 0) latencies.push(latency);
      else errors += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const percentile = (part) => latencies[Math.floor(latencies.length * part)] ?? Number.NaN;
  return { perSecond: count / seconds, p50: percentile(0.5), p99: percentile(0.99), errors };
}

const inMegabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`;

/** @typedef {Record<"rounds" | "session" | "token" | "concurrency", number>} Load */

/** @param {Load} load */
async function runLoad({ rounds, session, token, concurrency }) {
  const verifier = randomBytes(32).toString("base64url");
  const provider = await startProvider(verifier);
  const { child, port, memory } = await startServer(provider.issuer);
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const limit = setTimeout(() => {
    console.error(`✗ Not done after ${TIME_LIMIT / 1000} s.`);
    process.exit(1);
  }, TIME_LIMIT);
  try {
    const headers = {
      "X-ClassLink-SPA": "10AD7EST",
      "Sec-Fetch-Site": "same-origin",
      Origin: "https://app.example",
    };
    const exchange = {
      method: "POST",
      path: "/auth/token",
      headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: "load",
        redirect_uri: CLIENT.redirectUris[0],
        client_id: CLIENT.clientId,
        code_verifier: verifier,
      }).toString(),
    };
    const first = await ask(agent, port, exchange);
    if (first.status !== 200) throw new CliError(`/token answers ${first.status}.`);
    const Cookie = first.headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");
    const reload = {
      method: "POST",
      path: `/auth/session?client_id=${CLIENT.clientId}`,
      headers: { ...headers, Cookie },
    };

    const start = await memory();
    console.log(`at the start: RSS ${inMegabytes(start.rss)}, in use ${inMegabytes(start.used)}`);
    let errors = 0;
    const after = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const [name, count, what] of /** @type {const} */ ([
        ["/session", session, reload],
        ["/token", token, exchange],
      ])) {
        const sum = await sendRequests(count, concurrency, () => ask(agent, port, what));
        errors += sum.errors;
        console.log(
          `round ${round}  ${name.padEnd(8)}  ${count} requests  ${sum.perSecond.toFixed(0)}/s  ` +
            `p50 ${sum.p50.toFixed(1)} ms  p99 ${sum.p99.toFixed(1)} ms  ${sum.errors} errors`,
        );
      }
      const now = await memory();
      after.push(now);
      console.log(`round ${round}  RSS ${inMegabytes(now.rss)}, in use ${inMegabytes(now.used)}`);
    }
    // The first round warms up: code is compiled, pools fill.
    const [, base = after[0]] = after;
    const last = after.at(-1);
    const flat = last.used <= heapLimit(base.used) && last.rss <= heapLimit(base.rss);
    console.log(`${errors} errors; memory ${flat ? "flat" : "GREW"}`);
    if (errors > 0 || !flat) process.exitCode = 1;
  } finally {
    clearTimeout(limit);
    agent.destroy();
    child.kill();
    provider.server.closeAllConnections();
    provider.server.close();
  }
}

await runAsCli(import.meta, async (args) => {
  if (args[0] === "--serve") return serve();
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "5" },
      session: { type: "string", default: "4000" },
      token: { type: "string", default: "1000" },
      concurrency: { type: "string", default: "32" },
      "as-built": { type: "boolean" },
    },
  });
  const numbers = Object.fromEntries(
    ["rounds", "session", "token", "concurrency"].map((name) => {
      const number = Number(values[name]);
      if (!Number.isInteger(number) || number < 1 || number > 100_000) {
        throw new CliError(`--${name} must be a number from 1 to 100000.`);
      }
      return [name, number];
    }),
  );
  if (!values["as-built"]) {
    await setUp();
    await build();
  }
  logStep(`Load on loopback, Node ${process.version}, ${numbers.concurrency} requests at a time`);
  await runLoad(/** @type {Load} */ (numbers));
});
