/**
 * Measures the CPU time that a request costs the gateway's server process, beside bare `node:http` and other session
 * libraries: in one run on one machine, the median of interleaved rounds. Writes `docs/gateway-bench.md`.
 *
 *     npm run bench:gateway                       9 rounds of 600 requests of each kind
 *     npm run bench:gateway -- --rounds 3 --requests 200 --print
 *     npm run bench:gateway -- --memory 1000000   memory over a million session requests, instead; with --native of
 *                                                 the native server
 *
 * The package in `pkg/` is measured as it is. The native server is built, or `CLASSLINK_GATEWAY` names one; the peers are
 * installed into `node_modules/.cache`. It is not a test: it fails only if a response is wrong.
 *
 * @module
 */

import { execFileSync, fork, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Agent, request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CliError, logStep, root, run, runAsCli } from "../tools/lib/run.mjs";
import { CLIENT, startProvider } from "./gateway/provider.mjs";

/** The peers and their versions: iron-session 9 needs Node 22.13. */
const PEERS = {
  express: "5.3.0",
  "express-openid-connect": "3.4.0",
  "iron-session": "8.0.4",
  "@auth/core": "0.41.3",
};

/** Requests at a time. */
const CONCURRENCY = 16;

const PAGE = {
  "X-ClassLink-SPA": "7KQ2M9ZX",
  "Sec-Fetch-Site": "same-origin",
  Origin: "https://app.example",
};
const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const REDIRECT = "https://app.example/callback";

/** @typedef {{ method?: string, path: string, headers?: Record<string, string>, body?: string }} Plain */
/** @typedef {{ name: string, subject: string, status: number, request: Plain }} Row */

/** Installs the peers, unless they are there. */
function installPeers() {
  const folder = join(root, "node_modules/.cache/bench-gateway");
  const isThere = Object.keys(PEERS).every((name) =>
    existsSync(join(folder, "node_modules", name)),
  );
  if (isThere) return folder;
  logStep("Installing the peers");
  mkdirSync(folder, { recursive: true });
  const dependencies = PEERS;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  return folder;
}

/** Starts a subject in a process of its own. */
async function startSubject(subject, folder, issuer) {
  const child = fork(new URL("gateway/serve.mjs", import.meta.url), [subject, folder], {
    execArgv: ["--expose-gc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${subject} ended with ${code}.`);
  });
  ended.catch(() => undefined);
  const tell = async (message) => {
    child.send(message);
    const [answer] = await Promise.race([once(child, "message"), ended]);
    return answer;
  };
  const { port } = await tell({ issuer });
  return {
    port,
    agent: new Agent({ keepAlive: true, maxSockets: CONCURRENCY }),
    cpu: async () => (await tell({ ask: "cpu" })).microseconds,
    memory: () => tell({ ask: "memory" }),
    stop: () => child.kill(),
  };
}

/** @typedef {Awaited<ReturnType<typeof startSubject>>} Subject */

/** Builds the native server as it is released, unless one is named. Resolves with its program's path. */
async function buildNative() {
  if (process.env.CLASSLINK_GATEWAY) return process.env.CLASSLINK_GATEWAY;
  logStep("Building the native server");
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  await run("cargo", [
    ...["build", "--locked", "--profile", "server", "--package", "classlink-gateway"],
    ...["--target-dir", target],
  ]);
  return join(target, "server/classlink-gateway");
}

/** Starts the native server, which writes its log to nowhere. @returns {Promise<Subject>} */
async function startNative(program, issuer) {
  const folder = mkdtempSync(join(tmpdir(), "classlink-bench-"));
  const config = join(folder, "gateway.json");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(
    config,
    JSON.stringify({
      listen: "127.0.0.1:0",
      issuer,
      clients: [{ ...CLIENT, redirectUris: [REDIRECT] }],
      sealingKeys: [randomBytes(32).toString("base64url")],
      limits: { perAddress: false },
      assertions: {
        issuer: "https://app.example/auth",
        audience: "https://app.example",
        keys: [privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
      },
    }),
  );
  const child = spawn(program, ["serve", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  for await (const text of child.stderr.iterator({ destroyOnReturn: false })) {
    said += text;
    if (/127\.0\.0\.1:\d+/.test(said)) break;
  }
  child.stderr.resume();
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
  if (!port) throw new Error(`The native server did not start: ${said}`);
  const proc = `/proc/${child.pid}`;
  return {
    port: Number(port),
    agent: new Agent({ keepAlive: true, maxSockets: CONCURRENCY }),
    // Nanoseconds on a processor, of each thread.
    cpu: async () =>
      readdirSync(`${proc}/task`)
        .map((task) => readFileSync(`${proc}/task/${task}/schedstat`, "utf8").split(" ")[0])
        .reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1000, 0),
    memory: async () => {
      const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, "utf8")) ?? [];
      const rss = Number(kilobytes) * 1024;
      return { rss, used: rss };
    },
    stop: () => {
      rmSync(folder, { recursive: true });
      return child.kill();
    },
  };
}

/** One request. @param {Subject} subject @param {Plain} plain */
function send({ port, agent }, { method = "GET", path, headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: "127.0.0.1", port, method, path, headers });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      response.resume();
      response.once("end", () => {
        resolve({ status: response.statusCode, headers: response.headers });
      });
    });
    outgoing.end(body);
  });
}

