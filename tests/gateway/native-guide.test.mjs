// The guide of the native server (docs/gateway-native.md): its files are those that run here, with the proxies and languages
// that are installed on this machine; what is not is skipped.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { OPTIONAL, skipWithout } from "../../tools/lib/optional.mjs";
import { freePort } from "../../tools/lib/ports.mjs";
import { which } from "../../tools/lib/run.mjs";
import { NATIVE_GATEWAY, native } from "../support/native-gateway.mjs";
import { startNginx } from "../support/nginx.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { newFolder } from "../support/temp-folder.mjs";
import { ask, newAssertionKey, startWorld } from "./contract/world.mjs";

const ORIGIN = "https://app.example";
const EXAMPLES = fileURLToPath(new URL("../../docs/examples/", import.meta.url));
const GUIDE = readFileSync(new URL("../../docs/gateway-native.md", import.meta.url), "utf8");
const execute = promisify(execFile);

const example = (name) => readFileSync(join(EXAMPLES, "native", name), "utf8");

test("docs/gateway-native.md shows the files exactly as they are tested", () => {
  const shown = [...GUIDE.matchAll(/<!-- file: (.+?) -->\n```\w+\n(.*?)```/gs)];
  assert.ok(shown.length >= 6);
  for (const [, name, content] of shown) {
    assert.equal(content, readFileSync(join(EXAMPLES, String(name)), "utf8"), name);
  }
});

test("the configuration of docs/gateway-native.md passes the check, with the keys that the command makes", async (t) => {
  const folder = newFolder(t);
  const make = async (command, file) => {
    const { stdout } = await execute(NATIVE_GATEWAY, [command]);
    writeFileSync(join(folder, file), stdout);
  };
  await make("keygen", "sealing-keys");
  await make("assertion-key", "assertion-key.pem");
  writeFileSync(join(folder, "client-secret"), "s3cret\n");
  const file = join(folder, "gateway.toml");
  writeFileSync(file, example("gateway.toml").replaceAll("/etc/classlink-gateway", folder));
  await execute(NATIVE_GATEWAY, ["check", "--offline", "--config", file]);
});

/** The native server, a back end in Python, and a proxy in front of both, as a browser meets it. */
async function startFront(t, startProxy) {
  const assertions = { issuer: `${ORIGIN}/auth`, audience: ORIGIN, keys: [newAssertionKey()] };
  const world = await startWorld(t, native, { assertions, remoteAddressHeader: "X-Real-IP" });
  const backEndPort = await freePort();
  const folder = newFolder(t);
  writeFileSync(join(folder, "app.py"), BACK_END);
  const backEnd = startProgram("python3", ["app.py", String(backEndPort)], { cwd: folder });
  t.after(() => backEnd.stop());
  await untilReady(backEnd, `http://127.0.0.1:${backEndPort}`);
  const gatewayPort = new URL(world.server.baseUrl).port;
  const withPorts = (text) =>
    text
      .replaceAll("127.0.0.1:3000", `127.0.0.1:${gatewayPort}`)
      .replaceAll("127.0.0.1:8000", `127.0.0.1:${backEndPort}`);
  const origin = await startProxy(t, folder, withPorts);
  return { ...world, origin };
}

/** Says what reached it. */
const BACK_END = `
import json, sys
from urllib.parse import unquote
from wsgiref.simple_server import make_server

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    seen = {name: unquote(value) for name, value in environ.items() if name.startswith("HTTP_X_CLASSLINK_")}
    return [json.dumps({**seen, "cookie": environ.get("HTTP_COOKIE", "")}).encode()]

make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
`;

async function startNginxProxy(t, folder, withPorts) {
  const { program, origin } = await startNginx(folder, {
    server: withPorts(example("nginx.conf")),
  });
  t.after(() => program.stop());
  return origin;
}

async function startCaddyProxy(t, folder, withPorts) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const site = withPorts(example("Caddyfile")).replace("app.example", origin);
  writeFileSync(join(folder, "Caddyfile"), `{\n\tadmin off\n}\n${site}`);
  const args = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
  const program = startProgram(String(OPTIONAL.caddy.find()), args, { cwd: folder });
  t.after(() => program.stop());
  await untilReady(program, origin, { anyStatus: true });
  return origin;
}

