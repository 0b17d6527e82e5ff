/**
 * `diagnose`: looks at all that a sign-in needs, and says what is missing in words for a help desk. It is loaded when it
 * is asked for, signs no user in or out, and decides nothing.
 *
 * @packageDocumentation
 */

import type { CoreConfig } from "./core.js";
import { checkDirect, checkGateway } from "./diagnosis/exchange.js";
import { type Finding, type Metadata, ok, problem } from "./diagnosis/finding.js";
import { askAtHome, checkClock, checkPage, checkRedirectUri } from "./diagnosis/page.js";
import {
  checkDeployment,
  checkKeys,
  checkPkce,
  checkScopes,
  discover,
} from "./diagnosis/provider.js";
import { type ClassLinkError, isClassLinkError, newSupportCode } from "./errors.js";
import type { Diagnosis, DiagnosisCheck } from "./types.js";

/** The client that is diagnosed. */
export interface DiagnosisSubject {
  /** The configuration; rejects if it is wrong. */
  readonly config: () => Promise<CoreConfig>;
  /** Loads the WebAssembly, and returns what it knows of an issuer's metadata without asking. */
  readonly known: (issuer: string) => Promise<Metadata>;
}

/** Returns an error's message for developers, which contains nothing personal. */
const wordsOf = (error: unknown): string =>
  isClassLinkError(error) ? (error as ClassLinkError).message : "It failed for an unknown reason.";

/** Looks at everything. Never rejects. */
export async function diagnose({ config, known }: DiagnosisSubject): Promise<Diagnosis> {
  const checks: DiagnosisCheck[] = [];
  const add = (id: string, finding: Finding) => checks.push(Object.freeze({ id, ...finding }));
  for (const [id, finding] of checkPage()) add(id, finding);

  const settings = await config().catch((error: unknown) => {
    add("configuration", problem(wordsOf(error), "Correct what `createClient` is given."));
  });
  const facts = await known(settings?.issuer ?? "").catch((error: unknown) => {
    add("webassembly", problem(wordsOf(error), "No user can sign in until it is fixed."));
  });
  if (facts) add("webassembly", ok("The WebAssembly is loaded."));
  if (settings) {
    add("configuration", ok("The configuration is valid."));
    const home = await askAtHome(settings);
    add("redirect-uri", checkRedirectUri(settings, home));
    add("clock", checkClock(settings, home));
    // Without the facts, ClassLink's own endpoints would seem to be missing, too.
    if (facts) for (const [id, finding] of await checkServers(settings, facts)) add(id, finding);
  }
  return Object.freeze({
    ok: checks.every(({ status }) => status !== "problem"),
    checks: Object.freeze(checks),
  });
}

/** The provider and the gateway. */
async function checkServers(settings: CoreConfig, facts: Metadata): Promise<[string, Finding][]> {
  const supportCode = newSupportCode();
  // The gateway requires it.
  const identified = settings.gateway ? { headers: { "X-ClassLink-SPA": supportCode } } : {};
  const given = { ...facts, ...settings.metadata };
  const { found, finding } = await discover(settings, given);
  const metadata = { ...found, ...given };
  const [keys, exchange] = await Promise.all([
    checkKeys(settings, metadata, identified),
    settings.gateway ? checkGateway(settings, supportCode) : checkDirect(settings, metadata),
  ]);
  return [
    ["discovery", finding],
    ["deployment", checkDeployment(settings, facts)],
    ...exchange,
    ["keys", keys],
    ["scopes", checkScopes(settings, metadata)],
    ["pkce", checkPkce(metadata, Object.keys(found).length > 0)],
  ];
}
