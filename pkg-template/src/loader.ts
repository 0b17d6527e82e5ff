/**
 * Loads the WebAssembly, once per page for all clients, and starts it again after a panic.
 *
 * @packageDocumentation
 */

import type { Glue } from "./core.js";
import { ClassLinkError, isClassLinkError } from "./errors.js";

/** Fetches or reads the module: each entry point has its own way. `init` ends a request that takes too long. */
export type Source = (
  wasmUrl: string | URL | undefined,
  init: RequestInit,
) => Promise<Response | BufferSource>;

/** The WebAssembly of this page. */
export interface Runtime {
  /**
   * Loads what isn't loaded; concurrent calls share one load, and a failed one is forgotten. The first call's
   * `wasmUrl` and `timeout` (milliseconds) count.
   *
   * @throws {@link ClassLinkError} `wasm_unavailable`, `internal`.
   */
  load(wasmUrl: string | URL | undefined, timeout: number | undefined): Promise<Glue>;
  /** Told when the WebAssembly has panicked, once its stack has unwound: all that it made is dead. */
  readonly clients: Set<(error: ClassLinkError) => void>;
  /** Declares the running instance dead. */
  panicked(): void;
}

/** The runtime that one entry point's clients share. */
export function createRuntime(glue: Glue, source: Source): Runtime {
  let loading: Promise<Glue> | undefined;
  let dead = false;
  let cache: RequestCache = "default";

  const start = async (wasmUrl: string | URL | undefined, timeout = 10_000): Promise<Glue> => {
    if (dead) {
      // By now the stack on which it panicked has unwound.
      await null;
      glue.reset();
    } else {
      const init = { cache, signal: AbortSignal.timeout(timeout) };
      // Another time past the cache, which may hold what a network answered in the server's place.
      cache = "reload";
      await compile(glue, () => source(wasmUrl, init));
    }
    glue.setPanicListener(runtime.panicked);
    dead = false;
    return glue;
  };

  const runtime: Runtime = {
    clients: new Set(),
    load(wasmUrl, timeout) {
      if (!loading) {
        const attempt = start(wasmUrl, timeout);
        loading = attempt;
        attempt.catch(() => {
          if (loading === attempt) loading = undefined;
        });
      }
      // Callers share the load, not the error: each client puts its own messages into its own.
      return loading.catch((error) => {
        if (!isClassLinkError(error)) throw internalError(error);
        const { code, message, retryable, cause } = error;
        throw new ClassLinkError({ code, message, retryable, cause });
      });
    },
    panicked() {
      if (dead) return;
      dead = true;
      loading = undefined;
      queueMicrotask(() => {
        for (const tell of [...runtime.clients]) tell(internalError());
        // At once, so that nothing of the dead instance goes on working; the next caller learns of a failure.
        runtime.load(undefined, undefined).catch(() => {});
      });
    },
  };
  return runtime;
}

/** The error for a defect of this package. */
export function internalError(cause?: unknown): ClassLinkError {
  return new ClassLinkError({
    code: "internal",
    message: "A defect of classlink-spa: please report it.",
    cause,
  });
}

const NETWORK =
  "the network, the Content Security Policy (connect-src), CORS or the `timeout` stopped it";
const SERVE =
  'serve it as application/wasm, give its place as `wasmUrl`, or import "classlink-spa/inline"';

async function compile(glue: Glue, source: () => ReturnType<Source>): Promise<void> {
  if (typeof WebAssembly !== "object") throw unavailable("this browser has no WebAssembly");
  let type = "";
  const module = await source().catch((cause) => {
    throw unavailable(NETWORK, cause, true);
  });
  if ("headers" in module) {
    const { ok, status, headers } = module;
    if (!ok) throw unavailable(`the server answered ${status}; ${SERVE}`, undefined, status >= 500);
    type = ` (its MIME type: ${headers.get("content-type")})`;
  }
  try {
    await glue.start(module);
  } catch (cause) {
    const text = String(cause);
    if (/content.security|\bcsp\b|unsafe-eval/i.test(text)) {
      throw unavailable(
        "the Content Security Policy stopped it; add 'wasm-unsafe-eval' to script-src",
        cause,
      );
    }
    // Browsers say CompileError or LinkError of a wrong file. A network's own log-in page is one, so it may pass.
    const wrong = /(Compile|Link)Error/.test(text);
    throw unavailable(
      wrong ? `what came isn't this version's .wasm file${type}; ${SERVE}` : NETWORK,
      cause,
      true,
    );
  }
}

function unavailable(why: string, cause?: unknown, retryable = false): ClassLinkError {
  return new ClassLinkError({
    code: "wasm_unavailable",
    message: `The WebAssembly couldn't be loaded: ${why}.`,
    retryable,
    cause,
  });
}
