/** The result of `gateway.check()`. */

/** The result of one check. Its texts contain no value of the configuration. */
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
