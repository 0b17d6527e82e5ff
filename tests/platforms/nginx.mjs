/**
 * The reverse-proxy form: the nginx configuration of `docs/examples/nginx`, which adds the client secret and verifies
 * nothing. Its checks show what it keeps out, and what it lets through that the gateway refuses.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { request as forward } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { OPTIONAL } from "../../tools/lib/optional.mjs";
import { CliError, execCapture, logStep } from "../../tools/lib/run.mjs";
import { startStandIn } from "../../www/stand-in/index.js";
import { newCertificate } from "../support/certificate.mjs";
import { startNginx } from "../support/nginx.mjs";
import { present } from "../support/present.mjs";
import { closeServer } from "../support/serve.mjs";
import { startBrowserApp } from "./browser.mjs";
import { BROWSER_CHECKS_WITHOUT_SESSION } from "./suite.mjs";
import { newLogin, Page } from "./world.mjs";

const EXAMPLES = fileURLToPath(new URL("../../docs/examples/nginx/", import.meta.url));

/** The origin that the examples name. */
const APP = "https://app.example";
const CLIENT = {
  clientId: "my-client-id",
  clientSecret: "my-client-secret",
  redirectUris: [`${APP}/callback`],
};
const TOKEN = "/oauth2/v2/token";

/** nginx, and if it isn't installed, its Debian package unpacked beside the test: no service is installed. */
function findNginx(folder) {
  // Debian keeps it off the search path of those who are not root.
  const installed = OPTIONAL.nginx.find();
  if (installed) return installed;
  logStep("Unpacking Debian's nginx (apt-get download)");
  const unpack = "apt-get download nginx && dpkg-deb -x nginx_*.deb unpacked";
  const { ok, stderr } = execCapture("sh", ["-c", unpack], { cwd: folder });
  if (!ok)
    throw new CliError(`nginx was not found; install it (apt-get install nginx).\n${stderr}`);
  return join(folder, "unpacked/usr/sbin/nginx");
}

