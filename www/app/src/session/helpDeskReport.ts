/** The help desk's page as plain text, to send to those who can mend it. */

import type { ClassLinkEvent, Diagnosis, DiagnosisCheck } from "classlink-spa";

/** Titles of the checks for a help desk; a check without one shows its id. */
const TITLES: Readonly<Record<string, string>> = {
  "secure-context": "Secure page",
  "web-crypto": "Cryptography",
  storage: "Site data",
  frame: "Window",
  configuration: "App settings",
  "redirect-uri": "Return address",
  webassembly: "WebAssembly",
  discovery: "ClassLink’s description",
  deployment: "Deployment",
  gateway: "Gateway",
  cors: "Access to ClassLink",
  registration: "Registration",
  keys: "ClassLink’s keys",
  scopes: "Scopes",
  pkce: "PKCE",
  clock: "Date and time",
};

/** The status as users read it. */
export const STATUS_WORDS: Record<DiagnosisCheck["status"], string> = {
  ok: "OK",
  warning: "Note",
  problem: "Problem",
};

export function titleOf({ id }: DiagnosisCheck): string {
  return TITLES[id] ?? id;
}

/** In one sentence. */
export function verdictOf({ checks }: Diagnosis): string {
  const problems = checks.filter(({ status }) => status === "problem").length;
  if (problems === 0) return "Nothing here stands in the way of signing in.";
  return problems === 1
    ? "One problem stands in the way of signing in."
    : `${problems} problems stand in the way of signing in.`;
}

/** Nothing in it is about a user: neither in a diagnosis nor in an event. */
export function reportText(diagnosis: Diagnosis, failure: ClassLinkEvent | undefined): string {
  const lines = [
    `Reading Room: can people sign in here? ${new Date().toISOString()}`,
    verdictOf(diagnosis),
    "",
    ...diagnosis.checks.flatMap((check) => [
      `${STATUS_WORDS[check.status]}: ${titleOf(check)} (${check.id}). ${check.summary}`,
      ...(check.remedy ? [`  What to do: ${check.remedy}`] : []),
    ]),
    "",
    failure
      ? `Last error: ${failure.code}, support code ${failure.supportCode}, ${new Date(failure.at).toISOString()}`
      : "Last error: none since this page was loaded",
    `Page: ${location.origin}`,
    `Browser: ${navigator.userAgent}`,
  ];
  return lines.join("\n");
}
