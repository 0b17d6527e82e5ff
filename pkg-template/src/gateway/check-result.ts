/** What `gateway.check()` finds. */

/** One thing that was looked at. No value of the configuration is in its words. */
export interface GatewayCheck {
  /** What was looked at: `metadata`, `keys`, `clock`, `clients[0]`, `store` or `assertions`. */
  readonly id: string;
  readonly status: "ok" | "warning" | "problem";
  readonly summary: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What {@link Gateway.check} found. */
export interface GatewayCheckResult {
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly checks: readonly GatewayCheck[];
}
