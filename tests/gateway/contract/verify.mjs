/** Forward authentication: `/verify`, and the assertions in it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { CLIENT } from "../../support/upstream.mjs";
import { newAssertionKey, startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const AUDIENCE = "https://app.example";
const assertionsWith = (...keys) => ({ issuer: `${AUDIENCE}/auth`, audience: AUDIENCE, keys });
const SECOND = { clientId: "client-2", clientSecret: "s", redirectUris: CLIENT.redirectUris };

/** @param {ServerAdapter} adapter */
export function verifyTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract("/verify names the user in headers, and is 401 without a session", async (t) => {
    const { upstream, browser, verify, logged } = await world(t);
    const withoutSession = await verify();
    assert.equal(withoutSession.status, 401);
    assert.equal(withoutSession.headers["x-classlink-gateway-error"], "not_signed_in");
    assert.equal(withoutSession.headers["www-authenticate"], "ClassLink");
    assert.equal(JSON.parse(withoutSession.text).error, "login_required");

    const claims = { sub: "a|b ü/%(1)", classLink_sourcedId: "5678_T/1", exp: undefined };
    await browser.signIn({ claims: { ...claims, exp: Math.floor(Date.now() / 1000) + 900 } });
    const { status, headers, text } = await verify();
    assert.deepEqual([status, text], [204, ""]);
    const user = `${upstream.issuer}|a%7Cb ü/%25(1)`;
    assert.equal(decodeURIComponent(String(headers["x-classlink-user"])), user);
    assert.match(String(headers["x-classlink-user"]), /^(?:[\w.~-]|%[\dA-F]{2})+$/);
    assert.equal(headers["x-classlink-role"], "student");
    assert.equal(headers["x-classlink-tenant"], "2284");
    assert.equal(headers["x-classlink-roster-id"], "2284%2F5678_T%252F1");
    const left = Number(headers["x-classlink-session-expires"]) - Date.now() / 1000;
    assert(left > 800 && left <= 900, "the ID token ends first");
    assert.equal(headers["set-cookie"], undefined);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-classlink-assertion"], undefined);
    const entries = await logged("verify");
    assert.deepEqual(
      entries.map(({ level, status, session, code }) => [level, status, session, code]),
      [
        ["info", 401, "none", undefined],
        ["info", 204, "kept", undefined],
      ],
    );
  });

  contract("/verify leaves out what is not known of a user", async (t) => {
    const { browser, verify } = await world(t);
    await browser.signIn({ claims: { profile: undefined, classLink_tenant_id: undefined } });
    const { headers } = await verify();
    for (const name of ["role", "tenant", "roster-id"]) {
      assert(!(`x-classlink-${name}` in headers), name);
    }
  });

  contract(
    "/verify takes what a proxy sends: any method, any site, no header of the SDK's",
    async (t) => {
      const { browser, verify, ask } = await world(t);
      await browser.signIn();
      for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
        const answer = await verify({ method, headers });
        assert.equal(answer.status, 204, method);
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
      assert.equal((await ask({ method: "TRACE", path: "/auth/verify" })).status, 405);
    },
  );

  contract("a path below /verify/ is 200, whatever path and method Envoy adds", async (t) => {
    const { browser, verify } = await world(t);
    for (const path of ["/auth/verify/", "/auth/verify/api/classes?client_id=x&client_id=y"]) {
      assert.equal((await verify({ path })).status, 401, path);
    }
    for (const path of ["/auth/verify/../health", "/auth/verify/%2e%2E/health"]) {
      const { status, headers } = await verify({ path });
      const code = headers["x-classlink-gateway-error"];
      // Not the answer of the route that the path resolves to.
      assert(["401 not_signed_in", "400 request_invalid"].includes(`${status} ${code}`), path);
    }
    await browser.signIn();
    const { status, headers } = await verify({ method: "DELETE", path: "/auth/verify/session" });
    assert.equal(status, 200);
    assert.match(String(headers["x-classlink-user"]), /8708718$/);
    assert.equal((await browser.session()).status, 200, "nothing was ended");
  });

  contract("/verify is of one registration if that is named, else of the latest", async (t) => {
    const clients = [CLIENT, SECOND];
    const { browser, verify } = await world(t, { clients }, { clients });
    await browser.signIn({ claims: { sub: "first" } });
    await browser.signIn({ claims: { sub: "second" }, client: SECOND });
    const user = async (query) => (await verify({ path: `/auth/verify${query}` })).headers;
    assert.match(String((await user(""))["x-classlink-user"]), /second$/);
    assert.match(String((await user("?client_id=client-1"))["x-classlink-user"]), /first$/);
    const code = async (query) => (await user(query))["x-classlink-gateway-error"];
    assert.equal(await code("?client_id=other"), "unknown_client");
    assert.equal(await code("?client_id=client-1&client_id=client-2"), "request_invalid");
    await browser.signOut(SECOND.clientId);
    assert.match(String((await user(""))["x-classlink-user"]), /first$/);
    assert.equal(await code("?client_id=client-2"), "not_signed_in");
  });

  contract("/verify counts as activity only with its parameter", async (t) => {
    const { browser, verify, signedInAgo } = await world(t);
    await signedInAgo(1000);
    const before = await verify();
    assert.equal(before.headers["set-cookie"], undefined);
    const after = await verify({ path: "/auth/verify?activity=1" });
    assert.equal(after.status, 204);
    assert.equal(after.headers["set-cookie"]?.length, 1);
    const expires = ({ headers }) => Number(headers["x-classlink-session-expires"]);
    assert(expires(after) - expires(before) >= 999);
    await browser.signIn();
    const fresh = await verify({ path: "/auth/verify?activity=1" });
    assert.equal(fresh.headers["set-cookie"], undefined, "sealed within the minute");
  });

  contract(
    "an assertion is verified by the published keys, and says who the user is",
    async (t) => {
      const config = { assertions: assertionsWith(newAssertionKey(), newAssertionKey()) };
      const { upstream, browser, verify, ask } = await world(t, config);
      const login = await browser.signIn({ claims: { picture: "x".repeat(600) } });
      const published = await ask({ path: "/auth/assertion-keys" });
      assert.equal(published.status, 200);
      assert.equal(published.headers["cache-control"], "public, max-age=300");
      const set = JSON.parse(published.text);
      assert.equal(set.keys.length, 2);
      for (const key of set.keys) {
        assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
      }
      const token = String((await verify()).headers["x-classlink-assertion"]);
      assert.deepEqual(decodeProtectedHeader(token), {
        alg: "ES256",
        kid: set.keys[0].kid,
        typ: "JWT",
      });
      const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
        issuer: `${AUDIENCE}/auth`,
        audience: AUDIENCE,
        algorithms: ["ES256"],
      });
      const { iat = 0, exp = 0, user, ...rest } = payload;
      assert.equal(exp - iat, 60);
      assert.deepEqual(rest, {
        iss: `${AUDIENCE}/auth`,
        aud: AUDIENCE,
        sub: `${upstream.issuer}|8708718`,
        sid: login.json.session_id,
        client_id: CLIENT.clientId,
      });
      const { id, name, role, tenant, claims, picture } = /** @type {any} */ (user);
      assert.deepEqual(
        [id, name, role, tenant],
        [rest.sub, "Pia Privat", "student", { id: "2284" }],
      );
      assert.deepEqual([claims, picture], [undefined, undefined]);
      const head = await ask({ method: "HEAD", path: "/auth/assertion-keys" });
      assert.deepEqual([head.status, head.text], [200, ""]);
    },
  );

  contract("an assertion ends with its session", async (t) => {
    const config = { assertions: assertionsWith(newAssertionKey()) };
    const { verify, signedInAgo } = await world(t, config);
    await signedInAgo(1780);
    const { headers } = await verify();
    const [, part] = String(headers["x-classlink-assertion"]).split(".");
    const { exp, iat } = JSON.parse(Buffer.from(part, "base64url").toString());
    assert.equal(exp, Number(headers["x-classlink-session-expires"]));
    assert(exp - iat < 60);
  });

  contract("without `assertions` there are no keys to publish", async (t) => {
    const { ask } = await world(t);
    const { status, headers } = await ask({ path: "/auth/assertion-keys" });
    assert.deepEqual([status, headers["x-classlink-gateway-error"]], [404, "not_found"]);
  });
}
