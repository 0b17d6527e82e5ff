// The ClassLink stand-in's switches for what ClassLink is not known to have: all that a session can rest on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJwt } from "jose";
import {
  api,
  authorizationUrl,
  Browser,
  CLIENT,
  exchange,
  postForm,
  renew,
  SECRET_CLIENT,
  signIn,
  standInFor,
} from "./support/stand-in.mjs";

/** What the token endpoint answered, in short. */
const outcomeOf = ({ response, body }) => [response.status, body.error];
const REFUSED = [400, "invalid_grant"];

/** Whether an access token still opens profileinfo. */
async function opens(standIn, { access_token }) {
  const { response } = await api(standIn.endpoints.userinfo_endpoint, access_token);
  return response.status === 200;
}

test("refresh tokens: a renewal brings a new access token and a new ID token of the same sign-in", async (t) => {
  const standIn = await standInFor(t, {
    refreshTokens: true,
    expiresIn: true,
    accessTokenLifetime: 2,
    idTokenLifetime: 2,
  });
  const first = await signIn(standIn);
  assert.equal(first.expires_in, 2);
  assert.ok(await opens(standIn, first));

  await pause(2100);
  assert.ok(!(await opens(standIn, first)), "the access token has expired");
  const { response, body: second } = await renew(standIn, first.refresh_token);

  assert.equal(response.status, 200);
  assert.deepEqual(Object.keys(second).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "refresh_token",
    "response_type",
    "token_type",
  ]);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  assert.ok(await opens(standIn, second));
  const claims = decodeJwt(second.id_token);
  assert.ok(claims.iat > first.claims.iat);
  assert.deepEqual(
    { ...claims, iat: 0, exp: 0 },
    { ...first.claims, iat: 0, exp: 0 },
    "auth_time and nonce too",
  );
  assert.equal(claims.exp - claims.iat, 2);
  assert.equal((await renew(standIn, second.refresh_token)).response.status, 200);
});

test("refresh tokens: one that is used again ends its grant, and no other", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const browser = new Browser();
  const first = await signIn(standIn, { browser });
  const other = await signIn(standIn, { browser });
  const { body: second } = await renew(standIn, first.refresh_token);

  assert.deepEqual(outcomeOf(await renew(standIn, first.refresh_token)), REFUSED);

  assert.deepEqual(outcomeOf(await renew(standIn, second.refresh_token)), REFUSED);
  assert.ok(!(await opens(standIn, second)));
  assert.ok(await opens(standIn, other));
  assert.deepEqual(outcomeOf(await renew(standIn, other.refresh_token)), [200, undefined]);
});

test("refresh tokens: of several uses at once, one comes first and the others too late", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await signIn(standIn);

  const answers = await Promise.all(Array.from({ length: 5 }, () => renew(standIn, refresh_token)));

  const statuses = answers.map(({ response }) => response.status).sort();
  assert.deepEqual(statuses, [200, 400, 400, 400, 400]);
  const { body } = answers.find(({ response }) => response.ok);
  assert.deepEqual(outcomeOf(await renew(standIn, body.refresh_token)), REFUSED);
});

test("refresh tokens: for the client they were given to, with its secret where one is demanded", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true, publicClients: false });
  const client = { client_id: SECRET_CLIENT.clientId };
  const secret = { client_secret: SECRET_CLIENT.clientSecret };
  const { callback } = await new Browser().arrive(authorizationUrl(standIn, client));
  const code = callback.searchParams.get("code");
  const { body } = await exchange(standIn, code, { ...client, ...secret });
  const attempt = async (params) => outcomeOf(await renew(standIn, body.refresh_token, params));

  assert.deepEqual(await attempt(client), [401, "invalid_client"]);
  assert.deepEqual(await attempt({ ...client, ...secret }), [200, undefined]);

  const open = await standInFor(t, { refreshTokens: true });
  const { refresh_token } = await signIn(open);
  assert.deepEqual(outcomeOf(await renew(open, refresh_token, client)), REFUSED);
});

test("refresh tokens: not without the switch, whatever is asked for", async (t) => {
  const standIn = await standInFor(t);
  const answer = await signIn(standIn, { scope: "openid offline_access", prompt: "consent" });
  assert.ok(!("refresh_token" in answer) && !("expires_in" in answer));
  assert.deepEqual(outcomeOf(await renew(standIn, "any")), [400, "unsupported_grant_type"]);
});

test("revocation ends the whole grant, and takes any token for an answer", async (t) => {
  const standIn = await standInFor(t, { refreshTokens: true, revocation: true });
  const { body: discovered } = await api(standIn.discoveryUrl);
  const { revocation_endpoint } = standIn.endpoints;
  assert.equal(discovered.revocation_endpoint, revocation_endpoint);
  const revoke = async (token, params = {}) => {
    const fields = { token, client_id: CLIENT.clientId, ...params };
    const headers = { origin: "https://app.example" };
    const { response } = await postForm(revocation_endpoint, fields, headers);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    return response.status;
  };
  for (const kind of ["refresh_token", "access_token"]) {
    const tokens = await signIn(standIn);
    assert.equal(await revoke(tokens[kind], { client_id: SECRET_CLIENT.clientId }), 200);
    assert.ok(await opens(standIn, tokens), "another client's stays");

    assert.equal(await revoke(tokens[kind]), 200);

    assert.ok(!(await opens(standIn, tokens)), kind);
    assert.deepEqual(outcomeOf(await renew(standIn, tokens.refresh_token)), REFUSED);
    assert.equal(await revoke(tokens[kind]), 200, "twice is no error (RFC 7009, 2.2)");
  }
  assert.equal(await revoke(undefined), 400);

  const without = await standInFor(t);
  const gone = await postForm(`${without.issuer}/oauth2/v2/revoke`, { token: "any" });
  assert.equal(gone.response.status, 404);
});
