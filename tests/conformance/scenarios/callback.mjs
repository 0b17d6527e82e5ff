/**
 * Scenarios of the responses at the callback page (RFC 6749, 4.1.2; RFC 9207; `classlink.md`'s tables), once or several times, and
 * what a LaunchPad tile opens.
 *
 * @module
 */

import { addFrame } from "../../support/browser.mjs";
import { advanceClock } from "./device.mjs";
import { claims, OPTION, signedIn } from "./help.mjs";

/** @import { Expectation } from "../judge.mjs" */
/** @import { Scenario } from "../runner.mjs" */

/** The callback's parameters, changed; `undefined` takes one away. */
const parameters = (changes) => (url) => {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
};

/** More text at the end of the query. */
const appended = (text) => (url) => `${url.href}&${text}`;

/** Refused before anything was consumed or sent. @returns {Expectation} */
const untouched = (code, more) => ({
  code,
  leftInStorage: 1,
  notRequested: ["token"],
  ...more,
});

/** @type {Scenario[]} */
export const answers = [
  {
    name: "further parameters and a fragment stay in the address bar, the answer goes",
    arrange: { callbackUrl: (url) => `${url.href}&keep=1#part` },
    play: async (stage) => {
      const { status } = await stage.signIn();
      return { status, url: new URL(stage.page.url()).href.slice(stage.origin.length) };
    },
    expect: { answers: { status: "signed-in", url: "/callback?keep=1#part" } },
    ours: OPTION,
  },
  {
    name: "the page's history.state stays",
    play: async (stage) => {
      await stage.login();
      await stage.ask(`history.replaceState({ router: 5 }, "")`);
      await stage.callback();
      return stage.ask("history.state");
    },
    expect: { answers: { router: 5 } },
    ours: OPTION,
  },
  {
    name: "a code that was cut",
    arrange: { callbackUrl: parameters({ code: "abc" }) },
    expect: { code: "token_rejected", status: 400, requested: { token: 1 } },
  },
  ...[
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "unauthorized_client",
    "unsupported_response_type",
    "invalid_scope",
    "invalid_request",
    "server_error",
    "temporarily_unavailable",
  ].map((error) => ({
    name: `the provider answers ${error}`,
    arrange: {
      callbackUrl: parameters({
        code: undefined,
        error,
        error_description: "Pia Privat may not",
      }),
    },
    expect: {
      code: error,
      retryable: ["server_error", "temporarily_unavailable"].includes(error),
      notRequested: ["token"],
    },
  })),
  {
    name: "the user refuses at the provider",
    arrange: { refusal: { error: "access_denied", error_description: "Pia Privat refused" } },
    expect: { code: "access_denied", notRequested: ["token"] },
  },
  {
    name: "the provider responds with an unknown error",
    arrange: { callbackUrl: parameters({ code: undefined, error: "weird_error" }) },
    expect: { code: "provider_error", notRequested: ["token"] },
  },
  {
    name: "an error with an unknown state",
    arrange: {
      callbackUrl: parameters({ code: undefined, error: "access_denied", state: "unknown" }),
    },
    expect: untouched("access_denied"),
  },
  {
    name: "an error without a state",
    arrange: {
      callbackUrl: parameters({ code: undefined, error: "access_denied", state: undefined }),
    },
    expect: untouched("access_denied"),
  },
  {
    name: "an error of another issuer (iss)",
    arrange: {
      callbackUrl: parameters({
        code: undefined,
        error: "access_denied",
        iss: "https://evil.example",
      }),
    },
    expect: untouched("issuer_mismatch"),
  },
  ...Object.entries({
    "is unknown": (url) => parameters({ state: "a".repeat(43) })(url),
    "differs in its last letter": (url) => {
      const state = url.searchParams.get("state");
      url.searchParams.set("state", state.slice(0, -1) + (state.endsWith("A") ? "B" : "A"));
    },
    "is cut": (url) => url.searchParams.set("state", url.searchParams.get("state").slice(0, 20)),
    "has a space more": (url) => url.searchParams.set("state", `${url.searchParams.get("state")} `),
    "is no text (half a character)": (url) => url.href.replace(/state=[^&]*/, "state=%ED%A0%80"),
    "is a name that every object has": (url) => url.searchParams.set("state", "__proto__"),
  }).map(([what, callbackUrl]) => ({
    name: `the state ${what}`,
    arrange: { callbackUrl },
    expect: untouched("state_unknown"),
  })),
  {
    name: "the login is 61 minutes old",
    play: async (stage) => {
      await stage.login();
      await stage.ask(advanceClock(61 * 60));
      return stage.callback();
    },
    expect: untouched("state_unknown"),
    // The next login sweeps it, and the clock is right again.
    ours: OPTION,
  },
  {
    name: "the login is 59 minutes old",
    play: async (stage) => {
      await stage.login();
      await stage.ask(advanceClock(59 * 60));
      return stage.callback();
    },
    expect: signedIn,
  },
  ...Object.entries({
    "the code comes twice": "code=another",
    "the state comes twice": "state=another",
    "iss comes twice": "iss=https%3A%2F%2Fevil.example",
    "the code comes twice, once in another spelling": "c%6Fde=another",
    "an error beside the code": "error=access_denied",
    "response_type comes twice": "response_type=code&response_type=code",
  }).map(([name, text]) => ({
    name,
    arrange: { callbackUrl: appended(text) },
    expect: untouched("callback_malformed"),
  })),
  {
    name: "the code is empty",
    arrange: { callbackUrl: parameters({ code: "" }) },
    expect: untouched("callback_malformed"),
  },
  {
    name: "the error is empty",
    arrange: { callbackUrl: parameters({ code: undefined, error: "" }) },
    expect: untouched("callback_malformed"),
  },
  {
    name: "the answer is in the fragment",
    arrange: { callbackUrl: (url) => url.href.replace("?", "#") },
    expect: untouched("not_a_callback"),
    again: false,
    ours: "whether the answer is asked for in the query or in the fragment is each library's own choice",
  },
  {
    name: "neither a code nor an error: a visit by hand",
    play: async (stage) => {
      await stage.open("/callback");
      return stage.callback();
    },
    expect: { code: "not_a_callback" },
  },
  {
    name: "iss is another issuer's (RFC 9207: mix-up)",
    arrange: { callbackUrl: parameters({ iss: "https://evil.example" }) },
    expect: untouched("issuer_mismatch"),
  },
  {
    name: "iss has a slash more",
    arrange: {
      callbackUrl: (url) => url.searchParams.set("iss", `${url.searchParams.get("iss")}/`),
    },
    expect: untouched("issuer_mismatch"),
  },
  {
    name: "iss is empty",
    arrange: { callbackUrl: parameters({ iss: "" }) },
    expect: untouched("issuer_mismatch"),
  },
  {
    name: "iss is promised and missing",
    arrange: { callbackUrl: parameters({ iss: undefined }) },
    expect: untouched("issuer_mismatch"),
  },
  {
    name: "iss is not promised, and missing",
    arrange: {
      discovery: ({ json }) => {
        delete json.authorization_response_iss_parameter_supported;
      },
      callbackUrl: parameters({ iss: undefined }),
    },
    expect: signedIn,
  },
  {
    name: "iss is not promised, and another's",
    arrange: {
      discovery: ({ json }) => {
        delete json.authorization_response_iss_parameter_supported;
      },
      callbackUrl: parameters({ iss: "https://evil.example" }),
    },
    expect: untouched("issuer_mismatch"),
  },
];

