/**
 * Checks a page's Content Security Policy.
 *
 * @packageDocumentation
 */

import type { Finding } from "./doctor.js";
import type { Page } from "./scripts.js";

/** The directives of a policy; the first of a name counts (CSP Level 3, 2.2.1). */
function directivesOf(policy: string): Map<string, string[]> {
  const directives = new Map<string, string[]>();
  for (const part of policy.split(";")) {
    const [name = "", ...values] = part.trim().split(/\s+/);
    const key = name.toLowerCase();
    if (key && !directives.has(key)) directives.set(key, values);
  }
  return directives;
}

/** Every policy applies: those of the headers, and of `meta` elements. */
function policiesOf({ headers, html }: Page): Map<string, string[]>[] {
  const inHeaders = headers.get("content-security-policy")?.split(",") ?? [];
  const metas = [...html.matchAll(/<meta\b[^>]*http-equiv=["']?content-security-policy[^>]*>/gi)];
  const inHtml = metas.flatMap(([tag]) => /content="([^"]*)"/i.exec(tag)?.[1] ?? []);
  return [...inHeaders, ...inHtml].filter((policy) => policy.trim()).map(directivesOf);
}

const allows = (sources: readonly string[], origin: string, own: string): boolean =>
  sources.some(
    (source) =>
      source === "*" ||
      (source === "'self'" && origin === own) ||
      (source === "https:" && origin.startsWith("https:")) ||
      source.replace(/\/.*$/, (path) => (path.startsWith("//") ? path : "")).startsWith(origin),
  );

/** Returns what is wrong with a page's policies. */
export function policyFindings(page: Page, gateway: string | undefined, origin: string): Finding[] {
  const id = "policy";
  const policies = policiesOf(page);
  if (policies.length === 0) {
    return [
      {
        ...{ id, status: "warning", summary: "The page has no Content Security Policy." },
        remedy: "Send the one in docs/csp.md.",
      },
    ];
  }
  const findings: Finding[] = [];
  const add = (status: Finding["status"], summary: string, remedy: string) =>
    findings.push({ id, status, summary, remedy });
  for (const policy of policies) {
    const script = policy.get("script-src") ?? policy.get("default-src");
    if (script?.includes("'unsafe-eval'")) {
      add("warning", "The policy allows 'unsafe-eval'.", "'wasm-unsafe-eval' is enough.");
    } else if (script && !script.includes("'wasm-unsafe-eval'")) {
      add("problem", "The policy blocks WebAssembly.", "Add 'wasm-unsafe-eval' to script-src.");
    }
    const connect = policy.get("connect-src") ?? policy.get("default-src");
    if (!connect) continue;
    if (!allows(connect, origin, origin)) {
      add(
        "problem",
        "The policy blocks requests to the page's own origin.",
        "Add 'self' to connect-src.",
      );
    }
    const other = gateway && new URL(gateway).origin;
    if (other && other !== origin && !allows(connect, other, origin)) {
      add("problem", "The policy blocks requests to the gateway.", `Add ${other} to connect-src.`);
    }
  }
  if (findings.length === 0) {
    return [{ id, status: "ok", summary: "The policy allows what a sign-in needs." }];
  }
  return findings;
}
