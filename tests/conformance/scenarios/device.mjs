/**
 * The device: its clock, its storage, its browser.
 *
 * @module
 */

import { KEYS } from "../keys.mjs";
import { claims, DAY, HOUR, IMPATIENT, inSeconds, MINUTE, OPTION, signedIn } from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

/** A script after which the page's clock is ahead, by seconds. The monotonic clock stays as it is. */
export const advanceClock = (seconds) => `(() => {
  const { now } = Date;
  const ahead = () => now() + ${seconds * 1000};
  globalThis.Date = new Proxy(Date, {
    construct: (target, given, self) => Reflect.construct(target, given.length ? given : [ahead()], self),
    apply: (target) => String(new target(ahead())),
    get: (target, name) => (name === "now" ? ahead : Reflect.get(target, name)),
  });
})()`;

const YEAR = 365 * DAY;

const SKEWS = /** @type {const} */ ([
  ["2 minutes", 2 * MINUTE],
  ["11 minutes", 11 * MINUTE],
  ["26 hours", 26 * HOUR],
  ["a year", YEAR],
]).flatMap(([words, seconds]) => [
  /** @type {const} */ ([`${words} fast`, seconds]),
  /** @type {const} */ ([`${words} slow`, -seconds]),
]);

/** The claims of an ID token that was issued 25 hours ago and expired an hour ago. */
const expired = claims(() => ({ iat: inSeconds(-25 * HOUR), exp: inSeconds(-HOUR) }));

/** Which check a wrong clock fails first. The honest token lives a day. */
const firstFailure = (ahead) =>
  ahead > DAY ? "expired" : ahead < 0 ? "issued_in_future" : undefined;

/** @type {Scenario[]} */
export const clocks = [
  ...SKEWS.map(([words, ahead]) => ({
    name: `the clock is ${words}`,
    arrange: { initScript: advanceClock(ahead) },
    expect: signedIn,
  })),
  ...SKEWS.map(([words, ahead]) => ({
    name: `the clock is ${words}, and the token expired an hour ago`,
    arrange: { initScript: advanceClock(ahead), idToken: expired },
    expect: {
      code: "id_token_invalid",
      reason: "expired",
      clockOffset: ahead,
    },
  })),
  ...SKEWS.filter(([, ahead]) => firstFailure(ahead)).map(([words, ahead]) => ({
    name: `the clock is ${words}, and the application's origin tells no time`,
    arrange: { initScript: advanceClock(ahead), app: { head: { date: null } } },
    expect: { code: "id_token_invalid", reason: firstFailure(ahead) },
    ours: OPTION,
  })),
  {
    name: "the clock is 11 minutes fast, and tokens live ten minutes",
    arrange: {
      initScript: advanceClock(11 * MINUTE),
      idToken: claims(() => ({ exp: inSeconds(10 * MINUTE) })),
    },
    expect: signedIn,
  },
  {
    name: "the clock is right, the token expired an hour ago, and the origin tells no time",
    arrange: { app: { head: { date: null } }, idToken: expired },
    expect: { code: "id_token_invalid", reason: "expired" },
  },
  {
    name: "the clock is 26 hours fast, and the time comes from a cache of a day ago (Age)",
    arrange: {
      initScript: advanceClock(26 * HOUR),
      app: {
        head: {
          get date() {
            return new Date(Date.now() - DAY * 1000);
          },
          age: DAY,
        },
      },
    },
    expect: signedIn,
    ours: OPTION,
  },
  {
    name: "the clock is 26 hours fast, and the origin says nonsense for a time",
    arrange: {
      initScript: advanceClock(26 * HOUR),
      context: (context) =>
        context.route("**/callback", (route) =>
          route.request().method() === "HEAD"
            ? route.fulfill({ status: 200, headers: { Date: "soon" } })
            : route.fallback(),
        ),
    },
    expect: { code: "id_token_invalid", reason: "expired" },
    ours: OPTION,
  },
  {
    name: "the clock is 26 hours fast, and the origin does not answer",
    arrange: {
      initScript: advanceClock(26 * HOUR),
      config: IMPATIENT,
      context: (context) =>
        context.route("**/callback", (route) =>
          route.request().method() === "HEAD" ? undefined : route.fallback(),
        ),
    },
    expect: { code: "id_token_invalid", reason: "expired" },
    ours: OPTION,
  },
  {
    name: "the clock is 11 minutes slow, and the signature is foreign: no clock mends that",
    arrange: {
      initScript: advanceClock(-11 * MINUTE),
      idToken: (token) => {
        token.key = KEYS.foreign;
      },
    },
    expect: { code: "id_token_invalid", reason: "signature" },
  },
  {
    name: "the clock is set back by two hours while the user looks for the password",
    play: async (stage) => {
      await stage.login();
      await stage.ask(advanceClock(-2 * HOUR));
      return stage.callback();
    },
    expect: signedIn,
  },
  {
    name: "the clock is 26 hours fast, max_age was asked for, and the user has just signed in",
    arrange: { initScript: advanceClock(26 * HOUR), login: { maxAge: 600 } },
    expect: signedIn,
    ours: OPTION,
  },
];

