/**
 * Loads the diagnosis when it is asked for: a file of its own, which hardly any page needs.
 *
 * @packageDocumentation
 */

import type { CallTracker } from "./client/call-tracker.js";
import type { ConfigSource } from "./client/config-source.js";
import { hasPage } from "./client/environment.js";
import { ClassLinkError } from "./errors.js";
import type { Diagnosis } from "./types.js";

/** Loads `diagnosis.js` and runs it. */
export async function loadDiagnosis(
  config: ConfigSource,
  { call, isClosed }: CallTracker,
): Promise<Diagnosis> {
  // Rejects with the reason.
  if (isClosed() || !hasPage()) return call(() => Promise.reject());
  const late = new Promise<never>((_, reject) => {
    setTimeout(reject, config.current()?.core.timeout ?? 10_000);
  });
  return Promise.race([import("./diagnosis.js"), late])
    .then((module) =>
      module.diagnose({
        config: async () => (await config.resolve(undefined)).core,
        known: (issuer) =>
          call((core) => JSON.parse(core.knownMetadata(issuer)), { isQuiet: true }),
      }),
    )
    .catch((cause) => {
      // It never rejects itself. Some browsers don't ask again for a script that a page has failed to get.
      const message = "diagnosis.js couldn't be loaded: reload the page.";
      return config.rejectLocalized(new ClassLinkError({ code: "network", message, cause }));
    });
}
