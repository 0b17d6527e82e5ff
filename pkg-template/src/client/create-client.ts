/**
 * Creates the client that an application holds.
 *
 * @packageDocumentation
 */

import { type ClientInternals, INTERNALS } from "../client-internals.js";
import {
  invalid,
  readLoginOptions,
  readLogoutOptions,
  readMinValidity,
  unreadable,
} from "../config.js";
import { CallKind } from "../core.js";
import { type ClassLinkError, isClassLinkError } from "../errors.js";
import { loadDiagnosis } from "../load-diagnosis.js";
import type { Runtime } from "../loader.js";
import { setLoginMark } from "../login-mark.js";
import type {
  ClassLinkClient,
  ClassLinkConfig,
  DistrictConfig,
  LogoutResult,
  SignedIn,
  User,
} from "../types.js";
import { fetchWithToken } from "./authorized-fetch.js";
import { type CallTracker, createCallTracker } from "./call-tracker.js";
import { type CallbackFlow, createCallbackFlow } from "./callback-flow.js";
import { createConfigSource } from "./config-source.js";
import { createCoreLoader } from "./core-loader.js";
import { hasPage } from "./environment.js";
import { createPopupLogins } from "./popup-logins.js";
import { setSignOutMark } from "./sign-out-mark.js";
import { createSnapshotStore, SIGNED_OUT } from "./snapshot-store.js";

/** Creates a client. Touches no browser global and starts nothing. */
export type CreateClient = <AppState = unknown, Claims = Record<string, unknown>>(
  config: ClassLinkConfig | DistrictConfig,
) => ClassLinkClient<AppState, Claims>;

/** Returns `createClient` for one runtime. */
export const clientFactory = (runtime: Runtime): CreateClient =>
  ((config: ClassLinkConfig | DistrictConfig) => createClient(runtime, config)) as CreateClient;

function createClient(runtime: Runtime, given: ClassLinkConfig | DistrictConfig): ClassLinkClient {
  let isRestoreBegun = false;

  const config = createConfigSource(given);
  const store = createSnapshotStore({
    beforeChange: (next) => callbacks.onSnapshot(next),
    onUserChange: (user, previous) => config.current()?.onUserChange?.(user, previous),
  });
  const loader = createCoreLoader(runtime, config, store, () => calls, onPanic);
  const calls: CallTracker = createCallTracker(config, store, loader.get);
  const callbacks: CallbackFlow = createCallbackFlow(config, store, loader, calls);
  const popups = createPopupLogins();
  const { call, request } = calls;

  function onPanic(panic: ClassLinkError): void {
    calls.rejectAll(config.localize(panic));
    store.publish(SIGNED_OUT);
  }

  /** `Promise.try`, for functions that read what the application gave, and return promises. */
  const promiseTry = <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return run();
    } catch (error) {
      return config.rejectLocalized(unreadable(error));
    }
  };

  const startLogin = (options?: unknown): Promise<unknown> =>
    promiseTry((): Promise<unknown> => {
      const { core: coreOptions, popup } = readLoginOptions(options);
      const argument = JSON.stringify(coreOptions);
      const login = { isLogin: true, prepare: () => config.prefetch(coreOptions.district) };
      if (popup && !calls.isClosed() && hasPage()) {
        // Not after a wait: browsers allow a popup only while the user activation lasts.
        return popups.start(argument, popup.window, (popupWindow) => {
          callbacks.forget();
          const popupCall = { kind: CallKind.Popup, argument, popup: popupWindow };
          return request<SignedIn>(popupCall, login).then(store.freezeResult);
        });
      }
      callbacks.forget();
      return request({ kind: CallKind.Login, argument }, login);
    });

  const callForUser = (kind: CallKind): Promise<User | null> =>
    request<User | null>({ kind }).then(store.reuseUser);

  const getUser = () => callForUser(CallKind.User);

  function subscribe(listener: () => void): () => void {
    const unsubscribe = store.subscribe(listener);
    if (!isRestoreBegun && hasPage()) {
      isRestoreBegun = true;
      // A `handleCallback` called in this task goes first, and this waits for it. The error is in the snapshot.
      queueMicrotask(() => getUser().catch(() => {}));
    }
    return unsubscribe;
  }

  function close(): void {
    if (calls.isClosed()) return;
    loader.close();
    callbacks.forget();
    calls.close();
    store.publish(SIGNED_OUT);
    store.removeListeners();
  }

  return Object.freeze({
    startLogin,
    handleCallback: callbacks.handleCallback,
    getUser,
    getAccessToken: (options) =>
      promiseTry(() => {
        const minValidity = readMinValidity(options);
        return request({ kind: CallKind.AccessToken, minValidity });
      }),
    getIdToken: () => request({ kind: CallKind.IdToken }),
    fetch: (input, init) =>
      fetchWithToken(
        (argument, refused) =>
          request({ kind: CallKind.AccessToken, argument, forFetch: { refused } }),
        () => store.get().user?.id,
        input,
        init,
      ).catch((error) => {
        throw isClassLinkError(error) ? config.localize(error) : error;
      }),
    restoreSession: () => callForUser(CallKind.Restore),
    handleLaunch: (url) =>
      promiseTry(() => {
        let target = "";
        try {
          if (hasPage()) target = new URL(url ?? location.href, location.href).href;
        } catch (cause) {
          throw invalid("handleLaunch", "was given what isn't a URL.", cause);
        }
        callbacks.forget();
        return request({ kind: CallKind.Launch, argument: target }, { isLogin: true });
      }),
    logout: (options) =>
      promiseTry(() => {
        const argument = readLogoutOptions(options);
        // Before the WebAssembly is loaded: a user whose session is still being restored is signed out, too.
        if (hasPage()) setLoginMark("signed-out");
        return request<LogoutResult>(
          { kind: CallKind.Logout, argument },
          { onLoadError: () => setSignOutMark(config.current()) },
        ).then(Object.freeze);
      }),
    getSnapshot: store.get,
    subscribe,
    stayActive: loader.stayActive,
    diagnose: () => loadDiagnosis(config, calls),
    preload: () => call(() => {}, { isQuiet: true }),
    close,
    [INTERNALS]: {
      basePath: () => config.current()?.core.basePath,
      onEvent: config.onEvent,
      localize: config.localize,
    } satisfies ClientInternals,
    // Safari has no Symbol.dispose yet.
    ...(Symbol.dispose && { [Symbol.dispose]: close }),
  } as ClassLinkClient);
}