const cookiesOf = (...answers) =>
  answers
    .flatMap(({ headers }) => headers["set-cookie"] ?? [])
    .map((line) => line.split(";")[0])
    .filter((pair) => !pair.endsWith("="))
    .join("; ");

/** Makes the SDK's token request for a new code, which carries its nonce. */
function newExchange() {
  const verifier = randomBytes(32).toString("base64url");
  const nonce = createHash("sha256").update(`classlink-spa nonce:${verifier}`).digest("base64url");
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: nonce,
    redirect_uri: REDIRECT,
    client_id: CLIENT.clientId,
    code_verifier: verifier,
  }).toString();
  const headers = { ...PAGE, "Content-Type": "application/x-www-form-urlencoded" };
  return { method: "POST", path: "/auth/token", headers, body };
}

/** Signs in at a peer that does so by redirects. */
async function loginByRedirect(subject) {
  const login = await send(subject, { path: "/login" });
  const answer = await fetch(login.headers.location, { redirect: "manual" });
  const callback = new URL(String(answer.headers.get("location")));
  const back = { path: callback.pathname + callback.search, headers: { Cookie: cookiesOf(login) } };
  return cookiesOf(await send(subject, back));
}

/** Prepares the rows of the table, with the servers that were started. @returns {Promise<Row[]>} */
async function prepare(subjects) {
  const exchange = newExchange();
  const sealed = cookiesOf(await send(subjects.handler, exchange));
  const sealed500 = cookiesOf(await send(subjects["handler-500"], exchange));
  const oidc = await loginByRedirect(subjects["express-openid-connect"]);
  const iron = cookiesOf(await send(subjects["iron-session"], { path: "/login" }));
  const auth = cookiesOf(await send(subjects["@auth/core"], { path: "/login" }));
  const session = (Cookie) => ({ method: "POST", path: SESSION, headers: { ...PAGE, Cookie } });
  const verify = (Cookie) => ({ path: "/auth/verify", headers: { Cookie } });
  const row = (name, subject, request, status = 200) => ({ name, subject, request, status });
  const native = cookiesOf(await send(subjects.native, exchange));
  return [
    row("bare `node:http`", "node:http", { path: "/me" }),
    row("**native server**, `POST /session`", "native", session(native)),
    row("**native server**, `GET /verify` with an assertion", "native", verify(native), 204),
    row("**native server**, `POST /token`", "native", exchange),
    row("**handler**, `POST /session`", "handler", session(sealed)),
    row("**handler**, `POST /session`, 500 registrations", "handler-500", session(sealed500)),
    row("**handler**, `GET /verify`, 500 registrations", "handler-500", verify(sealed500), 204),
    row("**handler**, `GET /verify` with an assertion", "handler", verify(sealed), 204),
    row("**handler**, `POST /token`", "handler", exchange),
    row("iron-session, read", "iron-session", { path: "/me", headers: { Cookie: iron } }),
    row("iron-session, read and save", "iron-session", {
      path: "/touch",
      headers: { Cookie: iron },
    }),
    row("express-openid-connect, a signed-in request", "express-openid-connect", {
      path: "/me",
      headers: { Cookie: oidc },
    }),
    row("@auth/core, `GET /auth/session`", "@auth/core", {
      path: "/auth/session",
      headers: { Cookie: auth },
    }),
  ];
}

