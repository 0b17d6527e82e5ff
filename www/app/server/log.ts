/** A gateway's log entry as one line of a terminal. */

import type { LogEntry } from "classlink-spa/gateway";

/** Everything that an entry says: there is no secret and no user's data in it. */
export function logLine(entry: LogEntry): string {
  const { event, status, session, code, reason, providerError, durationMs, supportCode } = entry;
  const parts = [
    `${event} ${status}`,
    session && `session ${session}`,
    [code, reason, providerError].filter(Boolean).join(", "),
    `${Math.round(durationMs)} ms`,
    supportCode && `support code ${supportCode}`,
  ];
  return `  gateway  ${parts.filter(Boolean).join(" · ")}`;
}
