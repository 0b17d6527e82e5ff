import { createRemoteJWKSet, jwtVerify } from "jose";

const keys = createRemoteJWKSet(new URL("https://app.example/auth/assertion-keys"));

/** The user, of a valid `X-ClassLink-Assertion`; rejects for any other. */
export async function userOf(assertion) {
  const { payload } = await jwtVerify(assertion, keys, {
    algorithms: ["ES256"],
    issuer: "https://app.example/auth",
    audience: "https://app.example",
    requiredClaims: ["exp", "iat", "sub"],
  });
  return payload.user;
}
