/**
 * Resolves the configuration of a client, and applies what the application configured for its errors and events.
 *
 * @packageDocumentation
 */

import type { SubscribeToEvents } from "../client-internals.js";
import { invalid, type ResolvedConfig, readConfig } from "../config.js";
import type { Host } from "../core.js";
import { type ClassLinkError, isClassLinkError } from "../errors.js";
import { internalError } from "../loader.js";
import { applyMessages } from "../messages.js";
import type { ClassLinkConfig, ClassLinkEvent, DistrictConfig } from "../types.js";
import { reportErrors, withoutUndefined } from "./snapshot-store.js";

/** The configuration of one client, by district if it is a function. */
export interface ConfigSource {
  /** Returns the last configuration; `undefined` before a configuration function was called. */
  current(): ResolvedConfig | undefined;
  /** Calls the configuration function and validates its result, each time. */
  resolve(district: string | undefined): Promise<ResolvedConfig>;
  /** Resolves the configuration that the WebAssembly is about to ask for. */
  prefetch(district: string | undefined): Promise<void>;
  /** Returns the configuration for the WebAssembly: `Host.config` in `core.ts`. */
  toJson(district: string | undefined): Promise<string>;
  /** Makes a `ClassLinkError` of any error, with the application's own text for users. */
  localize(error: unknown): ClassLinkError;
  /** Returns a promise that rejects with the localized error. */
  rejectLocalized(error: unknown): Promise<never>;
  /** Calls `onEvent`, and the components' listeners: `Host.emit` in `core.ts`. */
  emit: Host["emit"];
  /** Adds a listener of the components; returns the function that removes it. */
  readonly onEvent: SubscribeToEvents;
  /** Emits `login.failed`. */
  emitLoginFailure(error: ClassLinkError): void;
}

/**
 * Creates the source of one client's configuration.
 *
 * @throws {@link ClassLinkError} `config_invalid`, unless it is a function.
 */
export function createConfigSource(config: ClassLinkConfig | DistrictConfig): ConfigSource {
  let settings = typeof config === "function" ? undefined : readConfig(config);
  /** Resolved for the call under way, so that the configuration function is not called twice for it. */
  let prefetchedSettings: { district: string | undefined; settings: ResolvedConfig } | undefined;

  async function resolve(district: string | undefined): Promise<ResolvedConfig> {
    if (typeof config === "function") {
      try {
        settings = readConfig(await config(district));
      } catch (cause) {
        const why = isClassLinkError(cause)
          ? `returned an invalid configuration: ${cause.message}`
          : "failed.";
        throw invalid("The district function", why, cause);
      }
    }
    return settings as ResolvedConfig;
  }

  const localize = (error: unknown): ClassLinkError =>
    applyMessages(isClassLinkError(error) ? error : internalError(error), settings?.messages);

  const listeners = new Set<(event: ClassLinkEvent) => void>();

  const emit: Host["emit"] = (type, supportCode, durationMs, error) => {
    const event = Object.freeze(
      withoutUndefined({
        type,
        at: Date.now(),
        // The one that the user reads out.
        supportCode: error?.supportCode ?? supportCode,
        durationMs,
        code: error?.code,
        reason: error?.reason,
      }) as ClassLinkEvent,
    );
    for (const listener of [settings?.onEvent, ...listeners]) {
      reportErrors(() => listener?.(event));
    }
  };

  return {
    current: () => settings,
    resolve,
    async prefetch(district) {
      prefetchedSettings = { district, settings: await resolve(district) };
    },
    async toJson(district) {
      const ready = prefetchedSettings;
      prefetchedSettings = undefined;
      try {
        const { core: coreConfig } =
          ready?.district === district && ready ? ready.settings : await resolve(district);
        return JSON.stringify(coreConfig);
      } catch (error) {
        throw localize(error);
      }
    },
    localize,
    rejectLocalized: (error) => Promise.reject(localize(error)),
    emit,
    onEvent(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    emitLoginFailure: (error) => emit("login.failed", "", undefined, error),
  };
}
