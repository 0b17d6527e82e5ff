/**
 * Checks that a component, a plugin or a loader was given a client.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";
import type { ClassLinkClient } from "../types.js";

/**
 * Requires a client, which may be an application's own mock.
 *
 * @throws `ClassLinkError` `config_invalid`, naming `receiver`.
 */
export function requireClient(client: unknown, receiver: string): void {
  const { getSnapshot } = (client ?? {}) as Partial<ClassLinkClient>;
  if (typeof getSnapshot === "function") return;
  throw new ClassLinkError({
    code: "config_invalid",
    message: `${receiver} has no client: give it what createClient returned.`,
  });
}
