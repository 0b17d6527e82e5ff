// The gateway's options: every mistake is named, and none of its values shown.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createGateway, GatewayConfigError, newKey, setUp } from "../support/gateway.mjs";
import { CLIENT } from "../support/upstream.mjs";

const GOOD = { clients: [CLIENT], sealingKeys: [newKey()] };
const client = (changes) => ({ clients: [{ ...CLIENT, ...changes }] });

/** Options with a mistake, and the field that the error must name. */
const WRONG = [
  [{ clients: undefined }, "clients"],
  [{ clients: [] }, "clients"],
  [{ clients: [CLIENT, CLIENT] }, "clients[1].clientId"],
  [client({ clientId: "" }), "clients[0].clientId"],
  [client({ clientSecret: undefined }), "clients[0].clientSecret"],
  [client({ clientSecret: "" }), "clients[0].clientSecret"],
  [client({ redirectUris: [] }), "clients[0].redirectUris"],
  [client({ redirectUris: "https://app.example" }), "clients[0].redirectUris"],
  [client({ redirectUris: ["/callback"] }), "clients[0].redirectUris[0]"],
  [client({ redirectUris: ["http://app.example/"] }), "clients[0].redirectUris[0]"],
  [client({ redirectUris: ["http://127.0.0.1.evil.example/"] }), "clients[0].redirectUris[0]"],
  [client({ redirectUris: ["https://a.example/#x"] }), "clients[0].redirectUris[0]"],
  [client({ allowedTenants: [""] }), "clients[0].allowedTenants[0]"],
  [client({ allowedTenants: [1.5] }), "clients[0].allowedTenants[0]"],
  [client({ redirectUri: "https://a.example" }), "clients[0]"],
  [{ sealingKeys: undefined }, "sealingKeys"],
  [{ sealingKeys: [] }, "sealingKeys"],
  [{ sealingKeys: newKey() }, "sealingKeys"],
  [{ sealingKeys: [newKey(), "short"] }, "sealingKeys[1]"],
  [{ sealingKeys: [randomBytes(31).toString("base64url")] }, "sealingKeys[0]"],
  [{ sealingKeys: ["not base64url, but a long enough passphrase"] }, "sealingKeys[0]"],
  [{ sealingKeys: ["a".repeat(64)] }, "sealingKeys[0]"],
  [{ sealingKeys: [undefined] }, "sealingKeys[0]"],
  [{ issuer: "http://launchpad.classlink.com" }, "issuer"],
  [{ issuer: "launchpad.classlink.com" }, "issuer"],
  [{ metadata: { token_endpoint: "http://a.example/token" } }, "metadata.token_endpoint"],
  [
    { metadata: { token_endpoint_auth_methods_supported: ["private_key_jwt"] } },
    "metadata.token_endpoint_auth_methods_supported",
  ],
  [
    { metadata: { id_token_signing_alg_values_supported: null } },
    "metadata.id_token_signing_alg_values_supported",
  ],
  [{ allowedOrigins: ["*"] }, "allowedOrigins[0]"],
  [{ allowedOrigins: ["https://a.example/"] }, "allowedOrigins[0]"],
  [{ allowedOrigins: ["http://a.example"] }, "allowedOrigins[0]"],
  [{ allowedOrigins: ["null"] }, "allowedOrigins[0]"],
  [{ basePath: "auth" }, "basePath"],
  [{ basePath: "/auth/" }, "basePath"],
  [{ session: { idleTimeout: 0 } }, "session.idleTimeout"],
  [{ session: { maxAge: "1800" } }, "session.maxAge"],
  [{ session: { maxage: 1800 } }, "session"],
  [{ timeout: -1 }, "timeout"],
  [{ log: console }, "log"],
  [{ rateLimit: true }, "rateLimit"],
  [{ sealingKey: newKey() }, "options"],
  [client({ clientId: "client-1 " }), "clients[0].clientId"],
  [client({ clientId: "client-1\n" }), "clients[0].clientId"],
  [client({ clientSecret: " \n" }), "clients[0].clientSecret"],
  [client({ district: " north" }), "clients[0].district"],
  [client({ allowedTenants: ["2284\n"] }), "clients[0].allowedTenants[0]"],
  [client({ redirectUris: ["https://app.example//callback"] }), "clients[0].redirectUris[0]"],
  [client({ redirectUris: ["https://app.example/callback\n"] }), "clients[0].redirectUris[0]"],
  [{ sealingKeys: [GOOD.sealingKeys[0], GOOD.sealingKeys[0]] }, "sealingKeys[1]"],
  [{ sealingKeys: [GOOD.sealingKeys[0], `${GOOD.sealingKeys[0]}\n`] }, "sealingKeys[1]"],
  [{ session: { idleTimeout: 1801, maxAge: 1800 } }, "session.idleTimeout"],
  [{ session: { idleTimeout: 1_800_000, maxAge: false } }, "session.idleTimeout"],
  [{ session: { maxAge: 28_800_000 } }, "session.maxAge"],
  [{ timeout: 10 }, "timeout"],
  [{ timeout: 10_000_000 }, "timeout"],
  [{ limits: { perAddress: 0 } }, "limits.perAddress"],
  [{ limits: { concurrent: "64" } }, "limits.concurrent"],
  [{ limits: { perMinute: 1 } }, "limits"],
];

