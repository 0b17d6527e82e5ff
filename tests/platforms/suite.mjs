/**
 * Checks of every platform for an application that runs `classlink-spa/gateway` before the stand-in: the names of the
 * checks, and the checks. They run in this order, over HTTP against one program and, in a browser, against another.
 */

import assert from "node:assert/strict";
import { createGateway } from "../support/gateway.mjs";
import {
  dumpStorage,
  EMPTY_STORAGE,
  SESSION,
  SIGNED_OUT_STORAGE,
  sessionCookies,
} from "../support/gateway-app.mjs";
import { callInPage, loginThroughUi, PEOPLE } from "../support/login.mjs";
import { present } from "../support/present.mjs";
import { waitForStatus } from "../support/session.mjs";
import { LONG_NAMED, newLogin, Page, SUPPORT_CODE } from "./world.mjs";

const PIA = "8708718";
const TOKEN = "/oauth2/v2/token";

/** How often the stand-in was asked for a path. */
const asked = ({ standIn }, path) => standIn.requests.filter((one) => one.path === path).length;

const getUser = (page) => callInPage(page, "client.getUser()");
const logOut = (page) => callInPage(page, "client.logout()");

/** Who the application's own route says is asking. */
const me = (page) =>
  page.evaluate(async () => {
    const answer = await fetch("/api/me");
    return answer.ok ? (await answer.json()).id : answer.status;
  });

/** Returns the requests about the session at the application's origin, oldest first. */
const askedOfSession = ({ requests }) =>
  requests.filter(({ path }) => path === SESSION).map(({ method }) => method);

/**
 * Checks in a browser over TLS, with the SDK in the page.
 *
 * @type {Record<string, (world: any) => Promise<void>>}
 */
export const BROWSER_CHECKS = {
  async "a user signs in in a browser, stays over a reload, and signs out"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page, context) => {
      await app.open(page);
      assert.equal(await getUser(page), null);
      const result = await loginThroughUi(page, PEOPLE.pia);
      assert.equal(result.user?.name, "Pia Pupil", JSON.stringify(result));
      assert.equal(await me(page), result.user.id);

      await app.open(page);
      assert.deepEqual(await getUser(page), result.user);
      assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);

      assert.equal((await logOut(page)).sessionEnded, true);
      assert.deepEqual(await sessionCookies(context), []);
      assert.equal(await me(page), 401);
      await app.open(page);
      assert.equal(await getUser(page), null);
    });
    assert.doesNotMatch(app.program.output, /Pia|Pupil|sample-creek/);
  },

  async "a session that ran out in a browser is over after a reload, too"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page, context) => {
      await context.clock.install();
      await app.open(page);
      await loginThroughUi(page, PEOPLE.pia);
      await context.clock.fastForward("31:00");
      await waitForStatus(page, "error");
      const code = await page.evaluate("client.getSnapshot().error.code");
      assert.equal(code, "session_expired");
      await page.waitForFunction("Object.keys(localStorage).length === 0");
      assert.deepEqual(await sessionCookies(context), []);
      await app.open(page);
      assert.equal(await getUser(page), null);
    });
  },

  async "a gateway that is down signs no user of a browser out"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page) => {
      await app.open(page);
      await loginThroughUi(page, PEOPLE.pia);
      app.down = true;
      await app.open(page);
      assert.equal((await getUser(page)).error.code, "network");
      app.down = false;
      assert.equal((await getUser(page)).name, "Pia Pupil");
    });
  },

  async "a sign-out in a browser holds when the page is offline, and when the gateway is down"(
    world,
  ) {
    const app = await world.inBrowser();
    for (const cut of [
      (context, off) => context.setOffline(off),
      (_, off) => {
        app.down = off;
      },
    ]) {
      await app.visit(async (page, context) => {
        await app.open(page);
        await loginThroughUi(page, PEOPLE.pia);
        await cut(context, true);
        assert.equal((await logOut(page)).sessionEnded, false);
        assert.equal(await getUser(page), null);
        await cut(context, false);
        assert.equal((await sessionCookies(context)).length, 1);

        app.requests.length = 0;
        await app.open(page);
        assert.equal(await getUser(page), null);
        assert.deepEqual(askedOfSession(app), ["DELETE", "POST"]);
        assert.deepEqual(await sessionCookies(context), []);
        assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
      });
    }
  },
};

