/**
 * Loads the core of one client, connects it with the page, and drops it after a panic.
 *
 * @packageDocumentation
 */

import { stripState } from "../callback-url.js";
import { invalid } from "../config.js";
import { type Core, type Glue, type Host, PageEvent } from "../core.js";
import { ClassLinkError, type ClassLinkErrorInit, newSupportCode } from "../errors.js";
import { internalError, type Runtime } from "../loader.js";
import { createPageHost, type PageHost } from "../page-host.js";
import { run } from "../task.js";
import { type CallTracker, closedError, parseJson } from "./call-tracker.js";
import { type ChildWindows, createChildWindows } from "./child-window.js";
import type { ConfigSource } from "./config-source.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** The core of one client. */
export interface CoreLoader {
  /** Returns the core, if it is loaded. */
  current(): Core | undefined;
  /** Loads the core unless it is there or being loaded. */
  get(): Promise<Core>;
  /** Reports user activity to the core and the other tabs. */
  stayActive(): void;
  /** Closes the core: nothing that it still reports is published. */
  close(): void;
}

/** Creates the loader of one client's core. */
export function createCoreLoader(
  runtime: Runtime,
  config: ConfigSource,
  store: SnapshotStore,
  getCalls: () => CallTracker,
  /** Called when the WebAssembly has panicked; the next call gets a new core. */
  onPanic: (error: ClassLinkError) => void,
): CoreLoader {
  let corePromise: Promise<Core> | undefined;
  let core: Core | undefined;
  let pageHost: PageHost | undefined;
  let childWindows: ChildWindows | undefined;
  /** Counts the cores of this client: a dropped one publishes nothing. */
  let generation = 0;

  /** Loads the WebAssembly, as the configuration says if that is known. */
  async function load(): Promise<Glue> {
    // If the configuration function requires a district, the core calls it again when it knows the district.
    if (!config.current()) await config.prefetch(undefined).catch(() => {});
    const settings = config.current();
    return runtime.load(settings?.wasmUrl, settings?.core.timeout);
  }

  const stayActive = (): void => core?.recordActivity();

  const connectPage = (): PageHost =>
    createPageHost({
      notify: (event) => core?.notify(event),
      recordActivity: stayActive,
      receive(message) {
        if (childWindows?.handleMessage(message)) return;
        const { kind, session, user, at } = message;
        // Without a time: NaN.
        core?.receive(kind, session, user, Number(at));
      },
    });

  /** Disconnects the core from the page. */
  function drop(): void {
    generation++;
    pageHost?.close();
    childWindows?.close();
    pageHost = childWindows = corePromise = core = undefined;
  }

  function dropAfterPanic(error: ClassLinkError): void {
    drop();
    onPanic(error);
  }

  function createHost(pageHost: PageHost, childWindows: ChildWindows): Host {
    const own = generation;
    const calls = getCalls();
    return {
      config: config.toJson,
      error(
        code,
        message,
        retryable,
        supportCode,
        reason,
        status,
        clockOffset,
        error,
        description,
        uri,
        returnTo,
        appState,
        cause,
      ) {
        const providerError = error === undefined ? error : { error, description, uri };
        const init = { code, message, retryable, supportCode, reason, status, clockOffset };
        const login = { returnTo, appState: parseJson(appState) };
        return config.localize(
          new ClassLinkError({ ...init, providerError, ...login, cause } as ClassLinkErrorInit),
        );
      },
      publish(status, user, scope, error) {
        if (own === generation) store.publish({ status, user, scope, error });
      },
      emit(...event) {
        if (own === generation) config.emit(...event);
      },
      async navigate(url) {
        if (own !== generation) throw closedError();
        const navigate = config.current()?.navigate;
        try {
          if (navigate) await navigate(url);
          else location.assign(url);
        } catch (cause) {
          throw config.localize(invalid("navigate", "failed: see the cause.", cause));
        }
      },
      // An operation that the platform interrupted by an exception has no outcome: the instance counts as panicked.
      run: (task) =>
        run(task).catch(() => {
          if (own === generation) runtime.panicked();
        }),
      supportCode: newSupportCode,
      openChildWindow: (url, state, call, cancelled) =>
        childWindows
          .open(url, state, calls.popupOf(call), config.current()?.core.timeout ?? 0, cancelled)
          .catch(config.rejectLocalized),
      handOver: childWindows.handOver,
      lock: pageHost.lock,
      deadline(milliseconds, cancelled, ended) {
        // In place of AbortSignal.any, which Safari lacks before 17.4, and whose source signals Node may collect.
        const either = new AbortController();
        for (const source of [AbortSignal.timeout(milliseconds), cancelled]) {
          if (source.aborted) either.abort();
          source.addEventListener("abort", () => either.abort(), { signal: ended });
        }
        return either.signal;
      },
      schedule: pageHost.schedule,
      join: pageHost.join,
      post: pageHost.post,
      stripState,
      ...calls.host,
    };
  }

  return {
    current: () => core,
    get() {
      if (!corePromise) {
        const own = generation;
        runtime.clients.add(dropAfterPanic);
        const attempt = load().then(({ Core }) => {
          if (own !== generation) throw internalError();
          pageHost = connectPage();
          childWindows = createChildWindows(pageHost.send);
          core = new Core(createHost(pageHost, childWindows));
          return core;
        });
        attempt.catch(() => {
          if (corePromise === attempt) corePromise = undefined;
        });
        corePromise = attempt;
      }
      return corePromise;
    },
    stayActive,
    close() {
      runtime.clients.delete(dropAfterPanic);
      const last = core;
      drop();
      try {
        last?.notify(PageEvent.Closed);
      } catch {
        // The WebAssembly panicked, which the runtime reports.
      }
    },
  };
}
