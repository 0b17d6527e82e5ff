// The user in the gateway's session, by the vectors of the SDK's own normalization.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const vectors = JSON.parse(readFileSync(new URL("../vectors/users.json", import.meta.url), "utf8"));

// An inner module: the gateway's entry doesn't export it.
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("../../pkg-template/src/gateway/user.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const { toUser } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
);

for (const { name, issuer, claims, userInfo, myInfo, expected } of vectors) {
  test(name, () => {
    const signed = { iss: issuer, ...claims };
    const user = toUser({ claims: signed, userInfo, myInfo });
    assert.deepEqual(user, { ...expected, claims: signed });
  });
}

test("keys of different users differ", () => {
  const ids = vectors.map(({ issuer, claims, expected }) => [issuer, claims.sub, expected.id]);
  const people = new Set(ids.map(([issuer, sub]) => JSON.stringify([issuer, sub])));
  assert.equal(new Set(ids.map(([, , id]) => id)).size, people.size);
});
