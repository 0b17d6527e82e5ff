/**
 * The provider's metadata (OpenID Connect Discovery 1.0).
 *
 * @module
 */

import {
  CAPTIVE_PORTAL_HTML,
  IMPATIENT,
  MIB,
  members,
  OPTION,
  signedIn,
  USELESS,
} from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

/** @type {Scenario[]} */
export const discovery = [
  { name: "the issuer has a path", arrange: { issuerPath: "/districts/2284" }, expect: signedIn },
  { name: "the issuer ends with a slash", arrange: { issuerPath: "/" }, expect: signedIn },
  {
    name: "every endpoint is configured: nothing is discovered",
    arrange: {
      config: ({ origin }) => ({
        metadata: {
          authorization_endpoint: `${origin}/auth`,
          token_endpoint: `${origin}/token`,
          jwks_uri: `${origin}/jwks`,
        },
      }),
    },
    expect: { ...signedIn, notRequested: ["discovery"] },
    ours: OPTION,
  },
  {
    name: "the document has unknown members, and known ones of wrong types that are not needed",
    arrange: {
      discovery: members({
        end_session_endpoint: 5,
        scopes_supported: "openid",
        mtls_endpoint_aliases: { token_endpoint: "https://evil.example" },
        constructor: {},
      }),
    },
    expect: signedIn,
  },
  {
    name: "PKCE methods are not advertised: a challenge is sent all the same",
    arrange: { discovery: members({ code_challenge_methods_supported: undefined }) },
    expect: { ...signedIn, sent: { authorization: { code_challenge_method: "S256" } } },
  },
  {
    name: "the authorization endpoint has a query of its own (RFC 6749, 3.1)",
    arrange: {
      discovery: (answer) => {
        answer.json.authorization_endpoint += "?tenant=1";
      },
    },
    expect: { ...signedIn, sent: { authorization: { tenant: "1", response_type: "code" } } },
  },
  ...Object.entries({
    "another's": "https://evil.example",
    missing: undefined,
    "a number": 5,
  }).map(([what, issuer]) => ({
    name: `the document's issuer is ${what}`,
    arrange: { discovery: members({ issuer }) },
    expect: { code: "discovery_invalid", notRequested: ["authorization"] },
  })),
  {
    name: "the document's issuer has a slash more",
    arrange: {
      discovery: (answer) => {
        answer.json.issuer += "/";
      },
    },
    expect: { code: "discovery_invalid", notRequested: ["authorization"] },
  },
  ...["authorization_endpoint", "token_endpoint", "jwks_uri"].flatMap((name) =>
    Object.entries({
      "is missing": undefined,
      "is a number": 5,
      "is null": null,
      "is empty": "",
      "is http, and not on this device": "http://op.example/endpoint",
      "is relative": "/endpoint",
      "is javascript:": "javascript:alert(1)",
      "carries a password": "https://user:password@op.example/endpoint",
    }).map(([what, value]) => ({
      name: `${name} ${what}`,
      arrange: { discovery: members({ [name]: value }) },
      expect: { code: "discovery_invalid", notRequested: ["authorization"] },
    })),
  ),
  {
    name: "the advertised algorithms are a string",
    arrange: { discovery: members({ id_token_signing_alg_values_supported: "RS256" }) },
    expect: { code: "discovery_invalid" },
  },
  {
    name: "the promise of iss is a string",
    arrange: { discovery: members({ authorization_response_iss_parameter_supported: "true" }) },
    expect: { code: "discovery_invalid" },
  },
  {
    name: "UserInfo is wanted, and the document has none",
    arrange: {
      config: { profile: "userinfo" },
      discovery: members({ userinfo_endpoint: undefined }),
    },
    expect: { code: "discovery_invalid" },
    ours: OPTION,
  },
  ...Object.entries(USELESS).map(([what, answer]) => ({
    name: `the document ${what}`,
    arrange: { discovery: answer },
    expect: { code: "discovery_invalid", notRequested: ["authorization"] },
  })),
  ...[404, 500].map((status) => ({
    name: `the document's answer is ${status}`,
    arrange: { discovery: { status, body: CAPTIVE_PORTAL_HTML } },
    expect: { code: "discovery_invalid", status, retryable: status === 500 },
  })),
  {
    name: "the document hangs",
    arrange: { config: IMPATIENT, discovery: { hang: true } },
    expect: { code: "timeout", retryable: true },
  },
  {
    name: "the document is 2 MiB large",
    arrange: { discovery: ({ json }) => ({ json: { ...json, more: "a".repeat(2 * MIB) } }) },
    expect: { code: "provider_response_invalid" },
  },
  {
    name: "the document's answer is a redirect",
    arrange: { discovery: { status: 302, headers: { Location: "/elsewhere" }, body: "" } },
    expect: { code: "network", notRequested: ["other", "authorization"] },
  },
  {
    name: "the document's answer is refused by CORS",
    arrange: { discovery: (answer) => ({ ...answer, cors: false }) },
    expect: { code: "network", message: /CORS/ },
  },
];