/**
 * Checks in a browser of a gateway that keeps no session.
 *
 * @type {Record<string, (world: any) => Promise<void>>}
 */
export const BROWSER_CHECKS_WITHOUT_SESSION = {
  async "a user signs in and out in a browser, and a reload without a session signs out"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page, context) => {
      await app.open(page);
      assert.equal(await getUser(page), null);
      const result = await loginThroughUi(page, PEOPLE.pia);
      assert.equal(result.user?.name, "Pia Pupil", JSON.stringify(result));
      assert.equal((await logOut(page)).sessionEnded, true);
      assert.equal(await getUser(page), null);

      await loginThroughUi(page, PEOPLE.pia, { prompt: "login", returnTo: "/" });
      await app.open(page);
      assert.equal(await getUser(page), null);
      assert.deepEqual(await context.cookies(page.url()), []);
      assert.deepEqual(await dumpStorage(page), EMPTY_STORAGE);
    });
  },

  async "a session that ran out in a browser is over"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page, context) => {
      await context.clock.install();
      await app.open(page);
      await loginThroughUi(page, PEOPLE.pia);
      await context.clock.fastForward("31:00");
      await waitForStatus(page, "error");
      const code = await page.evaluate("client.getSnapshot().error.code");
      assert.equal(code, "session_expired");
    });
  },

  async "a sign-out in a browser holds when the page is offline"(world) {
    const app = await world.inBrowser();
    await app.visit(async (page, context) => {
      await app.open(page);
      await loginThroughUi(page, PEOPLE.pia);
      await context.setOffline(true);
      assert.equal((await logOut(page)).sessionEnded, false);
      await context.setOffline(false);
      await app.open(page);
      assert.equal(await getUser(page), null);
      assert.deepEqual(await dumpStorage(page), SIGNED_OUT_STORAGE);
    });
  },
};

