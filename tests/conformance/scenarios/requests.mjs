/**
 * Scenarios of the requests that leave the browser (RFC 9700; RFC 7636; OAuth 2.0 for Browser-Based Applications), and where users may be sent.
 *
 * @module
 */

import { OPTION, signedIn } from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

/** @type {Scenario[]} */
export const requests = [
  {
    name: "the authorization request: code alone, S256, state and nonce of 256 bits",
    expect: {
      ...signedIn,
      sent: {
        authorization: {
          response_type: "code",
          client_id: "conformance",
          scope: "openid profile",
          code_challenge_method: "S256",
          code_challenge: /^[\w-]{43}$/,
          state: /^[\w-]{43}$/,
          nonce: /^[\w-]{43}$/,
          client_secret: undefined,
          code_verifier: undefined,
          request: undefined,
        },
      },
    },
    ours: OPTION,
  },
  {
    name: "the token request: the verifier, the redirect URI again, no cookie, no referrer, no secret",
    expect: {
      ...signedIn,
      sent: {
        token: {
          grant_type: "authorization_code",
          client_id: "conformance",
          code_verifier: /^[\w-]{43,128}$/,
          redirect_uri: /^http:\/\/localhost:\d+\/callback$/,
          client_secret: undefined,
        },
      },
      headers: {
        token: {
          cookie: undefined,
          referer: undefined,
          authorization: undefined,
          "content-type": /^application\/x-www-form-urlencoded/,
        },
        jwks: { cookie: undefined, referer: undefined, authorization: undefined },
        discovery: { cookie: undefined, referer: undefined, authorization: undefined },
      },
    },
    ours: OPTION,
  },
  {
    name: "state, nonce and challenge are new for each login",
    play: async (stage) => {
      for (const _ of [1, 2, 3]) await stage.signIn();
      const asked = stage.provider.requests.filter(({ endpoint }) => endpoint === "authorization");
      const count = (name) => new Set(asked.map(({ parameters }) => parameters[name])).size;
      return [count("state"), count("nonce"), count("code_challenge")];
    },
    expect: { answers: [3, 3, 3] },
  },
  {
    name: "prompt, login_hint, ui_locales, acr_values and further parameters are passed on",
    arrange: {
      login: {
        prompt: "login",
        loginHint: "pia",
        uiLocales: ["es", "en"],
        acrValues: "mfa",
        extraParams: { district: "2284" },
      },
    },
    expect: {
      ...signedIn,
      sent: {
        authorization: {
          prompt: "login",
          login_hint: "pia",
          ui_locales: "es en",
          acr_values: "mfa",
          district: "2284",
        },
      },
    },
    ours: OPTION,
  },
  ...[
    "state",
    "nonce",
    "code_challenge",
    "client_id",
    "redirect_uri",
    "response_mode",
    "request",
  ].map((name) => ({
    name: `extraParams may not name ${name}`,
    arrange: { login: { extraParams: { [name]: "x" } } },
    expect: { code: "config_invalid", notRequested: ["authorization"] },
    ours: OPTION,
  })),
  {
    name: "returnTo and appState come back",
    arrange: { login: { returnTo: "/shelf?page=2#b", appState: { cart: [1, null] } } },
    expect: { ...signedIn, returnTo: "/shelf?page=2#b", appState: { cart: [1, null] } },
    ours: OPTION,
  },
  ...[
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "blob:https://evil.example/1",
    "https://user@evil.example",
    "/x/..//evil.example",
  ].map((returnTo) => ({
    name: `returnTo is ${JSON.stringify(returnTo)}`,
    arrange: { login: { returnTo } },
    expect: { code: "config_invalid", notRequested: ["authorization"] },
    ours: OPTION,
  })),
  {
    name: "returnTo was changed in storage, to another origin: home it is",
    play: async (stage) => {
      await stage.login();
      await stage.ask(`(() => {
        for (const [key, text] of Object.entries({ ...sessionStorage })) {
          sessionStorage[key] = text.replace('"return_to":"/"', '"return_to":"//evil.example"');
        }
      })()`);
      return stage.callback();
    },
    expect: { ...signedIn, returnTo: "/" },
    ours: OPTION,
  },
  {
    name: "the pending login's token endpoint was changed in storage, to http",
    play: async (stage) => {
      await stage.login();
      await stage.ask(`(() => {
        for (const [key, text] of Object.entries({ ...sessionStorage })) {
          sessionStorage[key] = text.replace(/http:[^"]*\\/token/, "http://op.example/token");
        }
      })()`);
      return stage.callback();
    },
    expect: { code: "state_unknown", notRequested: ["token"], leftInStorage: 1 },
    ours: OPTION,
  },
  {
    name: "the pending login was broken in storage",
    play: async (stage) => {
      await stage.login();
      await stage.ask(`(() => {
        for (const key of Object.keys({ ...sessionStorage })) sessionStorage[key] = "{";
      })()`);
      return stage.callback();
    },
    expect: { code: "state_unknown", notRequested: ["token"], leftInStorage: 1 },
    ours: OPTION,
  },
];
