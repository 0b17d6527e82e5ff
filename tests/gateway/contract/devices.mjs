/** Device-bound sessions: a copied cookie is useless without the device's key. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { askDevice, Device, readChallenge, readRegistration } from "../../support/device.mjs";
import { newLogin } from "../../support/gateway.mjs";
import { CLIENT } from "../../support/upstream.mjs";
import { startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const noSession = (answer) => assert.deepEqual([answer.status, answer.text], [204, ""]);

/** The cookies that last for the browser's session, without the device's proof. */
function withoutProof(browser) {
  for (const name of browser.jar.keys()) if (name.includes(".proof-")) browser.jar.delete(name);
}

/** @param {ServerAdapter} adapter */
export function deviceTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);

  /** A browser whose session is bound to a device. */
  const bound = async (t, changes) => {
    const world = await startWorld(t, adapter, changes);
    const { browser } = world;
    const login = newLogin();
    const answer = await browser.signIn({ login });
    const device = new Device();
    const registered = await device.register(browser, answer);
    assert.equal(registered.status, 200, registered.text);
    const { path } = readRegistration(answer.headers);
    return { ...world, ...login, answer, device, registered, path };
  };

  contract("a sign-in offers a registration to pages of the gateway's own origin", async (t) => {
    const { browser, server } = await startWorld(t, adapter);
    const { headers } = await browser.signIn();
    const { path } = readRegistration(headers);
    assert.match(path, /^\/auth\/device\?registration=[\w-]{12}$/);
    const other = server.newBrowser();
    await other.signIn();
    const answer = await other.send("POST", `/auth/session?client_id=${CLIENT.clientId}`, {
      headers: { "Sec-Fetch-Site": null, Origin: server.baseUrl },
    });
    assert.equal(answer.headers.get("Secure-Session-Registration"), null);
  });

  contract("a session that its page has not confirmed is offered no registration", async (t) => {
    const { browser } = await startWorld(t, adapter);
    const login = newLogin();
    const answer = await browser.signIn({ login, isNamed: true });
    assert.equal(answer.headers.get("Secure-Session-Registration"), null);
    const named = await browser.startNaming("POST", login.sessionId);
    readRegistration(named.headers);
  });

  contract("a registration names the cookie that the session needs from then on", async (t) => {
    const { browser, registered, sessionId, verify } = await bound(t);
    const { credentials, ...rest } = registered.json;
    assert.deepEqual(rest, {
      session_identifier: sessionId,
      scope: { include_site: false, scope_specification: [] },
    });
    const [{ type, name, attributes }] = credentials;
    assert.deepEqual([type, attributes], ["cookie", "Path=/; Secure; HttpOnly; SameSite=Strict"]);
    assert(browser.jar.has(name));
    const line = registered.cookies.find((cookie) => cookie.startsWith(`${name}=`));
    assert.match(line, /; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=300$/);
    assert.equal((await verify()).status, 204);
    const { status, headers } = await browser.session();
    assert.equal(status, 200);
    assert.equal(headers.get("Secure-Session-Registration"), null, "it is bound already");
  });

  contract("a bound session does not count without the device's proof", async (t) => {
    const { browser, verify } = await bound(t);
    withoutProof(browser);
    assert.equal((await verify()).status, 401);
    noSession(await browser.session());
    assert.notDeepEqual(browser.sessionCookies, [], "the device may still prove that it is there");
  });

  contract("a browser that could not refresh is told to try again later", async (t) => {
    const { browser } = await bound(t);
    withoutProof(browser);
    const answer = await browser.send("POST", `/auth/session?client_id=${CLIENT.clientId}`, {
      headers: { "Secure-Session-Skipped": "unreachable" },
    });
    assert.deepEqual([answer.status, answer.code], [503, "device_unproved"]);
  });

  contract("a refresh with the device's proof brings the session back", async (t) => {
    const { browser, device, path, sessionId, verify } = await bound(t);
    withoutProof(browser);
    const refreshed = await device.refresh(browser, path, sessionId);
    assert.equal(refreshed.status, 200);
    assert.equal(refreshed.json.session_identifier, sessionId);
    assert.equal((await verify()).status, 204);
    assert.equal((await browser.session()).status, 200);
  });

  contract("a proof as the standard writes it, as a quoted string, is taken", async (t) => {
    const { browser, device, path, sessionId, verify } = await bound(t);
    withoutProof(browser);
    const id = { "Sec-Secure-Session-Id": `"${sessionId}"` };
    const asked = await askDevice(browser, path, id);
    const proof = `"${device.prove(String(readChallenge(asked.headers)))}"`;
    await askDevice(browser, path, { ...id, "Secure-Session-Response": proof });
    assert.equal((await verify()).status, 204);
  });

  contract("another device's proof is refused", async (t) => {
    const { browser, path, sessionId, verify } = await bound(t);
    withoutProof(browser);
    const refused = await new Device().refresh(browser, path, sessionId);
    assert.deepEqual([refused.status, refused.code], [400, "device_proof_invalid"]);
    assert.equal((await verify()).status, 401);
  });

  contract(
    "a challenge of another session, or none of the gateway's, is asked again",
    async (t) => {
      const { browser, device, path, sessionId, server } = await bound(t);
      const other = server.newBrowser();
      const { challenge } = readRegistration((await other.signIn()).headers);
      for (const wrong of [challenge, "made-up", ""]) {
        const answer = await askDevice(browser, path, {
          "Sec-Secure-Session-Id": sessionId,
          "Secure-Session-Response": device.prove(wrong),
        });
        assert.deepEqual([answer.status, answer.code], [403, "device_proof_required"]);
        assert(readChallenge(answer.headers));
      }
    },
  );

  contract("a proof that is changed, unsigned or of another type is refused", async (t) => {
    const { browser, device, path, sessionId } = await bound(t);
    const id = { "Sec-Secure-Session-Id": sessionId };
    const challenge = String(readChallenge((await askDevice(browser, path, id)).headers));
    const [header, claims] = device.prove(challenge).split(".");
    for (const proof of [
      `${header}.${claims}.`,
      `${header}.${claims}`,
      device.prove(challenge).replace(/.{8}$/, "AAAAAAAA"),
      device.prove(challenge, { alg: "none" }),
      device.prove(challenge, { typ: "JWT" }),
      new Device().prove(challenge, { jwk: device.jwk }),
      "x",
    ]) {
      const answer = await askDevice(browser, path, { ...id, "Secure-Session-Response": proof });
      assert.deepEqual([answer.status, answer.code], [400, "device_proof_invalid"], proof);
    }
  });

  contract("a bound session is not registered a second time", async (t) => {
    const { browser, answer } = await bound(t);
    const refused = await new Device().register(browser, answer);
    assert.deepEqual([refused.status, refused.code], [400, "request_invalid"]);
  });

  contract("a registration without a session, or with a bad key, is refused", async (t) => {
    const { browser, server } = await startWorld(t, adapter);
    const { headers } = await browser.signIn();
    const { path, challenge } = readRegistration(headers);
    const device = new Device();
    const proof = device.prove(challenge, { jwk: device.jwk });
    const stranger = await askDevice(server.newBrowser(), path, {
      "Secure-Session-Response": proof,
    });
    assert.deepEqual([stranger.status, stranger.code], [400, "request_invalid"]);
    const { x, y } = device.jwk;
    for (const jwk of [
      undefined,
      { kty: "EC", crv: "P-256", x, y: x },
      { kty: "EC", crv: "P-384", x, y },
      { kty: "EC", crv: "P-256", x: `${x}AAAA`, y },
    ]) {
      const answer = await askDevice(browser, path, {
        "Secure-Session-Response": device.prove(challenge, jwk && { jwk }),
      });
      assert.equal(answer.code, "device_proof_invalid", JSON.stringify(jwk));
    }
    assert.equal((await browser.session()).status, 200, "it goes on as it was");
  });

  contract("a page of another site cannot bind or refresh a session", async (t) => {
    const { browser, device, path, sessionId } = await bound(t);
    const answer = await askDevice(browser, path, {
      Origin: "https://evil.example",
      "Sec-Fetch-Site": "cross-site",
      "Sec-Secure-Session-Id": sessionId,
      "Secure-Session-Response": device.prove("x"),
    });
    assert.deepEqual([answer.status, answer.code], [403, "forbidden_origin"]);
  });

  contract("the browser forgets the device of a session that ended", async (t) => {
    const { browser, device, path, sessionId } = await bound(t);
    await browser.signOut();
    assert.deepEqual(browser.sessionCookies, []);
    const answer = await device.refresh(browser, path, sessionId);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { session_identifier: sessionId, continue: false });
  });

  contract(
    "the late answer of a request from before the registration unbinds nothing",
    async (t) => {
      const { browser, signedInAgo, verify } = await startWorld(t, adapter);
      await signedInAgo(120);
      const late = await browser.startNaming("POST", undefined);
      const device = new Device();
      assert.equal((await device.register(browser, late)).status, 200);
      late.arrive();
      withoutProof(browser);
      assert.equal((await verify()).status, 401, "the session is bound although both are there");
    },
  );

  contract("`deviceBound: false` offers and asks for nothing", async (t) => {
    const { browser, verify, startServer, path } = await bound(t);
    const server = await startServer({ deviceBound: false });
    const other = server.newBrowser();
    const { headers } = await other.signIn();
    assert.equal(headers.get("Secure-Session-Registration"), null);
    withoutProof(browser);
    other.jar = browser.jar;
    assert.equal((await other.session()).status, 200, "a bound session goes on");
    assert.equal((await askDevice(other, path, {})).code, "not_found");
    assert.equal((await verify()).status, 401, "on the server that has it on");
  });
}
