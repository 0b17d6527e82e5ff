/** The command `classlink-spa`: what `doctor` finds in a deployment, and `keygen`. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createGateway } from "classlink-spa/gateway";
import { toNodeHandler } from "classlink-spa/gateway-node";
import { root } from "../../tools/lib/run.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { serve } from "../support/serve.mjs";

const CLI = join(root, "pkg/cli.js");
const CLIENT_ID = "doctor-app";
const POLICY = "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const KEY = randomBytes(32).toString("base64");

let standIn;
before(async () => {
  standIn = await startStandIn({
    port: 0,
    apiPort: 0,
    clients: [{ clientId: CLIENT_ID, redirectUris: ["http://localhost:1/callback"] }],
  });
});
after(() => standIn.close());

/** Runs the command. @returns {Promise<{ code: number, stdout: string, stderr: string }>} */
const run = (...args) =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: /** @type {any} */ (error)?.code ?? 0, stdout, stderr });
    });
  });

/**
 * A deployed application.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ policy?: string, wasmType?: string, callback?: [number, import("node:http").OutgoingHttpHeaders?], proxy?: (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => boolean | void }} [spoiled]
 */
async function deploy(t, { policy = POLICY, wasmType = "application/wasm", callback, proxy } = {}) {
  /** @type {ReturnType<typeof toNodeHandler>} */
  let gateway;
  const { origin } = await serve(t, (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    if (pathname.startsWith("/auth/")) {
      if (!proxy?.(request, response)) gateway(request, response);
    } else if (pathname === "/app.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" });
      response.end('import("./lazy.js")');
    } else if (pathname === "/lazy.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" });
      response.end('new URL("/assets/classlink_spa_bg-abc.wasm", import.meta.url)');
    } else if (pathname.endsWith(".wasm")) {
      response.writeHead(200, { "Content-Type": wasmType }).end("\0asm");
    } else if (pathname === "/callback" && callback) {
      response.writeHead(...callback).end();
    } else {
      const headers = {
        "Content-Type": "text/html",
        ...(policy && { "Content-Security-Policy": policy }),
      };
      response.writeHead(200, headers).end('<script type="module" src="/app.js"></script>');
    }
  });
  gateway = toNodeHandler(
    createGateway({
      issuer: standIn.issuer,
      clients: [
        { clientId: CLIENT_ID, clientSecret: "not-a-secret", redirectUris: [`${origin}/callback`] },
      ],
      sealingKeys: [KEY],
    }),
  );
  return origin;
}

/** Runs `doctor`, and returns the status of each check. */
async function examine(origin, ...args) {
  const options = ["--issuer", standIn.issuer, "--client-id", CLIENT_ID, "--json", ...args];
  const { code, stdout } = await run("doctor", origin, ...options);
  const findings = JSON.parse(stdout);
  return { code, findings, of: (id) => findings.find((finding) => finding.id === id) };
}

test("doctor finds nothing wrong with a deployment that is right", async (t) => {
  const { code, findings } = await examine(await deploy(t));
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
  assert.equal(code, 0);
  assert.deepEqual(
    findings.map(({ id }) => id),
    [
      ...["page", "policy", "webassembly", "callback", "gateway", "clock", "gateway-keys"],
      ...["gateway-session", "gateway-origin", "header-sizes", "cookies", "discovery", "keys"],
    ],
  );
});

