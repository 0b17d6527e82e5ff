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
import { createPresence, type Presence } from "../presence.js";
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
  let presence: Presence | undefined;
  let childWindows: ChildWindows | undefined;
  /** Counts the cores of this client: a dropped one publishes nothing. */
  let generation = 0;

  /** If the configuration function requires a district, the core calls it again when it knows the district. */
  async function load(): Promise<Glue> {
    if (!config.current()) await config.prefetch(undefined).catch(() => {});
    const settings = config.current();
    return runtime.load(settings?.wasmUrl, settings?.core.timeout);
  }

  const stayActive = (): void => core?.recordActivity();

  const startPresence = (): Presence =>
    createPresence({
      notify: (event) => core?.notify(event),
      recordActivity: stayActive,
      receive(message) {
        const { kind, session, user, at } = message;
        if (!childWindows?.handleMessage(message)) core?.receive(kind, session, user, Number(at));
      },
    });

  /** Disconnects the core from the page. */
  function drop(): void {
    generation++;
    presence?.close();
    childWindows?.close();
    presence = childWindows = corePromise = core = undefined;
  }

  function dropAfterPanic(error: ClassLinkError): void {
    drop();
    onPanic(error);
  }

  function createHost(presence: Presence, childWindows: ChildWindows): Host {
    const own = generation;
    const calls = getCalls();
    return {
      config: config.toJson,
      error: (
        ...[code, message, retryable, supportCode, reason, status, clockOffset, error, ...more]
      ) => {
        const [description, uri, returnTo, appState, cause] = more;
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
      // What the platform threw inside an operation leaves it without an outcome: its instance is of no more use.
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
      lock: presence.lock,
      deadline(milliseconds, cancelled, ended) {
        // Safari has no AbortSignal.any before 17.4, and Node loses what it is made of.
        const either = new AbortController();
        for (const source of [AbortSignal.timeout(milliseconds), cancelled]) {
          if (source.aborted) either.abort();
          source.addEventListener("abort", () => either.abort(), { signal: ended });
        }
        return either.signal;
      },
      schedule: presence.schedule,
      join: presence.join,
      post: presence.post,
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
          presence = startPresence();
          childWindows = createChildWindows(presence.send);
          core = new Core(createHost(presence, childWindows));
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
        // A panic, which the runtime reports.
      }
    },
  };
}
