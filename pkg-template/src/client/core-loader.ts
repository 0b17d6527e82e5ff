/**
 * Loads the core of one client, connects it with the page, and drops it after a panic.
 *
 * @packageDocumentation
 */

import { stripState } from "../callback-url.js";
import { invalid } from "../config.js";
import type { Core, Glue, Host } from "../core.js";
import { ClassLinkError, newSupportCode } from "../errors.js";
import { internalError, type Runtime } from "../loader.js";
import { createPresence, type Presence } from "../presence.js";
import { run } from "../task.js";
import { closedError } from "./call-tracker.js";
import { type ChildWindows, createChildWindows } from "./child-window.js";
import type { ConfigSource } from "./config-source.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** What the client does when the core or the page asks for it. */
export interface CoreEvents {
  /** The WebAssembly has panicked; the next call gets a new core. */
  onPanic(error: ClassLinkError): void;
  /** Another tab or the back/forward cache has made the session unknown. */
  onSessionUnknown(): void;
}

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
  { onPanic, onSessionUnknown }: CoreEvents,
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

  function stayActive(): void {
    if (core?.beActive()) presence?.post({ kind: "active", at: `${Math.ceil(Date.now() / 1000)}` });
  }

  const startPresence = (): Presence =>
    createPresence({
      wake: () => core?.wake(),
      active: stayActive,
      hear(message) {
        const { kind, person, at } = message;
        if (!childWindows?.handleMessage(message) && core?.hear(kind, person ?? at)) {
          onSessionUnknown();
        }
      },
      freeze: () => core?.freeze(),
      comeBack() {
        if (core?.comeBack()) onSessionUnknown();
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
    return {
      config: config.toJson,
      error: (details, cause) => config.localize(new ClassLinkError({ ...details, cause })),
      publish(next) {
        if (own === generation) store.publish(next);
      },
      event(event) {
        if (own === generation) config.emit(event);
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
      run,
      supportCode: newSupportCode,
      aside: (url, state, popup) =>
        childWindows
          .open(url, state, popup, config.current()?.core.timeout ?? 0)
          .catch(config.rejectLocalized),
      handOver: childWindows.handOver,
      lock: presence.lock,
      schedule: presence.schedule,
      join: presence.join,
      post: (kind, person) => presence.post({ kind, person }),
      stripState,
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
          childWindows = createChildWindows(presence.post);
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
        last?.close();
      } catch {
        // A panic, which the runtime reports.
      }
    },
  };
}
