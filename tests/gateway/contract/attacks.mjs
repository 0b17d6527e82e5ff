/** The attacks that a gateway withstands. */

import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";
import { APP, newKey, newLogin, SUPPORT_CODE } from "../../support/gateway.mjs";
import { CLIENT } from "../../support/upstream.mjs";
import { askRaw, startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const PAGE = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP };
const SECOND = { clientId: "client-2", clientSecret: "s", redirectUris: CLIENT.redirectUris };

/** How many random requests are sent: `HOSTILE_REQUESTS=1000000` for a long run. */
const HOSTILE_REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? 300);

const pick = (list) => list[randomInt(list.length)];

/** @param {ServerAdapter} adapter */
export function attackTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract(
    "a cookie that is forged, cut, changed or of another key is not a session",
    async (t) => {
      const { browser, verify, config, startServer } = await world(t);
      await browser.signIn();
      const [name] = browser.sessionCookies;
      const value = String(browser.jar.get(name));
      const sealed = value.slice(2);
      const bytes = Buffer.from(sealed, "base64url");
      const flipped = (at) => {
        const copy = Buffer.from(bytes);
        copy[at] ^= 1;
        return `1.${copy.toString("base64url")}`;
      };
      const other = (await startServer({ sealingKeys: [newKey()] })).newBrowser();
      await other.signIn();
      assert.notDeepEqual(config.sealingKeys, []);
      for (const forged of [
        "",
        "1.",
        "1.AAAA",
        `1.${randomBytes(900).toString("base64url")}`,
        sealed,
        `2.${sealed}`,
        `0.${sealed}`,
        `1.${sealed.slice(0, -4)}`,
        `1.${sealed}AAAA`,
        `1.${"A".repeat(7000)}`,
        ...[0, 6, 18, 40, bytes.length - 1].map(flipped),
        String(other.jar.get(other.sessionCookies[0])),
      ]) {
        browser.jar = new Map([[name, forged]]);
        assert.equal((await verify()).status, 401, forged.slice(0, 40));
        assert.equal((await browser.session()).status, 204, forged.slice(0, 40));
      }
      browser.jar = new Map([[name, value]]);
      assert.equal((await verify()).status, 204);
    },
  );

  contract("a session of one registration or session id opens at no other", async (t) => {
    const clients = [CLIENT, SECOND];
    const { browser, newBrowser } = await world(t, { clients }, { clients });
    await browser.signIn();
    const second = newBrowser();
    await second.signIn({ client: SECOND });
    const [own] = browser.sessionCookies;
    const [theirs] = second.sessionCookies;
    const value = String(browser.jar.get(own));
    const keyOf = (name) => name.slice(0, name.indexOf("."));
    const underTheirKey = own.replace(keyOf(own), keyOf(theirs));
    for (const name of [theirs, underTheirKey, own.replace(/\.[\w-]{8}\.0$/, ".AAAAAAAA.0")]) {
      second.jar = new Map([[name, value]]);
      assert.equal((await second.session(SECOND.clientId)).status, 204);
      assert.equal((await second.session(CLIENT.clientId)).status, 204);
    }
  });

  contract("a session of a tenant that is no longer served is over", async (t) => {
    const { browser, startServer } = await world(t);
    await browser.signIn();
    const strict = await startServer({ clients: [{ ...CLIENT, allowedTenants: [9] }] });
    const other = strict.newBrowser();
    other.jar = browser.jar;
    assert.equal((await other.session()).status, 204);
  });

  contract("a cookie that is brought back after the sign-out is not a session", async (t) => {
    const { browser, verify } = await world(t);
    await browser.signIn();
    const before = new Map(browser.jar);
    await browser.signOut();
    for (const [name, value] of before) browser.jar.set(name, value);
    assert.equal((await verify()).status, 401);
    assert.equal((await browser.session()).status, 204);
  });

  contract(
    "what an attacker plants in the browser is gone with the user's own sign-in",
    async (t) => {
      const { browser, newBrowser, verify } = await world(t);
      const attacker = newBrowser();
      await attacker.signIn({ claims: { sub: "attacker" } });
      browser.jar = new Map(attacker.jar);
      const [name] = attacker.sessionCookies;
      const key = name.slice(0, name.indexOf("."));
      browser.jar.set(`${key}.since-zzzzzzzzzz`, "1");
      const { json } = await browser.signIn({ claims: { sub: "victim" } });
      assert.equal((await browser.session()).json.id_token, json.id_token);
      assert.match(String((await verify()).headers["x-classlink-user"]), /victim$/);
      assert.equal(browser.sessionCookies.filter((one) => one === name).length, 0);
    },
  );

  contract("a stolen code opens nothing, at a provider that ignores PKCE too", async (t) => {
    const { upstream, browser } = await world(t);
    for (const code of [
      upstream.authorize(newLogin()),
      upstream.authorize({ claims: { sub: "tile" } }),
    ]) {
      const asked = upstream.count("/token");
      const answer = await browser.postToken(browser.form(newLogin(), code));
      assert.equal(upstream.count("/token"), asked + 1, "the provider took the code");
      assert.deepEqual([answer.code, answer.json.reason], ["id_token_invalid", "nonce"]);
      assert.deepEqual(answer.cookies, []);
    }
    const login = newLogin();
    const code = upstream.authorize(login);
    assert.equal((await browser.postToken(browser.form(login, code))).status, 200);
    const again = await browser.postToken(browser.form(login, code));
    assert.deepEqual([again.status, again.json], [400, { error: "invalid_grant" }]);
  });

  contract("a code or a token of another registration is refused", async (t) => {
    const clients = [CLIENT, SECOND];
    const { upstream, browser } = await world(t, { clients }, { clients });
    const login = newLogin();
    const theirs = upstream.authorize({ ...login, clientId: SECOND.clientId });
    const refused = await browser.postToken(browser.form(login, theirs));
    assert.deepEqual([refused.status, refused.json], [400, { error: "invalid_grant" }]);
    // At a provider that does not ask whose code it is.
    upstream.bend = (token) => ({ ...token, claims: { ...token.claims, aud: SECOND.clientId } });
    const answer = await browser.signIn();
    assert.deepEqual([answer.code, answer.json.reason], ["id_token_invalid", "audience"]);
    assert.deepEqual([...refused.cookies, ...answer.cookies], []);
  });

  contract("a renewed token of another user ends the session", async (t) => {
    const { upstream, browser, signedInAgo } = await world(t);
    upstream.givesRefreshTokens = true;
    upstream.accessTokenLifetime = 1000;
    await signedInAgo(1000);
    upstream.bend = (token) => ({ ...token, claims: { ...token.claims, sub: "attacker" } });
    const answer = await browser.session();
    assert.deepEqual([answer.status, answer.code], [502, "user_mismatch"]);
    assert.deepEqual(browser.sessionCookies, []);
  });

  contract(
    "neither Host nor a forwarded header makes another origin the application's",
    async (t) => {
      const { ask, browser } = await world(t);
      await browser.signIn();
      const Origin = "https://evil.example";
      for (const headers of [
        { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https" },
        { Forwarded: "host=evil.example;proto=https" },
        { "X-Original-URL": "/auth/health", "X-Rewrite-URL": "/auth/health" },
      ]) {
        const all = { ...PAGE, Cookie: browser.cookieHeader, ...headers, Origin };
        for (const site of ["cross-site", "same-origin"]) {
          const answer = await ask({
            method: "POST",
            path: SESSION,
            headers: { ...all, "Sec-Fetch-Site": site },
          });
          assert.deepEqual(
            [answer.status, answer.headers["x-classlink-gateway-error"]],
            [403, "forbidden_origin"],
          );
        }
      }
    },
  );

  contract("a Host that holds a path steers nothing", async (t) => {
    const { server } = await world(t);
    for (const host of ["x/auth/health?", "x@y", "a b", "x:99999x", "[::1"]) {
      const answer = await askRaw(
        server.baseUrl,
        `POST ${SESSION} HTTP/1.1\r\nHost: ${host}\r\nX-ClassLink-SPA: ${SUPPORT_CODE}\r\n` +
          `Sec-Fetch-Site: same-origin\r\nOrigin: ${APP}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 400 /, host);
      assert(!answer.includes('"status":"ok"'));
    }
  });

  contract("an absolute request target is read by its path alone", async (t) => {
    const { server } = await world(t);
    const answer = await askRaw(
      server.baseUrl,
      "GET http://evil.example/auth/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 200 .*"status":"ok"/s);
  });

  contract(
    "a request of two lengths, or of malformed chunks, is refused and ends the connection",
    async (t) => {
      const { server, upstream } = await world(t);
      const head =
        `POST /auth/token HTTP/1.1\r\nHost: app.example\r\nX-ClassLink-SPA: ${SUPPORT_CODE}\r\n` +
        `Sec-Fetch-Site: same-origin\r\nOrigin: ${APP}\r\n` +
        "Content-Type: application/x-www-form-urlencoded\r\n";
      const smuggled = "GET /auth/health HTTP/1.1\r\nHost: x\r\n\r\n";
      for (const rest of [
        `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`,
        "Transfer-Encoding: chunked\r\n\r\nzz\r\ncode=x\r\n0\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
      ]) {
        const answer = await askRaw(server.baseUrl, head + rest);
        assert.match(answer, /^HTTP\/1\.1 400 /, rest.slice(0, 40));
        assert(!answer.includes('"status":"ok"'), "nothing was smuggled");
      }
      assert.equal(upstream.requests.length, 0);
    },
  );

  contract("unknown keys, and keys requested past the cache, cause few requests", async (t) => {
    const { upstream, browser } = await world(t);
    await browser.signIn();
    upstream.bend = (token) => ({
      ...token,
      header: { ...token.header, kid: randomBytes(8).toString("hex") },
    });
    for (let i = 0; i < 20; i += 1) {
      assert.equal((await browser.signIn()).json.reason, "key_not_found");
    }
    const headers = { "Cache-Control": "no-cache" };
    for (let i = 0; i < 20; i += 1) {
      assert.equal((await browser.send("GET", "/auth/jwks", { headers })).status, 200);
    }
    assert(upstream.count("/jwks") <= 3, String(upstream.count("/jwks")));
  });

  contract("hostile claims are refused or harmless", async (t) => {
    const { upstream, browser, verify } = await world(t);
    const deep = JSON.parse("[".repeat(200) + "]".repeat(200));
    const nested = await browser.signIn({ claims: { deep } });
    assert.equal(nested.json.reason, "malformed", nested.text);
    const large = await browser.signIn({ claims: { bulk: "x".repeat(8000) } });
    assert.equal(large.json.reason, "malformed");
    upstream.bend = (token) => ({
      ...token,
      claims: { ...token.claims, constructor: { prototype: { role: "administrator" } } },
    });
    assert.equal(
      (await browser.signIn({ claims: { profile: "Student\r\nX-Evil=1" } })).status,
      200,
    );
    const { headers } = await verify();
    assert.equal(headers["x-classlink-role"], "other");
    assert.equal(headers["x-evil"], undefined);
  });

  contract(
    "a header of many cookies of this gateway's name is no session, and no failure",
    async (t) => {
      const { ask, verify } = await world(t);
      const key = randomBytes(9).toString("base64url");
      const junk = Array.from({ length: 120 }, (_, i) => {
        const kind = [`${i}AAAAAA`.slice(0, 8).padEnd(8, "A"), "since", "ended"][i % 3];
        return `__Host-classlink-${key}.${kind}.${i % 10}=1.${"A".repeat(20)}`;
      });
      const Cookie = [...junk, "=", ";;", "__Host-classlink-", "a=b=c"].join("; ");
      assert.equal((await verify({ headers: { Cookie } })).status, 401);
      const answer = await ask({ method: "POST", path: SESSION, headers: { ...PAGE, Cookie } });
      assert.equal(answer.status, 204);
    },
  );

  contract("random requests are refused one by one, and the next sign-in is served", async (t) => {
    const { browser, ask, server } = await world(t, { remoteAddressHeader: "X-Real-IP" });
    await browser.signIn();
    const junk = () =>
      randomBytes(randomInt(40))
        .toString("latin1")
        .replace(/[^\x21-\x7e]/g, "~");
    for (let i = 0; i < HOSTILE_REQUESTS; i += 1) {
      const method = pick(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]);
      const path = pick([
        "/auth/token",
        "/auth/session",
        SESSION,
        "/auth/verify",
        `/auth/verify/${junk()}`,
        "/auth/jwks",
        "/auth/backchannel-logout",
        `/auth/${junk()}`,
        `${SESSION}&session_id=${junk()}`,
        `/auth/token?${junk()}`,
      ]).replace(/[ #]/g, "~");
      const headers = {
        ...(randomInt(2) && PAGE),
        ...(randomInt(2) && { Cookie: `${browser.sessionCookies[0]}=1.${junk()}` }),
        ...(randomInt(2) && {
          "Content-Type": pick(["application/x-www-form-urlencoded", junk()]),
        }),
        ...(randomInt(4) === 0 && { Origin: junk() }),
        ...(randomInt(4) === 0 && { Authorization: `Bearer ${junk()}` }),
        "X-Real-IP": pick(["203.0.113.7", "::1", junk()]),
      };
      const body =
        method === "POST" ? pick(["", junk(), `code=${junk()}&code_verifier=${junk()}`]) : "";
      const length = body === "" ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
      const { status } = await ask({ method, path, headers: { ...headers, ...length }, body });
      assert(Number(status) < 500, `${method} ${path}: ${status}`);
    }
    assert.equal((await browser.signIn()).status, 200);
    const logs = await server.logs();
    assert(logs.every(({ level }) => level !== "error"));
  });
}
