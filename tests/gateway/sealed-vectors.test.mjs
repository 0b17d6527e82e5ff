// The vectors of sealed sessions and their cookies, which the native server's tests read, too: whatever one server seals,
// the other opens.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bundleGatewayModules } from "../support/bundle.mjs";

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/sealed-sessions.json", import.meta.url), "utf8"),
);

const importModules = await bundleGatewayModules([
  "settings",
  "cookies",
  "device-binding",
  "sealed-form",
  "sealing",
  "session",
  "session-codec",
]);
const withNode = await importModules();
// As on runtimes without Node's modules.
const { getBuiltinModule } = process;
Object.assign(process, { getBuiltinModule: undefined });
const withWebCrypto = await importModules("web");
Object.assign(process, { getBuiltinModule });

for (const [platform, gateway] of /** @type {const} */ ([
  ["node:crypto", withNode],
  ["Web Crypto", withWebCrypto],
])) {
  const settings = gateway.readOptions({
    issuer: vectors.issuer,
    clients: [
      {
        clientId: vectors.clientId,
        clientSecret: "s3cret",
        redirectUris: ["https://app.example/callback"],
      },
    ],
    sealingKeys: vectors.sealingKeys,
    now: () => vectors.now * 1000,
  });
  const sealing = new gateway.Sealing(settings);
  const codec = new gateway.SessionCodec(sealing);
  const devices = new gateway.DeviceBinding(settings, sealing);
  const sessions = new gateway.Sessions(settings, codec, devices);
  const client = settings.clients.get(vectors.clientId);

  for (const { name, session, content, nonce, sealed } of vectors.written) {
    test(`${platform}: a session with ${name} is sealed as these bytes`, async (t) => {
      const packed = await gateway.packSession(session);
      assert.equal(Buffer.from(packed).toString("base64url"), content);
      t.mock.method(crypto, "getRandomValues", (/** @type {Uint8Array} */ bytes) => {
        bytes.set(Buffer.from(nonce, "base64url"));
        return bytes;
      });
      assert.equal(await codec.seal(client, session), sealed);
    });
  }

  for (const { name, session, sealed, isOutdated = false } of [
    ...vectors.written,
    ...vectors.read,
  ]) {
    test(`${platform}: a sealed session opens: ${name}`, async () => {
      const opened = await codec.open(client, sealed);
      assert.deepEqual([opened?.session, opened?.isOutdated], [session, isOutdated]);
    });
  }

  for (const { name, sealed } of vectors.refused) {
    test(`${platform}: a sealed text does not open: ${name}`, async () => {
      assert.equal(await codec.open(client, sealed), undefined);
    });
  }

  for (const { name, cookies, session } of vectors.cookies) {
    test(`${platform}: cookies: ${name}: ${session ? "a session" : "no session"}`, async () => {
      const found = await sessions.find(client, new gateway.RequestCookies(cookies));
      assert.equal(found.newest?.session.id ?? null, session);
    });
  }

  test(`${platform}: cookies are written under these names, with these attributes`, async () => {
    const { sealed, since, ended, proof } = vectors.lines;
    const key = await gateway.deriveRegistrationKey(vectors.clientId);
    const cookies = new gateway.RequestCookies(null).registration(key);
    for (const { tag, sealed: text, lines } of sealed) {
      assert.deepEqual(cookies.writeSealed(tag, text), lines);
    }
    for (const { order, line } of since) assert.deepEqual(cookies.writeSince(order), [line]);
    assert.equal(cookies.writeEnded(ended.tag), ended.line);
    assert.equal(cookies.writeProof(proof.tag, proof.proof, 300), proof.line);
  });
}
