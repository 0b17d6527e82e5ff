/** What one request leaves in the log: stable words and numbers, nobody's data and no secret. */

import type { ClassLinkErrorReason } from "../shared-types.js";
import type { GatewayErrorCode } from "./failure.js";
import { withDeadline } from "./http.js";
import type { Settings } from "./options.js";

/** Which of the gateway's paths was asked. */
export type GatewayRoute =
  | "token"
  | "jwks"
  | "userinfo"
  | "my-info"
  | "session.read"
  | "session.end"
  | "preflight"
  | "health"
  | "unknown";

/** One request, as it may go to any log or monitoring service: no token, code, name, claim, secret or address. */
export interface LogEntry {
  readonly event: GatewayRoute;
  /** `"error"` where the gateway, its configuration or the provider failed, `"warn"` where it refused. */
  readonly level: "info" | "warn" | "error";
  /** The HTTP status answered. */
  readonly status: number;
  readonly durationMs: number;
  /** The eight characters that the person can read out; absent where the request had none. */
  readonly supportCode?: string;
  /**
   * The gateway's own refusal or failure, or `provider_refused`. With a status below 400 it is why a session could not
   * be renewed, though it goes on for now.
   */
  readonly code?: GatewayErrorCode | "provider_refused";
  readonly reason?: ClassLinkErrorReason;
  /** The provider's registered OAuth error code, with `provider_refused`. */
  readonly providerError?: string;
  /** The status of the provider's answer, where that decided. */
  readonly upstreamStatus?: number;
  /** What became of the session. */
  readonly session?: "sealed" | "renewed" | "kept" | "none" | "ended";
  /** The registration's `district`, where the configuration names one. */
  readonly district?: string;
}

/** What `rateLimit` is told. */
export interface RateLimitInfo {
  readonly route: GatewayRoute;
  /** The request, for its headers; its body must stay unread. */
  readonly request: Request;
  /** The peer's address, where the adapter knows it. Behind a proxy it is the proxy's. */
  readonly remoteAddress?: string;
  readonly supportCode?: string;
}

/** Hands entries to the application's `log`, which may throw, reject or hang. */
export class LogWriter {
  readonly #log: Settings["log"];
  readonly #timeout: number;
  #isHanging = false;

  constructor({ log, hookTimeout }: Pick<Settings, "log" | "hookTimeout">) {
    this.#log = log;
    this.#timeout = hookTimeout;
  }

  /** Waits for an asynchronous `log`, since some runtimes stop when the answer is out; but not while it hangs. */
  async write(entry: LogEntry): Promise<void> {
    try {
      const written: unknown = this.#log?.(entry);
      if (typeof written !== "object" || written === null) return;
      const settled = Promise.resolve(written)
        .catch(() => undefined)
        .then(() => {
          this.#isHanging = false;
        });
      if (this.#isHanging) return;
      await withDeadline(
        this.#timeout,
        () => new Error("late"),
        () => settled,
      );
    } catch (error) {
      // A logger that fails is no reason to fail a sign-in.
      this.#isHanging = error instanceof Error && error.message === "late";
    }
  }
}

/** What is gathered about a request while it is answered. */
export interface RequestLog {
  event: GatewayRoute;
  supportCode?: string;
  upstreamStatus?: number;
  /** What went wrong without failing the request. */
  recoveredError?: unknown;
  session?: NonNullable<LogEntry["session"]>;
  district?: string;
}
