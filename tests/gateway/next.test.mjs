/** `classlink-spa/next`: the gateway's handlers and the session, with a stand-in for `next/headers`. */

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

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "classlink-next-"));
  await mkdir(join(folder, "node_modules/next"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "node_modules/next/package.json"), '{ "name": "next" }');
  await writeFile(
    join(folder, "node_modules/next/headers.js"),
    "exports.headers = async () => globalThis.nextHeaders;",
  );
  await symlink(join(root, "node_modules/jose"), join(folder, "node_modules/jose"), "junction");
  for (const name of ["next.js", "gateway.js"]) {
    await cp(join(root, "pkg", name), join(folder, name));
  }
  next = await import(pathToFileURL(join(folder, "next.js")).href);
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