test("createGateway names the option that is wrong", () => {
  for (const [changes, field] of /** @type {[any, string][]} */ (WRONG)) {
    assert.throws(
      () => createGateway({ ...GOOD, ...changes }),
      (error) => {
        assert(error instanceof GatewayConfigError && error instanceof TypeError);
        assert.equal(error.code, "config_invalid");
        assert.equal(error.field, field, error.message);
        assert(error.message.startsWith(`createGateway: ${field} `));
        return true;
      },
    );
  }
});

test("createGateway reports every wrong option at once", () => {
  assert.throws(
    () =>
      createGateway(
        /** @type {any} */ ({
          issuer: "http://launchpad.classlink.com",
          clients: [
            { ...CLIENT, clientId: undefined, clientSecret: "" },
            { ...CLIENT, redirectUris: ["x"] },
          ],
          sealingKeys: ["short", "short too"],
          basePath: "auth",
          log: true,
        }),
      ),
    ({ problems, message, field }) => {
      assert.deepEqual(
        problems.map((one) => one.field),
        [
          "issuer",
          "clients[0].clientId",
          "clients[0].clientSecret",
          "clients[1].redirectUris[0]",
          "sealingKeys[0]",
          "sealingKeys[1]",
          "basePath",
          "log",
        ],
      );
      assert.equal(field, "issuer");
      for (const one of problems) assert(message.includes(`${one.field} ${one.problem}`));
      return true;
    },
  );
});

test("a secret and a key from a file come without their newline, and an empty issuer is the default", async (t) => {
  const { clientSecret } = CLIENT;
  const key = newKey();
  const clients = [{ ...CLIENT, clientSecret: `${clientSecret}\n` }];
  const { browser, another } = await setUp(t, { clients, sealingKeys: [`${key}\r\n`] });
  assert.equal((await browser.signIn()).status, 200);
  assert((await another({ clients: [CLIENT], sealingKeys: [key] }).whoIsIt()) !== null);

  const asked = [];
  const { browser: plain } = await setUp(t, {
    issuer: "",
    fetch: async (url) => {
      asked.push(url);
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    },
  });
  await plain.signIn();
  assert(asked.includes("https://launchpad.classlink.com/oauth2/v2/token"));
});

test("a maximum age below the default idle limit is the idle limit, too", async (t) => {
  const { browser, pass } = await setUp(t, { session: { maxAge: 600 } });
  await browser.signIn();
  pass(599);
  assert((await browser.whoIsIt()) !== null);
});

test("configuration errors show no secret and no key", () => {
  const secret = randomBytes(24).toString("base64url");
  for (const changes of [
    client({ clientSecret: [secret] }),
    { sealingKeys: [secret] },
    { sealingKeys: [`${secret} ${secret}`] },
    client({ redirectUris: [secret] }),
    { allowedOrigins: [secret] },
  ]) {
    assert.throws(
      () => createGateway({ ...GOOD, ...changes }),
      (/** @type {any} */ error) => !`${error.stack}${JSON.stringify(error)}`.includes(secret),
    );
  }
});

test("createGateway accepts right options, and sends no request", () => {
  let asked = 0;
  const fetch = () => {
    asked += 1;
  };
  for (const changes of [
    {},
    { sealingKeys: [randomBytes(32).toString("base64"), newKey()] },
    client({ redirectUris: ["http://localhost:5173/callback", "http://[::1]:1/"] }),
    { session: { idleTimeout: false, maxAge: false } },
    { allowedOrigins: ["http://localhost:5173", "https://a.example"] },
  ]) {
    createGateway(/** @type {any} */ ({ ...GOOD, fetch, ...changes }));
  }
  assert.equal(asked, 0);
});

test("createGateway refuses options whose getter throws, beside everything else that is wrong", () => {
  const throwing = {
    get maxAge() {
      throw new RangeError("by the application");
    },
  };
  for (const field of ["session", "metadata"]) {
    assert.throws(
      () => createGateway(/** @type {any} */ ({ ...GOOD, [field]: throwing, basePath: "auth" })),
      ({ code, problems }) => {
        assert.equal(code, "config_invalid");
        assert.deepEqual(problems.map((one) => one.field).sort(), ["basePath", field]);
        return true;
      },
    );
  }
});

test("createGateway reads no member of a polluted Object.prototype", async (t) => {
  /** Members that a careless merge of foreign JSON may leave behind. */
  const pollution = {
    token_endpoint: "https://evil.example/token",
    jwks_uri: "https://evil.example/keys",
    token_endpoint_auth_methods_supported: ["none"],
    allowedTenants: ["666"],
    basePath: "/evil",
  };
  Object.assign(Object.prototype, pollution);
  t.after(() => {
    for (const name of Object.keys(pollution)) delete Object.prototype[name];
  });
  const asked = [];
  const { browser, upstream } = await setUp(t, {
    fetch: (url, init) => {
      asked.push(new URL(url).origin);
      return fetch(url, init);
    },
  });

  const { status } = await browser.signIn();

  assert.equal(status, 200);
  assert.deepEqual([...new Set(asked)], [upstream.issuer]);
});
