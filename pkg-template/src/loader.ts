/**
 * Loads the WebAssembly, once per page for all clients, and starts it afresh after a panic.
 *
 * @packageDocumentation
 */

import type { Glue } from "./core.js";
import { ClassLinkError, isClassLinkError } from "./errors.js";

/** Fetches or reads the module: each entry point has its own way. */
export type Source = (wasmUrl: string | URL | undefined) => Promise<Response | BufferSource>;

/** The WebAssembly of this page. */
export interface Runtime {
  /**
   * Loads what isn't loaded; concurrent calls share one load, and a failed one is forgotten. The first call's
   * `wasmUrl` counts.
   *
   * @throws {@link ClassLinkError} `wasm_unavailable`, `internal`.
   */
  load(wasmUrl: string | URL | undefined): Promise<Glue>;
  /** Told when the WebAssembly has panicked, once its stack has unwound: all that it made is dead. */
  readonly clients: Set<(error: ClassLinkError) => void>;
  /** Declares the running instance dead. */
  panicked(message: string): void;
}

/** The runtime that one entry point's clients share. */
export function createRuntime(glue: Glue, source: Source): Runtime {
  let loading: Promise<Glue> | undefined;
  let dead = false;

  const start = async (wasmUrl: string | URL | undefined): Promise<Glue> => {
    if (dead) {
      // By now the stack on which it panicked has unwound.
      await null;
      glue.reset();
    } else {
      await compile(glue, source, wasmUrl);
    }
    glue.setPanicListener(runtime.panicked);
    dead = false;
    return glue;
  };

  const runtime: Runtime = {
    clients: new Set(),
    load(wasmUrl) {
      if (!loading) {
        const attempt = start(wasmUrl).catch((cause) => {
          if (loading === attempt) loading = undefined;
          throw isClassLinkError(cause) ? cause : broken("", cause);
        });
        loading = attempt;
      }
      return loading;
    },
    panicked(message) {
      if (dead) return;
      dead = true;
      loading = undefined;
      // A panic's own words may hold anything; where it happened may be told.
      const error = broken(/[\w./-]+\.rs(:\d+)*/.exec(message)?.[0] ?? "");
      queueMicrotask(() => {
        for (const tell of [...runtime.clients]) tell(error);
        // At once, so that nothing of the dead instance goes on working; the next caller hears of a failure.
        runtime.load(undefined).catch(() => {});
      });
    },
  };
  return runtime;
}

/** The error for a defect of this package. */
export function broken(where: string, cause?: unknown): ClassLinkError {
  return new ClassLinkError({
    code: "internal",
    message: `A defect of classlink-spa${where && ` (at ${where})`}: please report it.`,
    cause,
  });
}

async function compile(
  glue: Glue,
  source: Source,
  wasmUrl: string | URL | undefined,
): Promise<void> {
  let type = "";
  try {
    if (typeof WebAssembly !== "object")
      throw unavailable("this browser has no WebAssembly, or it is switched off");
    const module = await source(wasmUrl);
    if ("headers" in module) type = module.headers.get("content-type") ?? "none";
    await glue.init({ module_or_path: module });
  } catch (cause) {
    if (isClassLinkError(cause)) throw cause;
    const text = String(cause);
    if (/content.security|\bcsp\b|unsafe-eval/i.test(text)) {
      throw unavailable(
        "the page's Content Security Policy forbids it; add 'wasm-unsafe-eval' to script-src",
        cause,
      );
    }
    // Browsers say CompileError or LinkError of a wrong file. A network's own log-in page is one, so it may pass.
    throw unavailable(
      /(Compile|Link)Error/.test(text)
        ? `what came isn't this version's .wasm file${type && ` (its MIME type: ${type})`}; serve that as application/wasm, or import "classlink-spa/inline"`
        : "the network failed while it was loading",
      cause,
      true,
    );
  }
}

function unavailable(why: string, cause?: unknown, retryable = false): ClassLinkError {
  return new ClassLinkError({
    code: "wasm_unavailable",
    message: `The WebAssembly of classlink-spa couldn't be loaded: ${why}.`,
    retryable,
    cause,
  });
}

/** Fetches the module from `url`. */
export async function fetchModule(url: string | URL): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw unavailable(
      "the network is down, or the page's Content Security Policy (connect-src) or the other origin's CORS forbids the request",
      cause,
      true,
    );
  }
  if (!response.ok) {
    throw unavailable(
      `the server answered ${response.status}; put classlink_spa_bg.wasm where the page looks for it, name its place in \`wasmUrl\`, or import "classlink-spa/inline"`,
      undefined,
      response.status >= 500,
    );
  }
  return response;
}
