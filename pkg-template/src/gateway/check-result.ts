/** The result of `gateway.check()`. */

/** One thing that was looked at. No value of the configuration is in its words. */
export interface GatewayCheck {
  /** The part that was checked: `metadata`, `keys`, `clock`, `clients[0]`, `store` or `assertions`. */
  readonly id: string;
  readonly status: "ok" | "warning" | "problem";
  readonly summary: string;
  /** The remedy. */
  readonly remedy?: string;
}

/** The result of {@link Gateway.check}. */
export interface GatewayCheckResult {
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly checks: readonly GatewayCheck[];
}
