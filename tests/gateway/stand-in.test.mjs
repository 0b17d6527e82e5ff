// The gateway before the ClassLink stand-in (a real OpenID provider), which demands the secret and ignores PKCE.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startStandIn } from "../../www/stand-in/index.js";
import { Browser, createGateway, newKey, newLogin } from "../support/gateway.mjs";

// oidc-provider takes secrets of visible ASCII alone (RFC 6749, appendix A.2).
const CLIENT = {
  clientId: "client-1",
  clientSecret: "s3cret+/:%",
  redirectUris: ["https://app.example/callback"],
};
const PIA = "8708718";

/** A stand-in, and gateways before it that end with the test. */
async function setUp(t, standInOptions = {}) {
  const standIn = await startStandIn({
    clients: [CLIENT],
    publicClients: false,
    pkce: "ignored",
    consent: "never",
    ...standInOptions,
  });
  t.after(() => standIn.close());
  const start = (changes = {}) =>
    new Browser(
      createGateway({
        issuer: standIn.issuer,
        metadata: { my_info_endpoint: standIn.endpoints.my_info_endpoint },
        clients: [CLIENT],
        sealingKeys: [newKey()],
        ...changes,
      }),
    );
  return { standIn, start };
}

/** Signs in on the stand-in's pages, and answers with the code that the last hop carries. */
async function authorize(standIn, parameters) {
  const cookies = new Map();
  const open = async (url, init = {}) => {
    const { pathname } = new URL(url);
    const cookie = [...cookies.values()]
      .filter(({ path, value }) => value && (path === "/" || path === pathname))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { ...init.headers, cookie },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const path = /path=([^;]*)/i.exec(line)?.[1] ?? "/";
      cookies.set(`${path} ${name}`, { name, value, path });
    }
    const location = response.headers.get("location");
    return location ? open(new URL(location, url)) : { url, text: await response.text() };
  };
  const url = new URL(standIn.endpoints.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT.clientId,
    redirect_uri: CLIENT.redirectUris[0],
    response_type: "code",
    scope: "openid profile email",
    ...parameters,
  });
  const page = await open(url);
  const { text } = await open(page.url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ account: PIA }).toString(),
  });
  const target = JSON.parse(/location\.replace\((".*?")\)/.exec(text)[1]);
  return new URL(target).searchParams.get("code");
}

const own = ({ nonce, challenge }) => ({
  state: "state",
  nonce,
  code_challenge: challenge,
  code_challenge_method: "S256",
});

test("sign-in, reload, my-info, sign-out", async (t) => {
  const { standIn, start } = await setUp(t);
  const browser = start();
  const login = newLogin();
  const code = await authorize(standIn, own(login));
  const { status, json } = await browser.postToken(browser.form(login, code));
  assert.equal(status, 200);
  const headers = { Authorization: `Bearer ${json.access_token}` };
  const myInfo = await browser.send("GET", "/auth/my-info", { headers });
  assert.equal(String(myInfo.json.UserId), PIA);
  const userInfo = await browser.send("GET", "/auth/userinfo", { headers });
  assert.equal(userInfo.json.sub, PIA);
  const reloaded = await browser.session();
  assert.equal(reloaded.json.id_token, json.id_token);
  const { user } = await browser.whoIsIt();
  assert.equal(user.id, `${standIn.issuer}|${PIA}`);
  assert.equal(user.role, "student");
  assert.equal(user.tenant.id, "2284");
  assert.equal((await browser.signOut()).status, 204);
  assert.equal((await browser.session()).status, 204);

  const replayed = await browser.postToken(browser.form(login, code));
  assert.deepEqual([replayed.status, replayed.json], [400, { error: "invalid_grant" }]);
});

test("a stolen code, from another browser or a tile, opens nothing although PKCE is ignored", async (t) => {
  const { standIn, start } = await setUp(t);
  for (const parameters of [own(newLogin()), { state: "state" }, {}]) {
    const thief = start();
    const code = await authorize(standIn, parameters);
    standIn.requests.length = 0;
    const answer = await thief.postToken(thief.form(newLogin(), code));
    assert(standIn.requests.some(({ path }) => path === "/oauth2/v2/token"));
    assert.deepEqual([answer.status, answer.json.reason], [400, "nonce"]);
    assert.deepEqual(answer.cookies, []);
  }
});

test("a wrong secret is the provider's refusal", async (t) => {
  const { standIn, start } = await setUp(t);
  const browser = start({ clients: [{ ...CLIENT, clientSecret: "another" }] });
  const login = newLogin();
  const code = await authorize(standIn, own(login));
  const answer = await browser.postToken(browser.form(login, code));
  assert.deepEqual([answer.status, answer.json], [400, { error: "invalid_client" }]);
});

test("the tenant is asked for where the ID token doesn't name it", async (t) => {
  const { standIn, start } = await setUp(t, { tenantClaims: false });
  for (const [allowedTenants, status] of [
    [[2284], 200],
    [[1], 403],
  ]) {
    const browser = start({ clients: [{ ...CLIENT, allowedTenants }] });
    const login = newLogin();
    const code = await authorize(standIn, own(login));
    assert.equal((await browser.postToken(browser.form(login, code))).status, status);
  }
});
