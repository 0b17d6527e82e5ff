/**
 * Tracks the calls under way, so that each of them settles: `close` and a panic of the WebAssembly end them too.
 *
 * @packageDocumentation
 */

import type { CallKind, Core, Host } from "../core.js";
import { ClassLinkError } from "../errors.js";
import type { ConfigSource } from "./config-source.js";
import { hasPage, requireBrowser } from "./environment.js";
import { type SnapshotStore, withoutUndefined } from "./snapshot-store.js";

export interface CallOptions {
  /** Whether its failure is a failed login. */
  readonly isLogin?: boolean;
  /** Whether its failure leaves the snapshot alone. */
  readonly isQuiet?: boolean;
  /** Called with the core before it gets the call. */
  readonly onStart?: (core: Core) => void;
  /** Runs before the WebAssembly is loaded. */
  readonly prepare?: () => Promise<void>;
  /** Called if the WebAssembly cannot be loaded. */
  readonly onLoadError?: () => void;
}

/** The core's part of a call. */
export interface CoreRequest {
  readonly kind: CallKind;
  /** The text that `Host.argument` in `core.ts` returns. */
  readonly argument?: string | undefined;
  /** The window of a login in a popup. */
  readonly popup?: Window;
  readonly minValidity?: number;
  /** Requests an access token for the origin that is the argument; `refused` is one that it rejected with a 401. */
  readonly forFetch?: { readonly refused: string | undefined };
}

/** The members of `Host` in `core.ts` through which the core reads and settles the calls that it got. */
export type CallHost = Pick<
  Host,
  | "argument"
  | "prepareStatus"
  | "prepareSignIn"
  | "prepareSignOut"
  | "settlePrepared"
  | "resolve"
  | "reject"
>;

/** A call that the core is to settle. */
interface CoreCall extends CoreRequest {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** The value that `Host.settlePrepared` resolves it with. */
  result?: unknown;
}

/** The calls of one client. */
export interface CallTracker {
  readonly host: CallHost;
  /** Returns the popup of a call. */
  popupOf(call: number): Window | undefined;
  /** Makes a call to the core, which settles it through {@link host}. */
  request<T>(request: CoreRequest, options?: CallOptions): Promise<T>;
  /** Returns whether the callback URL whose call rejected with this error may be tried again. */
  isRetryable(error: unknown): boolean;
  /** Loads the WebAssembly, and runs `use` with the core. Reports what fails before there is a core that could. */
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

/** Parses JSON that was stored; returns `undefined` if it was tampered with. */
export function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? text : JSON.parse(text);
  } catch {
    return undefined;
  }
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
  const coreCalls = new Map<number, CoreCall>();
  const retryable = new WeakSet<object>();
  let lastCall = 0;
  let closed = false;

  /** Returns a call that is about to be settled, and removes it. */
  function take(id: number): CoreCall | undefined {
    const found = coreCalls.get(id);
    coreCalls.delete(id);
    return found;
  }

  function prepare(id: number, result: unknown): void {
    const found = coreCalls.get(id);
    if (found) found.result = result;
  }

  const call: CallTracker["call"] = (
    use,
    { isLogin = false, isQuiet = false, prepare, onLoadError } = {},
  ) =>
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
          if (!outstanding.has(entry)) throw closedError();
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
          // Later than `rejectAll`: after a panic the caller gets the panic's error, and not the trap that `use` threw.
          queueMicrotask(() => reject(config.localize(error)));
        })
        .finally(() => queueMicrotask(() => outstanding.delete(entry)));
    });

  return {
    call,
    request: <T>(request: CoreRequest, options?: CallOptions) =>
      call(
        (core) =>
          new Promise<unknown>((resolve, reject) => {
            options?.onStart?.(core);
            const id = ++lastCall;
            coreCalls.set(id, { ...request, resolve, reject });
            const { kind, minValidity = 0, forFetch } = request;
            if (forFetch) core.callForFetch(id, forFetch.refused);
            else core.call(id, kind, minValidity);
          }) as Promise<T>,
        options,
      ),
    host: {
      argument: (id) => coreCalls.get(id)?.argument,
      prepareStatus: (id, status) => prepare(id, { status }),
      prepareSignIn: (id, user, returnTo, appState, district) =>
        prepare(
          id,
          withoutUndefined({
            status: "signed-in",
            user,
            returnTo,
            appState: parseJson(appState),
            district,
          }),
        ),
      prepareSignOut: (id, sessionEnded, providerSessionMayRemain) =>
        prepare(id, { sessionEnded, providerSessionMayRemain }),
      settlePrepared(id) {
        const found = take(id);
        found?.resolve(found.result);
      },
      resolve: (id, value) => take(id)?.resolve(value),
      reject(id, error, isRetryable) {
        if (isRetryable) retryable.add(error);
        take(id)?.reject(error);
      },
    },
    popupOf: (id) => coreCalls.get(id)?.popup,
    isRetryable: (error) => retryable.has(error as object),
    rejectAll(error) {
      coreCalls.clear();
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