/** Opens what a tile opens, and handles it. If that begins a login, it is back on the callback page afterwards. */
const launch = async (stage) => {
  await stage.open("/callback?code=the-tiles-code&response_type=code");
  const back = stage.arrival();
  back.catch(() => {});
  const answer = await stage.callback();
  if (answer.status === "redirecting") await back;
  return answer;
};

/** @type {Scenario[]} */
export const launches = [
  {
    name: "a code without a state is thrown away, and a login begun: once",
    play: async (stage) => {
      const first = await launch(stage);
      const { status, user } = await stage.callback();
      return { first: first.status, second: status, sub: user?.sub };
    },
    expect: {
      answers: { first: "redirecting", second: "signed-in", sub: "8708718" },
      requested: { authorization: 1, token: 1 },
      sent: { token: { code: /^(?!the-tiles-code$)/ } },
    },
    ours: "other libraries know no tiles: for them the next row is what counts",
  },
  {
    name: "a code without a state signs no user in by itself, and leaves the pending login alone",
    play: async (stage) => {
      await stage.login();
      const { status } = await launch(stage);
      return { signedIn: status === "signed-in" };
    },
    expect: {
      answers: { signedIn: false },
      notRequested: ["token"],
      leftInStorage: 2,
      leftBeside: ["classlink-spa.launch."],
      unhandled: true,
    },
  },
  {
    name: "the restart comes back without a state again: a loop ends",
    arrange: { callbackUrl: parameters({ state: undefined }) },
    play: async (stage) => {
      await launch(stage);
      return stage.callback();
    },
    expect: {
      code: "launch_loop",
      leftInStorage: 1,
      notRequested: ["token"],
      requested: { authorization: 1 },
    },
    ours: OPTION,
  },
  {
    name: "launches are rejected by configuration",
    arrange: { config: { launch: "reject" } },
    play: launch,
    expect: { code: "launch_rejected", notRequested: ["authorization", "token"] },
    ours: OPTION,
  },
  {
    name: "a launch inside a frame is not restarted",
    needsBrowser: true,
    play: async (stage) => {
      const frame = await addFrame(stage.page, "/callback?code=the-tiles-code");
      await frame.waitForFunction("window.rp !== undefined");
      const code = await frame.evaluate("rp.callback().then(() => 'none', (error) => error.code)");
      return { code };
    },
    expect: { answers: { code: "launch_rejected" }, notRequested: ["authorization", "token"] },
    ours: OPTION,
  },
];