/** @type {[name: string, spoiled: Parameters<typeof deploy>[1], id: string, words: RegExp][]} */
const SPOILED = [
  [
    "a policy that blocks WebAssembly",
    { policy: "script-src 'self'" },
    "policy",
    /Add 'wasm-unsafe-eval'/,
  ],
  [
    "a policy that blocks the gateway",
    { policy: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'" },
    "policy",
    /Add 'self' to connect-src/,
  ],
  [
    "a page in the place of the .wasm file",
    { wasmType: "text/html" },
    "webassembly",
    /beside the scripts/,
  ],
  ["a callback page that is not there", { callback: [404] }, "callback", /HTTP 404/],
  [
    "a callback page that redirects",
    { callback: [302, { Location: "/" }] },
    "callback",
    /redirects \(HTTP 302\)/,
  ],
  [
    "a proxy that drops the SDK's header",
    {
      // What the gateway says then.
      proxy: (request, response) => {
        if (!request.headers["x-classlink-spa"]) return false;
        response.writeHead(403, { "X-ClassLink-Gateway-Error": "missing_header" }).end("{}");
        return true;
      },
    },
    "gateway-keys",
    /X-ClassLink-SPA/,
  ],
  [
    "a proxy that refuses large headers",
    {
      proxy: (request, response) => {
        if ((request.headers.cookie ?? "").length < 4000) return false;
        response.writeHead(431).end();
        return true;
      },
    },
    "header-sizes",
    /HTTP 431/,
  ],
  [
    "a proxy that changes the cookie",
    {
      proxy: (_, response) => {
        const { setHeader } = response;
        response.setHeader = (name, value) =>
          setHeader.call(response, name, /cookie/i.test(name) ? "other=1; Path=/auth" : value);
        const { writeHead } = response;
        response.writeHead = /** @type {any} */ (
          (status, headers) => {
            const given = Array.isArray(headers)
              ? headers.map((value) =>
                  /^__Host-/.test(String(value)) ? "other=1; Path=/auth" : value,
                )
              : Object.fromEntries(
                  Object.entries(headers ?? {}).map(([name, value]) => [
                    name,
                    /^set-cookie$/i.test(name) ? "other=1; Path=/auth" : value,
                  ]),
                );
            return writeHead.call(response, status, given);
          }
        );
      },
    },
    "cookies",
    /unchanged/,
  ],
];

for (const [name, spoiled, id, words] of SPOILED) {
  test(`doctor finds ${name}, and says what to do`, async (t) => {
    const { code, of } = await examine(await deploy(t, spoiled));
    const { status, summary, remedy } = of(id);
    assert.equal(status, "problem");
    assert.match(`${summary} ${remedy}`, words);
    assert.equal(code, 1);
  });
}

test("doctor warns of a page without a policy, and of a .wasm file of another type", async (t) => {
  const { of, code } = await examine(await deploy(t, { policy: "", wasmType: "text/plain" }));
  assert.equal(of("policy").status, "warning");
  assert.match(of("webassembly").remedy, /application\/wasm/);
  assert.equal(code, 0);
});

test("doctor finds another client id than the gateway's, and an address where nothing is", async (t) => {
  const origin = await deploy(t);
  const { of } = await examine(origin, "--client-id", "other");
  assert.match(of("gateway-session").remedy, /Register this client id/);
  const none = await examine("http://localhost:9", "--gateway", "none");
  assert.match(none.of("page").summary, /cannot be reached/);
});

test("doctor prints a line for each check, and the remedy beneath it", async (t) => {
  const origin = await deploy(t, { policy: "script-src 'self'" });
  const { stdout, code } = await run("doctor", origin, "--issuer", standIn.issuer);
  assert.match(stdout, /✗ policy: The policy blocks WebAssembly\.\n {4}→ Add 'wasm-unsafe-eval'/);
  assert.match(stdout, /Problems found: 1\.\n$/);
  assert.equal(code, 1);
});

test("keygen prints a key that the gateway takes", async () => {
  const { stdout } = await run("keygen");
  createGateway({
    clients: [{ clientId: "a", clientSecret: "b", redirectUris: ["https://app.example/callback"] }],
    sealingKeys: [stdout.trim()],
  });
  assert.notEqual(stdout, (await run("keygen")).stdout);
});

test("without a command it says how it is used, and fails", async () => {
  const { code, stderr } = await run();
  assert.equal(code, 2);
  assert.match(stderr, /Usage: classlink-spa <command>/);
});
