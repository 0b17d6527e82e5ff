/**
 * Tracks the calls under way, so that each of them settles: `close` and a panic of the WebAssembly end them too.
 *
 * @packageDocumentation
 */

import type { Core } from "../core.js";
import { ClassLinkError } from "../errors.js";
import type { ConfigSource } from "./config-source.js";
import { hasPage, requireBrowser } from "./environment.js";
import type { SnapshotStore } from "./snapshot-store.js";

export interface CallOptions {
  /** Its failure is a failed login. */
  readonly isLogin?: boolean;
  /** Its failure leaves the snapshot alone. */
  readonly isQuiet?: boolean;
  /** What must be done before the WebAssembly is loaded. */
  readonly prepare?: () => Promise<void>;
  /** Called if the WebAssembly cannot be loaded. */
  readonly onLoadError?: () => void;
}

/** The calls of one client. */
export interface CallTracker {
  /**
   * Runs `use` with the core. What fails before the WebAssembly is loaded is reported here, since the core is not there
   * to do it.
   */
  call<T>(use: (core: Core) => T | Promise<T>, options?: CallOptions): Promise<T>;
  /** Rejects every call under way after a panic. */
  rejectAll(error: ClassLinkError): void;
  isClosed(): boolean;
  /** Rejects every later call. */
  close(): void;
}

/** A call under way. */
interface Call {
  readonly isLogin: boolean;
  fail(error: ClassLinkError): void;
}

export const closedError = (): ClassLinkError =>
  new ClassLinkError({
    code: "client_closed",
    message: "This client was closed. Create a new one.",
  });

/** Creates the tracker of one client. */
export function createCallTracker(
  config: ConfigSource,
  store: SnapshotStore,
  getCore: () => Promise<Core>,
): CallTracker {
  const outstanding = new Set<Call>();
  let closed = false;

  return {
    call: (use, { isLogin = false, isQuiet = false, prepare, onLoadError } = {}) =>
      new Promise((resolve, reject) => {
        const entry: Call = {
          isLogin,
          fail(error) {
            outstanding.delete(entry);
            reject(error);
          },
        };
        const run = async () => {
          if (!outstanding.has(entry)) throw closedError();
          let core: Core;
          try {
            requireBrowser();
            await prepare?.();
            core = await getCore();
          } catch (cause) {
            const error = config.localize(cause);
            onLoadError?.();
            if (outstanding.has(entry)) {
              if (isLogin) config.emitLoginFailure(error);
              if (!isQuiet && hasPage() && !store.get().user) {
                store.publish({ status: "error", user: null, scope: [], error });
              }
              entry.fail(error);
            }
            throw error;
          }
          // Rejected meanwhile: nothing more is begun.
          if (!outstanding.has(entry)) throw closedError();
          return use(core);
        };
        if (closed) return reject(config.localize(closedError()));
        outstanding.add(entry);
        Promise.resolve()
          .then(run)
          .then(resolve, (error) => {
            // A panic has rejected this call already: then this does nothing.
            queueMicrotask(() => reject(config.localize(error)));
          })
          .finally(() => queueMicrotask(() => outstanding.delete(entry)));
      }),
    rejectAll(error) {
      if ([...outstanding].some(({ isLogin }) => isLogin)) config.emitLoginFailure(error);
      for (const { fail } of [...outstanding]) fail(error);
    },
    isClosed: () => closed,
    close() {
      closed = true;
      for (const { fail } of [...outstanding]) fail(config.localize(closedError()));
    },
  };
}
