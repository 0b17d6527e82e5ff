// Back ends in other languages, as the guide shows them: nginx in front, Python and PHP behind, and assertions. What is not
// installed on this machine is skipped.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { findPyJwt, skipWithout } from "../../tools/lib/optional.mjs";
import { freePort } from "../../tools/lib/ports.mjs";
import { root, which } from "../../tools/lib/run.mjs";
import { startNginx } from "../support/nginx.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import { newFolder } from "../support/temp-folder.mjs";
import { handler } from "./contract/handler.mjs";
import { ask, newAssertionKey, startWorld } from "./contract/world.mjs";

const EXAMPLES = fileURLToPath(new URL("../../docs/examples/verify/", import.meta.url));
const AUDIENCE = "https://app.example";

/**
 * Each back end, how its example starts, and why its test is skipped.
 *
 * @type {[name: string, (port: number) => string[], skip: string | false][]}
 */
const BACK_ENDS = [
  [
    "python3",
    (port) => ["app.py", String(port)],
    which("python3") ? skipWithout("nginx") : "python3 is not installed",
  ],
  ["php", (port) => ["-S", `127.0.0.1:${port}`, "app.php"], skipWithout("nginx", "php")],
];

const assertions = () => ({
  issuer: `${AUDIENCE}/auth`,
  audience: AUDIENCE,
  keys: [newAssertionKey()],
});

/** The example in the server block, but for the ports. */
async function startProxy(t, gatewayUrl, backEndPort) {
  const server = readFileSync(join(EXAMPLES, "nginx.conf"), "utf8")
    .replaceAll("http://127.0.0.1:3000", gatewayUrl)
    .replaceAll("127.0.0.1:8000", `127.0.0.1:${backEndPort}`);
  const { program, origin } = await startNginx(newFolder(t), { server });
  t.after(() => program.stop());
  return origin;
}

for (const [command, argsFor, skip] of BACK_ENDS) {
  test(`${command} behind nginx: 401 without a session, the user with one`, { skip }, async (t) => {
    const { upstream, browser, server } = await startWorld(t, handler, {
      assertions: assertions(),
    });
    const port = await freePort();
    const program = startProgram(command, argsFor(port), { cwd: EXAMPLES });
    t.after(() => program.stop());
    await untilReady(program, `http://127.0.0.1:${port}`, { anyStatus: true });
    const origin = await startProxy(t, server.baseUrl, port);
    const forged = { "X-ClassLink-User": "evil", "X-ClassLink-Role": "administrator" };

    const withoutSession = await ask(origin, { path: "/api/me", headers: forged });
    assert.equal(withoutSession.status, 401);
    await browser.signIn({ claims: { sub: "a|ü b", profile: undefined } });
    const headers = { ...forged, Cookie: browser.cookieHeader };
    const { status, text } = await ask(origin, { path: "/api/me", headers });
    assert.equal(status, 200, text);
    assert.deepEqual(JSON.parse(text), {
      id: `${upstream.issuer}|a%7Cü b`,
      role: null,
      tenant: "2284",
    });
    const direct = await ask(origin, { path: "/auth/verify", headers });
    assert.equal(direct.status, 404, "for nginx alone");
    assert.equal((await ask(origin, { path: "/auth/health" })).status, 200);
  });
}

/** An assertion, one of another audience, and where the keys are. */
async function newAssertions(t) {
  const { browser, verify, server, startServer } = await startWorld(t, handler, {
    assertions: assertions(),
  });
  await browser.signIn();
  const own = String((await verify()).headers["x-classlink-assertion"]);
  const foreign = await startServer({ assertions: assertions() });
  const headers = { Cookie: browser.cookieHeader };
  const answer = await foreign.ask({ path: "/auth/verify", headers });
  const other = String(answer.headers["x-classlink-assertion"]);
  return { own, other, keysUrl: `${server.baseUrl}/auth/assertion-keys` };
}

/** An example with the address of the keys that there are. */
const exampleWith = (file, keysUrl) =>
  readFileSync(join(EXAMPLES, file), "utf8").replace(`${AUDIENCE}/auth/assertion-keys`, keysUrl);

test("an assertion is verified in Node as the guide shows, and another gateway's is refused", async (t) => {
  const { own, other, keysUrl } = await newAssertions(t);
  // Inside the repository, so that it finds `jose`.
  const folder = mkdtempSync(join(root, "node_modules/.cache/assertion-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "assertion.mjs");
  writeFileSync(file, exampleWith("assertion.mjs", keysUrl));
  const { userOf } = await import(pathToFileURL(file).href);
  assert.equal((await userOf(own)).name, "Pia Privat");
  await assert.rejects(userOf(other));
  await assert.rejects(userOf(`${own.slice(0, -4)}AAAA`));
});

test("an assertion is verified in Python as the guide shows, and another gateway's is refused", {
  skip: skipWithout("pyJwt"),
}, async (t) => {
  const { own, other, keysUrl } = await newAssertions(t);
  const folder = newFolder(t);
  writeFileSync(join(folder, "assertion.py"), exampleWith("assertion.py", keysUrl));
  const run = (assertion) =>
    promisify(execFile)(
      String(findPyJwt()),
      ["-c", "import sys, assertion; print(assertion.user_of(sys.argv[1])['name'])", assertion],
      { cwd: folder },
    );
  assert.equal((await run(own)).stdout.trim(), "Pia Privat");
  await assert.rejects(run(other), /PyJWK|InvalidSignature|Unable to find a signing key/);
});
