/**
 * Creates the client that an application holds.
 *
 * @packageDocumentation
 */

import { type ClientInternals, INTERNALS } from "../client-internals.js";
import { invalid, readLoginOptions, readLogoutOptions, readMinValidity } from "../config.js";
import type { Core } from "../core.js";
import { type ClassLinkError, isClassLinkError } from "../errors.js";
import { loadDiagnosis } from "../load-diagnosis.js";
import type { Runtime } from "../loader.js";
import type { ClassLinkClient, ClassLinkConfig, DistrictConfig, SignedIn, User } from "../types.js";
import { fetchWithToken } from "./authorized-fetch.js";
import { createCallTracker } from "./call-tracker.js";
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
  const loader = createCoreLoader(runtime, config, store, { onPanic, onSessionUnknown });
  const calls = createCallTracker(config, store, loader.get);
  const callbacks: CallbackFlow = createCallbackFlow(config, store, loader, calls);
  const popups = createPopupLogins();
  const { call } = calls;

  function onPanic(panic: ClassLinkError): void {
    calls.rejectAll(config.localize(panic));
    store.publish(SIGNED_OUT);
  }

  /** Restores without leaving the page. The result is in the snapshot. */
  function onSessionUnknown(): void {
    call((core) => core.restoreSession(false), { isQuiet: true }).catch(() => {});
  }

  /** `Promise.try`, for functions that return promises. */
  const promiseTry = <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return run();
    } catch (error) {
      return config.rejectLocalized(error);
    }
  };

  const startLogin = (options?: unknown): Promise<unknown> =>
    promiseTry((): Promise<unknown> => {
      const { core: coreOptions, popup } = readLoginOptions(options);
      const json = JSON.stringify(coreOptions);
      const login = { isLogin: true, prepare: () => config.prefetch(coreOptions.district) };
      if (popup && !calls.isClosed() && hasPage()) {
        // At once, while the user activation lasts.
        return popups.start(json, popup.window, (popupWindow) => {
          callbacks.forget();
          return call(
            (core) => core.startPopupLogin(json, popupWindow) as Promise<SignedIn>,
            login,
          ).then(store.freezeResult);
        });
      }
      callbacks.forget();
      return call((core) => core.startLogin(json), login);
    });

  const callForUser = (use: (core: Core) => Promise<unknown>): Promise<User | null> =>
    call(async (core) => store.reuseUser((await use(core)) as User | null));

  const getUser = () => callForUser((core) => core.getUser());

  function subscribe(listener: () => void): () => void {
    if (!isRestoreBegun && hasPage()) {
      isRestoreBegun = true;
      // After a handleCallback of the same moment, which it then waits for; the error is in the snapshot.
      queueMicrotask(() => getUser().catch(() => {}));
    }
    return store.subscribe(listener);
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
        return call((core) => core.accessToken(minValidity));
      }),
    getIdToken: () => call((core) => core.idToken()),
    fetch: (input, init) =>
      fetchWithToken(
        (origin, refused) => call((core) => core.accessTokenFor(origin, refused)),
        input,
        init,
      ).catch((error) => {
        throw isClassLinkError(error) ? config.localize(error) : error;
      }),
    restoreSession: () => callForUser((core) => core.restoreSession(true)),
    handleLaunch: (url) =>
      promiseTry(() => {
        let target = "";
        try {
          if (hasPage()) target = new URL(url ?? location.href, location.href).href;
        } catch (cause) {
          throw invalid("handleLaunch", "was given what isn't a URL.", cause);
        }
        callbacks.forget();
        return call((core) => core.handleLaunch(target), { isLogin: true });
      }),
    logout: (options) =>
      promiseTry(() => {
        const url = readLogoutOptions(options);
        return call(async (core) => Object.freeze(await core.logout(url)), {
          onLoadError: () => setSignOutMark(config.current()),
        });
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
