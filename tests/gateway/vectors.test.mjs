// The vectors that the crate's tests and the gateway's read alike: tokens, keys, token responses and URLs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bundleGatewayModules } from "../support/bundle.mjs";

const read = (name) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));

const gateway = await (
  await bundleGatewayModules(["http", "id-token", "jwks", "options", "token-response"])
)();

const tokens = read("id-tokens.json");

/** A provider that has these keys, and others after a fetch. */
function providerOf({ advertised, keys, keysAfterFetch }) {
  const later = keysAfterFetch ?? [...keys];
  const provider = {
    fetches: 0,
    metadata: async () => ({
      ...(advertised && { id_token_signing_alg_values_supported: advertised }),
    }),
    keys: async () => gateway.readKeySet({ keys }),
    freshKeys: async () => {
      provider.fetches += 1;
      return gateway.readKeySet({ keys: later });
    },
  };
  return provider;
}

for (const vector of tokens.cases) {
  // Row 12 is the browser's alone.
  if (vector.maxAge !== undefined) continue;
  test(`ID token: ${vector.name}: ${vector.outcome}`, async () => {
    const { issuer, clientId, nonce, accessToken, now } = tokens;
    const provider = providerOf(vector);
    const expected = {
      issuer,
      clientId,
      nonce,
      accessToken,
      ...(vector.renews && { previousClaims: gateway.readClaims(vector.renews) }),
    };
    const outcome = await gateway.verifyIdToken(vector.token, provider, now, expected).then(
      () => "valid",
      ({ code, details }) => details?.reason ?? code,
    );
    assert.equal(outcome, vector.outcome);
    if (vector.fetches !== undefined) assert.equal(provider.fetches, vector.fetches);
  });
}

for (const { name, status, body, outcome } of read("token-responses.json")) {
  test(`token response: ${name}`, () => {
    const json = gateway.parseJson(gateway.decodeUtf8(Buffer.from(body)));
    const object = gateway.isObject(json) ? json : undefined;
    const ok = status >= 200 && status < 300;
    let answer;
    try {
      answer = gateway.readTokenResponse({
        status,
        json: gateway.validateTokenResponse(status, ok, object),
      });
    } catch (error) {
      const codes = {
        ProviderRefusal: "token_rejected",
        GatewayFailure: "provider_response_invalid",
      };
      assert.equal(codes[/** @type {Error} */ (error).name], outcome);
      return;
    }
    const { accessToken, idToken, refreshToken, expiresIn, scope } = answer;
    assert.deepEqual(
      JSON.parse(
        JSON.stringify({
          access_token: accessToken,
          id_token: idToken,
          expires_in: expiresIn,
          refresh_token: refreshToken,
          scope,
        }),
      ),
      outcome,
    );
  });
}

test("URLs that a secret may be sent to, and others", () => {
  for (const { url, isSecure } of [...read("urls.json"), ...read("server-urls.json")]) {
    assert.equal(gateway.isSecureUrl(url), isSecure, JSON.stringify(url));
  }
});

for (const { name, body, isReadable } of read("jwks.json")) {
  test(`key set: ${name}`, () => {
    const json = gateway.parseJson(gateway.decodeUtf8(Buffer.from(body)));
    const keys = gateway.readKeySet(gateway.isObject(json) ? json : undefined);
    assert.equal(keys !== undefined, isReadable);
  });
}