/** @type {Scenario[]} */
const storages = [
  {
    name: "sessionStorage throws when it is looked at",
    arrange: {
      initScript: `Object.defineProperty(window, "sessionStorage", {
        get() { throw new DOMException("denied", "SecurityError"); },
      });`,
    },
    expect: { code: "storage_unavailable", notRequested: ["authorization"] },
  },
  {
    name: "sessionStorage is null",
    arrange: {
      initScript: `Object.defineProperty(window, "sessionStorage", { value: null });`,
    },
    expect: { code: "storage_unavailable", notRequested: ["authorization"] },
  },
  {
    name: "sessionStorage refuses writing: it is full",
    arrange: {
      initScript: `Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };`,
    },
    expect: { code: "storage_unavailable", notRequested: ["authorization"] },
  },
  {
    name: "sessionStorage is really full",
    play: async (stage) => {
      await stage.ask(`(() => {
        for (let size = 5_000_000; size >= 1; size = Math.floor(size / 2)) {
          try {
            for (let i = 0; ; i++) sessionStorage.setItem("filler" + size + "/" + i, "x".repeat(size));
          } catch {}
        }
      })()`);
      const answer = await stage.login();
      await stage.ask("sessionStorage.clear()");
      return answer;
    },
    expect: { code: "storage_unavailable", notRequested: ["authorization"] },
  },
  {
    name: "sessionStorage refuses reading",
    arrange: {
      initScript: `Storage.prototype.getItem = () => {
        throw new DOMException("denied", "SecurityError");
      };`,
    },
    play: async (stage) => {
      const left = await stage.login();
      return left ?? stage.callback();
    },
    expect: { code: "storage_unavailable", notRequested: ["token"], leftInStorage: 1 },
  },
  {
    name: "sessionStorage refuses removing: the code is not sent",
    arrange: {
      initScript: `Storage.prototype.removeItem = () => {
        throw new DOMException("denied", "SecurityError");
      };`,
    },
    expect: { code: "storage_unavailable", notRequested: ["token"], leftInStorage: 1 },
    ours: OPTION,
  },
  {
    name: "appState is larger than the storage",
    play: (stage) => stage.ask(`rp.login({ appState: "x".repeat(6_000_000) })`),
    expect: { code: "storage_unavailable", notRequested: ["authorization"] },
    ours: OPTION,
  },
];

/** @type {Scenario[]} Where else a library keeps its pending logins is its own choice. */
export const storage = storages.map((scenario) => ({ ...scenario, ours: OPTION }));

/** Every page of the application under a name that is not a loopback host, by http. */
const insecure = {
  origin: "http://app.test",
  context: (context, app) =>
    context.route("http://app.test/**", async (route) => {
      const url = route.request().url().replace("http://app.test", app.origin);
      await route.fulfill({ response: await route.fetch({ url }) });
    }),
};