/** @type {Record<string, (world: any) => Promise<void>>} */
export const CHECKS = {
  async "eight users sign in at once when the gateway has just started"(world) {
    const logins = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const login = newLogin();
        const page = new Page(world);
        return { page, login, code: await page.code(login) };
      }),
    );
    const answers = await Promise.all(
      logins.map(({ page, login, code }) => page.token(code, login.verifier)),
    );
    assert.deepEqual(
      answers.map(({ status, text }) => (status === 200 ? status : text)),
      Array(8).fill(200),
    );
  },

  async "the health route responds without the SDK's header, and without the provider"(world) {
    const before = world.standIn.requests.length;
    const answer = await new Page(world).send("GET", "/auth/health", {
      headers: { "X-ClassLink-SPA": null, "Sec-Fetch-Site": null },
    });
    assert.deepEqual([answer.status, answer.json], [200, { status: "ok" }]);
    assert.equal(world.standIn.requests.length, before);
  },

  async "a user signs in, stays over a reload, is known to the API, and signs out"(world) {
    const page = new Page(world);
    assert.equal((await page.session()).status, 204);
    assert.equal((await page.me()).status, 401);

    const signedIn = await page.signIn();
    assert.equal(signedIn.status, 200, signedIn.text);
    assert.deepEqual(Object.keys(signedIn.json).sort(), [
      "access_token",
      "id_token",
      "response_type",
      "session_id",
      "token_type",
    ]);
    const [sealed, since, ...others] = signedIn.cookies;
    assert.match(
      sealed,
      /^__Host-classlink-[\w-]{12}\.[\w-]{8}\.0=1\.[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    assert.match(since, /^__Host-classlink-[\w-]{12}\.since-\w+=1; Path=\/; Secure; HttpOnly;/);
    assert.deepEqual(others, []);

    const reloaded = await page.session();
    assert.equal(reloaded.status, 200);
    assert.equal(reloaded.json.id_token, signedIn.json.id_token);
    const me = await page.me();
    assert.equal(me.status, 200, me.text);
    assert.equal(me.json.id, `${world.standIn.issuer}|${PIA}`);
    assert.equal(me.json.role, "student");

    const out = await page.signOut();
    assert.deepEqual([out.status, out.text], [204, ""]);
    assert.deepEqual(page.sessionCookies, []);
    assert.equal((await page.session()).status, 204);
    assert.equal((await page.me()).status, 401);
  },

  async "forward authentication names the user in headers, or is 401"(world) {
    const page = new Page(world);
    const verify = () => {
      const headers = { "X-ClassLink-SPA": null, "Sec-Fetch-Site": "cross-site" };
      return page.send("GET", "/auth/verify", { headers });
    };
    assert.deepEqual([(await verify()).status, (await verify()).code], [401, "not_signed_in"]);
    await page.signIn();
    const { status, headers, cookies } = await verify();
    assert.deepEqual([status, cookies], [204, []]);
    const user = decodeURIComponent(present(headers.get("x-classlink-user")));
    assert.equal(user, `${world.standIn.issuer}|${PIA}`);
    assert.equal(headers.get("x-classlink-role"), "student");
    await page.signOut();
    assert.equal((await verify()).status, 401);
  },

  async "the gateway's responses are never cached, and have the time"(world) {
    for (const path of ["/auth/health", "/auth/jwks"]) {
      const { headers } = await new Page(world).send("GET", path);
      assert.match(present(headers.get("cache-control")), /no-store/);
      assert.equal(headers.get("date")?.split(",").length, 2, "one date");
      assert(Math.abs(Date.parse(present(headers.get("date"))) - Date.now()) < 5000);
    }
  },

  async "the gateway keeps a session with long claims"(world) {
    const page = new Page(world);
    const { status, json } = await page.signIn(LONG_NAMED.sub);
    assert.equal(status, 200);
    assert(json.id_token.length > 3500);
    assert.equal((await page.session()).json.id_token, json.id_token);
    assert.equal((await page.me()).json.id, `${world.standIn.issuer}|${LONG_NAMED.sub}`);
    await page.signOut();
    assert.deepEqual(page.sessionCookies, []);
  },

  async "the gateway passes on the provider's keys and UserInfo"(world) {
    const page = new Page(world);
    const { json } = await page.signIn();
    assert.equal((await page.send("GET", "/auth/jwks")).json.keys.length > 0, true);
    const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
    const info = await page.send("GET", "/auth/userinfo", bearer(json.access_token));
    assert.equal(info.json.sub, PIA);
    assert.equal((await page.send("GET", "/auth/userinfo", bearer("none"))).status, 401);
    assert.equal((await page.send("GET", "/auth/userinfo")).code, "missing_token");
  },

  async "a stolen code, of a login or of a tile, opens nothing although the provider ignores PKCE"(
    world,
  ) {
    for (const login of [newLogin(), undefined]) {
      const attacker = new Page(world);
      const code = await attacker.code(login);
      const before = asked(world, TOKEN);
      const answer = await attacker.token(code, newLogin().verifier);
      assert.equal(asked(world, TOKEN), before + 1, "the provider took the code");
      assert.equal(answer.status, 400);
      assert.equal(answer.code, "id_token_invalid");
      assert.equal(answer.json.reason, "nonce");
      assert.deepEqual(answer.cookies, []);
      assert(!("access_token" in answer.json) && !("id_token" in answer.json));
    }
  },

  async "a code works once; the second time the provider's refusal is passed on"(world) {
    const page = new Page(world);
    const login = newLogin();
    const code = await page.code(login);
    assert.equal((await page.token(code, login.verifier)).status, 200);
    const again = await new Page(world).token(code, login.verifier);
    assert.deepEqual([again.status, again.json], [400, { error: "invalid_grant" }]);
    assert.deepEqual([again.code, again.cookies], [null, []]);
  },

  async "a tampered cookie is no session"(world) {
    const page = new Page(world);
    await page.signIn();
    const [name] = page.sessionCookies;
    const value = present(page.jar.get(name));
    for (const at of [2, Math.floor(value.length / 2), value.length - 2]) {
      const other = value[at] === "A" ? "B" : "A";
      page.jar.set(name, value.slice(0, at) + other + value.slice(at + 1));
      assert.equal((await page.me()).status, 401);
      assert.equal((await page.session()).status, 204);
    }
    page.jar.set(name, value);
    assert.equal((await page.me()).status, 200);
  },

  async "a session of one instance is valid at another"(world) {
    const { standIn, client, sealingKey } = world;
    const options = { issuer: standIn.issuer, clients: [client] };
    const page = new Page(world);
    const { json } = await page.signIn();
    const read = (key) =>
      createGateway({ ...options, sealingKeys: [key] }).getSession({
        headers: new Headers({ cookie: page.cookieHeader }),
      });
    const session = await read(sealingKey);
    assert.equal(session?.user.sub, PIA);
    assert.equal(session?.user.claims.nonce, readNonce(json.id_token));
    assert.equal(
      await read(Buffer.from(sealingKey, "base64url").reverse().toString("base64")),
      null,
    );
  },

  async "a request with a forged origin is refused, and nothing is sent to the provider"(world) {
    const page = new Page(world);
    const login = newLogin();
    const code = await page.code(login);
    const before = world.standIn.requests.length;
    for (const headers of [
      { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
      { Origin: "https://evil.example" },
      { Origin: "https://evil.example", "Sec-Fetch-Site": null },
      { Origin: "null", "Sec-Fetch-Site": null },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { Origin: null },
    ]) {
      const answer = await page.token(code, login.verifier, { headers });
      const about = JSON.stringify(headers);
      assert.deepEqual([answer.status, answer.code], [403, "forbidden_origin"], about);
      assert.equal((await page.session(headers)).code, "forbidden_origin", about);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
    assert.equal(world.standIn.requests.length, before);
    assert.equal((await page.token(code, login.verifier)).status, 200, "the code is still good");
  },

  async "another site's preflight is refused"(world) {
    const answer = await new Page(world).send("OPTIONS", "/auth/token", {
      headers: {
        Origin: "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Access-Control-Request-Method": "POST",
        "X-ClassLink-SPA": null,
      },
    });
    assert.deepEqual([answer.status, answer.code], [403, "forbidden_origin"]);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  },

  async "a request without the SDK's header, or with another value, is refused"(world) {
    const page = new Page(world);
    for (const value of [null, "", "short", "7KQ2M9ZX7"]) {
      const answer = await page.token("code", newLogin().verifier, {
        headers: { "X-ClassLink-SPA": value },
      });
      assert.deepEqual([answer.status, answer.code], [403, "missing_header"]);
    }
  },

  async "a wrong redirect URI, client, method, media type, size or path is refused"(world) {
    const page = new Page(world);
    const { verifier } = newLogin();
    const before = asked(world, TOKEN);
    const form = "application/x-www-form-urlencoded";
    const post = (type, body) =>
      page.send("POST", "/auth/token", { headers: { "Content-Type": type }, body });
    for (const [answer, status, code] of /** @type {const} */ ([
      [
        await page.token("code", verifier, {
          changes: { redirect_uri: `${world.origin}/callback/` },
        }),
        400,
        "unknown_redirect_uri",
      ],
      [
        await page.token("code", verifier, { changes: { client_id: "other" } }),
        400,
        "unknown_client",
      ],
      [
        await page.token("code", verifier, { changes: { grant_type: "client_credentials" } }),
        400,
        "unsupported_grant_type",
      ],
      [await page.send("GET", "/auth/token"), 405, "method_not_allowed"],
      [await post("application/json", "{}"), 415, "unsupported_media_type"],
      [await post(form, "x".repeat(9000)), 413, "body_too_large"],
    ])) {
      assert.deepEqual([answer.status, answer.code], [status, code]);
      assert.equal(typeof answer.json.error, "string");
    }
    assert.equal(asked(world, TOKEN), before);
    // Express hands a path that is not the gateway's on to the application.
    assert.equal((await page.send("GET", "/auth/other")).status, 404);
  },

  ...BROWSER_CHECKS,

  async "the log has the support code, and no name, code, token or secret"({ program, secrets }) {
    const entries = program.output.split("\n").filter((line) => line.startsWith('{"event"'));
    const refused = entries
      .map((line) => JSON.parse(line))
      .find(({ reason }) => reason === "nonce");
    assert.equal(refused?.supportCode, SUPPORT_CODE, program.output.slice(-2000));
    for (const secret of [...secrets].filter(Boolean)) {
      assert(!program.output.includes(secret), `leaked: ${secret}`);
    }
    for (const word of ["Pia", "Pupil", "sample-creek", PIA, "Anna"]) {
      assert(!program.output.includes(word), `leaked: ${word}`);
    }
  },
};

function readNonce(idToken) {
  return JSON.parse(Buffer.from(idToken.split(".")[1], "base64url").toString()).nonce;
}

/** For platforms whose `request.url` has the host that the browser asked. */
export const WITHOUT_FETCH_METADATA = {
  async "a same-origin page of a browser without Fetch Metadata is let in"(world) {
    const answer = await new Page(world).session({ "Sec-Fetch-Site": null });
    assert.deepEqual([answer.status, answer.code], [204, null]);
  },
};
