/** Passes log entries to the application's `log`. */

import { withDeadline } from "./http.js";
import type { GatewayRoute, LogEntry } from "./log.js";
import type { Settings } from "./settings.js";

/** Calls the application's `log`, which may throw, reject or hang. */
export class LogWriter {
  readonly #log: Settings["log"];
  readonly #timeoutMs: number;
  #isHanging = false;

  constructor({ log, hookTimeoutMs }: Pick<Settings, "log" | "hookTimeoutMs">) {
    this.#log = log;
    this.#timeoutMs = hookTimeoutMs;
  }

  /**
   * Calls `log`. Waits for an asynchronous one, since some runtimes stop once the response was sent; does not wait while an
   * earlier call hangs. Never rejects.
   */
  async write(entry: LogEntry): Promise<void> {
    try {
      const result: unknown = this.#log?.(entry);
      if (typeof result === "object" && result !== null) await this.#wait(result);
    } catch {
      // A sign-in does not fail because its logger does.
    }
  }

  async #wait(result: object): Promise<void> {
    const settled = Promise.resolve(result)
      .catch(() => undefined)
      .then(() => {
        this.#isHanging = false;
      });
    if (this.#isHanging) return;
    const onTimeout = () => {
      this.#isHanging = true;
      return new Error("The log does not settle.");
    };
    await withDeadline(this.#timeoutMs, onTimeout, () => settled);
  }
}

/** The facts about a request that are gathered while it is handled. */
export interface RequestLog {
  event: GatewayRoute;
  readonly requestId: string;
  readonly traceId?: string;
  supportCode?: string;
  upstreamStatus?: number;
  /** Errors that did not fail the request. */
  recoveredError?: unknown;
  session?: NonNullable<LogEntry["session"]>;
  district?: string;
}