/** @type {Scenario[]} */
export const pages = [
  {
    name: "the page is no secure context",
    arrange: { ...insecure, config: { redirectUri: "https://app.test/callback" } },
    expect: { code: "environment_unsupported", notRequested: ["authorization"] },
    again: false,
  },
  {
    name: "there is no crypto.subtle",
    arrange: {
      initScript: `Object.defineProperty(Crypto.prototype, "subtle", { value: undefined });`,
    },
    expect: { code: "environment_unsupported", notRequested: ["authorization"] },
  },
  {
    name: "the Content Security Policy lacks 'wasm-unsafe-eval'",
    arrange: {
      app: { headers: { "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" } },
    },
    expect: { code: "wasm_unavailable", message: /wasm-unsafe-eval/, retryable: false },
    again: "reload",
    ours: "no other library is WebAssembly",
  },
  {
    name: "the Content Security Policy is strict and has 'wasm-unsafe-eval'",
    arrange: {
      app: {
        headers: {
          "Content-Security-Policy":
            "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self' http://localhost:*; require-trusted-types-for 'script'",
        },
      },
    },
    expect: signedIn,
  },
  {
    name: "the Content Security Policy forbids the provider (connect-src)",
    arrange: {
      app: {
        headers: {
          "Content-Security-Policy":
            "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self'",
        },
      },
    },
    expect: { code: "network", message: /connect-src/, notRequested: ["discovery"] },
    again: "reload",
  },
  {
    name: "the .wasm is missing",
    arrange: { app: { wasm: "missing" } },
    expect: { code: "wasm_unavailable", message: /404/, retryable: false },
    ours: "no other library is WebAssembly",
  },
  {
    name: "the .wasm fails once (503)",
    arrange: { app: { wasm: "fail-once" } },
    expect: { code: "wasm_unavailable", message: /503/, retryable: true },
    ours: "no other library is WebAssembly",
  },
  {
    name: "the .wasm has a wrong MIME type: it loads all the same",
    arrange: { app: { wasm: "wrong-type" } },
    expect: signedIn,
    ours: "no other library is WebAssembly",
  },
  {
    name: "the .wasm is a page of HTML",
    arrange: {
      context: (context) =>
        context.route(
          "**/*.wasm",
          (route) =>
            route.fulfill({ status: 200, contentType: "text/html", body: "<!doctype html>" }),
          { times: 1 },
        ),
    },
    expect: { code: "wasm_unavailable", message: /MIME type/, retryable: true },
    ours: "no other library is WebAssembly",
  },
  {
    name: "the .wasm can't be reached, once",
    arrange: {
      context: (context) =>
        context.route("**/*.wasm", (route) => route.abort("internetdisconnected"), { times: 1 }),
    },
    expect: { code: "wasm_unavailable", message: /network/, retryable: true },
    ours: "no other library is WebAssembly",
  },
  {
    name: "there is no WebAssembly",
    arrange: { initScript: "delete globalThis.WebAssembly;" },
    expect: { code: "wasm_unavailable", notRequested: ["authorization"] },
    ours: "no other library is WebAssembly",
  },
  {
    name: "the network is down",
    arrange: {
      context: (context) => {
        let down = true;
        return context.route("**/.well-known/**", (route) => {
          const now = down;
          down = false;
          return now ? route.abort("internetdisconnected") : route.fallback();
        });
      },
    },
    expect: { code: "network", retryable: true },
  },
  {
    name: "the page has patched fetch to reject with nothing",
    arrange: { initScript: "window.fetch = () => Promise.reject();" },
    expect: { code: "wasm_unavailable" },
    ours: OPTION,
  },
  {
    name: "the page has patched fetch to answer with what is no Response",
    arrange: {
      initScript: `const { fetch } = window;
        window.fetch = (input, init) =>
          String(input?.url ?? input).includes(".wasm") ? fetch(input, init) : Promise.resolve({ ok: true });`,
    },
    expect: { code: "network" },
    ours: OPTION,
  },
  {
    name: "the application's own navigation fails",
    arrange: { navigate: "() => { throw new Error('no'); }" },
    expect: { code: "config_invalid", notRequested: ["authorization"] },
    again: false,
    ours: OPTION,
  },
];