/** Each proxy, and why its test is skipped. @type {[string, typeof startNginxProxy, string | false][]} */
const PROXIES = [
  ["nginx", startNginxProxy, skipWithout("nginx")],
  ["Caddy", startCaddyProxy, skipWithout("caddy")],
];

for (const [name, start, missing] of PROXIES) {
  const skip = which("python3") ? missing : "python3 is not installed";
  test(`${name} before the native server responds 401 without a session, and names the user with one`, {
    skip,
  }, async (t) => {
    const { upstream, browser, origin } = await startFront(t, start);
    const forged = { "X-ClassLink-User": "evil", "X-ClassLink-Roster-Id": "evil" };
    const get = (path, headers) => ask(origin, { path, headers });

    assert.equal((await get("/api/me", forged)).status, 401);
    await browser.signIn({ claims: { sub: "a|ü b", classLink_tenant_id: undefined } });
    const { status, text } = await get("/api/me", { ...forged, Cookie: browser.cookieHeader });
    assert.equal(status, 200, text);
    const seen = JSON.parse(text);
    assert.equal(seen.HTTP_X_CLASSLINK_USER, `${upstream.issuer}|a%7Cü b`);
    assert.equal(seen.HTTP_X_CLASSLINK_ROLE, "student");
    // Older versions of Caddy write a placeholder for what the gateway did not send.
    const rosterId = seen.HTTP_X_CLASSLINK_ROSTER_ID ?? "";
    assert.match(rosterId, /^(?:\{http\..*\})?$/, "what the browser sent is gone");
    assert.match(seen.HTTP_X_CLASSLINK_ASSERTION, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.equal(seen.cookie, "", "the back end has no session cookie");
    assert.equal((await get("/auth/verify")).status, 404, "for the proxy alone");
    assert.equal((await get("/auth/health")).status, 200);
  });
}

/**
 * Languages, and how each prints what its example makes of an assertion.
 *
 * @type {[command: string, file: string, argumentsFor: (file: string) => string[]][]}
 */
const LANGUAGES = [
  ["java", "Assertion.java", (file) => [file]],
  ["go", "assertion.go", (file) => ["run", file]],
  ["php", "assertion.php", (file) => [file]],
];

for (const [command, file, argumentsFor] of LANGUAGES) {
  const skip = which(command) ? false : `${command} is not installed`;
  test(`${command} verifies an assertion by the guide's code, and refuses others`, {
    skip,
  }, async (t) => {
    const assertions = () => ({
      issuer: `${ORIGIN}/auth`,
      audience: ORIGIN,
      keys: [newAssertionKey()],
    });
    const { browser, verify, server, startServer } = await startWorld(t, native, {
      assertions: assertions(),
    });
    await browser.signIn();
    const own = String((await verify()).headers["x-classlink-assertion"]);
    const foreign = await startServer({ assertions: assertions() });
    const headers = { Cookie: browser.cookieHeader };
    const answer = await foreign.ask({ path: "/auth/verify", headers });
    const other = String(answer.headers["x-classlink-assertion"]);
    const folder = newFolder(t);
    const program = join(folder, file);
    const keys = `"${server.baseUrl}/auth/assertion-keys"`;
    const address = /(?:origin|ORIGIN) [+.] (["'])\/auth\/assertion-keys\1/;
    writeFileSync(program, example(file).replace(address, keys));
    const env = { ...process.env, GOCACHE: join(folder, "cache"), GO111MODULE: "off" };
    const run = (assertion) =>
      execute(command, [...argumentsFor(program), assertion], { cwd: folder, env });

    assert.match((await run(own)).stdout, /Pia Privat/);
    await assert.rejects(run(other));
    const [header = "", claims = "", signature] = own.split(".");
    const changed = { ...JSON.parse(Buffer.from(claims, "base64url").toString()), sub: "evil" };
    const forged = Buffer.from(JSON.stringify(changed)).toString("base64url");
    await assert.rejects(run([header, forged, signature].join(".")));
  });
}