/** Sends many requests; resolves with the CPU time of the server for each, in microseconds. */
async function measure(subject, { name, request: plain, status }, count) {
  let left = count;
  const before = await subject.cpu();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (left > 0) {
        left -= 1;
        const answer = await send(subject, plain);
        if (answer.status !== status) throw new Error(`${name}: ${answer.status}`);
      }
    }),
  );
  return ((await subject.cpu()) - before) / count;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** @param {Map<string, number[]>} results @param {{ rounds: number, requests: number }} run */
function writePage(results, { rounds, requests }) {
  const [base] = [...results.values()].map(median);
  const rows = [...results].map(([name, all]) => {
    const middle = median(all);
    const range = `${Math.round(Math.min(...all))}–${Math.round(Math.max(...all))}`;
    return `| ${name} | ${Math.round(middle)} | ${range} | ${(middle / base).toFixed(1)} |`;
  });
  const peers = Object.entries(PEERS).map(([name, version]) => `${name} ${version}`);
  return `# What a request costs the gateway

CPU time of the server process per request, in microseconds: the median of ${rounds} interleaved rounds of ${requests} requests,
${CONCURRENCY} at a time, over loopback, all in one run. Node ${process.version}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores. \`npm run bench:gateway\`
makes this page on your machine; compare the columns, not the pages of two machines.

| | CPU µs | lowest–highest | times bare \`node:http\` |
|---|---|---|---|
${rows.join("\n")}

Peers: ${peers.join(", ")}.
What they do is not the same: the handler checks the request's origin, opens the session, looks at
its limits and returns the tokens, and so does the native server, which writes its log besides; iron-session unseals a cookie of the same size; express-openid-connect opens its
session and seals it again, as it does by default; @auth/core returns the session of a JWT cookie, sealed again.
\`POST /token\` includes the request to the provider and the verification of the ID token, whose signature is RS256.
`;
}

async function runMemory(subject, row, count) {
  const inMegabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`;
  for (let done = 0; done <= count; done += count / 10) {
    const { rss, used } = await subject.memory();
    console.log(
      `${String(done).padStart(9)}  RSS ${inMegabytes(rss)}  in use ${inMegabytes(used)}`,
    );
    if (done < count) await measure(subject, row, count / 10);
  }
}

await runAsCli(import.meta, async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "9" },
      requests: { type: "string", default: "600" },
      memory: { type: "string" },
      native: { type: "boolean" },
      print: { type: "boolean" },
    },
  });
  const rounds = Number(values.rounds);
  const requests = Number(values.requests);
  const native = await buildNative();
  const folder = installPeers();
  const provider = await startProvider();
  /** @type {Record<string, Subject>} */
  const subjects = {};
  try {
    const names = ["node:http", "handler", "handler-500", ...Object.keys(PEERS).slice(1)];
    for (const name of names) subjects[name] = await startSubject(name, folder, provider.issuer);
    subjects.native = await startNative(native, provider.issuer);
    const rows = await prepare(subjects);
    if (values.memory) {
      const name = values.native ? "native" : "handler";
      const row = rows.find(({ subject }) => subject === name);
      if (!row) throw new CliError(`No row measures ${name}.`);
      await runMemory(subjects[name], row, Number(values.memory));
      return;
    }
    logStep("Warming up");
    for (const row of rows) await measure(subjects[row.subject], row, requests);
    /** @type {Map<string, number[]>} */
    const results = new Map(rows.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      logStep(`Round ${round} of ${rounds}`);
      for (const row of rows) {
        results.get(row.name)?.push(await measure(subjects[row.subject], row, requests));
      }
    }
    const page = writePage(results, { rounds, requests });
    if (values.print) console.log(page);
    else writeFileSync(join(root, "docs/gateway-bench.md"), page);
  } finally {
    for (const subject of Object.values(subjects)) {
      subject.agent.destroy();
      subject.stop();
    }
    provider.stop();
  }
});
