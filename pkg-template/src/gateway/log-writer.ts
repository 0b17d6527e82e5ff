/** From what is gathered about a request to the application's `log`. */

import { withDeadline } from "./http.js";
import type { GatewayRoute, LogEntry } from "./log.js";
import type { Settings } from "./settings.js";

/** Hands entries to the application's `log`, which may throw, reject or hang. */
export class LogWriter {
  readonly #log: Settings["log"];
  readonly #timeoutMs: number;
  #isHanging = false;

  constructor({ log, hookTimeoutMs }: Pick<Settings, "log" | "hookTimeoutMs">) {
    this.#log = log;
    this.#timeoutMs = hookTimeoutMs;
  }

  /** Waits for an asynchronous `log`, since some runtimes stop when the response is out; but not while it hangs. */
  write(entry: LogEntry): Promise<void> | undefined {
    try {
      const written: unknown = this.#log?.(entry);
      return typeof written === "object" && written !== null ? this.#wait(written) : undefined;
    } catch {
      // A sign-in does not fail because its logger does.
      return undefined;
    }
  }

  async #wait(written: object): Promise<void> {
    try {
      const settled = Promise.resolve(written)
        .catch(() => undefined)
        .then(() => {
          this.#isHanging = false;
        });
      if (this.#isHanging) return;
      await withDeadline(
        this.#timeoutMs,
        () => new Error("late"),
        () => settled,
      );
    } catch (error) {
      // A sign-in does not fail because its logger does.
      this.#isHanging = error instanceof Error && error.message === "late";
    }
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
