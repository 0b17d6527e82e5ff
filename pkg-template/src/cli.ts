/**
 * The command `classlink-spa`: `doctor` checks a deployed application, `keygen` prints a sealing key.
 *
 * @packageDocumentation
 */

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { type DoctorOptions, examine, type Finding } from "./cli/doctor.js";

const HELP = `Usage: classlink-spa <command>

  doctor <url> [options]   check a deployed application, by requests as a browser sends them
  keygen                   print a key for the gateway's sealingKeys

Options of doctor:

  --client-id ID           also check the gateway's session route and its cookies
  --redirect-uri URL       the callback page (default: /callback of the application's origin)
  --gateway URL            the gateway's base (default: /auth; "none" without one)
  --issuer URL             the provider (default: https://launchpad.classlink.com)
  --json                   print the findings as JSON
`;

const SIGNS = { ok: "✓", warning: "!", problem: "✗" } as const;

function print(findings: readonly Finding[]): void {
  for (const { id, status, summary, remedy } of findings) {
    console.log(`${SIGNS[status]} ${id}: ${summary}`);
    if (remedy) console.log(`    → ${remedy}`);
  }
  const count = findings.filter(({ status }) => status === "problem").length;
  console.log(count === 0 ? "\nNo problem found." : `\nProblems found: ${count}.`);
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      "client-id": { type: "string" },
      "redirect-uri": { type: "string" },
      gateway: { type: "string" },
      issuer: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [command, url] = positionals;
  if (command === "keygen") {
    console.log(randomBytes(32).toString("base64"));
    return 0;
  }
  if (command !== "doctor" || !url || values.help) {
    (values.help ? console.log : console.error)(HELP);
    return values.help ? 0 : 2;
  }
  const options: DoctorOptions = {
    url,
    clientId: values["client-id"],
    redirectUri: values["redirect-uri"],
    gateway: values.gateway,
    issuer: values.issuer,
  };
  const findings = await examine(options);
  if (values.json) console.log(JSON.stringify(findings, null, 2));
  else print(findings);
  return findings.some(({ status }) => status === "problem") ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  },
);