/** TLS before one of the stand-in's origins. It keeps what came, and a test may answer in the stand-in's place. */
async function startFront(tls, target, seen, instead) {
  const server = createServer(tls, async (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const body = await buffer(incoming);
    const [path] = present(url).split("?");
    seen.push({ method, url, path, headers, body: body.toString() });
    if (instead[path]) return instead[path](outgoing);
    const { host, ...rest } = headers;
    const onward = forward(target + url, { method, headers: rest });
    onward.end(body);
    const [answer] = await once(onward, "response");
    outgoing.writeHead(answer.statusCode, {
      ...answer.headers,
      "set-cookie": "upstream=1; Path=/",
      "access-control-allow-credentials": "true",
    });
    answer.pipe(outgoing);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Starts nginx with the examples as they are, but for the authority that it trusts. */
async function startExample(program, folder, { ports, trusted }) {
  await mkdir(folder);
  await cp(EXAMPLES, folder, { recursive: true });
  const locations = join(folder, "classlink-locations.conf");
  const text = await readFile(locations, "utf8");
  const changed = text.replace("/etc/ssl/certs/ca-certificates.crt", trusted);
  assert.notEqual(changed, text);
  await writeFile(locations, changed);
  return startNginx(folder, {
    program,
    http: `access_log ${folder}/access.log;
  upstream launchpad.classlink.com { server 127.0.0.1:${ports[0]}; }
  upstream nodeapi.classlink.com { server 127.0.0.1:${ports[1]}; }
  include classlink-http.conf;`,
    server: "include classlink-locations.conf;",
  });
}

/** A page of the application that asks nginx. */
class ProxyPage extends Page {
  /** @type {Page["send"]} */
  send(method, path, { headers = {}, body } = {}) {
    const origin = method !== "GET" && { Origin: APP };
    return super.send(method, path, { headers: { ...origin, ...headers }, body });
  }
}

/** Starts the stand-in, TLS before it, and two nginx: one that trusts the certificate, one that trusts another. */
export async function startReverseProxy(folder) {
  const nginx = findNginx(folder);
  const classLink = ["launchpad.classlink.com", "nodeapi.classlink.com"];
  const tls = await newCertificate(folder, "right", classLink);
  await newCertificate(folder, "other", classLink);
  const standIn = await startStandIn({
    host: "127.0.0.1",
    clients: [CLIENT, { ...CLIENT, clientId: "other-client" }],
    publicClients: false,
    pkce: "ignored",
    consent: "never",
  });
  const [seen, instead] = [[], {}];
  const fronts = await Promise.all(
    [standIn.issuer, standIn.apiOrigin].map((target) => startFront(tls, target, seen, instead)),
  );
  const ports = fronts.map(
    (server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port,
  );
  const start = (name) =>
    startExample(nginx, join(folder, `nginx-${name}`), {
      ports,
      trusted: join(folder, `${name}.pem`),
    });
  const running = [];
  /** @type {Promise<import("./browser.mjs").BrowserApp> | undefined} */
  let inBrowser;
  const stop = async () => {
    await inBrowser?.then((app) => app.stop());
    await Promise.all(running.map(({ program }) => program.stop()));
    await Promise.all(fronts.map(closeServer));
    await standIn.close();
  };
  try {
    running.push(await start("right"));
    running.push(await start("other"));
  } catch (error) {
    await stop();
    throw error;
  }
  const [{ origin, program }, distrustful] = running;
  const world = { origin, program, standIn, client: CLIENT, secrets: new Set(), stop };
  return {
    ...world,
    folder: join(folder, "nginx-right"),
    distrustful: { ...world, ...distrustful },
    seen,
    instead,
    inBrowser() {
      // The examples name the application's origin, so it is the browser that is led to it.
      inBrowser ??= startBrowserApp({
        clientId: CLIENT.clientId,
        origin: APP,
        startGateway: async () => ({ address: origin, standIn, program, stop: async () => {} }),
      });
      return inBrowser;
    },
    basic: `Basic ${btoa(`${CLIENT.clientId}:${CLIENT.clientSecret}`)}`,
  };
}

/** @type {Record<string, (world: any) => Promise<void>>} */
export const NGINX_CHECKS = {
  async "a user signs in; keys, UserInfo and my-info come through nginx"(world) {
    const page = new ProxyPage(world);
    world.seen.length = 0;
    page.jar.set("app", "cookie-of-the-application");
    const { status, json, text, headers, cookies } = await page.signIn();
    assert.equal(status, 200, text);
    assert(json.id_token && json.access_token);
    assert.deepEqual(cookies, []);
    for (const name of ["origin", "credentials", "headers", "methods"]) {
      assert.equal(headers.get(`access-control-allow-${name}`), null, name);
    }
    assert.equal(headers.get("cache-control"), "no-store");
    assert(Math.abs(Date.parse(present(headers.get("date"))) - Date.now()) < 5000);

    const bearer = { headers: { Authorization: `Bearer ${json.access_token}` } };
    assert.equal((await page.send("GET", "/auth/jwks?x=1")).json.keys.length > 0, true);
    assert.equal((await page.send("GET", "/auth/userinfo", bearer)).json.sub, "8708718");
    assert.equal((await page.send("GET", "/auth/my-info", bearer)).json.UserId, 8708718);
    assert.equal((await page.send("GET", "/auth/my-info")).status, 401);

    assert.deepEqual(
      world.seen.map(({ url, headers }) => [url, headers.host]),
      [
        [TOKEN, "launchpad.classlink.com"],
        ["/oauth2/v2/jwks", "launchpad.classlink.com"],
        ["/v2/my/profileinfo", "nodeapi.classlink.com"],
        ["/v2/my/info", "nodeapi.classlink.com"],
        ["/v2/my/info", "nodeapi.classlink.com"],
      ],
    );
    assert.equal(world.seen[0].headers.authorization, world.basic);
    const known = ["host", "connection", "content-length", "content-type", "accept"];
    for (const { headers } of world.seen) {
      assert.deepEqual(
        Object.keys(headers).filter((name) => !known.includes(name) && name !== "authorization"),
        ["user-agent"],
      );
      assert.equal(headers["user-agent"], "classlink-spa-proxy");
    }
  },

  async "nginx keeps no session: POST and DELETE of the session route are 204"(world) {
    const page = new ProxyPage(world);
    await page.signIn();
    world.seen.length = 0;
    for (const method of ["POST", "DELETE"]) {
      const { status, text } = await page.send(method, "/auth/session?client_id=my-client-id");
      assert.deepEqual([status, text], [204, ""]);
    }
    assert.deepEqual(world.seen, []);
  },

  async "WEAKER: a stolen code is taken if the provider ignores PKCE"(world) {
    const attacker = new ProxyPage(world);
    const code = await attacker.code(newLogin());
    const { status, json } = await attacker.token(code, newLogin().verifier);
    assert.equal(status, 200, "the gateway would refuse: the nonce is another login's");
    assert(json.access_token);
  },

  async "WEAKER: a refresh token and the provider's text reach the browser"(world) {
    const page = new ProxyPage(world);
    const { verifier } = newLogin();
    const answer = (status, body) => (response) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    world.instead[TOKEN] = answer(200, { refresh_token: "long-lived" });
    assert.equal((await page.token("code", verifier)).json.refresh_token, "long-lived");
    world.instead[TOKEN] = answer(400, { error: "invalid_grant", error_description: "of Pia" });
    assert.equal((await page.token("code", verifier)).json.error_description, "of Pia");
    delete world.instead[TOKEN];
  },

  async "nginx adds the secret to the SDK's own token request, and to no other"(world) {
    const page = new ProxyPage(world);
    const { verifier } = newLogin();
    const form = {
      grant_type: "authorization_code",
      code: "a-code",
      redirect_uri: `${APP}/callback`,
      client_id: CLIENT.clientId,
      code_verifier: verifier,
    };
    const text = (changes) => new URLSearchParams({ ...form, ...changes }).toString();
    const sent = async (body) => {
      world.seen.length = 0;
      await page.send("POST", "/auth/token", { body });
      return world.seen.map(({ headers }) => headers.authorization);
    };
    assert.deepEqual(await sent(text({})), [world.basic], "it can be seen at all");
    for (const body of [
      "",
      text({ grant_type: "client_credentials" }),
      text({ grant_type: "refresh_token", refresh_token: "stolen" }),
      text({ client_id: "other-client" }),
      text({ redirect_uri: "https://evil.example/callback" }),
      text({ code_verifier: "short" }),
      text({ scope: "full" }),
      `${text({})}&grant_type=client_credentials`,
      `grant%5Ftype=client_credentials&${text({})}`,
      `${text({})}&grant%5Ftype=client_credentials`,
      `x=${text({})}`,
      `${text({})}\n`,
      text({ code: "x".repeat(9000) }),
    ]) {
      const secrets = await sent(body);
      assert(
        secrets.every((secret) => secret === undefined),
        body.slice(0, 400),
      );
    }
  },

  async "nginx refuses other sites, other methods, other paths and large bodies"(world) {
    const page = new ProxyPage(world);
    world.seen.length = 0;
    const { verifier } = newLogin();
    for (const headers of [
      { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
      { Origin: "https://evil.example" },
      { Origin: "https://app.example.evil", "Sec-Fetch-Site": null },
      { Origin: "https://appXexample", "Sec-Fetch-Site": null },
      { Origin: null },
      { "Sec-Fetch-Site": "same-site" },
      { "X-ClassLink-SPA": null },
      { "X-ClassLink-SPA": "7KQ2M9ZX7" },
    ]) {
      const answer = await page.token("code", verifier, { headers });
      assert.deepEqual([answer.status, answer.code], [403, "forbidden_origin"]);
      assert.equal(answer.json.error, "invalid_request");
    }
    const foreign = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    for (const headers of /** @type {Record<string, string>[]} */ ([
      foreign,
      { "Sec-Fetch-Site": "same-site" },
      { "X-ClassLink-SPA": "" },
    ])) {
      assert.equal((await page.send("GET", "/auth/jwks", { headers })).status, 403);
    }
    for (const [method, path, status, code] of /** @type {const} */ ([
      ["GET", "/auth/token", 405, "method_not_allowed"],
      ["OPTIONS", "/auth/token", 405, "method_not_allowed"],
      ["POST", "/auth/jwks", 405, "method_not_allowed"],
      ["GET", "/auth/session", 405, "method_not_allowed"],
      ["GET", "/auth/token/", 404, "not_found"],
      ["GET", "/auth/other", 404, "not_found"],
    ])) {
      const answer = await page.send(method, path);
      assert.deepEqual([answer.status, answer.code], [status, code], `${method} ${path}`);
    }
    const large = await page.token("x".repeat(9000), verifier);
    assert.deepEqual([large.status, large.code], [413, "body_too_large"]);
    assert.deepEqual(world.seen, []);
  },

  async "nginx responds itself when ClassLink fails or redirects"(world) {
    const page = new ProxyPage(world);
    for (const upstream of [500, 503, 302, 307]) {
      world.instead[TOKEN] = (response) => {
        response.writeHead(upstream, { Location: "https://evil.example/", "X-Secret": "of Pia" });
        response.end("<p>trace of Pia</p>");
      };
      world.seen.length = 0;
      const answer = await page.token("code", newLogin().verifier);
      assert.equal(world.seen.length, 1);
      assert.deepEqual([answer.status, answer.code], [502, "upstream_error"]);
      assert.deepEqual(answer.json, { error: "invalid_request" });
      assert.equal(answer.headers.get("location"), null);
      assert(!JSON.stringify([...answer.headers]).includes("Pia"));
    }
    delete world.instead[TOKEN];
  },

  async "a provider whose certificate is not trusted gets no secret"(world) {
    world.seen.length = 0;
    const answer = await new ProxyPage(world.distrustful).token("code", newLogin().verifier);
    assert.deepEqual([answer.status, answer.code], [502, "upstream_error"]);
    assert.deepEqual(world.seen, []);
    assert.match(world.distrustful.program.output, /upstream SSL certificate verify error/);
  },

  async "nginx refuses more than a hundred requests at once"(world) {
    world.instead[TOKEN] = (response) => response.end("{}");
    const page = new ProxyPage(world);
    const answers = await Promise.all(
      Array.from({ length: 250 }, () => page.token("code", newLogin().verifier)),
    );
    delete world.instead[TOKEN];
    const limited = answers.filter(({ status }) => status === 429);
    assert(limited.length > 50 && limited.length < 200, `${limited.length} of 250`);
    assert.equal(limited[0].code, "rate_limited");
    assert.equal(answers.filter(({ status }) => status === 200).length, 250 - limited.length);
  },

  ...BROWSER_CHECKS_WITHOUT_SESSION,

  async "nginx logs no secret, code or token"({ folder, program, secrets }) {
    const log = program.output + (await readFile(join(folder, "access.log"), "utf8"));
    assert.match(log, /POST \/auth\/token/);
    for (const secret of [...secrets, CLIENT.clientSecret, btoa(CLIENT.clientSecret)]) {
      assert(!secret || !log.includes(secret), `leaked: ${secret}`);
    }
  },
};
