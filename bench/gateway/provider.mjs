/** An OpenID provider that signs in at once: for the bench's own logins, never measured. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { SignJWT } from "jose";
import { makeKey } from "../../tests/support/keys.mjs";

export const CLIENT = { clientId: "bench", clientSecret: "s3cret-s3cret-s3cret-s3cret-s3cret" };

/** Claims of the size that ClassLink's ID tokens have. */
const CLAIMS = {
  name: "Bench Tester",
  given_name: "Bench",
  family_name: "Tester",
  email: "bench.tester@school.example",
  profile: "Student",
  address: { locality: "Sample Creek Unified", region: "New Jersey" },
  classLink_tenant_id: 2284,
  classLink_sourcedId: "5678_T5678-0005",
};

/** Starts the provider. A code stands for its nonce, so that one may be used any number of times. */
export async function startProvider() {
  const { privateKey, jwk } = makeKey("bench");
  /** @type {Map<string, Promise<string>>} */
  const tokens = new Map();
  let issuer = "";

  const sign = (nonce) =>
    new SignJWT({ ...CLAIMS, ...(nonce && { nonce }) })
      .setProtectedHeader({ alg: "RS256", kid: "bench" })
      .setIssuer(issuer)
      .setAudience(CLIENT.clientId)
      .setSubject("8708718")
      .setIssuedAt()
      .setExpirationTime("24h")
      .sign(privateKey);

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", issuer);
    const json = (body) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    const body = await text(request);
    if (url.pathname === "/authorize") {
      const target = new URL(String(url.searchParams.get("redirect_uri")));
      target.searchParams.set("code", url.searchParams.get("nonce") || "none");
      target.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(302, { Location: target.href }).end();
    } else if (url.pathname === "/token") {
      const code = new URLSearchParams(body).get("code") ?? "none";
      const token = tokens.get(code) ?? sign(code === "none" ? undefined : code);
      tokens.set(code, token);
      json({
        access_token: randomBytes(32).toString("base64url"),
        token_type: "Bearer",
        id_token: await token,
      });
    } else if (url.pathname === "/jwks") json({ keys: [jwk] });
    else if (url.pathname === "/.well-known/openid-configuration") {
      json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
      });
    } else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  issuer = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  return { issuer, stop: () => server.closeAllConnections() ?? server.close() };
}
