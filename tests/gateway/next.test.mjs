/** `classlink-spa/next`: the gateway's handlers and the session, with a stand-in for Next.js. */

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../tools/lib/run.mjs";
import { APP, newKey, setUp } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";
import { CLIENT } from "../support/upstream.mjs";

let folder;
/** @type {typeof import("classlink-spa/next")} */
let next;

/**
 * Installs the package beside a stand-in for Next.js.
 *
 * @param {string} name a folder's
 * @param {string} server the text of `next/server`
 * @returns {Promise<typeof import("classlink-spa/next")>}
 */
async function install(name, server) {
  const project = join(folder, name);
  const installed = join(project, "node_modules/next");
  await mkdir(installed, { recursive: true });
  await writeFile(join(project, "package.json"), '{ "type": "module" }');
  await writeFile(join(installed, "package.json"), '{ "name": "next" }');
  await writeFile(join(installed, "server.js"), server);
  await writeFile(
    join(installed, "headers.js"),
    "exports.headers = async () => globalThis.nextHeaders;",
  );
  await symlink(join(root, "node_modules/jose"), join(project, "node_modules/jose"), "junction");
  for (const file of ["next.js", "gateway.js"]) {
    await cp(join(root, "pkg", file), join(project, file));
  }
  return import(pathToFileURL(join(project, "next.js")).href);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "classlink-next-"));
  next = await install("next-16", "exports.connection = () => globalThis.nextConnection;");
});
after(() => rm(folder, { recursive: true, force: true }));

test("the Next.js gateway reads no configuration before the first request", async () => {
  let reads = 0;
  const { handlers, getSession } = next.createNextGateway(() => {
    reads += 1;
    throw new Error("No secrets here.");
  });
  assert.deepEqual(Object.keys(handlers), ["GET", "POST", "DELETE", "OPTIONS"]);
  assert.equal(reads, 0);
  await assert.rejects(getSession({ headers: new Headers() }), /No secrets here/);
});

test("the Next.js handlers respond as the gateway does", async () => {
  const { handlers } = next.createNextGateway({
    clients: [CLIENT],
    sealingKeys: [newKey()],
  });
  const response = await handlers.GET(new Request(`${APP}/auth/health`));
  assert.deepEqual(await response.json(), { status: "ok" });
});

test("getSession reads the session of a request, or that of next/headers without one", async (t) => {
  const { browser, options } = await setUp(t);
  await browser.signIn();
  const { getSession } = next.createNextGateway(options);
  const cookies = new Headers({ Cookie: browser.cookieHeader });
  const byRequest = await getSession(new Request(`${APP}/classes`, { headers: cookies }));
  Object.assign(globalThis, { nextHeaders: cookies });
  const byHeaders = await getSession();
  assert.equal(present(byRequest).user.sub, present(byHeaders).user.sub);
  assert.equal(await getSession({ headers: new Headers() }), null);
  Object.assign(globalThis, { nextHeaders: new Headers() });
  assert.equal(await getSession(), null);
});

test("getSession reads no clock and no randomness in a server component before a request is there", async (t) => {
  const { browser, options } = await setUp(t);
  await browser.signIn();
  let reads = 0;
  const { getSession } = next.createNextGateway(() => {
    reads += 1;
    return options;
  });
  /** @type {() => void} */
  let connect = () => {};
  const nextConnection = new Promise((resolve) => {
    connect = () => resolve(undefined);
  });
  const nextHeaders = new Headers({ Cookie: browser.cookieHeader });
  Object.assign(globalThis, { nextHeaders, nextConnection });
  const session = getSession();
  await new Promise(setImmediate);
  assert.equal(reads, 0);
  connect();
  assert.ok(await session);
});

test("getSession works in Next.js 14, which has no `connection`", async (t) => {
  const { browser, options } = await setUp(t);
  await browser.signIn();
  const next14 = await install("next-14", "exports.NextResponse = Response;");
  Object.assign(globalThis, { nextHeaders: new Headers({ Cookie: browser.cookieHeader }) });
  assert.ok(await next14.createNextGateway(options).getSession());
});
