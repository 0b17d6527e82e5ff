// The gateway's guide: its files are the examples that run, exactly, and what else it shows is true.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../../tools/lib/ports.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { authorize } from "../support/authorize.mjs";
import {
  APP,
  createGateway,
  GatewayClient,
  newKey,
  newLogin,
  SUPPORT_CODE,
} from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { listen } from "../support/serve.mjs";
import { newFolder } from "../support/temp-folder.mjs";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
const EXAMPLES = join(DOCS, "examples");
const read = (path) => readFileSync(join(DOCS, path), "utf8");
const guide = read("gateway.md");

/** The guide's code blocks, and the comment before each. */
const blocks = [...guide.matchAll(/(?:<!-- (.+?) -->\n)?```(\w*)\n(.*?)```\n/gs)].map(
  ([, mark, language, text]) => ({ mark, language, text }),
);

test("docs/gateway.md shows every example exactly as it is tested", () => {
  const shown = blocks.filter(({ mark }) => mark?.startsWith("file: "));
  for (const { mark, text } of shown) {
    assert.equal(text, read(`examples/${mark.slice("file: ".length)}`), mark);
  }
  const files = readdirSync(EXAMPLES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `file: ${join(entry.parentPath, entry.name).slice(EXAMPLES.length + 1)}`)
    // The dashboard is for Grafana to show; the native server has a guide of its own.
    .filter((mark) => !/^file: (?:monitoring|native)\//.test(mark));
  assert.deepEqual(shown.map(({ mark }) => mark).sort(), files.sort());
});

test("docs/gateway.md shows no code that no test runs", () => {
  const others = blocks.filter(({ mark }) => !mark?.startsWith("file: "));
  assert.deepEqual(
    others.map(({ mark, language, text }) => mark ?? (language || text.trim())),
    [
      "run: sealing key",
      "npm install classlink-spa",
      "node --env-file=.env node.js",
      "chromium --enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
      "run: log entry",
      "run: configuration",
    ],
  );
});

test("the command in docs/gateway.md makes a sealing key", async () => {
  const { text } = present(blocks.find(({ mark }) => mark === "run: sealing key"));
  const [command, ...args] = text.trim().split(" ");
  const { stdout } = await promisify(execFile)(command, args);
  createGateway({
    clients: [{ clientId: "a", clientSecret: "b", redirectUris: [`${APP}/callback`] }],
    sealingKeys: [stdout.trim()],
  });
});

test("the Node example finishes requests under way when it is stopped", async (t) => {
  const client = { clientId: "a", clientSecret: "b", redirectUris: [`${APP}/callback`] };
  let release;
  const isAsked = new Promise((resolve) => {
    release = resolve;
  });
  let answer;
  const provider = createServer((request, response) => {
    if (request.url?.includes("openid-configuration")) {
      const endpoints = { token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
      response.end(JSON.stringify({ issuer, ...endpoints }));
    } else if (request.url === "/token") {
      answer = () => response.writeHead(400).end('{"error":"invalid_grant"}');
      release();
    } else response.end('{"keys":[]}');
  });
  const issuer = `http://127.0.0.1:${await listen(t, provider)}`;
  const port = await freePort();
  const program = startProgram(process.execPath, ["node.js"], {
    cwd: EXAMPLES,
    env: {
      PORT: String(port),
      APP_ORIGIN: APP,
      CLASSLINK_ISSUER: issuer,
      CLASSLINK_CLIENT_ID: client.clientId,
      CLASSLINK_CLIENT_SECRET: client.clientSecret,
      SEALING_KEYS: newKey(),
    },
  });
  t.after(() => program.stop());
  const address = `http://127.0.0.1:${port}`;
  await untilReady(program, `${address}/auth/health`);
  const browser = new GatewayClient(createGateway({ clients: [client], sealingKeys: [newKey()] }));
  const form = browser.form(newLogin(), "code", {
    client_id: client.clientId,
    redirect_uri: client.redirectUris[0],
  });
  const answered = fetch(`${address}/auth/token`, {
    method: "POST",
    headers: { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP },
    body: form,
  });
  await isAsked;
  const stopped = program.stop();
  // The exchange is answered once the program no longer takes connections, as a stop begins.
  while (
    await fetch(`${address}/auth/health`).then(
      () => true,
      () => false,
    )
  );
  answer();
  assert.deepEqual(await (await answered).json(), { error: "invalid_grant" });
  await stopped;
  assert.equal(program.ended, "ended with 0");
});

test("the Node example runs with the environment file, and names what is missing without it", async (t) => {
  const folder = newFolder(t);
  const port = await freePort();
  const file = join(folder, ".env");
  writeFileSync(
    file,
    read("examples/env.example").replace("newest-key older-key", `${newKey()} ${newKey()}`),
  );
  const env = { PORT: String(port) };
  const program = startProgram(process.execPath, [`--env-file=${file}`, "node.js"], {
    cwd: EXAMPLES,
    env,
  });
  t.after(() => program.stop());
  await untilReady(program, `http://127.0.0.1:${port}/auth/health`);

  const without = startProgram(process.execPath, ["node.js"], { cwd: EXAMPLES, env });
  t.after(() => without.stop());
  while (!without.ended) await new Promise((resolve) => setTimeout(resolve, 20));
  assert(without.output.includes("createGateway: clients[0].clientId must be"));
});

/** A stand-in for the registrations given, and a gateway before it. */
async function setUp(t, clients, log) {
  const standIn = await startStandIn({
    clients,
    publicClients: false,
    pkce: "ignored",
    consent: "never",
  });
  t.after(() => standIn.close());
  const gateway = createGateway({ issuer: standIn.issuer, clients, sealingKeys: [newKey()], log });
  /** A code of a user's for one registration, posted with this verifier or the code's own. */
  const post = async ({ clientId }, sub, verifier) => {
    const login = newLogin();
    const browser = new GatewayClient(gateway);
    const redirectUri = clients[0].redirectUris[0];
    const code = await authorize(standIn, { clientId, redirectUri, login, sub });
    const own = { verifier: verifier ?? login.verifier };
    const changes = { client_id: clientId, redirect_uri: redirectUri };
    return browser.postToken(browser.form(own, code, changes));
  };
  return { post };
}

test("the districts example admits to each registration the users of its own district alone", async (t) => {
  Object.assign(process.env, {
    APP_ORIGIN: APP,
    SAMPLE_CREEK_CLIENT_ID: "creek",
    SAMPLE_CREEK_CLIENT_SECRET: "creek-secret",
    EXAMPLE_VALLEY_CLIENT_ID: "valley",
    EXAMPLE_VALLEY_CLIENT_SECRET: "valley-secret",
  });
  const { clients } = await import("../../docs/examples/districts.js");
  const entries = [];
  const { post } = await setUp(t, clients, (entry) => entries.push(entry));
  const [creek, valley] = clients;
  const [pia, paul] = ["8708718", "9120045"];
  for (const [client, sub, status] of /** @type {const} */ ([
    [creek, pia, 200],
    [creek, paul, 403],
    [valley, paul, 200],
    [valley, pia, 403],
  ])) {
    assert.equal((await post(client, sub)).status, status, `${client.district} ${sub}`);
    assert.equal(entries.at(-1).district, client.district);
  }
});

test("docs/gateway.md shows the log entry that a stolen code leaves", async (t) => {
  const { text } = present(blocks.find(({ mark }) => mark === "run: log entry"));
  const shown = JSON.parse(text);
  const entries = [];
  const client = { clientId: "a", clientSecret: "secret", redirectUris: [`${APP}/callback`] };
  const { post } = await setUp(t, [client], (entry) => entries.push(entry));
  await post(client, "8708718", newLogin().verifier);
  assert.deepEqual(
    { ...entries.at(-1), durationMs: shown.durationMs, requestId: shown.requestId },
    shown,
  );
});
