/**
 * The script that runs in every page before its own: WebDriver's classic protocol has neither init scripts nor events, so
 * the proxy puts a script at the start of every document, and the script tells the proxy.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Where a page's script reaches the proxy: at its own origin, which no server ever receives. */
export const CHANNEL = "/.webdriver-channel";

/** Under which symbol a page keeps what the tests' own machinery needs. */
export const KEPT = "tests/support/webdriver";

/**
 * The script itself, as text for {@link withStart}.
 *
 * @param {string} channel
 * @param {string} kept
 */
function pageStart(channel, kept) {
  // As they are now: a test may replace them.
  const { XMLHttpRequest: Request } = window;
  const stringify = JSON.stringify.bind(JSON);
  const parse = JSON.parse.bind(JSON);
  const wait = setTimeout.bind(window);
  const ask = fetch.bind(window);

  /** At once and in order, whatever the page does next: even if that is to close. */
  const tell = (message) => {
    const request = new Request();
    request.open("POST", channel, false);
    try {
      request.send(stringify(message));
      return parse(request.responseText || "{}");
    } catch {
      // A page that is being left may not wait.
      navigator.sendBeacon(channel, stringify(message));
      return {};
    }
  };
  const worded = (value) => {
    if (typeof value === "string" || value instanceof Error) return String(value);
    try {
      return stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  };
  const place = { id: Math.random(), start: location.href };
  Object.defineProperty(window, Symbol.for(kept), {
    value: {
      wait,
      // Nothing that another script finds: tests look for secrets in every value.
      place: () => place,
      expose(name) {
        /** @type {any} */ (window)[name] = (...args) => {
          const { value, pending } = tell({ kind: "call", name, args });
          if (pending === undefined) return Promise.resolve(value);
          return ask(`${channel}?${pending}`)
            .then((response) => response.json())
            .then((answer) => answer.value);
        };
      },
    },
  });

  for (const [type, name] of Object.entries({
    log: "log",
    info: "info",
    warn: "warning",
    error: "error",
    debug: "debug",
    trace: "trace",
  })) {
    const platform = console[type];
    console[type] = (...args) => {
      tell({ kind: "console", type: name, text: args.map(worded).join(" ") });
      return platform.apply(console, args);
    };
  }
  const uncaught = (error) =>
    tell({
      kind: "error",
      name: error?.name,
      message: error instanceof Error ? error.message : worded(error),
      stack: error?.stack,
    });
  addEventListener("error", (event) => {
    if (event.target === window) uncaught(event.error ?? event.message);
  });
  addEventListener("unhandledrejection", (event) => uncaught(event.reason));
  // No window manager gives the focus: as with Playwright, every page has it.
  Document.prototype.hasFocus = () => true;
  document.currentScript?.remove();
}

/**
 * The script for one document.
 *
 * @param {{ exposed: Iterable<string>, scripts: readonly string[] }} what Names of functions that the tests answer, and
 * the tests' own init scripts.
 */
export function startScript({ exposed, scripts }) {
  return [
    `(${pageStart})(${JSON.stringify(CHANNEL)}, ${JSON.stringify(KEPT)});`,
    ...[...exposed].map(exposeScript),
    ...scripts.map((script) => `try { ${script}\n } catch (error) { console.error(error); }`),
  ]
    .join("\n")
    .replaceAll("</script", "<\\/script");
}

/** Gives a page a function that the tests answer. @param {string} name */
export function exposeScript(name) {
  return `window[Symbol.for(${JSON.stringify(KEPT)})]?.expose(${JSON.stringify(name)});`;
}

/**
 * A document with a script at its start. The doctype stays first: without it the page would be another.
 *
 * @param {string} html
 * @param {string} script
 */
export function withStart(html, script) {
  const [doctype] = /^\s*<!doctype[^>]*>/i.exec(html) ?? [""];
  return `${doctype}<script>${script}</script>${html.slice(doctype.length)}`;
}

/**
 * A Content-Security-Policy under which that one script may run and tell the proxy, and which is otherwise what it was.
 *
 * @param {string} policy
 * @param {string} script
 * @param {string} origin The document's.
 */
export function allowing(policy, script, origin) {
  const hash = `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  return policy
    .split(",")
    .map((one) => {
      const directives = new Map(
        one
          .split(";")
          .map((text) => text.trim().split(/\s+/))
          .filter(([name]) => name)
          .map(([name, ...sources]) => [name.toLowerCase(), sources]),
      );
      const fallback = directives.get("default-src");
      const add = (name, source) => {
        const sources = directives.get(name) ?? fallback;
        if (!sources) return;
        directives.set(name, [...sources.filter((text) => text !== "'none'"), source]);
      };
      const scripts = directives.get("script-src-elem") ?? directives.get("script-src") ?? fallback;
      // Beside a hash or a nonce, 'unsafe-inline' would mean nothing any more.
      const anyInline =
        scripts?.includes("'unsafe-inline'") &&
        !scripts.some((text) => /^'(sha|nonce-)/.test(text));
      if (!anyInline) {
        add(directives.has("script-src-elem") ? "script-src-elem" : "script-src", hash);
      }
      add("connect-src", origin + CHANNEL);
      return [...directives].map(([name, sources]) => [name, ...sources].join(" ")).join("; ");
    })
    .join(", ");
}
