// The gateway before the ClassLink stand-in (a real OpenID provider), which demands the secret and ignores PKCE.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startStandIn } from "../../www/stand-in/index.js";
import { authorize } from "../support/authorize.mjs";
import { createGateway, GatewayClient, newKey, newLogin } from "../support/gateway.mjs";
import { present } from "../support/present.mjs";

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
    new GatewayClient(
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

const [redirectUri] = CLIENT.redirectUris;
/** A code for a login of this browser's own; without one, for a tile. */
const codeFor = (standIn, login, state) =>
  authorize(standIn, { clientId: CLIENT.clientId, redirectUri, login, state });

test("the gateway before the stand-in serves a sign-in, a reload, my-info and a sign-out", async (t) => {
  const { standIn, start } = await setUp(t);
  const browser = start();
  const login = newLogin();
  const code = await codeFor(standIn, login);
  const { status, json } = await browser.postToken(browser.form(login, code));
  assert.equal(status, 200);
  const headers = { Authorization: `Bearer ${json.access_token}` };
  const myInfo = await browser.send("GET", "/auth/my-info", { headers });
  assert.equal(String(myInfo.json.UserId), PIA);
  const userInfo = await browser.send("GET", "/auth/userinfo", { headers });
  assert.equal(userInfo.json.sub, PIA);
  const reloaded = await browser.session();
  assert.equal(reloaded.json.id_token, json.id_token);
  const { user } = present(await browser.whoIsIt());
  assert.equal(user.id, `${standIn.issuer}|${PIA}`);
  assert.equal(user.role, "student");
  assert.equal(user.tenant?.id, "2284");
  assert.equal((await browser.signOut()).status, 204);
  assert.equal((await browser.session()).status, 204);

  const replayed = await browser.postToken(browser.form(login, code));
  assert.deepEqual([replayed.status, replayed.json], [400, { error: "invalid_grant" }]);
});

test("a stolen code, from another browser or a tile, opens nothing although PKCE is ignored", async (t) => {
  const { standIn, start } = await setUp(t);
  for (const [login, state] of [[newLogin()], [undefined, "state"], []]) {
    const attacker = start();
    const code = await codeFor(standIn, login, state);
    standIn.requests.length = 0;
    const answer = await attacker.postToken(attacker.form(newLogin(), code));
    assert(standIn.requests.some(({ path }) => path === "/oauth2/v2/token"));
    assert.deepEqual([answer.status, answer.json.reason], [400, "nonce"]);
    assert.deepEqual(answer.cookies, []);
  }
});

test("a wrong secret is the provider's refusal", async (t) => {
  const { standIn, start } = await setUp(t);
  const browser = start({ clients: [{ ...CLIENT, clientSecret: "another" }] });
  const login = newLogin();
  const code = await codeFor(standIn, login);
  const answer = await browser.postToken(browser.form(login, code));
  assert.deepEqual([answer.status, answer.json], [400, { error: "invalid_client" }]);
});

test("the tenant is fetched if the ID token does not name it", async (t) => {
  const { standIn, start } = await setUp(t, { tenantClaims: false });
  for (const [allowedTenants, status] of [
    [[2284], 200],
    [[1], 403],
  ]) {
    const browser = start({ clients: [{ ...CLIENT, allowedTenants }] });
    const login = newLogin();
    const code = await codeFor(standIn, login);
    assert.equal((await browser.postToken(browser.form(login, code))).status, status);
  }
});
