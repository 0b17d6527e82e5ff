/**
 * A clock that a test can move, for pages: time goes on by itself, and jumps when told to.
 *
 * @module
 */

import { buildSync } from "esbuild";

let bundled;
function library() {
  bundled ??= buildSync({
    stdin: {
      contents:
        'import { install } from "@sinonjs/fake-timers"; window[Symbol.for("tests/install-clock")] = install;',
      resolveDir: new URL(".", import.meta.url).pathname,
    },
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    define: { global: "window" },
    // Only asked for if there is Node.
    external: ["util", "timers", "timers/promises", "perf_hooks"],
    logLevel: "error",
  }).outputFiles[0].text;
  return bundled;
}

/**
 * Puts a clock into a page, so many milliseconds ahead.
 *
 * @param {number} ahead
 */
export function clockScript(ahead) {
  return `${library()};
    window[Symbol.for("tests/clock")] ??= window[Symbol.for("tests/install-clock")]({
      now: Date.now() + ${ahead},
      shouldAdvanceTime: true,
      ignoreMissingTimers: true,
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
    });`;
}
