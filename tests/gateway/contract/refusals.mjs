/** The refusals of the SDK's routes: status, code and OAuth error. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { APP, newLogin, SUPPORT_CODE } from "../../support/gateway.mjs";
import { CLIENT } from "../../support/upstream.mjs";
import { askRaw, startWorld } from "./world.mjs";

/** @import { ServerAdapter } from "./world.mjs" */

const SESSION = `/auth/session?client_id=${CLIENT.clientId}`;
const FORM = "application/x-www-form-urlencoded";
const PAGE = { "X-ClassLink-SPA": SUPPORT_CODE, "Sec-Fetch-Site": "same-origin", Origin: APP };

/** @param {ServerAdapter} adapter */
export function refusalTests(adapter) {
  const contract = (name, play) => void test(`${adapter.name}: ${name}`, play);
  const world = (t, ...more) => startWorld(t, adapter, ...more);

  contract("other paths are 404, other methods 405", async (t) => {
    const { ask } = await world(t);
    for (const path of ["/", "/auth", "/auth/", "/auth/tokens", "/authx/token", "/auth//token"]) {
      const { status, headers, text } = await ask({ method: "POST", path, headers: PAGE });
      assert.deepEqual([status, headers["x-classlink-gateway-error"]], [404, "not_found"], path);
      assert.equal(JSON.parse(text).error, "invalid_request");
    }
    for (const [method, path, allow] of [
      ["GET", "/auth/token", "POST"],
      ["PUT", SESSION, "POST, DELETE"],
      ["POST", "/auth/jwks", "GET"],
      ["DELETE", "/auth/ready", "GET, HEAD"],
      ["GET", "/auth/backchannel-logout", "POST"],
      ["TRACE", "/auth/session", "POST, DELETE"],
    ]) {
      const { status, headers } = await ask({ method, path, headers: PAGE });
      const code = headers["x-classlink-gateway-error"];
      assert.deepEqual([status, code, headers.allow], [405, "method_not_allowed", allow], path);
    }
  });

  contract("CONNECT opens no tunnel: 405, or a closed connection", async (t) => {
    const { server, upstream } = await world(t);
    const { host } = new URL(upstream.issuer);
    for (const target of [host, "app.example:443", SESSION, "/auth/verify", "/auth/zzz"]) {
      const answer = await askRaw(
        server.baseUrl,
        `CONNECT ${target} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n` +
          `GET /jwks HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      // Node closes it before the handler has the request.
      assert.match(answer, /^(?:HTTP\/1\.1 405 |$)/, target);
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("a token request has each parameter once, and no other", async (t) => {
    const { upstream, browser } = await world(t);
    const form = () => browser.form(newLogin(), "code");
    const changed = (change) => {
      const one = form();
      change(one);
      return one;
    };
    for (const [what, body, code, error = "invalid_request"] of /** @type {any[]} */ ([
      ["twice", changed((one) => one.append("code", "x")), "request_invalid"],
      ["one too many", changed((one) => one.append("scope", "x")), "request_invalid"],
      ["empty", changed((one) => one.set("code", "")), "request_invalid"],
      ["missing", changed((one) => one.delete("code_verifier")), "request_invalid"],
      ["short", changed((one) => one.set("code_verifier", "x".repeat(42))), "request_invalid"],
      ["client", changed((one) => one.set("client_id", "x")), "unknown_client", "invalid_client"],
      [
        "URI",
        changed((one) => one.set("redirect_uri", `${CLIENT.redirectUris[0]}/`)),
        "unknown_redirect_uri",
        "invalid_grant",
      ],
      [
        "grant",
        changed((one) => one.set("grant_type", "password")),
        "unsupported_grant_type",
        "unsupported_grant_type",
      ],
    ])) {
      const answer = await browser.postToken(body);
      assert.deepEqual([answer.status, answer.code, answer.json.error], [400, code, error], what);
    }
    assert.equal(upstream.requests.length, 0, "the provider was not asked");
  });

  contract("bodies: a form of 8 KiB at most", async (t) => {
    const { upstream, browser } = await world(t);
    const form = browser.form(newLogin(), "code").toString();
    for (const [headers, body, status, code] of /** @type {any[]} */ ([
      [{ "Content-Type": "application/json" }, "{}", 415, "unsupported_media_type"],
      [{ "Content-Type": "" }, form, 415, "unsupported_media_type"],
      [{ "Content-Type": FORM }, "x".repeat(8193), 413, "body_too_large"],
      [{ "Content-Type": FORM }, "", 400, "request_invalid"],
    ])) {
      const answer = await browser.send("POST", "/auth/token", { headers, body });
      assert.deepEqual([answer.status, answer.code], [status, code]);
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("a body that never comes is refused in time", async (t) => {
    const { server } = await world(t, { timeout: 100 });
    const head =
      `POST /auth/token HTTP/1.1\r\nHost: app.example\r\nContent-Type: ${FORM}\r\n` +
      `X-ClassLink-SPA: ${SUPPORT_CODE}\r\nSec-Fetch-Site: same-origin\r\nOrigin: ${APP}\r\n` +
      "Connection: close\r\nContent-Length: 100\r\n\r\ngrant_type=";
    assert.match(await askRaw(server.baseUrl, head), /^HTTP\/1\.1 400 .*request_invalid/s);
  });

  contract("other sites' requests are refused, and ask the provider nothing", async (t) => {
    const { upstream, browser } = await world(t);
    for (const headers of /** @type {Record<string, string | null>[]} */ ([
      { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
      { Origin: "https://evil.example" },
      { Origin: "https://evil.example", "Sec-Fetch-Site": null },
      { Origin: "https://app.example.evil.example", "Sec-Fetch-Site": null },
      { Origin: "null", "Sec-Fetch-Site": null },
      { Origin: "http://app.example", "Sec-Fetch-Site": null },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "none" },
      { Origin: null },
    ])) {
      for (const send of [
        () => browser.postToken(browser.form(newLogin(), "code"), headers),
        () => browser.send("POST", SESSION, { headers }),
        () => browser.send("DELETE", SESSION, { headers }),
      ]) {
        const answer = await send();
        const about = JSON.stringify(headers);
        assert.deepEqual([answer.status, answer.code], [403, "forbidden_origin"], about);
        assert.equal(answer.json.error, "access_denied");
        assert.equal(answer.headers.get("access-control-allow-origin"), null);
      }
    }
    assert.equal(upstream.requests.length, 0);
  });

  contract("the SDK's header: eight characters of Crockford's base 32", async (t) => {
    const { browser } = await world(t);
    for (const value of [null, "", "7KQ2M9Z", "7KQ2M9ZX7", "7KQ2M9ZI", "7KQ2 9ZX"]) {
      const headers = { "X-ClassLink-SPA": value };
      const answer = await browser.send("POST", SESSION, { headers });
      assert.deepEqual([answer.status, answer.code], [403, "missing_header"], String(value));
    }
    const answer = await browser.send("POST", SESSION);
    assert.equal(answer.headers.get("x-classlink-spa"), SUPPORT_CODE);
  });

  contract("CORS for the origins that are listed, and no other", async (t) => {
    const other = "https://other.example";
    const { browser } = await world(t, { allowedOrigins: [other] });
    const preflight = (origin) =>
      browser.send("OPTIONS", SESSION, {
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "POST",
          "X-ClassLink-SPA": null,
          "Sec-Fetch-Site": "same-site",
        },
      });
    const allowed = await preflight(other);
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), other);
    assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
    assert.match(String(allowed.headers.get("access-control-allow-headers")), /X-ClassLink-SPA/i);
    for (const origin of ["https://evil.example", APP]) {
      const refused = await preflight(origin);
      assert.deepEqual([refused.status, refused.code], [403, "forbidden_origin"]);
      assert.equal(refused.headers.get("access-control-allow-origin"), null);
    }
    const headers = { Origin: other, "Sec-Fetch-Site": "same-site" };
    const asked = await browser.send("POST", SESSION, { headers });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get("access-control-allow-origin"), other);
    assert.match(String(asked.headers.get("access-control-expose-headers")), /Date/);
    assert.match(String(asked.headers.get("vary")), /Origin/);
  });

  contract("a session request has one known client id, and one session id at most", async (t) => {
    const { browser } = await world(t);
    const { sessionId } = newLogin();
    const id = `client_id=${CLIENT.clientId}`;
    for (const [query, code] of [
      ["", "request_invalid"],
      [`${id}&${id}`, "request_invalid"],
      ["client_id=x", "unknown_client"],
      [`${id}&session_id=short`, "request_invalid"],
      [`${id}&session_id=${sessionId}&session_id=${sessionId}`, "request_invalid"],
    ]) {
      for (const method of ["POST", "DELETE"]) {
        const answer = await browser.send(method, `/auth/session?${query}`);
        assert.deepEqual([answer.status, answer.code], [400, code], query);
      }
    }
  });

  contract(
    "an ID token with a fault is refused with its reason, and nothing is sealed",
    async (t) => {
      const { upstream, browser } = await world(t);
      const now = Math.floor(Date.now() / 1000);
      const foreign = upstream.newKey("key-1");
      const claim = (changes) => (token) => ({ ...token, claims: { ...token.claims, ...changes } });
      for (const [reason, bend] of [
        ["signature", (token) => ({ ...token, key: foreign.privateKey })],
        ["key_not_found", (token) => ({ ...token, header: { ...token.header, kid: "other" } })],
        ["issuer", claim({ iss: "https://evil.example" })],
        ["audience", claim({ aud: "other" })],
        ["authorized_party", claim({ aud: [CLIENT.clientId, "other"] })],
        ["subject", claim({ sub: "" })],
        ["nonce", claim({ nonce: "other" })],
        ["nonce", claim({ nonce: undefined })],
        ["expired", claim({ exp: now - 3600 })],
        ["issued_in_future", claim({ iat: now + 3600 })],
        ["not_yet_valid", claim({ nbf: now + 3600 })],
        ["at_hash", claim({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" })],
        [
          "critical_header",
          (token) => ({
            ...token,
            header: {
              ...token.header,
              crit: ["urn:example:critical"],
              "urn:example:critical": true,
            },
          }),
        ],
        ["malformed", (token) => ({ ...token, raw: "no.token" })],
        ["algorithm", (token) => ({ ...token, raw: unsigned(token.claims) })],
      ]) {
        upstream.bend = /** @type {any} */ (bend);
        const { status, code, json, cookies } = await browser.signIn();
        assert.deepEqual([status, code, json.reason], [400, "id_token_invalid", reason]);
        assert.equal(json.error, "invalid_grant");
        assert.deepEqual(cookies, []);
        assert(!("id_token" in json) && !("access_token" in json));
      }
      assert.deepEqual(browser.sessionCookies, []);
    },
  );

  contract("the provider's refusal is its code alone, without the gateway's header", async (t) => {
    const { upstream, browser, logged } = await world(t);
    for (const [status, error, expected, passed] of /** @type {const} */ ([
      [400, "invalid_grant", 400, "invalid_grant"],
      [401, "invalid_client", 400, "invalid_client"],
      [200, "invalid_grant", 400, "invalid_grant"],
      [429, "slow_down", 503, "invalid_request"],
      [500, "server_error", 503, "server_error"],
      [400, "Pia Privat", 400, "invalid_request"],
    ])) {
      upstream.instead["/token"] = (_, response) => {
        response.writeHead(status).end(JSON.stringify({ error, error_description: "Pia Privat" }));
      };
      const answer = await browser.signIn();
      assert.deepEqual([answer.status, answer.code], [expected, null], error);
      assert.deepEqual(answer.json, { error: passed });
    }
    const entries = await logged("token");
    assert(entries.every(({ code }) => code === "provider_refused"));
    assert.equal(entries[1].level, "error", "the registration or the secret is wrong");
  });

  contract("failures of the provider have codes of their own", async (t) => {
    const { upstream, browser } = await world(t);
    const send =
      (status, body, headers = {}) =>
      (_, response) =>
        response.writeHead(status, headers).end(body);
    for (const [what, handler, code] of /** @type {const} */ ([
      ["HTML", send(200, "<html>"), "upstream_invalid"],
      ["cut JSON", send(200, '{"access_token":"x"'), "upstream_invalid"],
      ["wrong types", send(200, '{"access_token":7,"token_type":"Bearer"}'), "upstream_invalid"],
      ["no ID token", send(200, '{"access_token":"x","token_type":"Bearer"}'), "upstream_invalid"],
      ["500", send(500, "x"), "upstream_error"],
      ["429", send(429, "x"), "upstream_error"],
      ["a redirect", send(302, "", { Location: "/token" }), "upstream_invalid"],
      ["10 MiB", send(200, `"${"x".repeat(10 * 1024 * 1024)}"`), "upstream_invalid"],
      ["a broken connection", (request) => request.socket.destroy(), "upstream_unreachable"],
    ])) {
      upstream.instead["/token"] = handler;
      const answer = await browser.signIn();
      assert.deepEqual([answer.status, answer.code, answer.cookies], [502, code, []], what);
    }
  });

  contract("a provider that hangs, or stops half-way, costs no more than `timeout`", async (t) => {
    const { upstream, browser } = await world(t, { timeout: 300 });
    for (const handler of [
      () => undefined,
      (_, response) => response.writeHead(200).write('{"access_token":'),
    ]) {
      upstream.instead["/token"] = handler;
      const answer = await browser.signIn();
      assert.deepEqual([answer.status, answer.code], [504, "upstream_timeout"]);
    }
  });

  contract("discovery of another issuer, and keys that cannot be read", async (t) => {
    const { upstream, startServer } = await world(t);
    upstream.discovery = { issuer: "https://evil.example" };
    const other = (await startServer()).newBrowser();
    assert.equal((await other.signIn()).code, "discovery_invalid");
    upstream.discovery = {};
    upstream.instead["/jwks"] = (_, response) => response.end("[]");
    const without = (await startServer()).newBrowser();
    assert.equal((await without.signIn()).code, "keys_unavailable");
  });

  contract(
    "a malformed configuration does not start, and names what is wrong but no value",
    async (t) => {
      const { config } = await world(t);
      for (const [changes, field] of /** @type {const} */ ([
        [{ clients: [] }, "clients"],
        [
          { clients: [{ ...CLIENT, redirectUris: ["http://app.example/callback"] }] },
          "redirectUris",
        ],
        [
          { clients: [{ ...CLIENT, redirectUris: ["https://app.example//callback"] }] },
          "redirectUris",
        ],
        [{ clients: [CLIENT, CLIENT] }, "clientId"],
        [{ sealingKeys: ["short"] }, "sealingKeys"],
        [{ sealingKeys: [config.sealingKeys[0], config.sealingKeys[0]] }, "sealingKeys"],
        [{ session: { idleTimeout: 7200, maxAge: 3600 } }, "idleTimeout"],
        [{ allowedOrigins: ["https://app.example/"] }, "allowedOrigins"],
        [{ assertions: { issuer: "x", audience: "x", keys: ["x"] } }, "assertions"],
        [{ assertions: { issuer: "x", audience: "x", keys: [p384()] } }, "assertions"],
        [{ assertions: { issuer: "x", audience: "x", keys: [] } }, "assertions"],
        [{ metrics: { token: "" } }, "metrics"],
        [{ basePath: "/auth/" }, "basePath"],
      ])) {
        await assert.rejects(
          async () => {
            const server = await adapter.start(/** @type {any} */ ({ ...config, ...changes }));
            await server.stop();
          },
          ({ message }) => {
            assert(message.includes(field), `${field}: ${message}`);
            assert(
              !message.includes(CLIENT.clientSecret) && !message.includes(config.sealingKeys[0]),
            );
            return true;
          },
        );
      }
    },
  );
}

/** A private key of another curve, as PEM. */
function p384() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A token with `alg: none`. */
function unsigned(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}