/** @type {Scenario[]} */
export const several = [
  {
    name: "the callback is handled twice at once (StrictMode): one exchange, equal answers",
    play: async (stage) => {
      await stage.login();
      const both = await stage.ask(
        "Promise.all([rp.callback(), rp.callback()]).then((all) => all.map((one) => one.user.sub))",
      );
      return both.error ? { status: "refused", error: both.error } : both;
    },
    expect: { answers: ["8708718", "8708718"], requested: { token: 1 } },
  },
  {
    name: "the callback is handled again afterwards: equal answer, no exchange",
    play: async (stage) => {
      await stage.login();
      await stage.callback();
      return stage.callback();
    },
    expect: signedIn,
  },
  {
    name: "the callback page is reloaded after signing in: no exchange, a clear answer",
    play: async (stage) => {
      await stage.signIn();
      await stage.page.reload();
      await stage.page.waitForFunction("window.rp !== undefined");
      return stage.callback();
    },
    expect: { code: "not_a_callback", requested: { token: 1 } },
  },
  {
    name: "the callback's URL comes again from the history: its code is not sent again",
    play: async (stage) => {
      await stage.login();
      const url = stage.page.url();
      await stage.callback();
      await stage.open(url.slice(stage.origin.length));
      return stage.callback();
    },
    expect: { code: "state_unknown", requested: { token: 1 } },
  },
  {
    name: "back to the application's page, and signed in again from there",
    play: async (stage) => {
      await stage.signIn();
      await stage.page.goBack();
      await stage.page.waitForFunction("window.rp !== undefined");
      return stage.signIn();
    },
    expect: { signedIn: true, requested: { token: 2 } },
    freshPage: true,
  },
  {
    name: "two logins in one tab, and the first answer arrives",
    play: async (stage) => {
      await stage.login();
      const url = stage.page.url();
      await stage.open();
      await stage.login();
      await stage.open(url.slice(stage.origin.length));
      return stage.callback();
    },
    expect: { ...signedIn, leftInStorage: 1 },
  },
  {
    name: "two logins in one tab, and both answers arrive",
    play: async (stage) => {
      await stage.login();
      const first = stage.page.url();
      await stage.open();
      await stage.login();
      const second = stage.page.url();
      await stage.open(first.slice(stage.origin.length));
      await stage.callback();
      await stage.open(second.slice(stage.origin.length));
      return stage.callback();
    },
    expect: { signedIn: true, requested: { token: 2 } },
  },
  {
    name: "the code of one login under the state of another (RFC 9700, 4.5: injection)",
    play: async (stage) => {
      await stage.login();
      const code = new URL(stage.page.url()).searchParams.get("code");
      await stage.open();
      await stage.login();
      const url = new URL(stage.page.url());
      url.searchParams.set("code", code ?? "");
      await stage.open(url.href.slice(stage.origin.length));
      return stage.callback();
    },
    expect: { code: "token_rejected", leftInStorage: 1, requested: { token: 1 } },
  },
  {
    name: "another client on the page is asked first: it leaves the login alone",
    play: async (stage) => {
      await stage.login();
      const url = stage.page.url();
      const other = `rp.createClient({ ...rp.settings, clientId: "another" })`;
      const answer = await stage.ask(`${other}.handleCallback(${JSON.stringify(url)})`);
      const { status } = await stage.callback(url);
      return { other: answer.error?.code, ours: status };
    },
    expect: { answers: { other: "state_unknown", ours: "signed-in" }, requested: { token: 1 } },
    ours: OPTION,
  },
  {
    name: "getUser is asked while the callback is handled: it waits",
    play: async (stage) => {
      await stage.login();
      return stage.ask(
        "Promise.all([rp.callback(), rp.client.getUser()]).then((both) => both[1].sub)",
      );
    },
    expect: { answers: "8708718" },
    ours: OPTION,
  },
  {
    name: "the client is closed while it waits for the token endpoint",
    arrange: { token: { hang: true } },
    play: async (stage) => {
      await stage.login();
      const sent = stage.page.waitForRequest((request) => request.method() === "POST");
      const answer = stage.ask("rp.callback()");
      await sent;
      await stage.page.evaluate("rp.client.close()");
      return answer;
    },
    expect: { code: "client_closed" },
    again: false,
    ours: OPTION,
  },
  {
    name: "the .wasm fails to load on the callback page: the same response is accepted at the second try",
    play: async (stage) => {
      await stage.login();
      await stage.page
        .context()
        .route("**/*.wasm", (route) => route.abort("internetdisconnected"), { times: 1 });
      const first = await stage.callback();
      const { status } = await stage.callback();
      return { first: first.error?.code, second: status };
    },
    expect: {
      answers: { first: "wasm_unavailable", second: "signed-in" },
      requested: { authorization: 1, token: 1 },
    },
    freshPage: true,
    ours: OPTION,
  },
  {
    name: "a bad answer first: the good one still signs in",
    play: async (stage) => {
      await stage.login();
      const url = stage.page.url();
      await stage.open("/callback?code=evil&state=unknown");
      await stage.callback();
      await stage.open("/callback?error=access_denied&state=unknown");
      await stage.callback();
      await stage.open(url.slice(stage.origin.length));
      return stage.callback();
    },
    expect: signedIn,
  },
  {
    name: "the answer arrives in another tab",
    play: async (stage) => {
      await stage.login();
      const url = stage.page.url();
      const other = await stage.page.context().newPage();
      await other.goto(url);
      await other.waitForFunction("window.rp !== undefined");
      const code = await other.evaluate(
        "rp.callback().then(({ status }) => status, (error) => error.code ?? 'refused')",
      );
      await other.close();
      const { status } = await stage.callback();
      return { other: code, here: status };
    },
    expect: {
      answers: { other: "state_unknown", here: "signed-in" },
      requested: { token: 1 },
    },
    ours: "a library that keeps its pending logins in localStorage may let either tab go on",
  },
  {
    name: "another user signs in afterwards: nothing of the first shows",
    play: async (stage) => {
      await stage.signIn();
      stage.provider.bent = {
        idToken: claims({ sub: "9120045", name: "Paul", email: undefined }),
      };
      const { user } = await stage.signIn();
      return { sub: user?.sub, name: user?.name, email: user?.email ?? null };
    },
    expect: { answers: { sub: "9120045", name: "Paul", email: null } },
  },
  {
    name: "a forged link signs no user out",
    play: async (stage) => {
      await stage.signIn();
      const answer = await stage.callback(`${stage.origin}/callback?code=evil&state=unknown`);
      const user = await stage.ask("rp.client.getUser()");
      return { code: answer.error?.code, sub: user?.sub };
    },
    expect: { answers: { code: "state_unknown", sub: "8708718" }, requested: { token: 1 } },
    ours: OPTION,
  },
];
