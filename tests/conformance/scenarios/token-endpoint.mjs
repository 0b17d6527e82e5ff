/**
 * The token endpoint's answers (RFC 6749, 5; OpenID Connect Core 1.0, 3.1.3).
 *
 * @module
 */

import { engine } from "../../support/engine.mjs";
import { PERSON } from "../provider.mjs";
import {
  CAPTIVE_PORTAL_HTML,
  claims,
  IMPATIENT,
  MIB,
  members,
  OPTION,
  signedIn,
  USELESS,
} from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

/** A token endpoint's error. */
const tokenError = (status, json, retryable = status === 429 || status >= 500) => ({
  name: `${status}, with the OAuth error ${json.error}`,
  arrange: { token: { status, json } },
  expect: { code: "token_rejected", status, retryable, requested: { token: 1 } },
});

/** @type {Scenario[]} */
export const tokens = [
  {
    name: "ClassLink's way: opaque access token, no expires_in, no refresh token, extra response_type, no nbf, no at_hash, no iss in the callback, profile a role word",
    arrange: {
      discovery: members({
        authorization_response_iss_parameter_supported: undefined,
        code_challenge_methods_supported: undefined,
        token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
      }),
      callbackUrl: (url) => {
        url.searchParams.delete("iss");
        url.searchParams.set("response_type", "code");
      },
      token: (answer) => {
        const { token_type, id_token } = answer.json;
        const access_token = "c".repeat(40);
        answer.json = { access_token, token_type, response_type: "code", id_token };
      },
      idToken: claims({
        at_hash: undefined,
        login_hint: "pia",
        profile: "Teacher",
        address: { locality: "Springfield", region: "OR" },
        email_verified: true,
      }),
    },
    expect: { ...signedIn, user: { sub: PERSON.sub, roleName: "Teacher", role: "teacher" } },
  },
  .../** @type {const} */ ([
    ["token_type is bearer, in small letters", { token_type: "bearer" }],
    ["token_type is BEARER", { token_type: "BEARER" }],
    ["expires_in is a string", { expires_in: "3600" }],
    ["expires_in is negative", { expires_in: -5 }],
    ["expires_in is missing", { expires_in: undefined }],
    ["scope is missing", { scope: undefined }],
    ["scope is less than was asked for", { scope: "openid" }],
    ["there is a refresh token", { refresh_token: "r".repeat(40) }],
    ["there are unknown members", { __proto__x: {}, constructor: 1, more: [null] }],
    ["error is there but empty", { error: "" }],
  ]).map(([name, changes]) => ({
    name,
    arrange: { token: members(changes) },
    expect: signedIn,
  })),
  {
    name: "JSON sent as text/html",
    arrange: { token: (answer) => ({ ...answer, headers: { "Content-Type": "text/html" } }) },
    expect: signedIn,
  },
  .../** @type {const} */ ([
    ["access_token is missing", { access_token: undefined }],
    ["access_token is empty", { access_token: "" }],
    ["access_token is a number", { access_token: 5 }],
    ["id_token is missing", { id_token: undefined }],
    ["id_token is empty", { id_token: "" }],
    ["id_token is an object", { id_token: {} }],
    ["token_type is missing", { token_type: undefined }],
    ["token_type is DPoP", { token_type: "DPoP" }],
    ["token_type is a number", { token_type: 5 }],
  ]).map(([name, changes]) => ({
    name,
    arrange: { token: members(changes) },
    expect: { code: "provider_response_invalid", status: 200, requested: { token: 1 } },
  })),
  {
    name: "scope is an array",
    arrange: { token: members({ scope: ["openid"] }) },
    expect: signedIn,
    ours: OPTION,
  },
  ...Object.entries(USELESS).map(([what, token]) => ({
    name: `its answer ${what}`,
    arrange: { token },
    expect: {
      code: "provider_response_invalid",
      status: 200,
      retryable: false,
      requested: { token: 1 },
    },
  })),
  {
    name: "its answer is not UTF-8",
    arrange: {
      token: ({ json }) => ({
        body: Buffer.concat([
          Buffer.from(JSON.stringify(json).slice(0, -1)),
          Buffer.from(',"x":"\xff"}', "latin1"),
        ]),
      }),
    },
    expect: { code: "provider_response_invalid" },
  },
  .../** @type {const} */ ([
    [204, undefined, false],
    [401, CAPTIVE_PORTAL_HTML, false],
    [403, CAPTIVE_PORTAL_HTML, false],
    [429, "slow down", true],
    [500, CAPTIVE_PORTAL_HTML, true],
    [502, CAPTIVE_PORTAL_HTML, true],
    [503, "", true],
  ]).map(([status, body, retryable]) => ({
    name: `${status}, and nothing of OAuth`,
    arrange: { token: { status, body } },
    expect: { code: "provider_response_invalid", status, retryable, requested: { token: 1 } },
  })),
  {
    name: "500, with a whole token answer",
    arrange: { token: (answer) => ({ ...answer, status: 500 }) },
    expect: { code: "provider_response_invalid", status: 500 },
  },
  tokenError(400, { error: "invalid_grant", error_description: "the code of Pia Privat" }),
  tokenError(401, { error: "invalid_client" }),
  tokenError(429, { error: "temporarily_unavailable" }),
  tokenError(500, { error: "server_error" }),
  tokenError(200, { error: "invalid_grant" }),
  {
    name: "200, with an error beside the tokens",
    arrange: { token: members({ error: "invalid_grant" }) },
    expect: { code: "token_rejected", status: 200 },
  },
  {
    name: "400, with an error that is no string",
    arrange: { token: { status: 400, json: { error: { code: "invalid_grant" } } } },
    expect: { code: "provider_response_invalid", status: 400 },
  },
  {
    name: "400, with an error text of 100 KB",
    arrange: {
      token: {
        status: 400,
        json: { error: "invalid_grant", error_description: "a".repeat(100_000) },
      },
    },
    expect: { code: "token_rejected" },
  },
  ...[302, 307].map((status) => ({
    name: `${status} to another place, where the code must not go`,
    arrange: { token: { status, headers: { Location: "/elsewhere" }, body: "" } },
    expect: { code: "network", notRequested: ["other"] },
  })),
  {
    name: "it hangs",
    arrange: { config: IMPATIENT, token: { hang: true } },
    expect: { code: "timeout", retryable: true, requested: { token: 1 } },
  },
  {
    name: "its answer drips",
    arrange: { config: IMPATIENT, token: { drip: true } },
    expect: { code: "timeout", retryable: true },
  },
  {
    name: "its answer is 10 MiB large",
    arrange: {
      token: ({ json }) => ({ json: { ...json, more: "a".repeat(10 * MIB) } }),
    },
    expect: { code: "provider_response_invalid" },
  },
  {
    name: "the connection ends before an answer",
    arrange: { token: { reset: true } },
    // WebKitGTK takes what has come for the whole.
    expect:
      engine === "webkit"
        ? { code: "provider_response_invalid" }
        : { code: "network", retryable: true },
  },
  {
    name: "its answer is refused by CORS",
    arrange: { token: (answer) => ({ ...answer, cors: false }) },
    expect: { code: "network", retryable: true, message: /CORS/ },
  },
];
